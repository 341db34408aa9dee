"""A text of the store, as the driver takes it and as its rows are read."""

from uuid import UUID

import pytest
from sqlalchemy import text

from domain.store.database import Database
from domain.store.statements import NotOne
from renkei.database import APP
from renkei.engines.postgres import Postgres

ACCOUNT = UUID(int=1)

ANSWERS = {
    "no name": ("SELECT 1 AS n", {}, [(1,)]),
    "one name": ("SELECT :n + 1 AS n", {"n": 2}, [(3,)]),
    "a name that stands twice is one value": (
        "SELECT :n + 0 AS a, :n + 1 AS b",
        {"n": 2},
        [(2, 3)],
    ),
    "each name has its own value, whatever their order": (
        "SELECT cast(:b AS int) AS b, cast(:a AS int) AS a",
        {"a": 1, "b": 2},
        [(2, 1)],
    ),
    "a cast is no name": ("SELECT '7'::int AS n, :n ::text AS t", {"n": "x"}, [(7, "x")]),
    "an escaped colon is a colon": (r"SELECT 'at 10\:30' AS t", {}, [("at 10:30",)]),
    "values that no name asks for are left": ("SELECT :n + 0 AS n", {"n": 1, "more": 2}, [(1,)]),
    "JSON is read": ("""SELECT '{"a": [1]}'::jsonb AS j""", {}, [({"a": [1]},)]),
    "none": ("SELECT 1 AS n WHERE false", {}, []),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_a_text_is_answered_as_it_reads(db: Database, case: str) -> None:
    sql, values, expected = ANSWERS[case]
    async with db.transaction(ACCOUNT) as tx:
        assert [tuple(row) for row in await tx.execute(text(sql), values)] == expected


async def test_a_name_without_a_value_is_refused(db: Database) -> None:
    with pytest.raises(KeyError):
        async with db.transaction(ACCOUNT) as tx:
            await tx.execute(text("SELECT :n + 1"), {"m": 1})


async def test_a_row_is_read_by_place_by_name_and_as_a_mapping(db: Database) -> None:
    async with db.transaction(ACCOUNT) as tx:
        rows = await tx.execute(text("SELECT 1 AS a, 'x' AS b"))
    row = rows.one()
    assert (row[0], row.a, row["b"], row.b, row._mapping) == (1, 1, "x", "x", {"a": 1, "b": "x"})
    with pytest.raises(AttributeError):
        _ = row.c


async def test_how_many_rows_are_asked_for_is_how_many_there_must_be(db: Database) -> None:
    async with db.transaction(ACCOUNT) as tx:
        none = await tx.execute(text("SELECT 1 AS n WHERE false"))
        two = await tx.execute(text("SELECT generate_series(1, 2) AS n"))
    assert (none.one_or_none(), none.scalar(), two.scalar()) == (None, None, 1)
    assert (list(two.scalars()), two.mappings().all()) == ([1, 2], [{"n": 1}, {"n": 2}])
    for rows in (none.one, two.one, two.one_or_none):
        with pytest.raises(NotOne):
            rows()


async def test_a_write_says_how_many_rows_it_changed(db: Database) -> None:
    async with db.transaction(ACCOUNT) as tx:
        await tx.execute(text("CREATE TEMP TABLE counted (n int) ON COMMIT DROP"))
        insert = text("INSERT INTO counted SELECT generate_series(1, cast(:n AS int))")
        assert await tx.changed(insert, {"n": 3}) == 3
        assert await tx.changed(text("UPDATE counted SET n = 0 WHERE n > :n"), {"n": 1}) == 2


async def test_a_connection_whose_server_has_gone_is_given_to_nobody(database: Postgres) -> None:
    """It was idle in the pool when its session was ended: whoever comes next gets a new one."""
    db = Database.at(database.url(user=APP), pool_size=1)
    other = Database.at(database.url(user=APP), pool_size=1)
    async with db.transaction(ACCOUNT) as tx:
        pid = await tx.scalar(text("SELECT pg_backend_pid()"))
    async with other.transaction(ACCOUNT) as tx:
        await tx.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    async with db.transaction(ACCOUNT) as tx:
        assert await tx.scalar(text("SELECT pg_backend_pid()")) != pid
    await other.close()
    await db.close()
