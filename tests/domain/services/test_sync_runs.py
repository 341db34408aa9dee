"""The history of runs: what is kept of a turn, of a poll, of a read-back and of a full sync."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import MallKind, OrderPage, PushOutcome
from domain.services import cancelling, full_syncs, polling, reading_back, reflect, reflect_jobs
from domain.services.polling import Poll
from domain.store import dispatch, sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import a_shop, an_order, in_stock, shop_of
from tests.domain.services.turns import SOON, answers, claimed, fails, lease_of, looks, unread

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
REFUSED, ACCEPTED = PushOutcome.REFUSED, PushOutcome.ACCEPTED


async def stocked(tx: Tx, mall: MallKind = MallKind.RAKUTEN, **values: Any) -> Shop:
    shop = await a_shop(tx, mall=mall, **values)
    await in_stock(tx, shop, TEA=5, MUG=3)
    return shop


async def ask(tx: Tx, shop: Shop) -> None:
    ids = await sync.listings_of_shops(tx, [shop.id])
    await reflect_jobs.ask(tx, OWNER, ids, now=NOW)


async def runs(tx: Tx) -> list[tuple[Any, ...]]:
    """(kind, outcome, sent, taken, refused, failed, turns), oldest first."""
    found = await rows(
        tx,
        "SELECT kind, outcome, sent, taken, refused, failed, turns FROM sync_runs ORDER BY id",
    )
    return [tuple(each.values()) for each in found]


async def why(tx: Tx) -> list[str | None]:
    found = await rows(
        tx,
        "SELECT e.kind FROM sync_runs r LEFT JOIN sync_errors e ON e.id = r.error_id ORDER BY r.id",
    )
    return [each["kind"] for each in found]


async def turn(
    tx: Tx, shop: Shop, outcome: PushOutcome | MallError, after: timedelta = timedelta()
) -> None:
    """One turn in which all that waits is sent and met with this."""
    epoch = await lease_of(tx, shop)
    await reflect.recover(tx, shop, epoch, now=SOON + after)
    batch = await claimed(tx, shop, epoch, at=SOON + after)
    assert batch is not None
    if isinstance(outcome, MallError):
        await fails(tx, batch, outcome, at=SOON + after)
    else:
        await answers(tx, batch, outcome, at=SOON + after)
    await reflect.end(tx, shop.id, epoch, now=SOON + after + SECOND)


class TestReflect:
    async def test_a_turn_is_a_run_from_its_first_number_on(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            epoch = await lease_of(tx, shop)
            await reflect.recover(tx, shop, epoch, now=SOON)
            assert await runs(tx) == []
            batch = await claimed(tx, shop, epoch)
            assert batch is not None
            assert await runs(tx) == [("REFLECT", "RUNNING", 2, 0, 0, 0, 1)]
            await answers(tx, batch)

            await reflect.end(tx, shop.id, epoch, now=SOON + SECOND)

            assert await runs(tx) == [("REFLECT", "OK", 2, 0, 0, 0, 1)]
            times = await row(tx, "SELECT started_at, ended_at, shop_id FROM sync_runs")
            assert times == {"started_at": SOON, "ended_at": SOON + SECOND, "shop_id": shop.id}

    async def test_a_turn_that_found_nothing_leaves_nothing(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            epoch = await lease_of(tx, shop)
            assert await claimed(tx, shop, epoch) is None
            await reflect.end(tx, shop.id, epoch, now=SOON)

            assert await runs(tx) == []

    async def test_good_turns_within_a_minute_are_one(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            for after in (timedelta(), 30 * SECOND, HOUR):
                await ask(tx, shop)
                await turn(tx, shop, PushOutcome.APPLIED, after)

            assert await runs(tx) == [
                ("REFLECT", "OK", 4, 0, 0, 0, 2),
                ("REFLECT", "OK", 2, 0, 0, 0, 1),
            ]

    async def test_failures_of_one_cause_in_a_row_are_one(self, db: Database, account: UUID):
        """After three of them one number is tried."""
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            for hours in (0, 1, 2):
                await turn(tx, shop, MallUnavailable("?"), hours * HOUR)
            await turn(tx, shop, PushOutcome.APPLIED, 3 * HOUR)

            assert await runs(tx) == [
                ("REFLECT", "FAILED", 6, 0, 0, 6, 3),
                ("REFLECT", "OK", 1, 0, 0, 0, 1),
            ]
            assert await why(tx) == ["UNREACHABLE", None]

    async def test_refused_items_are_counted(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            await turn(tx, shop, REFUSED)

            assert await runs(tx) == [("REFLECT", "FAILED", 2, 0, 2, 0, 1)]
            assert await why(tx) == ["ITEM_REFUSED"]

    async def test_of_a_batch_refused_for_one_item_the_others_were_never_sent(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            await turn(tx, shop, MallRefused("?", item_ref="tea"))

            assert await runs(tx) == [("REFLECT", "FAILED", 1, 0, 1, 0, 1)]

    async def test_pacing_ourselves_is_no_run(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            await turn(tx, shop, MallThrottled("?", retry_after=SECOND, by_us=True))

            assert await runs(tx) == []

    async def test_a_halt_is_the_error_of_its_run(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            await turn(tx, shop, MallLockedOut("no"))

            assert await why(tx) == ["CREDENTIALS_REFUSED"]

    async def test_the_run_of_a_dead_worker_ends_when_the_lease_is_taken(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            assert await claimed(tx, shop, await lease_of(tx, shop))
            await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")

            epoch = await lease_of(tx, shop, "another")
            await reflect.recover(tx, shop, epoch, now=SOON + HOUR)

            assert await runs(tx) == [("REFLECT", "FAILED", 2, 0, 0, 2, 1)]

    async def test_a_turn_whose_lease_was_lost_ends_nothing(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await ask(tx, shop)
            old = await lease_of(tx, shop)
            await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
            assert await claimed(tx, shop, await lease_of(tx, shop, "another"))

            await reflect.end(tx, shop.id, old, now=SOON)

            assert await runs(tx) == [("REFLECT", "RUNNING", 2, 0, 0, 0, 1)]


async def selling(tx: Tx) -> Shop:
    known = {"orders_running": True, "watermark": NOW - HOUR, "effective_from": NOW - DAY}
    return await stocked(tx, **known)


async def begun(tx: Tx, shop: Shop) -> Poll:
    poll = await polling.begin(tx, shop.id, "test", now=NOW)
    assert poll is not None
    return poll


class TestOrders:
    async def test_a_poll_that_brings_orders_is_a_run_and_one_that_brings_none_is_not(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await selling(tx)
            told = OrderPage((an_order("1", ("tea", 1)), an_order("2", ("mug", 1))), NOW, 2, True)
            for _ in range(2):
                poll = await begun(tx, shop)
                await polling.took(tx, poll, told, told, now=NOW)
                await polling.end(tx, poll, now=NOW)

            assert await runs(tx) == [("ORDERS", "OK", 0, 2, 0, 0, 1)]

    async def test_an_order_that_cannot_be_read_is_told_once(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await selling(tx)
            told = OrderPage((an_order("1", ("tea", 1)),), NOW, 2, True, {"2": "?"})
            for _ in range(2):
                poll = await begun(tx, shop)
                await polling.took(tx, poll, told, told, now=NOW)
                await polling.end(tx, poll, now=NOW)

            assert await runs(tx) == [("ORDERS", "PARTIAL", 0, 2, 1, 0, 1)]

    async def test_polls_that_fail_are_one_with_a_count(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await selling(tx)
            for _ in range(3):
                poll = await begun(tx, shop)
                await polling.failed(tx, poll, MallUnavailable("?"), now=NOW)
                await polling.end(tx, poll, now=NOW)

            assert await runs(tx) == [("ORDERS", "FAILED", 0, 0, 0, 0, 3)]
            assert await why(tx) == ["UNREACHABLE"]

    async def test_the_run_of_a_dead_importer_ends_with_the_next_poll(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await selling(tx)
            poll = await begun(tx, shop)
            told = OrderPage((an_order("1", ("tea", 1)),), NOW, 2, False)
            await polling.took(tx, poll, told, told, now=NOW)
            assert await runs(tx) == [("ORDERS", "RUNNING", 0, 1, 0, 0, 1)]
            await rows(tx, "UPDATE shop_leases SET until = clock_timestamp() RETURNING shop_id")

            assert await polling.begin(tx, shop.id, "another", now=NOW)

            assert await runs(tx) == [("ORDERS", "PARTIAL", 0, 1, 0, 0, 1)]


class TestReadBack:
    async def test_looks_at_accepted_numbers_are_a_run(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.YAHOO_SHOPPING)
            await ask(tx, shop)
            await turn(tx, shop, ACCEPTED)
            later = SOON + HOUR
            asked = await unread(tx, shop, at=later)
            await looks(tx, shop, asked, 5, at=later)
            await reading_back.not_read(
                tx, await shop_of(tx, shop.id), asked, MallUnavailable("?"), now=later
            )

            assert (await runs(tx))[1:] == [
                ("READ_BACK", "OK", 0, 2, 0, 0, 1),
                ("READ_BACK", "FAILED", 0, 0, 0, 0, 1),
            ]


class TestFullSync:
    async def test_it_ends_with_its_job_with_each_shops_own_counts(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            good, bad = await stocked(tx), await stocked(tx, name="Second")
            await full_syncs.start(tx, OWNER, [good.id, bad.id], now=NOW)
            await turn(tx, good, PushOutcome.APPLIED)
            full = [each for each in await runs(tx) if each[0] == "FULL_SYNC"]
            assert full == [("FULL_SYNC", "RUNNING", 0, 0, 0, 0, 1)] * 2
            await turn(tx, bad, REFUSED)

            by_shop = await rows(
                tx,
                "SELECT shop_id, outcome, sent, refused FROM sync_runs WHERE kind = 'FULL_SYNC' ORDER BY id",
            )
            told = {each.pop("shop_id"): tuple(each.values()) for each in by_shop}
            assert told == {good.id: ("OK", 2, 0), bad.id: ("FAILED", 2, 2)}

    async def test_one_that_is_called_off_is_not_good(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            job_id = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
            await cancelling.cancel(tx, OWNER, job_id, now=NOW)

            assert await runs(tx) == [("FULL_SYNC", "FAILED", 0, 0, 0, 0, 1)]

    async def test_one_of_which_nothing_may_be_sent_is_over_at_once(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx, reflect_running=False)
            await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

            assert await runs(tx) == [("FULL_SYNC", "OK", 0, 0, 0, 0, 1)]


async def test_runs_are_forgotten_by_when_they_ended(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        await ask(tx, shop)
        await turn(tx, shop, PushOutcome.APPLIED)
        await ask(tx, shop)
        await claimed(tx, shop, await lease_of(tx, shop), at=SOON + HOUR)

    await dispatch.forget_runs(db, before=SOON + SECOND, at_most=1000)
    async with db.transaction(account) as tx:
        assert len(await runs(tx)) == 2
    await dispatch.forget_runs(db, before=SOON + 2 * SECOND, at_most=1000)
    async with db.transaction(account) as tx:
        assert [each[1] for each in await runs(tx)] == ["RUNNING"]
