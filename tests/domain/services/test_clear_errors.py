"""エラー削除: what clearing does to each level."""

import os
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError, MallLockedOut, MallUnavailable
from domain.model.events import ErrorChange, EventKind
from domain.model.malls import MallKind
from domain.model.sync_errors import Part, SyncErrorKind
from domain.services import shops, sync_errors
from domain.services.credentials import Vault
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows

VAULT = Vault(os.urandom(32))
DEAD = MallLockedOut("The key is dead.")
BUSY = MallUnavailable("Busy.")


async def a_shop(tx: Tx, name: str = "Tea") -> Shop:
    keys = {"service_secret": "SP", "license_key": "SL"}
    shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, name, keys, {})
    await rows(tx, "DELETE FROM jobs WHERE account_id = :account RETURNING id")
    return shop


async def a_failure(tx: Tx, shop: Shop) -> UUID:
    await sync_errors.report_failure(
        tx, BUSY, Part.STOCK, shop_id=shop.id, shop_name=shop.name, now=NOW
    )
    error = await row(tx, "SELECT id FROM sync_errors WHERE level = 8")
    error_id: UUID = error["id"]
    return error_id


async def the_error(tx: Tx, error_id: UUID) -> dict[str, object]:
    return await row(
        tx,
        "SELECT state, count, cleared_at, cleared_by FROM sync_errors WHERE id = :error",
        error=error_id,
    )


def changes(tx: Tx) -> list[tuple[str, UUID | None]]:
    return [(each.change, each.node_id) for each in tx.events if each.kind is EventKind.ERROR]


async def test_a_cleared_level_8_is_hidden_until_its_cause_is_seen_again(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        error = await a_failure(tx, shop)

        cleared = await sync_errors.clear(tx, OWNER, [error], now=NOW)
        assert cleared == sync_errors.Cleared([error], [])
        assert await the_error(tx, error) == {
            "state": "CLEARED",
            "count": 1,
            "cleared_at": NOW,
            "cleared_by": OWNER.as_json(),
        }

        assert await a_failure(tx, shop) == error
        assert await the_error(tx, error) == {
            "state": "OPEN",
            "count": 2,
            "cleared_at": None,
            "cleared_by": None,
        }
        assert changes(tx) == [
            (ErrorChange.OPENED, error),
            (ErrorChange.CLEARED, error),
            (ErrorChange.REOPENED, error),
        ]
        assert (await operations(tx))[-1] == "CLEAR_ERRORS"


async def test_an_error_is_cleared_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        error = await a_failure(tx, await a_shop(tx))
        await sync_errors.clear(tx, OWNER, [error], now=NOW)

        assert await sync_errors.clear(tx, OWNER, [error], now=NOW) == sync_errors.Cleared([], [])


async def test_a_level_9_is_not_hidden_but_tested(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        eight = await a_failure(tx, shop)
        await shops.halt(tx, shop, DEAD, now=NOW)
        nine = await row(tx, "SELECT id FROM sync_errors WHERE level = 9")

        cleared = await sync_errors.clear(tx, OWNER, [eight, nine["id"]], now=NOW)

        job = await row(tx, "SELECT id, kind, state, shop_id, input, actor FROM jobs")
        assert cleared == sync_errors.Cleared([eight], [job["id"]])
        assert job | {"id": None} == {
            "id": None,
            "kind": "SHOP_CHECK",
            "state": "WAITING",
            "shop_id": shop.id,
            "input": {"resume": True},
            "actor": OWNER.as_json(),
        }
        assert (await the_error(tx, nine["id"]))["state"] == "OPEN"


async def test_two_errors_of_one_halted_shop_are_one_test(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, other = await a_shop(tx), await a_shop(tx, "Coffee")
        for halted in (shop, other):
            await shops.halt(tx, halted, DEAD, now=NOW)
        await sync_errors.report(
            tx,
            SyncErrorKind.CONSENT_NEEDED,
            shop_id=shop.id,
            shop_name=shop.name,
            level=sync_errors.Level.LEVEL_9,
            now=NOW,
        )
        errors = [each["id"] for each in await rows(tx, "SELECT id FROM sync_errors")]

        cleared = await sync_errors.clear(tx, OWNER, errors, now=NOW)

        asked = await rows(tx, "SELECT shop_id FROM jobs ORDER BY shop_id")
        assert len(errors) == 3
        assert (cleared.errors, len(cleared.checks)) == ([], 2)
        assert [each["shop_id"] for each in asked] == sorted([shop.id, other.id])


async def test_a_level_9_whose_shop_runs_again_is_just_hidden(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await shops.halt(tx, shop, DEAD, now=NOW)
        await rows(
            tx, "UPDATE shops SET state = 'RUNNING' WHERE account_id = :account RETURNING id"
        )
        nine = await row(tx, "SELECT id FROM sync_errors")

        cleared = await sync_errors.clear(tx, OWNER, [nine["id"]], now=NOW)

        assert cleared == sync_errors.Cleared([nine["id"]], [])
        assert (await the_error(tx, nine["id"]))["state"] == "CLEARED"


async def test_an_error_of_nobody_or_of_another_account_is_not_found(
    db: Database, account: UUID, another_account: UUID
):
    async with db.transaction(another_account) as tx:
        foreign = await a_failure(tx, await a_shop(tx))
    async with db.transaction(account) as tx:
        error = await a_failure(tx, await a_shop(tx))
        for unknown in (foreign, uuid4()):
            with pytest.raises(DomainError) as refused:
                await sync_errors.clear(tx, OWNER, [error, unknown], now=NOW)
            assert (refused.value.code, refused.value.field) == (
                "NOT_FOUND",
                ("errors", "ids", "1"),
            )
        assert (await the_error(tx, error))["state"] == "OPEN"
