"""What becomes of what was sent: answered, refused, lost, late, accepted and looked at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import MallKind, MallTime, PushOutcome, PushResult
from domain.services import reading_back, reflect, reflect_jobs, settling, stock
from domain.services.reflect import Batch
from domain.services.stock import NewTotal
from domain.store import sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import a_shop, in_stock, product_ids, shop_of
from tests.domain.services.turns import (
    A_MINUTE,
    SOON,
    answers,
    claimed,
    fails,
    lease_of,
    looks,
    numbers,
    sent,
    unread,
)

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
LATER = SOON + 10 * A_MINUTE


async def stocked(
    tx: Tx, mall: MallKind = MallKind.RAKUTEN, totals: dict[str, int] | None = None, **values: Any
) -> Shop:
    shop = await a_shop(tx, mall=mall, **values)
    await in_stock(tx, shop, **(totals or {"TEA": 5}))
    return shop


async def asked(tx: Tx, shop: Shop) -> None:
    ids = await sync.listings_of_shops(tx, [shop.id])
    await reflect_jobs.ask(tx, OWNER, ids, now=NOW)


async def sets(tx: Tx, *, reflect: bool | None = True, **totals: int) -> None:
    ids = await product_ids(tx)
    items = [NewTotal(ids[code], total) for code, total in totals.items()]
    await stock.set_totals(tx, OWNER, items, reflect=reflect, now=NOW)


async def states(tx: Tx) -> list[str]:
    return [
        each["state"] for each in await rows(tx, "SELECT state FROM pushes ORDER BY sent_at, id")
    ]


async def open_errors(tx: Tx) -> list[tuple[str, str, int, int]]:
    """(kind, the mall's code, count, as it is told) of what is open."""
    found = await rows(
        tx,
        """
        SELECT kind, mall_code, count, (params ->> 'count')::int AS told FROM sync_errors
        WHERE resolved_at IS NULL ORDER BY kind, mall_code
        """,
    )
    return [(each["kind"], each["mall_code"], each["count"], each["told"]) for each in found]


async def settles(
    tx: Tx, batch: Batch, outcomes: Sequence[tuple[PushOutcome, str]], at: datetime = SOON
) -> None:
    """(outcome, the mall's code), one for each number that was sent."""
    when = MallTime(at, at)
    results = [
        PushResult(each.ref, outcome, when, None, code, f"{code} for {each.ref}")
        for each, (outcome, code) in zip(batch.attempts, outcomes, strict=True)
    ]
    await settling.settle(tx, batch, results, now=at)


class TestFailures:
    async def test_one_items_long_story_keeps_no_other_waiting(self, db: Database, account: UUID):
        """A refused item that was tried for the tenth time is in the call that meets a moment's trouble."""
        async with db.transaction(account) as tx:
            shop = await stocked(tx, totals={"TEA": 5, "MUG": 5})
            await asked(tx, shop)
            await rows(
                tx,
                "UPDATE listing_sync SET attempts = attempts + (9 * (expected = 5)::int) RETURNING 1",
            )
            await sets(tx, MUG=4)
            await rows(tx, "UPDATE listing_sync SET attempts = 0 WHERE expected = 4 RETURNING 1")

            await fails(tx, await sent(tx, shop), MallUnavailable("A moment, please."))

            paused = (await shop_of(tx, shop.id)).paused_until
            assert paused == SOON + timedelta(seconds=15)

    async def test_what_need_not_go_out_any_more_begins_anew(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await sets(tx, TEA=4)
            await fails(tx, await sent(tx, shop), MallRefused("?"))
            await fails(tx, await sent(tx, shop, at=LATER), MallRefused("?"), at=LATER)
            await sets(tx, reflect=None, TEA=5)

            await sets(tx, TEA=3)
            await fails(tx, await sent(tx, shop, at=LATER), MallRefused("?"), at=LATER)

            found = await row(tx, "SELECT attempts, next_try_at FROM listing_sync")
            assert found == {"attempts": 1, "next_try_at": LATER + 10 * A_MINUTE}

    @pytest.mark.parametrize("error", [MallUnavailable("?"), MallThrottled("?", retry_after=HOUR)])
    async def test_the_shops_pause_is_all_that_its_numbers_wait_for(
        self, db: Database, account: UUID, error: MallError
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await asked(tx, shop)

            await fails(tx, await sent(tx, shop), error)

            found = await row(tx, "SELECT next_try_at FROM listing_sync")
            assert found["next_try_at"] == SOON
            paused = (await shop_of(tx, shop.id)).paused_until
            assert paused is not None
            assert paused > SOON

    async def test_items_refused_for_one_reason_are_one_error_that_counts_them(
        self, db: Database, account: UUID
    ):
        refused = PushOutcome.REFUSED
        async with db.transaction(account) as tx:
            shop = await stocked(tx, totals={"A": 1, "B": 1, "C": 1})
            await asked(tx, shop)
            batch = await sent(tx, shop)
            await settles(tx, batch, [(refused, "E1"), (refused, "E1"), (refused, "E2")])
            assert await open_errors(tx) == [
                ("ITEM_REFUSED", "E1", 2, 2),
                ("ITEM_REFUSED", "E2", 1, 1),
            ]

            again = await sent(tx, shop, at=SOON + HOUR)
            await settles(tx, again, [(refused, "E1"), (refused, "E1"), (refused, "E1")])

            assert ("ITEM_REFUSED", "E1", 3, 3) in await open_errors(tx)

    async def test_calls_that_failed_beside_one_that_was_answered_keep_their_error(
        self, db: Database, account: UUID
    ):
        """Else it would open anew, as another error, with every call."""
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.AMAZON, {"A": 1, "B": 1})
            for turn in range(2):
                await asked(tx, shop)
                both = await sent(tx, shop, at=SOON + turn * HOUR)
                good, bad = (Batch(shop, both.epoch, (each,)) for each in both.attempts)
                results = [
                    PushResult(good.attempts[0].ref, PushOutcome.ACCEPTED, MallTime(SOON, SOON))
                ]
                await settling.settle(tx, good, results, all_answered=False, now=SOON)
                await fails(tx, bad, MallThrottled("?", retry_after=SECOND))

            assert await open_errors(tx) == [("THROTTLED", "", 2, 1)]
            assert len(await rows(tx, "SELECT id FROM sync_errors")) == 1

    async def test_pacing_ourselves_waits_and_is_no_error(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await asked(tx, shop)

            await fails(tx, await sent(tx, shop), MallThrottled("?", retry_after=HOUR, by_us=True))
            assert [each[0] for each in await open_errors(tx)] == ["THROTTLED"]
            await rows(tx, "DELETE FROM sync_errors RETURNING id")
            again = await sent(tx, shop, at=SOON + 2 * HOUR)
            await fails(tx, again, MallThrottled("?", retry_after=SECOND, by_us=True))

            assert await open_errors(tx) == []
            assert (await row(tx, "SELECT wanted > done AS waits FROM listing_sync"))["waits"]

    async def test_a_mall_that_refuses_one_call_after_the_other_is_left_alone(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)

            await reflect.rest(tx, shop, now=SOON)

            assert (await shop_of(tx, shop.id)).paused_until == SOON + timedelta(seconds=15)


class TestLost:
    @pytest.mark.parametrize(
        ("total", "seconds"),
        [(5, [63, 63, 63, 63, 63, 96, 192]), (0, [0, 6, 12, 24, 48, 96, 192])],
    )
    async def test_what_is_lost_again_and_again_waits_ever_longer(
        self, db: Database, account: UUID, total: int, seconds: list[int]
    ):
        """A fault of ours that comes with every settling must not become a call a second. What is not zero waits until
        what was lost can land no more."""
        waits = []
        at = SOON
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await sets(tx, TEA=total)
            await asked(tx, shop)
            for _ in seconds:
                await sent(tx, shop, at=at)
                await reflect.recover(tx, shop, await lease_of(tx, shop), now=at)
                again = (await row(tx, "SELECT next_try_at FROM listing_sync"))["next_try_at"]
                waits.append(again - at)
                at = again

        assert waits == [each * SECOND for each in seconds]

    async def test_a_lost_zero_goes_out_again_at_once(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await sets(tx, TEA=0)
            await sent(tx, shop)
            epoch = await lease_of(tx, shop)

            await reflect.recover(tx, shop, epoch, now=SOON)

            assert numbers(await claimed(tx, shop, epoch)) == [0]

    @pytest.mark.parametrize("answered_first", [False, True])
    async def test_what_was_lost_is_told_once(
        self, db: Database, account: UUID, answered_first: bool
    ):
        """Whether the next holder finds it, its own too late, or both."""
        async with db.transaction(account) as tx:
            shop = await stocked(tx)
            await asked(tx, shop)
            late = await sent(tx, shop)
            await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
            epoch = await lease_of(tx, shop, "other")
            if answered_first:
                await answers(tx, late)

            await reflect.recover(tx, shop, epoch, now=SOON)
            told = await rows(tx, "SELECT after, state, mall_message FROM mall_update_logs")
            await answers(tx, late)

            assert told == [
                {"after": 5, "state": "UNKNOWN", "mall_message": "No answer was recorded."}
            ]
            assert len(await rows(tx, "SELECT FROM mall_update_logs")) == 1

    async def test_an_answer_that_comes_too_late_touches_nothing_of_what_is_newer(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.AMAZON)
            await asked(tx, shop)
            late = await sent(tx, shop)
            await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
            epoch = await lease_of(tx, shop, "other")
            await reflect.recover(tx, shop, epoch, now=SOON)
            newer = await claimed(tx, shop, epoch, at=LATER)
            assert newer is not None
            await answers(tx, newer, PushOutcome.ACCEPTED, at=LATER)
            before = await row(tx, "SELECT * FROM listing_sync")

            await answers(tx, late, PushOutcome.ACCEPTED, at=LATER)

            assert await row(tx, "SELECT * FROM listing_sync") == before
            assert await states(tx) == ["UNKNOWN", "ACCEPTED"]
            assert len(await unread(tx, shop, at=LATER + HOUR)) == 1


class TestAccepted:
    async def test_a_reading_of_what_was_superseded_says_nothing(self, db: Database, account: UUID):
        """Asked for before a newer number went out, answered after it."""
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.AMAZON)
            await asked(tx, shop)
            await answers(tx, await sent(tx, shop), PushOutcome.ACCEPTED)
            for _ in range(reading_back.MOST_READS - 1):
                await looks(tx, shop, await unread(tx, shop, at=LATER), 9, at=SOON)
                await rows(tx, "UPDATE pushes SET read_back_at = sent_at RETURNING id")
            old = await unread(tx, shop, at=LATER)
            await sets(tx, TEA=2)
            await answers(tx, await sent(tx, shop, at=LATER), PushOutcome.ACCEPTED, at=LATER)

            await looks(tx, shop, old, 9, at=LATER)

            found = await row(tx, "SELECT base, push_state, failures FROM listing_sync")
            assert (found["base"], found["push_state"], found["failures"]) == (2, "ACCEPTED", 0)
            assert await open_errors(tx) == []

    async def test_an_older_number_that_is_seen_does_not_apply_the_newer(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.AMAZON)
            await asked(tx, shop)
            await answers(tx, await sent(tx, shop), PushOutcome.ACCEPTED)
            old = await unread(tx, shop, at=LATER)
            await sets(tx, TEA=2)
            await answers(tx, await sent(tx, shop, at=LATER), PushOutcome.ACCEPTED, at=LATER)

            await looks(tx, shop, old, 5, at=LATER)

            assert await states(tx) == ["SUPERSEDED", "ACCEPTED"]
            assert (await row(tx, "SELECT push_state FROM listing_sync"))[
                "push_state"
            ] == "ACCEPTED"

    async def test_a_mall_that_is_closed_has_not_lost_our_numbers(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.AMAZON)
            await asked(tx, shop)
            await answers(tx, await sent(tx, shop), PushOutcome.ACCEPTED)

            for _ in range(reading_back.MOST_READS + 1):
                asked_for = await unread(tx, shop, at=SOON + HOUR)
                closed = MallUnavailable("Closed.", maintenance=True)
                await reading_back.not_read(tx, shop, asked_for, closed, now=LATER)

            assert await open_errors(tx) == []
            assert await unread(tx, shop, at=LATER) == []
            await looks(tx, shop, await unread(tx, shop, at=LATER + HOUR), 5, at=LATER + HOUR)
            assert await states(tx) == ["APPLIED"]

    async def test_dead_credentials_halt_the_shop_that_only_looks(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await stocked(tx, MallKind.AMAZON)
            await asked(tx, shop)
            await answers(tx, await sent(tx, shop), PushOutcome.ACCEPTED)
            asked_for = await unread(tx, shop, at=LATER)

            await reading_back.not_read(tx, shop, asked_for, MallLockedOut("The key."), now=LATER)

            assert (await shop_of(tx, shop.id)).state == "HALTED"


async def test_a_refusal_of_many_that_names_nobody_harms_nobody(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, totals={"A": 1, "B": 1})
        await asked(tx, shop)

        await fails(tx, await sent(tx, shop), MallRefused("One of them is wrong."))

        assert len(numbers(await claimed(tx, shop, await lease_of(tx, shop)))) == 2
        assert await open_errors(tx) == []


async def test_whatever_a_mall_says_can_be_kept(db: Database, account: UUID):
    """A character that PostgreSQL does not keep would make each settling fail, and each number go out again."""
    words = "No such item\x00 \ud83d"
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        await asked(tx, shop)
        await answers(tx, await sent(tx, shop), PushOutcome.REFUSED, code="E\x00", words=words)
        again = SOON + HOUR
        await fails(tx, await sent(tx, shop, at=again), MallRefused("No.", mall_message=words))

        told = [each["mall_message"] for each in await rows(tx, "SELECT mall_message FROM pushes")]

    assert told == ["No such item� �"] * 2


async def test_the_newest_attempt_on_a_listing_has_the_newest_id(db: Database, account: UUID):
    """It is by that that a screen finds it."""
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        for minute in range(8):
            await asked(tx, shop)
            at = SOON + minute * A_MINUTE
            await answers(tx, await sent(tx, shop, at=at), at=at)

        found = await rows(tx, "SELECT sent_at FROM pushes ORDER BY id")

    assert found == sorted(found, key=lambda each: each["sent_at"])
