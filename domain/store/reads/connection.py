"""Pages of a sorted list: keyset, both ways, counted only when asked.

A page is the rows beyond the cursor in the list's order, read one further than it shows, so that "is there more?" costs
nothing. Rows written or removed between two pages never shift it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.model.errors import DomainError
from domain.store.reads.cursors import cursor_sql, read_cursor
from domain.store.reads.models import Order, Paged
from domain.store.reads.selection import Arguments, Child, Children, Constant, Selected, Withheld
from domain.store.reads.statement import Builder, Scope, written

MOST_ROWS = 100
"""Rows a page holds at most, and when nothing is said."""

Write = Callable[[Children, Scope], str]
"""Writes the node's object in the scope of its row."""


class BadPage(DomainError):
    code = "BAD_PAGE"


@dataclass(slots=True)
class Page:
    """`backward`: the last rows before a cursor. `key`: the order's own sort key, "" where only the id sorts."""

    builder: Builder
    selected: Selected
    part: Paged
    parent: str
    write: Write
    order_name: str
    order: Order
    size: str = ""

    @property
    def backward(self) -> bool:
        return self.selected.arguments.get("last") is not None

    def count_of(self) -> str:
        """A sub-select of its own: the page's LIMIT does not know."""
        rows = self.builder.scope(self.part.target)
        where = self._where(rows)
        return f"(SELECT count(*)::text FROM {self.builder.source(rows)} WHERE {where})"

    def rows(self, scope: Scope) -> str:
        """The page's rows as a FROM item: the model's columns, sort key k, place nth and how many were found."""
        rows = Scope(scope.model, scope.alias)
        where = self._where(rows)
        self.builder.take(self.order.needs, rows)
        columns = f"{rows.alias}.*, {self._key(rows)} AS k"
        direction = "DESC" if self.order.descending != self.backward else "ASC"
        found = (
            f"SELECT {columns} FROM {self.builder.source(rows)} WHERE {where}{self._beyond(rows)} "
            f"ORDER BY {self._sort(rows, direction)} LIMIT {self.size} + 1"
        )
        key = self.builder.fill(rows.model.key, rows.alias)
        place = f"row_number() OVER (ORDER BY k {direction}, {key} {direction}) AS nth"
        return f"(SELECT {rows.alias}.*, {place}, count(*) OVER () AS found FROM ({found}) {rows.alias})"

    def _where(self, rows: Scope) -> str:
        return conditions(self.builder, self.selected, self.part, self.parent, rows)

    def _key(self, rows: Scope) -> str:
        return self.builder.fill(self.order.sql or rows.model.key, rows.alias)

    def _sort(self, rows: Scope, direction: str) -> str:
        own = f"{self._key(rows)} {direction}, " if self.order.sql else ""
        return f"{own}{self.builder.fill(rows.model.key, rows.alias)} {direction}"

    def _beyond(self, rows: Scope) -> str:
        signs = {"after": "<" if self.order.descending else ">"}
        signs["before"] = ">" if self.order.descending else "<"
        return "".join(
            f" AND {self._compared(rows, name, sign)}"
            for name, sign in signs.items()
            if self.selected.arguments.get(name) is not None
        )

    def check(self) -> None:
        """Size and cursors must be sound even where no row is selected."""
        slot, given = self.selected.slot, self.selected.arguments
        self.builder.check(slot, page_size)
        for name in ("after", "before"):
            if given.get(name) is not None:
                self.builder.check(slot, self._place(name))

    def _place(self, name: str) -> Callable[[Arguments], tuple[Any, UUID]]:
        cast = self.order.cast if self.order.sql else "uuid"
        return lambda arguments: read_cursor(arguments[name], self.order_name, cast)

    def _compared(self, rows: Scope, name: str, sign: str) -> str:
        slot, place = self.selected.slot, self._place(name)
        row_id = self.builder.bind("uuid", slot, lambda arguments: place(arguments)[1])
        own = self.builder.fill(rows.model.key, rows.alias)
        if not self.order.sql:
            return f"{own} {sign} {row_id}"
        key = self.builder.bind(self.order.cast, slot, lambda arguments: place(arguments)[0])
        return f"({self._key(rows)}, {own}) {sign} ({key}, {row_id})"


def conditions(builder: Builder, selected: Selected, part: Paged, parent: str, rows: Scope) -> str:
    """Which rows a list holds; they may take joins."""
    builder.take(part.needs, rows)
    on = builder.fill(part.on, parent, rows.alias)
    return builder.where(selected, part.filters, rows, on)


