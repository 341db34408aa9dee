"""A tenant's data is walled off by the database itself, whatever a statement forgets to say (DESIGN §2.9)."""

import secrets
from collections.abc import Mapping
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.services import accounts
from domain.store.database import Database
from domain.store.outages import sqlstate
from renkei.engines.postgres import Postgres

REFUSED = "42501"

SHOP = "(SELECT id FROM shops LIMIT 1)"
PRODUCT = "(SELECT id FROM products WHERE kind = 'SINGLE' LIMIT 1)"
SET = "(SELECT id FROM products WHERE kind = 'SET' LIMIT 1)"
LISTING = "(SELECT id FROM listings LIMIT 1)"
ORDER = "(SELECT id FROM orders LIMIT 1)"
ERROR = "(SELECT id FROM sync_errors LIMIT 1)"
JOB = "(SELECT id FROM jobs LIMIT 1)"

ROWS: Mapping[str, str] = {
    "event_counters": "(account_id) VALUES (:account)",
    "users": "(account_id, email, name, role) VALUES (:account, 'a@b', 'A', 'OWNER')",
    "sessions": """(account_id, user_id, token_hash, expires_at)
        VALUES (:account, (SELECT id FROM users LIMIT 1), uuid_send(uuidv7()), now())""",
    "api_tokens": "(account_id, name, token_hash, role) VALUES (:account, 'A', uuid_send(uuidv7()), 'OWNER')",
    "shops": "(account_id, mall, name) VALUES (:account, 'RAKUTEN', 'Tea')",
    "shop_credentials": f"(account_id, shop_id, key, ciphertext) VALUES (:account, {SHOP}, 'k', '')",
    "shop_consents": f"""(account_id, shop_id, state_hash, return_url, redirect_uri, expires_at)
        VALUES (:account, {SHOP}, '', '', '', now())""",
    "shop_leases": f"""(account_id, shop_id, kind, holder, until)
        VALUES (:account, {SHOP}, 'REFLECT', 'h', now())""",
    "full_sync_schedules": f"""(account_id, shop_id, at, weekdays, enabled)
        VALUES (:account, {SHOP}, '03:30', '{{MON}}', false)""",
    "feeds": f"(account_id, shop_id, epoch, items, sent_at) VALUES (:account, {SHOP}, 1, 1, now())",
    "shop_walks": f"(account_id, shop_id) VALUES (:account, {SHOP})",
    "product_groups": "(account_id, name) VALUES (:account, 'Cups')",
    "products": "(account_id, code, kind) VALUES (:account, 'MUG', 'SINGLE'), (:account, 'BOX', 'SET')",
    "set_parts": f"(account_id, set_id, part_id, count) VALUES (:account, {SET}, {PRODUCT}, 2)",
    "listings": f"(account_id, shop_id, item_code) VALUES (:account, {SHOP}, 'mug')",
    "listing_fields": f"(account_id, listing_id, key) VALUES (:account, {LISTING}, 'lead_time')",
    "code_mappings": f"""(account_id, shop_id, mall_code, product_code)
        VALUES (:account, {SHOP}, 'mug', 'MUG')""",
    "links": f"(account_id, listing_id, product_id, state) VALUES (:account, {LISTING}, {PRODUCT}, 'LINKED')",
    "listing_sync": f"(account_id, listing_id, shop_id) VALUES (:account, {LISTING}, {SHOP})",
    "pushes": f"""(account_id, listing_id, shop_id, call_id, generation, epoch, mode, quantity, state)
        VALUES (:account, {LISTING}, {SHOP}, uuidv7(), 1, 1, 'ABSOLUTE', 1, 'SENT')""",
    "orders": f"""(account_id, shop_id, number, placed_at, status, observed_at, first_observed_at)
        VALUES (:account, {SHOP}, '1', now(), 'HOLDS', now(), now())""",
    "order_lines": f"""(account_id, order_id, position, item_code, quantity, state)
        VALUES (:account, {ORDER}, 0, 'mug', 1, 'APPLIED')""",
    "order_items": f"(account_id, order_id, item_code) VALUES (:account, {ORDER}, 'mug')",
    "order_effects": f"(account_id, order_id, product_id) VALUES (:account, {ORDER}, {PRODUCT})",
    "stock_movements": f"""
        (account_id, product_id, stock_version, cause, delta, balance_before, balance_after)
        VALUES (:account, {PRODUCT}, 1, 'COUNTED', 5, 0, 5)""",
    "operation_logs": "(account_id, actor, action) VALUES (:account, '{}', 'TEST')",
    "sales_logs": f"""(account_id, shop_id, order_id, item_code, units)
        VALUES (:account, {SHOP}, {ORDER}, 'mug', 1)""",
    "mall_update_logs": f"""(account_id, shop_id, listing_id, push_id, after, state)
        VALUES (:account, {SHOP}, {LISTING}, uuidv7(), 1, 'APPLIED')""",
    "sync_errors": "(account_id, level, kind, group_key) VALUES (:account, 8, 'THROTTLED', 'k')",
    "sync_error_listings": f"(account_id, error_id, listing_id) VALUES (:account, {ERROR}, {LISTING})",
    "events": "(account_id, seq, kind) VALUES (:account, 0, 'SHOP')",
    "idempotency_keys": "(account_id, caller, mutation, key, asked) VALUES (:account, 'c', 'm', 'k', '')",
    "jobs": "(account_id, kind) VALUES (:account, 'REFLECT')",
    "job_listings": f"(account_id, job_id, listing_id) VALUES (:account, {JOB}, {LISTING})",
    "job_targets": f"(account_id, job_id, place, target_id) VALUES (:account, {JOB}, 0, {LISTING})",
    "job_shops": f"""(account_id, job_id, shop_id, work, next_try_at)
        VALUES (:account, {JOB}, {SHOP}, 'READ_STOCK', now())""",
    "sync_runs": f"(account_id, shop_id, kind, started_at) VALUES (:account, {SHOP}, 'REFLECT', now())",
    "oversell_incidents": f"""(account_id, product_id, order_id, units, opened_at)
        VALUES (:account, {PRODUCT}, {ORDER}, 1, now())""",
    "product_exposures": f"(account_id, product_id, shop_id, day) VALUES (:account, {PRODUCT}, {SHOP}, '2026-11-22')",
    "documents": "(account_id, hash, document) VALUES (:account, '', '{ viewer { locale } }')",
}
"""The least that each tenant table takes, in an order in which what a row points to is there."""

