"""Asking a shop for its orders: windows that lose nothing, errors that close, and orders that cannot be read."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallRefused,
    MallUnavailable,
)
from domain.model.malls import MallKind, MallOrder, OrderPage, OrderStatus, OrderWindow
from domain.model.orders import CancelPolicy
from domain.services import disconnecting, polling, sync_errors
from domain.services.polling import Poll, TurnLost
from domain.services.sync import Why, reconsider
from domain.store import leased_shops, leases, shops, stock, sync
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    a_shop,
    an_order,
    errors,
    in_stock,
    lines,
    shop_of,
    shown,
    totals,
)
from tests.domain.services.turns import A_MINUTE, fails, sent

SHIPPED, RELEASED = OrderStatus.SHIPPED, OrderStatus.RELEASED
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
LATER = NOW + timedelta(minutes=10)


async def tea_at(tx: Tx, mall: MallKind = MallKind.RAKUTEN, **values: Any) -> Shop:
    known = {"orders_running": True, "watermark": NOW - A_MINUTE, "effective_from": NOW - DAY}
    shop = await a_shop(tx, mall=mall, **known | values)
    await in_stock(tx, shop, TEA=10)
    return shop


async def begun(tx: Tx, shop: Shop, at: datetime = NOW) -> Poll:
    poll = await polling.begin(tx, shop.id, "test", now=at)
    assert poll is not None
    return poll


def page(
    *found: MallOrder,
    at: datetime = NOW,
    unreadable: Mapping[str, str] | None = None,
    last: bool = True,
) -> OrderPage:
    return OrderPage(found, at, len(found), last, unreadable or {})


async def polled(
    tx: Tx,
    shop: Shop,
    *found: MallOrder,
    at: datetime = NOW,
    unreadable: Mapping[str, str] | None = None,
) -> None:
    poll = await begun(tx, shop, at)
    told = page(*found, at=at, unreadable=unreadable)
    await polling.took(tx, poll, told, told, now=at + SECOND)
    await polling.end(tx, poll, now=at + SECOND)


def _polling(shop: Shop) -> Poll:
    return Poll(shop, 1, OrderWindow(NOW - DAY, NOW), NOW, "test")


async def open_errors(tx: Tx) -> list[str]:
    found = await rows(tx, "SELECT kind FROM sync_errors WHERE resolved_at IS NULL ORDER BY kind")
    return [each["kind"] for each in found]


class TestWindows:
    async def test_a_window_that_does_not_reach_to_now_leaves_orders_stale_and_goes_on_at_once(
        self, db: Database, account: UUID
    ):
        """A Yahoo shop that stood still for three weeks: windows are a week at most."""
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, MallKind.YAHOO_SHOPPING, watermark=NOW - 21 * DAY)
            seen = []
            for _ in range(4):
                await polled(tx, shop)
                shop = await shop_of(tx, shop.id)
                seen.append(
                    (shop.orders_seen_at is not None, shop.next_order_poll_at <= NOW + SECOND)
                )

        assert seen == [(False, True), (False, True), (False, True), (True, False)]
        assert shop.watermark == NOW

    async def test_a_window_with_more_orders_than_the_mall_pages_through_is_halved(self):
        poll = _polling(_shop())

        narrower = polling.narrower(poll)

        assert narrower is not None
        assert narrower.window == OrderWindow(NOW - DAY, NOW - DAY / 2)
        assert not narrower.to_the_end

    async def test_there_is_an_end_to_halving(self):
        poll = Poll(_shop(), 1, OrderWindow(NOW - A_MINUTE, NOW), NOW, "test")

        assert polling.narrower(poll) is None

    async def test_a_long_walk_keeps_its_turn_and_a_lost_one_ends_it(
        self, db: Database, account: UUID
    ):
        first = page(an_order("1", ("tea", 1)), last=False)
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            poll = await begun(tx, shop)
            await _passes(tx, polling.LEASE - SECOND)
            assert await polling.go_on(tx, poll)
            await _passes(tx, polling.LEASE - SECOND)
            await polling.took(tx, poll, first, first, now=NOW)
            assert await leases.take(tx, shop.id, LeaseKind.ORDERS, "other", A_MINUTE) is None

            await _passes(tx, 2 * SECOND)
            assert await leases.take(tx, shop.id, LeaseKind.ORDERS, "other", A_MINUTE) is not None
            with pytest.raises(TurnLost):
                await polling.took(tx, poll, page(), first, now=NOW)

    @pytest.mark.parametrize(
        ("case", "seen_at", "doubts", "found", "last", "over"),
        [
            ("there is no more to do", NOW, 0, 0, True, True),
            ("nor with orders in it", NOW, 0, 1, True, True),
            ("a page follows", NOW, 0, 1, False, False),
            ("open orders are to be read again", NOW - 6 * A_MINUTE, 0, 1, True, False),
            ("a listing in doubt is to be decided on", NOW, 1, 0, True, False),
        ],
    )
    async def test_the_last_page_gives_the_turn_back_where_there_is_no_more_to_do(
        self,
        db: Database,
        account: UUID,
        case: str,
        seen_at: datetime,
        doubts: int,
        found: int,
        last: bool,
        over: bool,
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, cancels_seen_at=seen_at)
            if doubts:
                await _is_in_doubt(tx, NOW - DAY)
            poll = await begun(tx, shop)
            told = page(*[an_order("1", ("tea", 1))][:found], last=last)

            assert await polling.took(tx, poll, told, told, now=NOW) is over, case

            running = await rows(tx, "SELECT outcome FROM sync_runs WHERE outcome = 'RUNNING'")
            taken = await leased_shops.take(tx, shop.id, LeaseKind.ORDERS, "other", A_MINUTE)
            assert (taken is not None and taken.clean) is over, case
            assert len(running) == (0 if over else found), case

    async def test_the_malls_clock_is_read_from_the_first_page_however_long_the_walk(
        self, db: Database, account: UUID
    ):
        ahead = timedelta(seconds=30)
        first = page(at=NOW + ahead, last=False)
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            poll = await begun(tx, shop)
            await polling.took(tx, poll, first, first, now=NOW + SECOND)
            last = page(at=NOW + ahead + 5 * A_MINUTE)

            await polling.took(tx, poll, last, first, now=NOW + 5 * A_MINUTE)

            assert (await shop_of(tx, shop.id)).clock_offset == ahead - SECOND


async def _is_in_doubt(tx: Tx, read_at: datetime) -> None:
    """Its mall was read to show less than we knew."""
    await rows(
        tx,
        """
        UPDATE listing_sync SET believed_source = base_source, believed = base + 1, believed_earliest = base_earliest,
            believed_latest = base_latest, base_latest = :at, base_earliest = :at RETURNING listing_id
        """,
        at=read_at,
    )


async def _passes(tx: Tx, time: timedelta) -> None:
    await rows(
        tx,
        "UPDATE shop_leases SET until = until - cast(:time AS interval) RETURNING shop_id",
        time=time,
    )


def _shop() -> Shop:
    """Any shop; nothing is asked of it."""
    return Shop(*[None] * len(Shop.__slots__))  # type: ignore[arg-type]


class TestErrors:
    async def test_orders_that_come_do_not_close_what_is_wrong_with_stock(
        self, db: Database, account: UUID
    ):
        """Else the error would close and open again with every minute."""
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, orders_seen_at=NOW)
            await _sends(tx, shop, MallUnavailable("Closed.", maintenance=True))
            await polling.failed(
                tx, await begun(tx, shop), MallUnavailable("Closed.", maintenance=True), now=NOW
            )
            assert await open_errors(tx) == ["MAINTENANCE", "MAINTENANCE"]

            await polled(tx, shop)

            assert await errors(tx) == [
                ("MAINTENANCE", "OPEN", 1),
                ("MAINTENANCE", "RESOLVED", 1),
            ]

    @pytest.mark.parametrize(
        "error",
        [MallRefused("No.", mall_code="E1", mall_message="No such field."), MallMalformed("?")],
    )
    async def test_what_the_mall_says_to_a_request_for_orders_is_no_items_fault(
        self, db: Database, account: UUID, error: MallError
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            await polling.failed(tx, await begun(tx, shop), error, now=NOW)
            assert await errors(tx) == [("ANSWER_UNREADABLE", "OPEN", 1)]

            await polled(tx, shop)

            assert await errors(tx) == [("ANSWER_UNREADABLE", "RESOLVED", 1)]

    async def test_dead_credentials_halt_the_shop(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)

            dead = MallLockedOut("The key has expired.")
            await polling.failed(tx, await begun(tx, shop), dead, now=NOW)

            assert (await shop_of(tx, shop.id)).state == "HALTED"

    async def test_who_lost_its_turn_tells_nothing_for_who_has_it(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            poll = await begun(tx, shop)
            await _passes(tx, polling.LEASE)
            assert await leases.take(tx, shop.id, LeaseKind.ORDERS, "other", A_MINUTE) is not None

            with pytest.raises(TurnLost):
                await polling.failed(tx, poll, MallLockedOut("The key has expired."), now=NOW)

            assert (await shop_of(tx, shop.id)).state == "RUNNING"
            assert await open_errors(tx) == []

    async def test_a_mall_that_is_closed_says_so_though_nothing_is_sent_to_it(
        self, db: Database, account: UUID
    ):
        """Where orders are not known, few numbers go out: nobody else would find out."""
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            closed = MallUnavailable("Closed.", maintenance=True)
            await polling.failed(tx, await begun(tx, shop), closed, now=NOW)
            during = await shop_of(tx, shop.id)
            await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")

            await polled(tx, shop, at=LATER)

            after = await shop_of(tx, shop.id)
            assert (during.maintenance, after.maintenance) == (True, False)
            assert during.paused_until is None, "zeros still go out, if it takes them"

    async def test_orders_that_come_end_the_wait_of_a_mall_that_was_closed(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, orders_seen_at=NOW)
            for wait in range(1, 5):
                await _sends(
                    tx,
                    shop,
                    MallUnavailable("Closed.", maintenance=True),
                    NOW + wait * A_MINUTE * 15,
                )
            paused = await shop_of(tx, shop.id)
            assert paused.maintenance
            assert paused.paused_until is not None

            await polled(tx, shop, at=NOW + A_MINUTE * 61)

            shop = await shop_of(tx, shop.id)
            assert (shop.maintenance, shop.paused_until) == (False, None)
            await sent(tx, shop, at=NOW + A_MINUTE * 61)


async def _sends(tx: Tx, shop: Shop, error: MallError, at: datetime = NOW) -> None:
    """A sale elsewhere, sent in vain."""
    await shops.change(tx, shop.id, orders_seen_at=at)
    product = await row(tx, "SELECT id FROM products")
    await rows(tx, "UPDATE listing_sync SET base = 3 RETURNING listing_id")
    await reconsider(tx, await sync.listings_showing(tx, [product["id"]]), Why.HAPPENED, now=at)
    await fails(tx, await sent(tx, shop, at=at), error, at=at)


class TestOrdersThatCannotBeRead:
    async def test_one_that_was_read_before_keeps_what_it_took(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, cancel_policy=CancelPolicy.RESTORE.value)
            await polled(tx, shop, an_order("1", ("tea", 2)))
            before = await shown(tx, shop, "tea")

            await polled(tx, shop, at=LATER, unreadable={"1": "?"})

            assert await totals(tx) == {"TEA": 8}
            assert await lines(tx, "1") == [("tea", 2, "APPLIED")]
            assert (await shown(tx, shop, "tea")).base == before.base
            assert await open_errors(tx) == ["ORDER_UNREADABLE"]

    @pytest.mark.parametrize("mall", MallKind)
    async def test_one_that_is_new_is_asked_for_again_until_it_can_be_read(
        self, db: Database, account: UUID, mall: MallKind
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, mall)
            await polled(tx, shop, unreadable={"1": "?"})
            await polled(tx, shop, unreadable={"1": "?"})
            assert await errors(tx) == [("ORDER_UNREADABLE", "OPEN", 1)]
            assert await polling.to_reread(tx, await shop_of(tx, shop.id), now=LATER) == ["1"]

            told = page(an_order("1", ("tea", 3)), at=LATER)
            await polling.reread(tx, await begun(tx, shop, LATER), told, asked=["1"], now=LATER)

            assert await totals(tx) == {"TEA": 7}
            assert await open_errors(tx) == []
            assert await stock.unbalanced(tx) == []

    async def test_one_from_before_the_shop_joined_is_never_deducted(
        self, db: Database, account: UUID
    ):
        """When it was placed is known only once it is read."""
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            await polled(tx, shop, unreadable={"1": "?"})

            await polled(tx, shop, an_order("1", ("tea", 3), placed_at=NOW - 2 * DAY), at=LATER)

            assert await totals(tx) == {"TEA": 10}
            assert await lines(tx, "1") == [("tea", 3, "BASELINE")]

    async def test_they_keep_no_other_from_being_read_again(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            most = polling.rereads(shop)
            bad = {f"bad {n}": "?" for n in range(most)}
            good = [an_order(f"good {n}", ("tea", 0)) for n in range(most)]
            await polled(tx, shop, unreadable=bad)
            await polled(tx, shop, *good, at=NOW + SECOND)
            first = await polling.to_reread(tx, shop, now=LATER)
            assert first is not None

            poll = await begun(tx, shop, LATER)
            await polling.reread(tx, poll, page(at=LATER, unreadable=bad), asked=first, now=LATER)

            again = await polling.to_reread(tx, await shop_of(tx, shop.id), now=LATER)
            assert again is not None
            assert sorted(first) == sorted(bad)
            assert sorted(again) == sorted(order.number for order in good)


async def test_a_shop_whose_cancels_were_not_read_does_not_say_that_they_were(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, an_order("1", ("tea", 1)))

        asked = await polling.to_reread(tx, shop, now=LATER)

        assert asked == ["1"]
        assert (await shop_of(tx, shop.id)).cancels_seen_at is None
        told = page(an_order("1", ("tea", 1)), at=LATER)
        await polling.reread(tx, await begun(tx, shop, LATER), told, asked=asked, now=LATER)
        shop = await shop_of(tx, shop.id)
        assert shop.cancels_seen_at == LATER
        assert await polling.to_reread(tx, shop, now=LATER + A_MINUTE) is None
        assert await polling.to_reread(tx, shop, now=LATER + 6 * A_MINUTE) == ["1"]


@pytest.mark.parametrize(
    ("mall", "seconds", "speed", "orders"),
    [
        (MallKind.RAKUTEN, 10, "", 100),
        (MallKind.YAHOO_SHOPPING, 10, "", 1),
        (MallKind.YAHOO_SHOPPING, 20, "", 2),
        (MallKind.YAHOO_SHOPPING, 60, "", 6),
        (MallKind.YAHOO_SHOPPING, 3600, "", 20),
        (MallKind.YAHOO_SHOPPING, 1, "999999", 20),
        (MallKind.AMAZON, 180, "", 20),
    ],
)
async def test_no_more_orders_are_read_again_than_a_malls_day_allows(
    db: Database, account: UUID, mall: MallKind, seconds: int, speed: str, orders: int
):
    """However often the shop is polled: with each poll a part of them."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, mall, order_poll_seconds=seconds, settings={"speed": speed or "1"})

        assert polling.rereads(shop) == orders


