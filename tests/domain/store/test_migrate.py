"""A database that is in use is brought to this version, step by step, and loses nothing that is worth keeping."""

from uuid import uuid4

import asyncpg
import pytest

from domain.store.migrate import SchemaTooOld, check_version, drift, migrate
from renkei.engines.postgres import Postgres
from tests.databases import EMPTY, Scratch, scratch

ROWS = (
    "INSERT INTO accounts (id, code, name) VALUES ($1, 'acme', 'Acme')",
    "INSERT INTO users (account_id, email, name, role) VALUES ($1, 'a@example.com', 'A', 'OWNER')",
    "INSERT INTO shops (account_id, mall, name) VALUES ($1, 'RAKUTEN', 'Tea')",
    "INSERT INTO products (account_id, code) VALUES ($1, 'MUG')",
    "INSERT INTO listings (account_id, shop_id, item_code) SELECT $1, id, unnest(ARRAY['a', 'b']) FROM shops",
    "INSERT INTO listing_sync (account_id, listing_id, shop_id, wanted, claimed, done)"
    " SELECT $1, id, shop_id, 3, 2, 2 FROM listings WHERE item_code = 'a'",
    "INSERT INTO listing_sync (account_id, listing_id, shop_id, wanted, claimed, done)"
    " SELECT $1, id, shop_id, 4, 4, 4 FROM listings WHERE item_code = 'b'",
    "INSERT INTO jobs (account_id, kind) VALUES ($1, 'REFLECT')",
    "INSERT INTO idempotency_keys (account_id, key, asked) VALUES ($1, 'k', '')",
)
KEPT = """
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM shops WHERE disconnected_at IS NULL),
    (SELECT count(*) FROM products), (SELECT count(*) FROM jobs), (SELECT count(*) FROM idempotency_keys),
    (SELECT (confirm_to_zero, confirm_changed)::text FROM accounts),
    (SELECT string_agg(own::text, ',' ORDER BY wanted) FROM listing_sync)
"""


async def connected(database: Scratch) -> asyncpg.Connection:
    return await asyncpg.connect(database.url().replace("+asyncpg", ""))


async def test_a_database_in_use_is_brought_up_from_the_first_version(postgres: Postgres) -> None:
    async with scratch(postgres, EMPTY) as database:
        await migrate(database.url(), to="0001")
        with pytest.raises(SchemaTooOld, match="renkei migrate"):
            await check_version(database.url())
        connection = await connected(database)
        account = uuid4()
        for row in ROWS:
            await connection.execute(row, account)

        await migrate(database.url())

        assert await drift(database.url()) == []
        await check_version(database.url())
        assert tuple(await connection.fetchrow(KEPT)) == (1, 1, 1, 1, 0, "(50,500)", "3,0")
        await connection.close()
