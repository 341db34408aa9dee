"""Testing a shop's way to its mall, and how a halted shop comes back."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey, MallKind
from domain.services import checks, shops, switches
from domain.services.checks import Verdict
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.services.sync_errors import clear
from domain.store import jobs, leases
from domain.store.database import Bell, Database, Tx
from domain.store.jobs import Check
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, a_listing, operations, row, rows, waiting

VAULT = Vault(os.urandom(32))
KEYS = {"service_secret": "SP", "license_key": "SL"}
DEAD = MallLockedOut("The key is dead.", mall_code="ES04", mall_message="Un-Authorised")
BUSY = MallUnavailable("Under maintenance.", maintenance=True)

OK, NG, CREDENTIALS, ORDERS = (
    CheckOutcome.OK,
    CheckOutcome.NG,
    CheckPartKey.CREDENTIALS,
    CheckPartKey.ORDERS,
)
GOOD = [CheckPart(CREDENTIALS, OK), CheckPart(ORDERS, OK)]


def bad(error: MallError | None, key: CheckPartKey = CREDENTIALS) -> list[CheckPart]:
    return [CheckPart(key, NG, "No.", error=error)]


@pytest.mark.parametrize(
    ("case", "parts", "expected"),
    [
        ("all is well", GOOD, Verdict.PASSED),
        (
            "what is not needed or was not tested decides nothing",
            [
                CheckPart(CheckPartKey.CONSENT, CheckOutcome.NOT_NEEDED),
                CheckPart(ORDERS, CheckOutcome.NOT_TESTED),
            ],
            Verdict.PASSED,
        ),
        (
            "a wrong clock decides nothing",
            bad(MallError("Apart."), CheckPartKey.CLOCK),
            Verdict.PASSED,
        ),
        ("dead credentials", bad(DEAD), Verdict.REFUSED),
        ("a lapsed consent", bad(DEAD, CheckPartKey.CONSENT), Verdict.REFUSED),
        ("dead credentials, busy orders", bad(DEAD) + bad(BUSY, ORDERS), Verdict.REFUSED),
        ("a busy mall", bad(BUSY) + bad(MallThrottled("Slow."), ORDERS), Verdict.UNSURE),
        ("no right to orders, a busy catalogue", bad(DEAD, ORDERS) + bad(BUSY), Verdict.FAILED),
        ("a refusal", bad(MallRefused("No."), ORDERS), Verdict.FAILED),
        ("no reason told", bad(None), Verdict.FAILED),
    ],
)
def test_verdict(case, parts, expected):
    assert checks.verdict(parts) is expected, case


async def a_shop(tx: Tx) -> Shop:
    """Connected; the test that connecting starts is done with."""
    shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
    await after_test(tx, shop, GOOD)
    return await shops.known(tx, shop.id)


async def a_halted_shop(tx: Tx) -> Shop:
    shop = await a_shop(tx)
    await switches.start_sync(tx, OWNER, None, now=NOW)
    [shop] = await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
    await shops.halt(tx, shop, DEAD, now=NOW)
    tx.bells.clear()
    return await shops.known(tx, shop.id)


async def after_test(tx: Tx, shop: Shop, parts: Sequence[CheckPart]) -> Shop:
    """What a worker does with the shop's oldest waiting test, the mall's answers being `parts`."""
    check = await taken_up(tx, shop)
    await checks.probed(tx, shop, parts, check, now=NOW)
    return await shops.known(tx, shop.id)


async def taken_up(tx: Tx, shop: Shop) -> Check:
    [check, *_] = await jobs.lock_checks(tx, shop.id, at=NOW)
    await jobs.start(tx, [check.id], at=NOW)
    await checks.probe(tx, shop)
    return check


async def the_error(tx: Tx) -> dict[str, object]:
    return await row(
        tx, "SELECT state, count, resolved_at IS NOT NULL AS resolved, cleared_by FROM sync_errors"
    )


async def test_a_good_test_connects_the_shop(db: Database, account: UUID):
    until = datetime(2027, 1, 31, tzinfo=UTC)
    parts = [CheckPart(CREDENTIALS, OK, expires_at=until), CheckPart(ORDERS, OK)]
    async with db.transaction(account) as tx:
        shop, job_id = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
        shop = await after_test(tx, shop, parts)
        job = await row(
            tx, "SELECT state, result, finished_at FROM jobs WHERE id = :job", job=job_id
        )
        lives = await rows(tx, "SELECT key, expires_at FROM shop_credentials ORDER BY key")

    assert (shop.state, shop.checked_at) == ("RUNNING", NOW)
    part = {"outcome": "OK", "kind": None, "mall_message": ""}
    assert job == {
        "state": "DONE",
        "finished_at": NOW,
        "result": {
            "ok": True,
            "parts": [
                {"key": "CREDENTIALS", "expires_at": "2027-01-31T00:00:00+00:00"} | part,
                {"key": "ORDERS", "expires_at": None} | part,
            ],
        },
    }
    assert lives == [
        {"key": "license_key", "expires_at": until},
        {"key": "service_secret", "expires_at": None},
    ]


async def test_a_shop_that_never_ran_is_told_what_is_missing_and_not_halted(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop, job_id = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
        shop = await after_test(tx, shop, bad(DEAD))
        job = await row(tx, "SELECT state, result FROM jobs WHERE id = :job", job=job_id)
        errors = await rows(tx, "SELECT id FROM sync_errors")

    assert (shop.state, shop.checked_at, errors) == ("RUNNING", None, [])
    assert (job["state"], job["result"]["ok"]) == ("DONE", False)
    assert job["result"]["parts"] == [
        {
            "key": "CREDENTIALS",
            "outcome": "NG",
            "kind": "CREDENTIALS_REFUSED",
            "mall_message": "No.",
            "expires_at": None,
        }
    ]


@pytest.mark.parametrize(
    ("case", "parts"), [("good", GOOD), ("refused", bad(DEAD)), ("not to be asked now", bad(BUSY))]
)
async def test_those_who_follow_a_shop_are_told_of_its_test_once(
    db: Database, account: UUID, case: str, parts: list[CheckPart]
):
    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
    async with db.transaction(account) as tx:
        await after_test(tx, shop, parts)
    async with db.transaction(account) as tx:
        told = await rows(tx, "SELECT node_id FROM events WHERE kind = 'SHOP' ORDER BY seq")

    assert told == [{"node_id": shop.id}] * 2, case


async def test_a_running_shop_whose_credentials_are_refused_is_halted(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
        await checks.test_connection(tx, OWNER, shop.id)
        shop = await after_test(tx, shop, bad(DEAD))
        error = await the_error(tx)
        logged = await operations(tx)

    assert shop.state == "HALTED"
    assert error == {"state": "OPEN", "count": 1, "resolved": False, "cleared_by": None}
    assert logged[-1] == "TEST_CONNECTION"


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        ("a busy mall", bad(BUSY)),
        ("no right to orders", bad(DEAD, ORDERS)),
        ("a wrong clock", bad(MallError("Apart."), CheckPartKey.CLOCK)),
    ],
)
async def test_a_running_shop_is_not_halted_by_anything_else(
    db: Database, account: UUID, case, parts
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
        job_id = await checks.test_connection(tx, OWNER, shop.id)
        shop = await after_test(tx, shop, parts)
        job = await row(tx, "SELECT state, result FROM jobs WHERE id = :job", job=job_id)

    assert shop.state == "RUNNING", case
    assert (job["state"], job["result"]["ok"]) == ("DONE", False)


async def test_renewed_credentials_alone_do_not_resume_a_shop(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        change = ShopChange(credentials={"license_key": "SL-new"})
        await shops.update(tx, VAULT, OWNER, shop.id, change)
        assert tx.bells == {Bell(account, shop.id, "CHECK"): None}

        shop = await after_test(tx, shop, GOOD)

        assert shop.state == "HALTED"
        assert (await the_error(tx))["state"] == "OPEN"


async def test_a_cleared_level_9_is_being_looked_into_until_the_test_is_over(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        error = await row(tx, "SELECT id FROM sync_errors")
        await clear(tx, OWNER, [error["id"]], now=NOW)

        await taken_up(tx, shop)

        assert (await shops.known(tx, shop.id)).state == "PROBING"
        assert (await the_error(tx))["state"] == "OPEN"


async def test_a_good_test_after_clearing_catches_up_and_runs(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        listing = await a_listing(tx, shop.id, "MUG", total=5, shows=8)
        error = await row(tx, "SELECT id FROM sync_errors")
        await clear(tx, OWNER, [error["id"]], now=NOW)
        tx.bells.clear()

        shop = await after_test(tx, shop, GOOD)
        assert (shop.state, shop.orders_seen_at) == ("CATCHING_UP", None)
        cleared = {"state": "CLEARED", "count": 1, "cleared_by": OWNER.as_json()}
        assert await the_error(tx) == cleared | {"resolved": False}
        assert (await waiting(tx, listing))["waits"]
        assert Bell(account, shop.id, "CHECK") in tx.bells

        await shops.caught_up(tx, shop, now=NOW)
        shop = await shops.known(tx, shop.id)
        assert shop.state == "RUNNING"
        assert await the_error(tx) == cleared | {"resolved": True}
        assert (await waiting(tx, listing))["not_pushed"] == []

        before = list(tx.events)
        await shops.caught_up(tx, shop, now=NOW)
        assert tx.events == before


async def test_resuming_can_be_asked_for_with_the_credentials(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        change = ShopChange(credentials={"license_key": "SL-new"})
        await shops.update(tx, VAULT, OWNER, shop.id, change, resume=True)

        assert (await after_test(tx, shop, GOOD)).state == "CATCHING_UP"


async def test_an_account_may_resume_on_valid_credentials(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        await rows(
            tx,
            "UPDATE accounts SET level9_resume = 'ON_VALID_CREDENTIALS' WHERE id = :account RETURNING id",
        )
        await checks.test_connection(tx, OWNER, shop.id)

        shop = await after_test(tx, shop, GOOD)
        assert shop.state == "CATCHING_UP"
        assert (await the_error(tx))["state"] == "OPEN"

        await shops.caught_up(tx, shop, now=NOW)
        assert await the_error(tx) == {
            "state": "RESOLVED",
            "count": 1,
            "resolved": True,
            "cleared_by": None,
        }


@pytest.mark.parametrize(
    ("case", "parts", "count"),
    [
        ("still dead: seen once more", bad(DEAD), 2),
        ("another fault: the error stays as it is", bad(MallRefused("No."), ORDERS), 1),
    ],
)
async def test_a_test_that_is_not_good_leaves_the_shop_halted(
    db: Database, account: UUID, case, parts, count
):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        error = await row(tx, "SELECT id FROM sync_errors")
        await clear(tx, OWNER, [error["id"]], now=NOW)

        shop = await after_test(tx, shop, parts)

        assert shop.state == "HALTED", case
        assert await the_error(tx) == {
            "state": "OPEN",
            "count": count,
            "resolved": False,
            "cleared_by": None,
        }


async def test_a_halted_shop_is_tested_again_when_the_mall_could_not_be_asked(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        error = await row(tx, "SELECT id FROM sync_errors")
        [check_id] = (await clear(tx, OWNER, [error["id"]], now=NOW)).checks

        shop = await after_test(tx, shop, bad(BUSY))
        job = await row(tx, "SELECT state, result FROM jobs WHERE id = :job", job=check_id)
        assert (shop.state, job["state"], job["result"]["ok"]) == ("PROBING", "WAITING", False)
        assert await jobs.lock_checks(tx, shop.id, at=NOW + timedelta(seconds=29)) == []

        [again] = await jobs.lock_checks(tx, shop.id, at=NOW + timedelta(seconds=30))
        await checks.probed(tx, shop, GOOD, again, now=NOW + timedelta(seconds=30))
        assert (await shops.known(tx, shop.id)).state == "CATCHING_UP"


async def test_a_shop_that_fails_while_catching_up_is_halted_again(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_halted_shop(tx)
        error = await row(tx, "SELECT id FROM sync_errors")
        await clear(tx, OWNER, [error["id"]], now=NOW)
        shop = await after_test(tx, shop, GOOD)

        await shops.halt(tx, shop, DEAD, now=NOW)

        assert (await shops.known(tx, shop.id)).state == "HALTED"
        assert await the_error(tx) == {
            "state": "OPEN",
            "count": 2,
            "resolved": False,
            "cleared_by": None,
        }


async def test_what_waits_is_seen_across_accounts_by_the_sweep(db: Database, account: UUID):
    async def due(at: datetime) -> bool:
        async with db.connection() as connection:
            found = await connection.exec_driver_sql(
                "SELECT account_id, work FROM renkei_due($1, 100000)", (at,)
            )
            return (account, "CHECK") in {(each.account_id, each.work) for each in found}

    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
    assert await due(NOW)

    async with db.transaction(account) as tx:
        epoch = await leases.take(tx, shop.id, LeaseKind.CHECK, "dies", timedelta(minutes=1))
        assert epoch is not None
        check = await taken_up(tx, shop)
    assert not await due(NOW)

    async with db.transaction(account) as tx:
        await leases.give_back(tx, shop.id, LeaseKind.CHECK, "dies", epoch)
    assert await due(NOW)

    async with db.transaction(account) as tx:
        await jobs.put_back(tx, check.id, {})
    assert not await due(NOW + timedelta(seconds=29))
    assert await due(NOW + timedelta(seconds=30))

    async with db.transaction(account) as tx:
        await checks.probed(tx, shop, GOOD, check, now=NOW)
    assert not await due(NOW + timedelta(seconds=30))
