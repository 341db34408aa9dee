"""All rows that a list's filter finds, by their ids: what is meant by a selection of everything that matches."""

from collections.abc import Mapping

from domain.store.reads.connection import conditions
from domain.store.reads.models import Model, Paged
from domain.store.reads.selection import Arguments, Selected
from domain.store.reads.statement import Builder, Statement


def found(models: Mapping[str, Model], part: Paged, arguments: Arguments) -> Statement:
    """The statement that answers one array of ids, in their order, by the very conditions of the list itself.

    `arguments`: those of the list, and `but` (ids to leave out) and `at_most`.
    """
    builder = Builder(models)
    rows = builder.scope(part.target)
    where = conditions(builder, Selected("found", "found", 0, arguments), part, "", rows)
    key = builder.fill(rows.model.key, rows.alias)
    but = builder.bind("uuid[]", 0, lambda given: given["but"])
    most = builder.bind("int", 0, lambda given: given["at_most"])
    each = (
        f"SELECT {key} AS id FROM {builder.source(rows)} "
        f"WHERE {where} AND {key} NOT IN (SELECT unnest({but})) ORDER BY {key} LIMIT {most}"
    )
    sql = f"SELECT coalesce(array_agg(f.id ORDER BY f.id), '{{}}') FROM ({each}) f"
    return Statement(sql, tuple(builder.parameters))
