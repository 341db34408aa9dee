"""A selection becomes one statement that writes the answer's JSON inside PostgreSQL.

Objects are written by joining texts: measured on a page of 100 products with 500 listings, that takes PostgreSQL
3.0 ms where json_build_object takes 4.8 ms. Whatever may be null is written through coalesce, because one null would
make the whole answer null. To-one relations are joins beside their parent's row, lists are sub-selects, and every FROM
item names the account.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from domain.store.reads.connection import connection
from domain.store.reads.models import (
    ByIds,
    Either,
    Facts,
    Inside,
    Made,
    Many,
    Model,
    One,
    Paged,
    Part,
    Value,
    identity,
)
from domain.store.reads.selection import (
    Arguments,
    Child,
    Children,
    Constant,
    Fields,
    Selected,
    Withheld,
)
from domain.store.reads.statement import Builder, Place, Ref, Scope, Statement, parts_of, written


def compiled(models: Mapping[str, Model], root: str, fields: Fields) -> Statement:
    """The statement that answers one row with one column: the JSON object of `root`'s fields, as bytes."""
    compiler = Compiler(models)
    scope = compiler.scope(root)
    answer = compiler.object(fields, models[root].parts, scope)
    sql = f"SELECT convert_to({answer}, 'UTF8') FROM {compiler.source(scope)}"
    return Statement(sql, tuple(compiler.parameters), tuple(compiler.checks))