TENANT_TABLES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""

READABLE_PARTITIONS = """
SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'
    AND has_table_privilege('renkei_app', oid, 'SELECT, INSERT, UPDATE, DELETE')
"""


@pytest.fixture(scope="module")
async def owner_of_rows(db: Database) -> UUID:
    """An account with a row in every table, written by the serving role."""
    account = await accounts.create_account(db, f"a-{secrets.token_hex(6)}", "Tea House")
    async with db.transaction(account) as tx:
        for table, values in ROWS.items():
            if table != "event_counters":
                await tx.execute(text(f"INSERT INTO {table} {values}"), {"account": account})
    return account


@pytest.fixture(scope="module")
async def stranger(db: Database) -> UUID:
    return await accounts.create_account(db, f"b-{secrets.token_hex(6)}", "Coffee House")


async def test_every_tenant_table_is_held_and_tried_here(database: Postgres):
    engine = create_async_engine(database.url(), poolclass=NullPool)
    async with engine.connect() as connection:
        forced = {row.relname: row.forced for row in await connection.execute(text(TENANT_TABLES))}

    assert forced == dict.fromkeys(ROWS, True)


@pytest.mark.parametrize("table", ROWS)
async def test_a_stranger_sees_no_row(
    db: Database, owner_of_rows: UUID, stranger: UUID, table: str
):
    count = text(f"SELECT count(*) FROM {table} WHERE account_id = :account")
    async with db.transaction(owner_of_rows) as tx:
        assert await tx.scalar(count, {"account": owner_of_rows}) > 0
    async with db.transaction(stranger) as tx:
        assert await tx.scalar(count, {"account": owner_of_rows}) == 0
    async with db.connection() as nobody:
        assert await nobody.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize("table", ROWS)
async def test_a_stranger_writes_no_row(
    db: Database, owner_of_rows: UUID, stranger: UUID, table: str
):
    insert = text(f"INSERT INTO {table} {ROWS[table]}")
    with pytest.raises(asyncpg.PostgresError, match="row-level security") as refused:
        async with db.transaction(stranger) as tx:
            await tx.execute(insert, {"account": owner_of_rows})

    assert sqlstate(refused.value) == REFUSED


@pytest.mark.parametrize("table", ROWS)
async def test_the_owner_of_the_tables_is_held_too(
    database: Postgres, owner_of_rows: UUID, table: str
):
    connection = await asyncpg.connect(database.url().replace("+asyncpg", ""))
    try:
        everything = await connection.fetchval(f"SELECT count(*) FROM {table}")
        await connection.execute("SET ROLE renkei_owner")
        as_owner = await connection.fetchval(f"SELECT count(*) FROM {table}")
    finally:
        await connection.close()

    assert everything > 0
    assert as_owner == 0


async def test_an_account_sees_itself_alone(db: Database, owner_of_rows: UUID, stranger: UUID):
    async with db.transaction(stranger) as tx:
        assert list((await tx.execute(text("SELECT id FROM accounts"))).scalars()) == [stranger]
    with pytest.raises(asyncpg.PostgresError, match="row-level security"):
        async with db.transaction(stranger) as tx:
            await tx.execute(
                text("INSERT INTO accounts (id, code, name) VALUES (uuidv7(), 'x', 'X')")
            )


async def test_a_row_cannot_be_given_to_another_account(
    db: Database, owner_of_rows: UUID, stranger: UUID
):
    async def give_away() -> None:
        async with db.transaction(stranger) as tx:
            group = "INSERT INTO product_groups (account_id, name) VALUES (:account, 'Mine')"
            await tx.execute(text(group), {"account": stranger})
            give = "UPDATE product_groups SET account_id = :account"
            await tx.execute(text(give), {"account": owner_of_rows})

    with pytest.raises(asyncpg.PostgresError, match="row-level security"):
        await give_away()


async def test_a_partition_is_reached_through_its_log_alone(database: Postgres):
    engine = create_async_engine(database.url(), poolclass=NullPool)
    async with engine.connect() as connection:
        partitions = await connection.scalar(
            text("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'")
        )
        readable = list((await connection.execute(text(READABLE_PARTITIONS))).scalars())

    assert partitions >= 8
    assert readable == []
