"""After a restore or a failover: nothing goes on until what an account believes of its malls is looked at anew."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.malls import MallKind, MallOrder, OrderPage, PushOutcome
from domain.services import initial_orders, polling, readings, reflect, resync, shops, walks
from domain.services.polling import TurnLost
from domain.services.resync import FAR
from domain.store import accounts, dispatch, events, leased_shops
from domain.store.database import Database, Tx
from domain.store.events import CursorExpired
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, operations, row, rows
from tests.domain.services.story import a_shop, an_order, counted, in_stock, shop_of, totals
from tests.domain.services.turns import SOON, answers, claimed, lease_of, sent
from tests.factories import a_row

HOUR = timedelta(hours=1)
AN_HOUR_AGO = NOW - HOUR


async def tea_at(tx: Tx, name: str = "Rakuten", **values: Any) -> Shop:
    """Everything is on, orders are known up to now, and the mall shows the 9 that there are."""
    fresh = {
        "orders_running": True,
        "orders_seen_at": NOW,
        "watermark": NOW,
        "next_order_poll_at": NOW,
    }
    shop = await a_shop(tx, name, **{**fresh, **values})
    await in_stock(tx, shop, TEA=9)
    return shop


async def marked(tx: Tx) -> None:
    await accounts.resync(tx, AN_HOUR_AGO)


async def resynced(tx: Tx) -> None:
    """Marked, and its turn has come; every walk is over."""
    await marked(tx)
    await resync.resync(tx, now=NOW)
    for each in await rows(tx, "SELECT shop_id FROM shop_walks"):
        walk = await walks.take_up(tx, each["shop_id"], now=NOW)
        assert walk is not None
        await walks.do_part(tx, walk, now=NOW)


async def due(db: Database, account: UUID) -> list[str]:
    found = await dispatch.due(db, at=SOON, at_most=100_000)
    return sorted(each.work for each in found if each.account_id == account)


async def pushes(tx: Tx, shop: Shop) -> object:
    return await claimed(tx, shop, await lease_of(tx, shop))


async def polls(tx: Tx, shop: Shop) -> object:
    return await polling.begin(tx, shop.id, "test", now=SOON)


async def fetches_initial_orders(tx: Tx, shop: Shop) -> object:
    return await initial_orders.begin(tx, shop.id, "test", now=SOON)


async def reads_stock(tx: Tx, shop: Shop) -> object:
    return await readings.begin(tx, shop.id, now=SOON)


async def runs(tx: Tx, shop: Shop) -> object:
    return await shops.may_run(tx, shop, now=SOON) or None


WORK = [pushes, polls, fetches_initial_orders, reads_stock, runs]


@pytest.mark.parametrize("work", WORK, ids=lambda each: each.__name__)
async def test_nothing_goes_on_until_its_turn_has_come(
    db: Database, account: UUID, work: Callable[[Tx, Shop], Awaitable[object]]
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await counted(tx, TEA=0)
        await marked(tx)

        assert await work(tx, await shop_of(tx, shop.id)) is None


async def test_none_of_it_is_dispatched(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await tea_at(tx)
        await counted(tx, TEA=0)
    assert await due(db, account) == ["ORDERS", "REFLECT"]

    await db.run(account, marked)

    assert await due(db, account) == []
    assert account in await dispatch.resyncs_due(db, at_most=100_000)


async def test_a_page_of_another_time_is_not_taken(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        poll = await polling.begin(tx, shop.id, "test", now=SOON)
        assert poll is not None
    await db.run(account, marked)
    page = _page(an_order("1", ("tea", 1)))

    with pytest.raises(TurnLost):
        await db.run(account, lambda tx: polling.took(tx, poll, page, page, now=SOON))

    async with db.transaction(account) as tx:
        await resync.resync(tx, now=NOW)
        with pytest.raises(TurnLost):
            await polling.took(tx, poll, page, page, now=SOON)
        assert await totals(tx) == {"TEA": 9}


async def test_its_turn_forgets_what_malls_show_and_steps_back(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, clock_offset_ms=60_000, cancels_seen_at=NOW)

        await resynced(tx)

        found = await row(
            tx,
            "SELECT state, watermark, orders_seen_at, cancels_seen_at, next_order_poll_at FROM shops",
        )
        assert found == {
            "state": "CATCHING_UP",
            "watermark": AN_HOUR_AGO + timedelta(minutes=1),
            "orders_seen_at": None,
            "cancels_seen_at": None,
            "next_order_poll_at": NOW,
        }
        assert await row(tx, "SELECT base, wanted > done AS waits FROM listing_sync") == {
            "base": None,
            "waits": True,
        }
        assert (await operations(tx))[-1] == "RESYNC"
        assert await accounts.resync_from(tx) is None
        assert (shop.id, "CHECK") in {(bell.place_id, bell.work) for bell in tx.bells}


async def test_a_watermark_never_steps_forward(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        long_ago = NOW - timedelta(days=3)
        await tea_at(tx, watermark=long_ago)

        await resynced(tx)

        assert await row(tx, "SELECT watermark FROM shops") == {"watermark": long_ago}


@pytest.mark.parametrize(
    ("case", "values", "state"),
    [
        ("one that is halted stays so", {"state": "HALTED"}, "HALTED"),
        ("one that is tested is tested on", {"state": "PROBING"}, "PROBING"),
        ("one that catches up does so", {"state": "CATCHING_UP"}, "CATCHING_UP"),
        ("one that is not in use has nothing to catch up", {"in_use": False}, "RUNNING"),
    ],
)
async def test_the_state_of_a_shop_after_its_turn(
    db: Database, account: UUID, case: str, values: dict[str, Any], state: str
):
    async with db.transaction(account) as tx:
        await tea_at(tx, **values)

        await resynced(tx)

        assert await row(tx, "SELECT state FROM shops") == {"state": state}, case
        assert await row(tx, "SELECT base FROM listing_sync") == {"base": None}, case


async def test_who_holds_a_shop_holds_it_no_more(db: Database, account: UUID):
    """Not even one whose epoch the database has yet to give out again."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        before = await lease_of(tx, shop, "before")

        await resynced(tx)

        now = await lease_of(tx, shop, "now")
        assert now > before + FAR
        assert await leased_shops.lock(tx, shop.id, LeaseKind.REFLECT, before) is None