class Compiler(Builder):
    def objects(
        self,
        children: Children,
        parts: Mapping[str, Part],
        variants: Mapping[str, str],
        scope: Scope,
    ) -> str:
        """The object of one row; of an abstract type that of the first variant whose condition holds."""
        if isinstance(children, tuple):
            return self.object(children, parts, scope)
        cases = [
            f"WHEN {self.fill(condition, scope.alias)} THEN {self.object(children[name], parts, scope)}"
            for name, condition in variants.items()
            if name in children
        ]
        return f"CASE {' '.join(cases)} ELSE 'null' END" if cases else "'null'"

    def object(self, fields: Fields, parts: Mapping[str, Part], scope: Scope) -> str:
        return written([(child.key, self._child(child, parts, scope)) for child in fields])

    def node(self, children: Children, scope: Scope) -> str:
        return self.objects(children, parts_of(scope.model), scope.model.variants, scope)

    def _child(self, child: Child, parts: Mapping[str, Part], scope: Scope) -> str:
        match child:
            case Constant():
                return f"'\"{child.value}\"'"
            case Withheld():
                return f"'{{\"@\":[{child.mark}]}}'"
            case Selected():
                return self._part(child, parts[child.name], scope)

    def _part(self, selected: Selected, part: Part, scope: Scope) -> str:
        match part:
            case Value():
                return self.value(part, scope)
            case Facts():
                return self._facts(selected, part, scope)
            case Inside():
                return self._inside(selected, part, scope)
            case One():
                return self._one(selected, part, scope)
            case Either():
                return self._either(selected, part, scope)
            case Many():
                return self._many(selected, part, scope)
            case Paged():
                return connection(self, selected, part, scope, self.node)
            case ByIds():
                return self._by_ids(selected, part)
            case Made():
                return self._made(selected, part, scope)

    def _facts(self, selected: Selected, part: Facts, scope: Scope) -> str:
        values = "".join(f" || ',' || {self.value(value, scope)}" for value in part.values)
        return f"'{{\"@\":[{selected.mark}'{values} || ']}}'"

    def _inside(self, selected: Selected, part: Inside, scope: Scope) -> str:
        self.take(part.needs, scope)
        inside = self.objects(selected.children, part.parts, part.variants, scope)
        if not part.when:
            return inside
        return f"CASE WHEN {self.fill(part.when, scope.alias)} THEN {inside} ELSE 'null' END"

    def _one(self, selected: Selected, part: One, scope: Scope) -> str:
        if part.key and _only_id(selected.children):
            return self._from_key(selected, part.target, part.key, part.needs, scope)
        self.take(part.needs, scope)
        inner = self.scope(part.target, beside=scope)
        on = [self.fill(sql, scope.alias, inner.alias) for sql in (part.when, part.on)]
        where = self.where(selected, part.filters, inner, *on)
        source = self.fill(inner.model.source, inner.alias)
        scope.joins[inner.alias] = f"LEFT JOIN {source} ON {where}"
        found = self.fill(inner.model.key, inner.alias)
        return (
            f"CASE WHEN {found} IS NULL THEN 'null' ELSE {self.node(selected.children, inner)} END"
        )

    def _from_key(
        self, selected: Selected, target: str, key: str, needs: tuple[str, ...], scope: Scope
    ) -> str:
        """An object of nothing but its id needs no look-up."""
        assert isinstance(selected.children, tuple)
        self.take(needs, scope)
        shown = self.object(selected.children, {"id": identity(target, key)}, scope)
        return f"CASE WHEN {self.fill(key, scope.alias)} IS NULL THEN 'null' ELSE {shown} END"

    def _either(self, selected: Selected, part: Either, scope: Scope) -> str:
        self.take(part.needs, scope)
        assert not isinstance(selected.children, tuple)
        cases = []
        for name, choice in part.choices.items():
            own = replace(selected, children=selected.children[name])
            shown = self._part(own, choice, scope)
            cases.append(f"WHEN {self.fill(choice.when, scope.alias)} THEN {shown}")
        return f"CASE {' '.join(cases)} ELSE 'null' END"

    def _many(self, selected: Selected, part: Many, scope: Scope) -> str:
        inner = self.scope(part.target)
        self.take(part.needs, inner)
        on = self.fill(part.on, scope.alias, inner.alias)
        where = self.where(selected, part.filters, inner, on)
        order = self.fill(part.order, scope.alias, inner.alias)
        each = f"string_agg({self.node(selected.children, inner)}, ',' ORDER BY {order})"
        source = self.source(inner)
        if part.source:
            made = self.fill(part.source, scope.alias, inner.alias)
            source = " ".join([made, *inner.joins.values()])
        return f"(SELECT '[' || coalesce({each}, '') || ']' FROM {source} WHERE {where})"

    def _made(self, selected: Selected, part: Made, scope: Scope) -> str:
        inner = self.scope(part.target)
        place = Place(self, selected.slot, selected.arguments, inner)
        made = part.source
        for name, cast in part.arguments.items():
            made = made.replace(f"{{{name}}}", place.bind(name, cast))
        shown = self.node(selected.children, inner)
        made = self.fill(made, scope.alias, inner.alias)
        source = " ".join([made, *inner.joins.values()])
        if not part.order:
            return f"coalesce((SELECT {shown} FROM {source}), 'null')"
        order = self.fill(part.order, "", inner.alias)
        each = f"string_agg({shown}, ',' ORDER BY {order})"
        return f"(SELECT '[' || coalesce({each}, '') || ']' FROM {source})"

    def _by_ids(self, selected: Selected, part: ByIds) -> str:
        """One look-up for each model that is asked for; what is foreign or gone is null."""
        names = sorted({ref.model for ref in refs_of(selected.arguments)})
        found = " UNION ALL ".join(self._look_up(selected, name) for name in names)
        if part.single:
            return f"coalesce((SELECT f.shown FROM ({found}) f), 'null')" if found else "'null'"
        if not found:
            return "'[]'"
        count = self.bind("int", selected.slot, lambda arguments: len(refs_of(arguments)))
        return (
            "(SELECT '[' || string_agg(coalesce(f.shown, 'null'), ',' ORDER BY n.nth) || ']' "
            f"FROM generate_series(1, {count}) n (nth) LEFT JOIN ({found}) f ON f.nth = n.nth)"
        )

    def _look_up(self, selected: Selected, name: str) -> str:
        def of_model(arguments: Arguments) -> list[tuple[int, UUID]]:
            numbered = enumerate(refs_of(arguments), start=1)
            return [(nth, ref.id) for nth, ref in numbered if ref.model == name]

        inner = self.scope(name)
        places = self.bind("int[]", selected.slot, lambda a: [nth for nth, _ in of_model(a)])
        ids = self.bind("uuid[]", selected.slot, lambda a: [row for _, row in of_model(a)])
        shown = self.node(_of_model(selected.children, inner.model), inner)
        own = inner.model
        first, key, alive = (
            self.fill(sql, inner.alias) for sql in (own.source, own.key, own.alive)
        )
        source = f"unnest({places}, {ids}) w (nth, id) JOIN {first} ON {key} = w.id"
        where = f"{self.account(inner)} AND {alive}"
        joins = " ".join(inner.joins.values())
        return f"SELECT w.nth, {shown} AS shown FROM {source} {joins} WHERE {where}"


def refs_of(arguments: Arguments) -> list[Ref]:
    """The ids that `node` or `nodes` was asked for."""
    one = arguments.get("id")
    return [one] if one is not None else list(arguments.get("ids") or ())


def _only_id(children: Children) -> bool:
    return isinstance(children, tuple) and all(
        isinstance(child, Constant) or (isinstance(child, Selected) and child.name == "id")
        for child in children
    )


def _of_model(children: Children, model: Model) -> Children:
    """Of fields by concrete type those of this model; all of them where the model itself is abstract."""
    if isinstance(children, tuple) or model.variants:
        return children
    return children.get(model.name, ())