async def test_of_more_open_orders_than_are_read_at_once_cancels_are_known_all_the_same(
    db: Database, account: UUID
):
    """Sixty at a mall that tells six a minute: as far as the one that was asked for the longest ago, and ever further."""
    open_orders = [an_order(f"{n:02}", ("tea", 0)) for n in range(60)]
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MallKind.YAHOO_SHOPPING, order_poll_seconds=20)
        await polled(tx, shop, *open_orders)
        known = []
        for turn in range(60):
            at = LATER + turn * timedelta(seconds=20)
            shop = await shop_of(tx, shop.id)
            await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING shop_id")
            asked = await polling.to_reread(tx, shop, now=at)
            if asked is not None:
                told = page(*(each for each in open_orders if each.number in asked), at=at)
                await polling.reread(tx, await begun(tx, shop, at), told, asked=asked, now=at)
            known.append(polling.cancels_known_until(await shop_of(tx, shop.id)))

    assert known == sorted(known, key=lambda each: each or NOW)
    ages = [LATER + turn * timedelta(seconds=20) - (each or NOW) for turn, each in enumerate(known)]
    assert max(ages[30:]) <= 4 * polling.REREAD_EVERY


async def test_what_is_cancelled_after_it_was_shipped_comes_back(db: Database, account: UUID):
    """It is looked at once a day, for two weeks: long after it left the windows."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, cancel_policy=CancelPolicy.RESTORE)
        await polled(tx, shop, an_order("1", ("tea", 3)), an_order("2", ("tea", 1)))
        shipped = [
            an_order(number, ("tea", n), status=SHIPPED) for number, n in (("1", 3), ("2", 1))
        ]
        await polled(tx, shop, *shipped, at=LATER)
        days = (0.9, 1.1, 13.9, 14.1)
        asked = [await polling.to_reread(tx, shop, now=LATER + days * DAY) for days in days]

        assert asked == [[], ["1", "2"], ["1", "2"], []]
        at = LATER + 2 * DAY
        gone = an_order("1", ("tea", 3), status=RELEASED)
        poll = await begun(tx, shop, at)
        await polling.reread(tx, poll, page(gone, shipped[1], at=at), asked=["1", "2"], now=at)
        again = await polling.to_reread(tx, await shop_of(tx, shop.id), now=at + 1.1 * DAY)

        assert await totals(tx) == {"TEA": 9}
        assert again == ["2"]
        assert await stock.unbalanced(tx) == []


async def test_one_that_was_shipped_and_is_told_no_more_keeps_no_other_waiting(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, an_order("1", ("tea", 3)))
        await polled(tx, shop, an_order("1", ("tea", 3), status=SHIPPED), at=LATER)
        at = LATER + 2 * DAY
        told = page(at=at, unreadable={"1": "?"})
        await polling.reread(tx, await begun(tx, shop, at), told, asked=["1"], now=at)

        soon, tomorrow = [
            await polling.to_reread(tx, await shop_of(tx, shop.id), now=at + days * DAY)
            for days in (0.1, 1.1)
        ]

        assert (soon, tomorrow) == ([], ["1"])
        assert await open_errors(tx) == []
        assert await totals(tx) == {"TEA": 7}


async def test_orders_that_are_open_are_read_again_first(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, MallKind.YAHOO_SHOPPING, order_poll_seconds=20)
        for number in ("1", "2"):
            await polled(tx, shop, an_order(number, ("tea", 1)))
        await polled(tx, shop, an_order("1", ("tea", 1), status=SHIPPED), at=NOW + SECOND)
        await polled(tx, shop, an_order("3", ("tea", 1)), at=LATER + 2 * DAY - SECOND)

        assert await polling.to_reread(tx, shop, now=LATER + 2 * DAY) == ["2", "1"]


async def test_what_is_read_again_after_the_turn_was_lost_changes_nothing(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polled(tx, shop, an_order("1", ("tea", 1)))
        poll = await begun(tx, shop, LATER)
        await rows(tx, "UPDATE shop_leases SET until = '-infinity' RETURNING 1")
        assert await leases.take(tx, shop.id, LeaseKind.ORDERS, "another", A_MINUTE) is not None

        told = page(an_order("1", ("tea", 5)), at=LATER)
        with pytest.raises(TurnLost):
            await polling.reread(tx, poll, told, asked=["1"], now=LATER)

        assert await totals(tx) == {"TEA": 9}
        assert (await shop_of(tx, shop.id)).cancels_seen_at is None


async def test_orders_that_come_after_their_shop_was_disconnected_are_nobodys(
    db: Database, account: UUID
):
    """Its listings are linked to nothing: each would be an error that no page shows any more."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        poll = await begun(tx, shop)
        await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=False, now=NOW)

        told = page(an_order("1", ("tea", 1)))
        with pytest.raises(TurnLost):
            await polling.took(tx, poll, told, told, now=LATER)

        assert await open_errors(tx) == []
        assert await rows(tx, "SELECT FROM orders") == []


