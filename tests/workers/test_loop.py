"""The main job, end to end: malls over HTTP, connectors, workers, PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.model.schedules import WEEK
from domain.services import reflect_requests, schedules, shops, stock, sync_errors
from domain.services.schedules import Plan
from domain.services.shops import ShopChange
from domain.store.database import Database, Tx
from tests.workers.town import (
    Town,
    all_errors,
    at_work,
    eventually,
    now,
    open_errors,
    product_ids,
    ref_at,
    town,
)
from workers import clock

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A shop at every mall, and a worker that goes by its clock alone."""
    async with town(db, malls, *KINDS) as made, at_work(made.ctx):
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_purchase_at_one_mall_lowers_the_others(here: Town, kind: MallKind) -> None:
    await here.has(MUG=10)
    await here.starts()

    await here.stalls[kind].sells(ref_at(kind, "MUG"), 3)

    await here.settled("MUG", 7)
    assert await here.total("MUG") == 7


async def test_the_last_unit_is_zero_everywhere(here: Town) -> None:
    await here.has(MUG=1)
    await here.starts()

    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"))

    await here.settled("MUG", 0)
    assert await here.scalar("SELECT count(*) FROM sync_errors") == 0


async def test_sales_at_every_mall_at_once_are_all_counted(here: Town) -> None:
    await here.has(MUG=30, TEA=30)
    await here.starts()

    await asyncio.gather(
        *(
            stall.sells(ref_at(kind, code), units)
            for kind, stall in here.stalls.items()
            for code, units in (("MUG", 2), ("TEA", 1), ("MUG", 1))
        )
    )

    await here.settled("MUG", 21)
    await here.settled("TEA", 27)
    assert await here.scalar("SELECT sum(applied) FROM order_effects") == 12
    assert await here.scalar("SELECT sum(units) FROM sales_logs") == 12


async def test_an_oversold_total_is_kept_below_zero(here: Town) -> None:
    await here.has(MUG=1)
    for kind in (RAKUTEN, YAHOO):
        await here.stalls[kind].goes_wrong("late_orders", seconds=2)
    await here.starts()

    await asyncio.gather(
        *(here.stalls[kind].sells(ref_at(kind, "MUG")) for kind in (RAKUTEN, YAHOO))
    )

    await eventually(lambda: _is(here.total("MUG"), -1))
    await here.settled("MUG", 0)


async def test_a_cancel_gives_back_where_the_shop_says_so(here: Town) -> None:
    await here.has(MUG=5)
    await _restores(here, AMAZON)
    await here.starts()
    number = await here.stalls[AMAZON].sells(ref_at(AMAZON, "MUG"), 2)
    await here.settled("MUG", 3)

    await here.stalls[AMAZON].asks("POST", "cancel", number=number)

    await here.settled("MUG", 5)
    assert await here.query(
        "SELECT cause, delta FROM stock_movements WHERE order_id IS NOT NULL ORDER BY id"
    ) == [
        ("ORDER", -2),
        ("CANCEL", 2),
    ]


async def test_maintenance_queues_and_drains(here: Town) -> None:
    await here.has(MUG=10)
    await here.starts()
    await here.stalls[YAHOO].goes_wrong("maintenance")
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 4)
    await eventually(lambda: _has_open(here, (8, "MAINTENANCE")))
    assert await here.stalls[AMAZON].shows(ref_at(AMAZON, "MUG")) in (10, 6)

    await here.stalls[YAHOO].goes_right()

    await here.settled("MUG", 6)
    assert (8, "MAINTENANCE", "RESOLVED") in await all_errors(here)
    assert await open_errors(here) == []


async def test_one_refused_item_does_not_harm_its_batch(here: Town) -> None:
    await here.has(MUG=10, TEA=10, POT=10)
    await here.stalls[RAKUTEN].goes_wrong("partial", items=["tea"])
    await here.stalls[YAHOO].goes_wrong("partial", items=["TEA"])
    await here.starts()

    await _sets(here, {"MUG": 8, "TEA": 8, "POT": 8})

    await eventually(lambda: _is(here.stalls[RAKUTEN].shows(ref_at(RAKUTEN, "POT")), 8))
    await eventually(lambda: _is(here.stalls[YAHOO].shows(ref_at(YAHOO, "POT")), 8))
    assert await here.stalls[RAKUTEN].shows(ref_at(RAKUTEN, "MUG")) == 8
    await eventually(lambda: _has_open(here, (8, "ITEM_REFUSED")))
    assert await here.query(
        "SELECT DISTINCT l.match_code, y.difference FROM listing_sync y JOIN listings l ON l.id = y.listing_id"
        " WHERE y.push_state = 'REFUSED'"
    ) == [("TEA", "PUSH_FAILED")]

    for stall in here.stalls.values():
        await stall.goes_right()

    await here.settled("TEA", 8)
    assert await open_errors(here) == []


async def test_a_write_that_was_applied_and_never_answered_ends_right(here: Town) -> None:
    await here.has(MUG=10)
    await here.starts()
    await here.stalls[AMAZON].goes_wrong("cut", calls=2)

    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 4)

    await here.settled("MUG", 6)
    assert await here.scalar("SELECT count(*) FROM pushes WHERE state = 'UNKNOWN'") >= 1