def connection(
    builder: Builder, selected: Selected, part: Paged, parent: Scope, write: Write
) -> str:
    """The SQL of a connection's JSON text."""
    name, order = _order(selected.arguments, part)
    page = Page(builder, selected, part, parent.alias, write, name, order)
    page.check()
    assert isinstance(selected.children, tuple)
    if not any(
        isinstance(child, Selected) and child.name != "total_count" for child in selected.children
    ):
        return written(_members(page, None, selected.children))
    page.size = builder.bind("int", selected.slot, page_size)
    scope = builder.scope(part.target)
    members = written(_members(page, scope, selected.children))
    joins = " ".join(scope.joins.values())
    return f"(SELECT {members} FROM {page.rows(scope)} {scope.alias} {joins} GROUP BY ())"


def page_size(arguments: Arguments) -> int:
    """Raises BadPage."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise BadPage("Ask for the first rows or for the last, not for both.")
    size = last if first is None else first
    if size is None:
        return MOST_ROWS
    if not 0 <= size <= MOST_ROWS:
        raise BadPage(f"A page holds 0 to {MOST_ROWS} rows.", least=0, most=MOST_ROWS)
    return int(size)


def _order(arguments: Arguments, part: Paged) -> tuple[str, Order]:
    asked = arguments.get("order_by")
    name = f"{asked['field']}_{asked['direction']}" if asked else next(iter(part.orders))
    return name, part.orders[name]


def _members(
    page: Page, scope: Scope | None, children: tuple[Child, ...]
) -> Iterator[tuple[str, str]]:
    for child in children:
        match child:
            case Selected(name="total_count"):
                yield child.key, page.count_of()
            case Selected(name="edges") if scope:
                yield child.key, _edges(page, scope, child.children)
            case Selected(name="page_info") if scope:
                yield child.key, _page_info(page, scope, child.children)
            case Constant():
                yield child.key, f"'\"{child.value}\"'"
            case Withheld() | Selected():
                raise AssertionError(f"a connection has no {child.key}")


def _edges(page: Page, scope: Scope, children: Children) -> str:
    assert isinstance(children, tuple)
    members: list[tuple[str, str]] = []
    for child in children:
        match child:
            case Selected(name="cursor"):
                members.append((child.key, _cursor(page, scope)))
            case Selected(name="node"):
                members.append((child.key, page.write(child.children, scope)))
            case Constant():
                members.append((child.key, f"'\"{child.value}\"'"))
            case _:
                raise AssertionError(f"an edge has no {child.key}")
    direction = "DESC" if page.backward else "ASC"
    ordered = f"string_agg({written(members)}, ',' ORDER BY {scope.alias}.nth {direction})"
    shown = f"FILTER (WHERE {scope.alias}.nth <= {page.size})"
    return f"'[' || coalesce({ordered} {shown}, '') || ']'"


def _page_info(page: Page, scope: Scope, children: Children) -> str:
    assert isinstance(children, tuple)
    more = f"coalesce(max({scope.alias}.found) > {page.size}, false)::text"
    given = page.selected.arguments
    ends = {"nearest": "1", "furthest": f"least({scope.alias}.found, {page.size})"}
    near, far = (_end(page, scope, place) for place in ends.values())
    values = {
        "has_next_page": _known(given.get("before")) if page.backward else more,
        "has_previous_page": more if page.backward else _known(given.get("after")),
        "start_cursor": far if page.backward else near,
        "end_cursor": near if page.backward else far,
    }
    return written(
        (child.key, f"'\"{child.value}\"'")
        if isinstance(child, Constant)
        else (child.key, values[child.name if isinstance(child, Selected) else ""])
        for child in children
    )


def _end(page: Page, scope: Scope, place: str) -> str:
    shown = f"{scope.alias}.nth = {place} AND {scope.alias}.nth <= {page.size}"
    return f"coalesce(max({_cursor(page, scope)}) FILTER (WHERE {shown}), 'null')"


def _cursor(page: Page, scope: Scope) -> str:
    key = f"{scope.alias}.k::text"
    row_id = page.builder.fill(scope.model.key, scope.alias)
    return f"'\"' || {cursor_sql(page.order_name, key, row_id)} || '\"'"


def _known(cursor: object) -> str:
    """Whether there is a page on the side that the cursor came from."""
    return "'false'" if cursor is None else "'true'"