async def test_an_error_seen_by_orders_alone_is_cleared_like_any_other(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        await polling.failed(tx, await begun(tx, shop), MallUnavailable("?"), now=NOW)
        found = await row(tx, "SELECT id, params ->> 'part' AS part FROM sync_errors")

        await sync_errors.clear(tx, OWNER, [found["id"]], now=NOW)

        assert found["part"] == "ORDERS"
        assert await errors(tx) == [("UNREACHABLE", "CLEARED", 1)]


async def test_an_importer_that_says_so_keeps_its_turn_and_one_that_is_silent_loses_it(
    db: Database, account: UUID
):
    async def left(tx: Tx) -> float:
        found = await row(
            tx, "SELECT extract(epoch FROM until - clock_timestamp()) FROM shop_leases"
        )
        return float(found["extract"])

    async with db.transaction(account) as tx:
        shop = await tea_at(tx)
        poll = await begun(tx, shop)
        assert await left(tx) <= polling.LEASE.total_seconds()
        soon = "UPDATE shop_leases SET until = clock_timestamp() + interval '1 second' RETURNING 1"
        await rows(tx, soon)

        assert await polling.go_on(tx, poll)
        assert await left(tx) > polling.LEASE.total_seconds() - 5

        await rows(tx, "UPDATE shop_leases SET until = clock_timestamp() RETURNING 1")
        assert not await polling.go_on(tx, poll)
        assert await leases.take(tx, shop.id, LeaseKind.ORDERS, "another", A_MINUTE) is not None