async def test_an_expired_key_halts_one_shop_and_a_new_one_brings_it_back(here: Town) -> None:
    await here.has(MUG=10)
    await here.starts()
    await here.settled("MUG", 10)
    rakuten = here.stalls[RAKUTEN]
    await rakuten.goes_wrong("expired")
    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 4)
    await eventually(lambda: _has_open(here, (9, "CREDENTIALS_REFUSED")))
    await eventually(lambda: _is(here.stalls[AMAZON].shows(ref_at(AMAZON, "MUG")), 6))
    assert (
        await here.scalar("SELECT state FROM shops WHERE id = :shop", shop=rakuten.id) == "HALTED"
    )
    assert await rakuten.shows(ref_at(RAKUTEN, "MUG")) == 10
    await rakuten.sells(ref_at(RAKUTEN, "MUG"), 1)

    renewed = (await rakuten.asks("POST", "renew"))["credentials"]
    await _renews(here, rakuten.id, renewed)
    await _clears_everything(here)

    await here.settled("MUG", 5)
    assert (
        await here.scalar("SELECT state FROM shops WHERE id = :shop", shop=rakuten.id) == "RUNNING"
    )
    assert await open_errors(here) == []


async def test_an_edit_waits_until_it_is_reflected(here: Town) -> None:
    await here.has(MUG=10)
    await here.starts()
    await here.settled("MUG", 10)

    await _sets(here, {"MUG": 4}, reflect=None)

    assert {row.difference for row in await here.unsettled()} == {"EDIT_NOT_REFLECTED"}
    assert set((await here.everywhere("MUG")).values()) == {10}

    job_id = await _reflects(here, "MUG")

    await here.settled("MUG", 4)
    state = "SELECT state, total, done, failed FROM jobs WHERE id = :job"
    assert await here.query(state, job=job_id) == [("DONE", 3, 3, 0)]


async def test_an_accepted_number_is_applied_only_when_the_mall_shows_it(here: Town) -> None:
    await here.has(MUG=10)
    await here.starts()
    await here.settled("MUG", 10)
    await here.stalls[AMAZON].goes_wrong("not_applied", calls=1)

    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 4)

    await here.settled("MUG", 6)
    applied = "SELECT count(*) FROM pushes p JOIN shops s ON s.id = p.shop_id WHERE s.mall = 'AMAZON' AND p.quantity = 6"
    assert await here.scalar(applied + " AND p.state = 'APPLIED'") == 1
    assert (8, "NOT_APPLIED", "RESOLVED") in await all_errors(here)


async def test_an_order_of_an_unknown_item_is_kept_and_said(here: Town) -> None:
    await here.has(MUG=10)
    await here.starts()
    stall = here.stalls[YAHOO]
    await stall.asks("PUT", "items", items=[{"item_code": "STRANGER", "quantity": 3}])

    await stall.asks("POST", "purchase", lines=[{"item_code": "STRANGER", "quantity": 2}])

    await eventually(lambda: _has_open(here, (8, "ORDER_UNLINKED")))
    lines = "SELECT item_code, quantity, state FROM order_lines"
    assert await here.query(lines) == [("STRANGER", 2, "UNLINKED")]
    assert await here.total("MUG") == 10


async def _is(what: object, wanted: object) -> bool:
    return await what == wanted  # type: ignore[misc,no-any-return]


async def _has_open(here: Town, error: tuple[int, str]) -> bool:
    return error in await open_errors(here)


async def _restores(here: Town, kind: MallKind) -> None:
    change = ShopChange(cancel_policy=CancelPolicy.RESTORE)
    await here.db.run(
        here.account_id,
        lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, here.stalls[kind].id, change),
    )


async def _renews(here: Town, shop_id: UUID, credentials: dict[str, str]) -> None:
    known = {"service_secret", "license_key"}
    change = ShopChange(
        credentials={key: value for key, value in credentials.items() if key in known}
    )
    await here.db.run(
        here.account_id, lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, shop_id, change)
    )


async def _clears_everything(here: Town) -> None:
    ids = [
        row.id for row in await here.query("SELECT id FROM sync_errors WHERE resolved_at IS NULL")
    ]
    await here.db.run(here.account_id, lambda tx: sync_errors.clear(tx, SYSTEM, ids, now=now()))


async def _sets(here: Town, totals: dict[str, int], reflect: bool | None = True) -> None:
    async def work(tx: Tx) -> None:
        ids = await product_ids(tx, list(totals))
        items = [stock.NewTotal(ids[code], total) for code, total in totals.items()]
        await stock.set_totals(tx, SYSTEM, items, reflect=reflect, now=now())

    await here.db.run(here.account_id, work)


async def _reflects(here: Town, code: str) -> UUID:
    async def work(tx: Tx) -> UUID:
        ids = await product_ids(tx, [code])
        return await reflect_requests.reflect(tx, SYSTEM, product_ids=[ids[code]], now=now())

    return await here.db.run(here.account_id, work)


async def test_when_its_night_has_come_a_shop_is_sent_whole(here: Town) -> None:
    await here.has(MUG=10, CUP=0)
    await here.starts()
    shop_id = here.stalls[YAHOO].id
    nightly = Plan("03:30", WEEK, True)

    async def plan(tx: Tx) -> UUID:
        return await schedules.save_schedule(tx, SYSTEM, None, shop_id, nightly, now=now())

    await here.db.run(here.account_id, plan)
    await here.query("UPDATE full_sync_schedules SET next_run_at = clock_timestamp() RETURNING id")
    await clock.run_schedules(here.ctx)
    await clock.run_schedules(here.ctx)

    async def done() -> bool:
        return (
            await here.scalar("SELECT count(*) FROM jobs WHERE state = 'DONE' AND kind = 'REFLECT'")
            == 1
        )

    await eventually(done)
    sent = await here.query(
        "SELECT shop_id, after FROM mall_update_logs WHERE shop_id = :shop ORDER BY after",
        shop=shop_id,
    )
    assert [tuple(row) for row in sent] == [(shop_id, 0), (shop_id, 10)]