@pytest.mark.parametrize("outcome", [None, PushOutcome.ACCEPTED])
async def test_of_what_is_under_way_nobody_knows_what_became(
    db: Database, account: UUID, outcome: PushOutcome | None
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await counted(tx, TEA=0)
        batch = await sent(tx, shop)
        if outcome is not None:
            await answers(tx, batch, outcome)

        await resynced(tx)

        await reflect.recover(tx, await shop_of(tx, shop.id), await lease_of(tx, shop), now=SOON)
        assert await row(tx, "SELECT state, read_back_at FROM pushes") == {
            "state": "UNKNOWN",
            "read_back_at": None,
        }
        assert await row(tx, "SELECT base, push_id, wanted > done AS waits FROM listing_sync") == {
            "base": None,
            "push_id": None,
            "waits": True,
        }


async def test_an_answer_that_comes_after_the_turn_was_taken_away_holds_no_number_back(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await counted(tx, TEA=0)
        batch = await sent(tx, shop)
        await resynced(tx)
        await answers(tx, batch)

        await reflect.recover(tx, await shop_of(tx, shop.id), await lease_of(tx, shop), now=SOON)

        assert await row(tx, "SELECT push_id, wanted > done AS waits FROM listing_sync") == {
            "push_id": None,
            "waits": True,
        }


async def test_a_feed_that_is_under_way_is_in_nobodys_hands(db: Database, account: UUID):
    """Whoever takes it next gives it up: it was handed over, as far as anybody knows."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, mall=MallKind.AMAZON)
        of = {"shop_id": shop.id, "items": 1, "sent_at": AN_HOUR_AGO}
        await a_row(tx, "feeds", epoch=3, state="ACCEPTED", name="1", look_at=SOON, **of)
        await a_row(tx, "feeds", epoch=1, state="DONE", ended_at=NOW, **of)

        await resynced(tx)

        found = await rows(tx, "SELECT epoch, state, look_at FROM feeds ORDER BY id")
        assert found == [
            {"epoch": 3 + FAR, "state": "SENT", "look_at": NOW},
            {"epoch": 1, "state": "DONE", "look_at": None},
        ]


async def test_zeros_go_at_once_and_all_else_when_the_shop_runs(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=0, MUG=9)

        await resynced(tx)

        first = await sent(tx, shop)
        assert [each.quantity for each in first.attempts] == [0]
        await answers(tx, first)
        assert await claimed(tx, shop, await lease_of(tx, shop)) is None
        await shops.caught_up(tx, shop, now=SOON)
        second = await sent(tx, shop)
        assert [each.quantity for each in second.attempts] == [9]


@pytest.mark.parametrize(
    ("case", "other", "runs"),
    [
        ("its orders are on their way", {}, False),
        ("its orders are complete", {"orders_seen_at": NOW}, True),
        ("its orders are not imported", {"orders_running": False}, True),
        ("it never imported any", {"watermark": None}, True),
        ("its mall is asked much later", {"next_order_poll_at": NOW + HOUR}, True),
        ("it is halted", {"state": "HALTED"}, True),
        ("it runs", {"state": "RUNNING"}, True),
    ],
)
async def test_a_shop_waits_for_the_orders_of_another_that_catches_up_too(
    db: Database, account: UUID, case: str, other: dict[str, Any], runs: bool
):
    async with db.transaction(account) as tx:
        behind = {"state": "CATCHING_UP", "orders_running": True, "watermark": NOW}
        here = await a_shop(tx, **behind, orders_seen_at=NOW)
        await a_shop(tx, "Other", **{**behind, "next_order_poll_at": NOW, **other})

        assert await shops.may_run(tx, here, now=NOW) is runs, case


async def test_clients_that_saw_more_than_there_is_read_again(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await tea_at(tx)
    async with db.transaction(account) as tx:
        ahead = await events.newest(tx) + 5

    await db.run(account, resynced)

    async with db.transaction(account) as tx:
        assert await events.newest(tx) > ahead + FAR - 10
        after = "SELECT kind FROM events WHERE seq > :ahead"
        assert {"kind": "RELOAD"} in await rows(tx, after, ahead=ahead)
        with pytest.raises(CursorExpired):
            await events.after(tx, ahead)


async def test_it_is_done_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await tea_at(tx)
        await resynced(tx)
        counter = await row(tx, "SELECT last FROM event_counters")

        await resync.resync(tx, now=NOW)

        assert await row(tx, "SELECT last FROM event_counters") == counter
        assert (await operations(tx)).count("RESYNC") == 1


async def test_the_earliest_of_two_marks_counts(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        for since in (NOW, AN_HOUR_AGO, NOW):
            await accounts.resync(tx, since)

        assert await accounts.resync_from(tx) == AN_HOUR_AGO


def _page(*those: MallOrder) -> OrderPage:
    return OrderPage(those, SOON, last=True, total=len(those))
