"""初期受注取得: orders from before a shop takes part, seen or applied, once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import (
    DomainError,
    MallError,
    MallLockedOut,
    MallThrottled,
    MallUnavailable,
)
from domain.model.initial_orders import InitialOrderMode
from domain.model.jobs import JobState
from domain.model.malls import MallKind, MallOrder, OrderPage, OrderStatus
from domain.services import initial_orders, polling
from domain.services.initial_orders import CalledOff, Fetch
from domain.services.polling import TurnLost
from domain.store import job_shops, leases, shops
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import (
    a_shop,
    an_order,
    errors,
    in_stock,
    lines,
    shop_of,
    someone_waits,
    take,
    totals,
)

BASELINE, APPLY = InitialOrderMode.BASELINE, InitialOrderMode.APPLY
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SINCE = NOW - timedelta(hours=20)
"""Within one window."""


async def tea_at(tx: Tx, mall: MallKind = MallKind.RAKUTEN, **values: Any) -> Shop:
    shop = await a_shop(tx, mall=mall, **values)
    await in_stock(tx, shop, TEA=10)
    return shop


async def asked(
    tx: Tx, *those: Shop, mode: InitialOrderMode = BASELINE, since: datetime = SINCE
) -> UUID:
    ids = [shop.id for shop in those]
    return await initial_orders.ask(tx, OWNER, ids, since=since, mode=mode, now=NOW)


async def begun(tx: Tx, shop: Shop, at: datetime = NOW, holder: str = "test") -> Fetch:
    fetch = await initial_orders.begin(tx, shop.id, holder, now=at)
    assert fetch is not None
    return fetch


async def told(
    tx: Tx, fetch: Fetch, *found: MallOrder, at: datetime = NOW, last: bool = True
) -> None:
    page = OrderPage(found, at, len(found), last)
    await initial_orders.took(tx, fetch, fetch.poll, page, now=at)
    if last:
        await initial_orders.end(tx, fetch, now=at)


async def job(tx: Tx) -> dict[str, Any]:
    return await row(
        tx,
        """
        SELECT j.state, j.done, sum(w.orders) AS orders, sum(w.lines) AS lines, sum(w.deducted) AS deducted
        FROM jobs j JOIN job_shops w ON w.job_id = j.id WHERE j.kind = 'ORDER_FETCH' GROUP BY j.state, j.done
        """,
    )


@pytest.mark.parametrize(
    ("case", "mode", "order", "total", "state", "deducted"),
    [
        ("baseline: seen", BASELINE, {}, 10, "BASELINE", 0),
        (
            "baseline: placed since the asking",
            BASELINE,
            {"placed_at": NOW + MINUTE},
            7,
            "APPLIED",
            3,
        ),
        ("apply: as any order", APPLY, {}, 7, "APPLIED", 3),
        ("apply: shipped by now", APPLY, {"status": OrderStatus.SHIPPED}, 7, "APPLIED", 3),
        ("apply: cancelled", APPLY, {"status": OrderStatus.RELEASED}, 10, "RELEASED", 0),
        ("apply: older than asked for", APPLY, {"placed_at": SINCE - DAY}, 10, "BASELINE", 0),
    ],
)
async def test_an_order_that_is_new_here(
    db: Database,
    account: UUID,
    case: str,
    mode: InitialOrderMode,
    order: dict[str, Any],
    total: int,
    state: str,
    deducted: int,
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        job_id = await asked(tx, shop, mode=mode)
        found = an_order("1", ("tea", 2), ("tea", 1), **{"placed_at": NOW - MINUTE} | order)

        await told(tx, await begun(tx, shop, NOW + MINUTE), found, at=NOW + 2 * MINUTE)

        assert await totals(tx) == {"TEA": total}, case
        assert [each[2] for each in await lines(tx, "1")] == [state, state], case
        assert await job(tx) == {
            "state": "DONE",
            "done": 1,
            "orders": 1,
            "lines": 2,
            "deducted": deducted,
        }
        assert (await operations(tx))[-1] == "FETCH_INITIAL_ORDERS"
        [line] = await rows(
            tx, "SELECT job_id FROM operation_logs WHERE action = 'FETCH_INITIAL_ORDERS'"
        )
        assert line["job_id"] == job_id


@pytest.mark.parametrize("mode", [BASELINE, APPLY])
@pytest.mark.parametrize(
    ("case", "effective_from", "total"),
    [("deducted already", NOW - 2 * DAY, 8), ("seen as baseline already", NOW, 10)],
)
async def test_an_order_that_is_known_is_not_taken_again(
    db: Database,
    account: UUID,
    case: str,
    effective_from: datetime,
    total: int,
    mode: InitialOrderMode,
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, effective_from=effective_from)
        order = an_order("1", ("tea", 2), placed_at=NOW - MINUTE)
        await take(tx, shop, order, at=NOW - MINUTE / 2)

        await asked(tx, shop, mode=mode)
        await told(tx, await begun(tx, shop), order)

        assert await totals(tx) == {"TEA": total}, case
        assert (await job(tx))["orders"] == 0


async def test_what_was_applied_does_not_become_baseline_when_the_shop_is_started_later(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        order = an_order("1", ("tea", 2), placed_at=NOW - MINUTE)
        await asked(tx, shop, mode=APPLY)
        await told(tx, await begun(tx, shop), order)
        await shops.change(tx, shop.id, effective_from=NOW + MINUTE)

        more = an_order("1", ("tea", 3), placed_at=NOW - MINUTE)
        await take(tx, await shop_of(tx, shop.id), more, at=NOW + 2 * MINUTE)

        assert await totals(tx) == {"TEA": 7}


async def test_windows_follow_each_other_to_the_end_of_the_malls_list(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await asked(tx, shop, since=NOW - 2.5 * DAY)
        walked = []

        for _ in range(3):
            fetch = await begun(tx, shop)
            walked.append((fetch.poll.window.since, fetch.poll.window.until))
            await told(tx, fetch)

        starts = [NOW - 2.5 * DAY, NOW - 1.5 * DAY, NOW - 0.5 * DAY]
        assert [since for since, _ in walked] == starts
        assert [until for _, until in walked[:2]] == starts[1:]
        assert NOW - timedelta(hours=1) < walked[2][1] <= NOW
        assert (await job(tx))["state"] == "DONE"
        assert await initial_orders.begin(tx, shop.id, "test", now=NOW) is None


async def test_what_was_taken_before_its_worker_died_is_not_counted_again(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await asked(tx, shop, mode=APPLY)
        first = an_order("1", ("tea", 2), placed_at=NOW - MINUTE)
        second = an_order("2", ("tea", 1), placed_at=NOW - MINUTE)
        died = await begun(tx, shop)
        await told(tx, died, first, last=False)

        assert await initial_orders.begin(tx, shop.id, "other", now=NOW + MINUTE) is None
        await leases.give_back(tx, shop.id, LeaseKind.ORDERS, "test", died.poll.epoch)
        again = await begun(tx, shop, NOW + 3 * MINUTE, "other")
        assert again.poll.window.since == died.poll.window.since
        await told(tx, again, first, second, at=NOW + 3 * MINUTE)

        with pytest.raises(TurnLost):
            await told(tx, died, first)
        assert await totals(tx) == {"TEA": 7}
        counted = await job(tx)
        assert (counted["orders"], counted["deducted"]) == (2, 3)


async def test_there_is_one_importer_at_a_time_and_ordinary_orders_come_first(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(
            tx, orders_running=True, watermark=NOW, effective_from=NOW, next_order_poll_at=NOW
        )
        await asked(tx, shop)
        assert await initial_orders.begin(tx, shop.id, "test:initial", now=NOW) is None

        poll = await polling.begin(tx, shop.id, "test", now=NOW)
        assert poll is not None
        assert await initial_orders.begin(tx, shop.id, "test:initial", now=NOW) is None
        await polling.end(tx, poll, now=NOW)
        fetch = await begun(tx, shop, holder="test:initial")

        assert await polling.begin(tx, shop.id, "test", now=NOW) is None
        await told(tx, fetch)
        assert await polling.begin(tx, shop.id, "test", now=NOW) is not None


async def test_a_job_that_is_called_off_takes_in_no_further_page(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        job_id = await asked(tx, shop, mode=APPLY)
        fetch = await begun(tx, shop)
        await told(tx, fetch, an_order("1", ("tea", 2), placed_at=NOW - MINUTE), last=False)
        await rows(
            tx, "UPDATE jobs SET state = 'CANCELLED' WHERE id = :job RETURNING id", job=job_id
        )

        with pytest.raises(CalledOff):
            await told(tx, fetch, an_order("2", ("tea", 1), placed_at=NOW - MINUTE))

        await initial_orders.end(tx, fetch, now=NOW)
        assert await initial_orders.begin(tx, shop.id, "test", now=NOW) is None
        assert await totals(tx) == {"TEA": 8}


@pytest.mark.parametrize(
    ("case", "error", "times", "state", "failures", "shop_state"),
    [
        ("not now", MallUnavailable("Closed."), 1, "RUNNING", 1, "RUNNING"),
        ("too fast counts as no failure", MallThrottled("Slow."), 20, "RUNNING", 0, "RUNNING"),
        ("again and again", MallUnavailable("Closed."), 10, "FAILED", 10, "RUNNING"),
        ("the credentials are dead: it waits", MallLockedOut("No."), 1, "RUNNING", 0, "HALTED"),
    ],
)
async def test_a_mall_that_fails(
    db: Database,
    account: UUID,
    case: str,
    error: MallError,
    times: int,
    state: str,
    failures: int,
    shop_state: str,
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await asked(tx, shop)
        at = NOW
        for _ in range(times):
            fetch = await begun(tx, shop, at)
            await initial_orders.failed(tx, fetch, error, now=at)
            await initial_orders.end(tx, fetch, now=at)
            again = await row(tx, "SELECT next_try_at, failures FROM job_shops")
            at = max(at, again["next_try_at"])

        assert ((await job(tx))["state"], again["failures"]) == (state, failures), case
        assert (await shop_of(tx, shop.id)).state == shop_state
        if shop_state == "RUNNING":
            assert again["next_try_at"] > NOW
            assert [kind for kind, *_ in await errors(tx)] in (["UNREACHABLE"], ["THROTTLED"])


async def test_who_lost_its_turn_gives_nothing_up(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await asked(tx, shop)
        fetch = await begun(tx, shop, NOW)
        await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
        assert await leases.take(tx, shop.id, LeaseKind.ORDERS, "other", MINUTE) is not None

        with pytest.raises(TurnLost):
            await initial_orders.failed(tx, fetch, MallLockedOut("?"), now=NOW)

        assert (await shop_of(tx, shop.id)).state == "RUNNING"
        assert await row(tx, "SELECT failures FROM job_shops") == {"failures": 0}


async def test_one_shop_that_is_given_up_fails_alone(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        gone, there = await tea_at(tx), await a_shop(tx, "Other")
        await asked(tx, gone, there)
        await shops.change(tx, gone.id, in_use=False)

        assert await initial_orders.begin(tx, gone.id, "test", now=NOW) is None
        assert (await job(tx))["state"] == "WAITING"
        await told(tx, await begun(tx, there))

        assert (await job(tx))["state"] == "DONE"
        ends = await rows(tx, "SELECT outcome FROM job_shops ORDER BY outcome")
        assert [each["outcome"] for each in ends] == ["DONE", "FAILED"]


async def test_of_two_shops_that_end_together_the_second_ends_the_job(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one, other = await tea_at(tx), await a_shop(tx, "Other")
        await asked(tx, one, other)
        first, second = await begun(tx, one), await begun(tx, other)

    async def ends() -> None:
        async with db.transaction(account) as tx:
            await job_shops.end(tx, second.job, JobState.FAILED, at=NOW)

    async with db.transaction(account) as tx:
        await job_shops.end(tx, first.job, JobState.DONE, at=NOW)
        waiting = asyncio.create_task(ends())
        await someone_waits(db)
    await waiting

    async with db.transaction(account) as tx:
        assert (await job(tx))["state"] == "DONE"


async def test_what_is_refused(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        off = await a_shop(tx, "Off", in_use=False)
        await asked(tx, shop)
        refused: list[tuple[str, tuple[str, ...]]] = []
        for those in ([], [off], [shop]):
            with pytest.raises(DomainError) as error:
                await asked(tx, *those)
            refused.append((error.value.code, error.value.field))

    assert refused == [
        ("REQUIRED", ("shop_ids",)),
        ("SHOP_NOT_IN_USE", ("shop_ids",)),
        ("ALREADY_RUNNING", ("shop_ids",)),
    ]
