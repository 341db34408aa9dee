"""Numbers in bulk: what a feed carries, what may overtake it, and what becomes of each number when it has ended."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model import breaker
from domain.model.errors import MallError, MallLockedOut, MallRefused, MallUnavailable
from domain.model.feeds import HELD, FeedRowState, Step
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import FeedStage, FeedState, MallKind, MallTime, PushOutcome
from domain.services import feed_ends, feeding, feeds, full_syncs, links, shops_in_use
from domain.services.feeding import Taken
from domain.services.sync import Why, reconsider
from domain.store import feeds as feed_store
from domain.store import shops as shop_store
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    a_shop,
    an_order,
    counted,
    errors,
    in_stock,
    shop_of,
    shown,
    take,
)
from tests.domain.services.turns import SOON, answers, claimed, lease_of, looks, numbers, unread

AMAZON = MallKind.AMAZON
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LATER = SOON + 10 * MINUTE


@pytest.fixture
async def tx(db: Database, account: UUID) -> AsyncIterator[Tx]:
    async with db.transaction(account) as opened:
        yield opened


@pytest.fixture
async def shop(tx: Tx) -> Shop:
    """Three products with ten units each, shown as they are, of which a full sync has just been asked for."""
    made = await a_shop(tx, mall=AMAZON)
    await in_stock(tx, made, TEA=10, MUG=10, CUP=10)
    await full_syncs.start(tx, OWNER, [made.id], now=NOW)
    return made


async def gathered(tx: Tx, shop: Shop, *, least: int = 1, at: datetime = SOON) -> bool:
    limits = MALL_SPECS[AMAZON].capabilities.feed
    assert limits is not None
    may_go = feeds.may_go(await shop_of(tx, shop.id), limits, at)
    opened, _ = await feed_store.gathers(tx, shop.id, may_go, least=least, rested=HOUR)
    return opened


async def taken(tx: Tx, shop: Shop, at: datetime = SOON) -> Taken:
    found = await feeding.take(tx, shop.id, now=at)
    assert found is not None
    return found


async def handed_over(tx: Tx, shop: Shop) -> Taken:
    """A feed of all that waits, which the mall has."""
    assert await gathered(tx, shop)
    feed = await taken(tx, shop)
    assert await feeding.add_part(tx, feed, now=SOON)
    await feeding.handed_over(tx, feed, "F1", now=SOON)
    return feed


async def done(
    tx: Tx,
    feed: Taken,
    refused: Mapping[int, tuple[str, str]] | None = None,
    *,
    at: datetime = LATER,
) -> None:
    """The mall has worked it off."""
    state = FeedState(FeedStage.DONE, MallTime(at, at), processed=3, refused=refused or {})
    which = await feed_ends.refusals(tx, feed, state)
    while await feed_ends.settle_part(tx, feed, state, which, now=at):
        pass
    await feed_ends.end(tx, feed, FeedRowState.DONE, now=at)


async def given_up(tx: Tx, feed: Taken, error: MallError | None = None) -> None:
    while await feed_ends.give_up_part(tx, feed, FeedRowState.LOST, error, now=LATER):
        pass
    await feed_ends.end(tx, feed, FeedRowState.LOST, error, now=LATER)


async def given_back(tx: Tx, feed: Taken, error: MallError) -> None:
    while await feed_ends.give_back_part(tx, feed, error, now=LATER):
        pass
    await feed_ends.end(tx, feed, FeedRowState.FAILED, error, now=LATER)


async def of(tx: Tx, shop: Shop, code: str) -> tuple[int | None, bool]:
    """(what we believe the mall shows, does a number wait?)."""
    seen = await shown(tx, shop, code.lower())
    return seen.base, seen.waits


async def pushes(tx: Tx) -> list[tuple[int, str, bool]]:
    """(quantity, state, by a feed?), oldest first."""
    found = await rows(
        tx,
        "SELECT quantity, state, feed_id IS NOT NULL AS fed FROM pushes ORDER BY sent_at, fed DESC, id",
    )
    return [(each["quantity"], each["state"], each["fed"]) for each in found]


async def feed_row(tx: Tx) -> dict[str, Any]:
    return await row(tx, 'SELECT state, items AS "carries", refused, looks FROM feeds')


async def sets(tx: Tx, **totals: int) -> None:
    """Sold elsewhere: the numbers go out by themselves."""
    await counted(tx, SOON, **totals)


async def still_carried(tx: Tx) -> int:
    [found] = await rows(tx, "SELECT count(*) AS n FROM listing_sync WHERE feed_id IS NOT NULL")
    return int(found["n"])


async def job(tx: Tx) -> tuple[str, int, int]:
    found = await row(tx, "SELECT state, done, failed FROM jobs WHERE kind = 'REFLECT'")
    return found["state"], found["done"], found["failed"]


async def test_a_feed_is_opened_where_it_is_worth_it(tx: Tx, shop: Shop) -> None:
    assert not await gathered(tx, shop, least=4)
    assert await gathered(tx, shop, least=3)
    assert not await gathered(tx, shop, least=3)


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("goes to zero", "expected = 0, lane = 0, base = 10"),
        ("is zero already, and swept", "expected = 0"),
        ("falls", "lane = 1, base = 11"),
        ("falls, and was swept", "base = 11"),
        ("has few units left", "expected = 5, base = NULL"),
        ("has failed before", "failures = 1"),
        ("waits for its turn", "next_try_at = now() + interval '1 hour'"),
        ("is on its way", "push_id = uuidv7()"),
        ("is in another feed", "feed_id = uuidv7()"),
        ("needs nothing", "done = wanted, claimed = wanted"),
    ],
)
async def test_what_a_feed_does_not_carry(tx: Tx, shop: Shop, case: str, change: str) -> None:
    await rows(
        tx, f"UPDATE listing_sync SET {change} WHERE shop_id = :shop RETURNING 1", shop=shop.id
    )

    assert not await gathered(tx, shop), case


async def test_no_feed_is_opened_soon_after_one_that_was_lost(tx: Tx, shop: Shop) -> None:
    await given_up(tx, await handed_over(tx, shop))
    await rows(tx, "UPDATE listing_sync SET failures = 0 RETURNING 1")

    assert not await gathered(tx, shop, at=LATER)
    assert await gathered(tx, shop, at=LATER + HOUR)


async def test_no_feed_is_opened_while_more_is_being_asked_for(tx: Tx, shop: Shop) -> None:
    await rows(tx, "UPDATE jobs SET due_at = :now WHERE kind = 'REFLECT' RETURNING 1", now=NOW)

    assert not await gathered(tx, shop)


async def test_a_mall_that_fails_one_call_after_the_other_gets_no_feed(tx: Tx, shop: Shop) -> None:
    """One number tries it first, and nobody asks after a feed that it has while it is left alone."""
    at_rest = {"failed_calls": breaker.OPENS_AT, "paused_until": SOON + HOUR}
    assert await gathered(tx, shop)
    await shop_store.change(tx, shop.id, failed_calls=breaker.OPENS_AT)
    assert (await taken(tx, shop)).step is Step.DROP
    assert not await feeds.gathers(tx, await shop_of(tx, shop.id), now=SOON)

    await shop_store.change(tx, shop.id, failed_calls=0)
    await rows(tx, "DELETE FROM feeds RETURNING 1")
    await handed_over(tx, shop)
    await shop_store.change(tx, shop.id, **at_rest)
    assert (await taken(tx, shop, at=LATER)).step is Step.WAIT
    assert (await taken(tx, shop, at=LATER + HOUR)).step is Step.ASK


async def test_what_a_feed_carries_is_committed_as_attempts(tx: Tx, shop: Shop) -> None:
    assert await gathered(tx, shop)
    feed = await taken(tx, shop)

    assert feed.step is Step.PUT_TOGETHER
    assert await feeding.add_part(tx, feed, now=SOON) == 3
    assert await feeding.add_part(tx, feed, now=SOON) == 0
    document = await feeding.document_part(tx, feed, None)

    assert sorted((push.ref.item_code, push.quantity) for _, push in document) == [
        ("cup", 10),
        ("mug", 10),
        ("tea", 10),
    ]
    assert await feeding.document_part(tx, feed, document[-1][0]) == []
    assert await pushes(tx) == [(10, "SENT", True)] * 3
    assert await feed_row(tx) == {"state": "SENT", "carries": 3, "refused": 0, "looks": 0}
    assert await claimed(tx, shop, await lease_of(tx, shop)) is None


async def test_a_feed_of_nothing_leaves_nothing_behind(tx: Tx, shop: Shop) -> None:
    assert await gathered(tx, shop)
    await shop_store.change(tx, shop.id, reflect_running=False)

    feed = await taken(tx, shop)
    assert feed.step is Step.DROP
    await feeding.drop(tx, feed)

    assert await rows(tx, "SELECT 1 FROM feeds") == []


async def test_a_feed_that_is_taken_is_left_alone_by_others(tx: Tx, shop: Shop) -> None:
    assert await gathered(tx, shop)
    first = await taken(tx, shop)

    assert await feeding.take(tx, shop.id, now=SOON) is None
    second = await taken(tx, shop, at=SOON + HELD)
    assert await feeding.add_part(tx, first, now=SOON) is None
    assert await feeding.add_part(tx, second, now=SOON) == 3


async def test_what_is_settled_by_whoever_lost_the_feed_changes_nothing(tx: Tx, shop: Shop) -> None:
    first = await handed_over(tx, shop)
    second = await taken(tx, shop, at=LATER)

    await given_up(tx, first)
    assert await still_carried(tx) == 3
    await done(tx, second)
    assert (await feed_row(tx))["state"] == "DONE"


async def test_what_the_mall_took_stands(tx: Tx, shop: Shop) -> None:
    feed = await handed_over(tx, shop)
    assert await pushes(tx) == [(10, "ACCEPTED", True)] * 3
    assert await job(tx) == ("RUNNING", 0, 0)

    await done(tx, feed)

    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [(10, False)] * 3
    assert await pushes(tx) == [(10, "APPLIED", True)] * 3
    assert await job(tx) == ("DONE", 3, 0)
    assert await feed_row(tx) == {"state": "DONE", "carries": 3, "refused": 0, "looks": 0}
    assert await row(tx, "SELECT outcome, sent, refused FROM sync_runs WHERE kind = 'FEED'") == {
        "outcome": "OK",
        "sent": 3,
        "refused": 0,
    }
    assert (await rows(tx, "SELECT state FROM mall_update_logs")) == [{"state": "APPLIED"}] * 3
    assert await errors(tx) == []


async def test_one_of_many_is_looked_at_all_the_same(tx: Tx, shop: Shop) -> None:
    await done(tx, await handed_over(tx, shop))

    asked = await unread(tx, shop, at=LATER + HOUR)

    assert len(asked) == 1
    await looks(tx, shop, asked, 10, at=LATER + HOUR)
    assert await unread(tx, shop, at=LATER + 2 * HOUR) == []


async def test_a_refused_item_waits_and_goes_by_itself(tx: Tx, shop: Shop) -> None:
    feed = await handed_over(tx, shop)
    document = await feeding.document_part(tx, feed, None)
    refused = document[1][1].ref.item_code.upper()

    await done(tx, feed, {1: ("90220", "No such thing.")})

    assert await of(tx, shop, refused) == (10, True)
    assert await job(tx) == ("DONE", 3, 1)
    assert (await feed_row(tx))["refused"] == 1
    assert await errors(tx) == [("ITEM_REFUSED", "OPEN", 1)]
    assert sorted(state for _, state, _ in await pushes(tx)) == ["APPLIED", "APPLIED", "REFUSED"]
    assert await claimed(tx, shop, await lease_of(tx, shop), at=LATER) is None
    assert not await gathered(tx, shop, at=LATER + HOUR)
    assert numbers(await claimed(tx, shop, await lease_of(tx, shop), at=LATER + HOUR)) == [10]


async def test_a_zero_goes_out_at_once_and_again_when_the_feed_has_ended(
    tx: Tx, shop: Shop
) -> None:
    feed = await handed_over(tx, shop)
    await sets(tx, TEA=0)
    epoch = await lease_of(tx, shop)

    zero = await claimed(tx, shop, epoch)
    assert numbers(zero) == [0]
    assert zero is not None
    await answers(tx, zero, PushOutcome.ACCEPTED)
    assert await claimed(tx, shop, epoch, at=LATER) is None

    await done(tx, feed)
    assert await of(tx, shop, "TEA") == (None, True)
    zero = await claimed(tx, shop, epoch, at=LATER)
    assert numbers(zero) == [0]
    assert zero is not None
    await answers(tx, zero, at=LATER)
    assert await claimed(tx, shop, epoch, at=LATER) is None
    assert numbers(await claimed(tx, shop, epoch, at=LATER + 6 * MINUTE)) == [0]


async def test_a_zero_that_is_on_its_way_when_the_feed_ends_goes_out_again(
    tx: Tx, shop: Shop
) -> None:
    feed = await handed_over(tx, shop)
    await sets(tx, TEA=0)
    epoch = await lease_of(tx, shop)
    zero = await claimed(tx, shop, epoch)
    assert zero is not None

    await done(tx, feed)
    await answers(tx, zero, PushOutcome.ACCEPTED, at=LATER)

    assert await of(tx, shop, "TEA") == (None, True)
    assert numbers(await claimed(tx, shop, epoch, at=LATER + MINUTE)) == [0]


async def test_other_numbers_wait_for_the_end_of_the_feed(tx: Tx, shop: Shop) -> None:
    feed = await handed_over(tx, shop)
    await sets(tx, TEA=4, MUG=40)
    epoch = await lease_of(tx, shop)

    assert await claimed(tx, shop, epoch) is None
    await done(tx, feed)
    assert numbers(await claimed(tx, shop, epoch, at=LATER)) == [4, 40]


async def test_a_sale_of_the_shop_while_the_feed_was_under_way(tx: Tx, shop: Shop) -> None:
    """The mall may have put the units back: nobody knows what it shows, so that what is left goes out."""
    feed = await handed_over(tx, shop)
    await take(tx, shop, an_order("1", ("tea", 2), placed_at=SOON + MINUTE), at=SOON + 2 * MINUTE)
    assert await of(tx, shop, "TEA") == (8, False)

    await done(tx, feed)

    assert await of(tx, shop, "TEA") == (None, True)
    epoch = await lease_of(tx, shop)
    assert numbers(await claimed(tx, shop, epoch, at=LATER + MINUTE)) == [8]
    assert await of(tx, shop, "MUG") == (10, False)


async def test_a_reading_while_a_feed_is_under_way_says_nothing(tx: Tx, shop: Shop) -> None:
    """What was read may be the feed's number already: it is no edit of anybody's."""
    await shop_store.change(tx, shop.id, drift_policy="ASK")
    await rows(tx, "UPDATE listing_sync SET base = 8 RETURNING 1")
    feed = await handed_over(tx, shop)
    await sets(tx, TEA=0)
    zero = await claimed(tx, shop, await lease_of(tx, shop))
    assert zero is not None
    await answers(tx, zero)
    asked = await unread(tx, shop, at=LATER)

    await looks(tx, shop, asked, 10, at=LATER)

    assert await rows(tx, "SELECT 1 FROM listing_sync WHERE believed_source IS NOT NULL") == []
    await done(tx, feed, at=LATER + MINUTE)
    assert await of(tx, shop, "TEA") == (None, True)


@pytest.mark.parametrize("error", [None, MallError("Ended.", mall_code="FATAL")])
async def test_what_became_of_a_lost_feed_nobody_knows(
    tx: Tx, shop: Shop, error: MallError | None
) -> None:
    feed = await handed_over(tx, shop)

    await given_up(tx, feed, error)

    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [(None, True)] * 3
    assert await pushes(tx) == [(10, "UNKNOWN", True)] * 3
    assert await errors(tx) == [("FEED_FAILED", "OPEN", 3)]
    assert await still_carried(tx) == 0
    assert await job(tx) == ("RUNNING", 0, 0)
    assert (await row(tx, "SELECT outcome, failed FROM sync_runs WHERE kind = 'FEED'")) == {
        "outcome": "FAILED",
        "failed": 3,
    }
    assert not await gathered(tx, shop)

    one_by_one = await claimed(tx, shop, await lease_of(tx, shop), at=LATER + MINUTE)
    assert numbers(one_by_one) == [10] * 3
    assert one_by_one is not None
    await answers(tx, one_by_one, at=LATER + MINUTE)
    assert await errors(tx) == [("FEED_FAILED", "RESOLVED", 3)]
    assert await job(tx) == ("DONE", 3, 0)
    assert len(await unread(tx, shop, at=LATER + HOUR)) == 3


async def test_a_lost_feed_that_lands_after_what_followed_it_does_not_stay(
    tx: Tx, shop: Shop
) -> None:
    """What follows goes out at once, a zero and what was sold meanwhile too, and once more when the feed can land no more."""
    feed = await handed_over(tx, shop)
    await take(tx, shop, an_order("1", ("mug", 2), placed_at=SOON + MINUTE), at=SOON + 2 * MINUTE)
    await given_up(tx, feed, None)
    await sets(tx, TEA=0)
    epoch = await lease_of(tx, shop)
    at_once = await claimed(tx, shop, epoch, at=LATER + MINUTE)
    assert sorted(numbers(at_once)) == [0, 8, 10]
    assert at_once is not None
    await answers(tx, at_once, at=LATER + MINUTE)

    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [(None, True)] * 3
    assert await claimed(tx, shop, epoch, at=LATER + HOUR / 2) is None

    again = await claimed(tx, shop, epoch, at=LATER + 2 * HOUR)
    assert sorted(numbers(again)) == [0, 8, 10]
    assert again is not None
    await answers(tx, again, at=LATER + 2 * HOUR)
    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [
        (0, False),
        (8, False),
        (10, False),
    ]


async def test_a_feed_that_ended_as_a_whole_lands_no_more(tx: Tx, shop: Shop) -> None:
    """What follows it is believed as soon as what the mall worked off is shown."""
    feed = await handed_over(tx, shop)
    error = MallError("Ended.", mall_code="FATAL")
    while await feed_ends.give_up_part(tx, feed, FeedRowState.FAILED, error, now=LATER):
        pass
    await feed_ends.end(tx, feed, FeedRowState.FAILED, error, now=LATER)

    later = LATER + 10 * MINUTE
    batch = await claimed(tx, shop, await lease_of(tx, shop), at=later)
    assert batch is not None
    await answers(tx, batch, at=later)

    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [(10, False)] * 3


@pytest.mark.parametrize(
    ("error", "told", "by_feed"),
    [
        (MallUnavailable("Closed."), [], True),
        (MallLockedOut("No."), [], True),
        (MallRefused("No feeds."), [("FEED_FAILED", "OPEN", 3)], False),
    ],
)
async def test_what_the_mall_did_not_take_waits_as_before(
    tx: Tx, shop: Shop, error: MallError, told: list[tuple[str, str, int]], by_feed: bool
) -> None:
    assert await gathered(tx, shop)
    feed = await taken(tx, shop)
    await feeding.add_part(tx, feed, now=SOON)

    await given_back(tx, feed, error)

    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [(10, True)] * 3
    assert await pushes(tx) == [(10, "SUPERSEDED", True)] * 3
    assert await errors(tx) == told
    assert await rows(tx, "SELECT 1 FROM mall_update_logs") == []
    assert await rows(tx, "SELECT 1 FROM sync_runs WHERE kind = 'FEED'") == []
    assert await gathered(tx, shop, at=LATER + HOUR) is by_feed


async def test_listings_that_are_let_go_meanwhile_are_not_sent_again(tx: Tx, shop: Shop) -> None:
    feed = await handed_over(tx, shop)
    listing_id = (await shown(tx, shop, "tea")).listing_id
    await links.unlink(tx, OWNER, [listing_id], now=SOON)

    await given_up(tx, feed)

    assert await of(tx, shop, "TEA") == (None, False)
    assert await still_carried(tx) == 0
    assert await errors(tx) == [("FEED_FAILED", "OPEN", 2)]


async def test_a_shop_that_is_halted_is_not_asked_and_forgets_nothing(tx: Tx, shop: Shop) -> None:
    await handed_over(tx, shop)
    await shop_store.change(tx, shop.id, state="HALTED")

    feed = await taken(tx, shop, at=LATER)
    assert feed.step is Step.WAIT
    await feeding.look_again(tx, feed, asked=False, now=LATER)
    await shop_store.change(tx, shop.id, state="RUNNING")
    feed = await taken(tx, shop, at=LATER + MINUTE)
    assert feed.step is Step.ASK
    await done(tx, feed, at=LATER + MINUTE)

    assert [await of(tx, shop, code) for code in ("TEA", "MUG", "CUP")] == [(10, False)] * 3


async def test_a_shop_out_of_use_lets_its_feed_go(tx: Tx, shop: Shop) -> None:
    await handed_over(tx, shop)
    await shops_in_use.set_shops_in_use(tx, OWNER, [], now=SOON)

    feed = await taken(tx, shop, at=LATER)

    assert feed.step is Step.LET_GO


async def test_what_is_asked_for_again_meanwhile_goes_out_again(tx: Tx, shop: Shop) -> None:
    feed = await handed_over(tx, shop)
    listing_id = (await shown(tx, shop, "tea")).listing_id
    await reconsider(tx, [listing_id], Why.ASKED, now=SOON)

    await done(tx, feed)

    assert await of(tx, shop, "TEA") == (10, True)
    assert await of(tx, shop, "MUG") == (10, False)


async def test_feeds_that_ended_long_ago_are_forgotten(tx: Tx, shop: Shop) -> None:
    await done(tx, await handed_over(tx, shop))
    await rows(tx, "UPDATE feeds SET ended_at = ended_at - interval '31 days' RETURNING 1")
    await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

    await done(tx, await handed_over(tx, shop))

    assert len(await rows(tx, "SELECT 1 FROM feeds")) == 1
