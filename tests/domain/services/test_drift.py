"""A mall's number that is not ours: under each policy, and with an order on the way. Nothing is counted twice."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind, OrderStatus
from domain.services import drift, listing_edits, readings, reflect_jobs, stock
from domain.services import shops as shop_service
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.services.stock import NewTotal
from domain.store import shops, sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import (
    a_shop,
    an_order,
    codes,
    in_stock,
    movements,
    product_ids,
    shop_of,
    shown,
    take,
    totals,
)
from tests.domain.services.test_readings import begun, ids_at, told
from tests.domain.services.turns import (
    SOON,
    answers,
    claimed,
    lease_of,
    looks,
    numbers,
    sent,
    unread,
)

MINUTE = timedelta(minutes=1)
READ_AT = NOW + 30 * MINUTE
KNOWN = READ_AT + 60 * MINUTE
"""Orders up to then are in: the reading and whatever came late."""

POLICIES = ("OURS_WINS", "TAKE_THEIRS", "ASK")
AMAZON = MallKind.AMAZON


async def tea_at(tx: Tx, policy: str, *, total: int = 5, orders: bool = True, **more: Any) -> Shop:
    """A shop at Amazon, which tells of cancels; its numbers were written the day before."""
    facts = {"orders_running": orders, "watermark": NOW, "orders_seen_at": NOW}
    shop = await a_shop(tx, mall=AMAZON, drift_policy=policy, **facts | more)
    await in_stock(tx, shop, TEA=total)
    return await shop_of(tx, shop.id)


async def reads(tx: Tx, shop: Shop, quantity: int, *, at: datetime = READ_AT) -> None:
    """Somebody asks what the mall shows, and it shows this."""
    await readings.ask(tx, OWNER, await ids_at(tx, shop), now=at)
    await told(tx, await begun(tx, shop, at), quantity, at=at)


async def fetches(tx: Tx, shop: Shop, until: datetime = KNOWN) -> None:
    """Orders are known up to then, and what can be decided is."""
    await shops.change(tx, shop.id, watermark=until, orders_seen_at=until, cancels_seen_at=until)
    await drift.decide(tx, shop.id, now=until)


async def goes_out(tx: Tx, shop: Shop, at: datetime = KNOWN) -> list[int]:
    return numbers(await claimed(tx, shop, await lease_of(tx, shop), at=at))


async def how_it_is(tx: Tx, shop: Shop) -> tuple[int, int | None, str | None]:
    """(total, what the mall shows, difference)."""
    tea = await shown(tx, shop, "tea")
    return (await totals(tx))["TEA"], tea.base, tea.difference


async def changes(tx: Tx) -> list[tuple[str, int]]:
    """(cause, delta) since the count."""
    return [(cause, delta) for cause, delta, _ in (await movements(tx, "TEA"))[1:]]


@pytest.mark.parametrize("reading", [9, 2])
@pytest.mark.parametrize(
    ("policy", "total", "moved", "sends", "difference"),
    [
        ("OURS_WINS", 5, [], [5], None),
        ("TAKE_THEIRS", None, ["MALL_EDIT_TAKEN"], [], None),
        ("ASK", 5, [], [], "CHANGED_AT_MALL"),
    ],
)
async def test_an_edit_at_the_mall(
    db: Database,
    account: UUID,
    policy: str,
    reading: int,
    total: int | None,
    moved: list[str],
    sends: list[int],
    difference: str | None,
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, policy)
        await reads(tx, shop, reading)
        await fetches(tx, shop)

        assert await how_it_is(tx, shop) == (
            reading if total is None else total,
            reading,
            difference,
        )
        assert [cause for cause, _ in await changes(tx)] == moved
        assert await goes_out(tx, shop) == sends


@pytest.mark.parametrize(("reading", "at_once"), [(9, [5]), (2, [])])
async def test_where_ours_wins_only_a_fall_waits_for_the_orders(
    db: Database, account: UUID, reading: int, at_once: list[int]
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, "OURS_WINS")
        await shops.change(tx, shop.id, orders_seen_at=READ_AT)
        await reads(tx, shop, reading)

        assert await goes_out(tx, shop, READ_AT) == at_once


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_sale_before_the_reading_is_no_edit(db: Database, account: UUID, policy: str):
    """Its order arrives after the reading."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, policy)
        await reads(tx, shop, 3)
        assert await goes_out(tx, shop, READ_AT) == []
        order = an_order("1", ("tea", 2), placed_at=READ_AT - 5 * MINUTE)
        await take(tx, shop, order, at=READ_AT + MINUTE)
        await fetches(tx, shop)

        assert await how_it_is(tx, shop) == (3, 3, None)
        assert await changes(tx) == [("ORDER", -2)]
        assert await goes_out(tx, shop) == []


@pytest.mark.parametrize(
    ("policy", "total", "sends"), [("OURS_WINS", 4, [4]), ("TAKE_THEIRS", 8, []), ("ASK", 4, [])]
)
async def test_a_sale_on_top_of_an_edit_is_counted_once(
    db: Database, account: UUID, policy: str, total: int, sends: list[int]
):
    """Edited from 5 to 9, one sold before it was read and another after."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, policy, total=6)
        await reads(tx, shop, 9)
        early = an_order("1", ("tea", 1), placed_at=READ_AT - 5 * MINUTE)
        late = an_order("2", ("tea", 1), placed_at=READ_AT + 5 * MINUTE)
        await take(tx, shop, late, early, at=READ_AT + 6 * MINUTE)
        await fetches(tx, shop)

        assert (await totals(tx))["TEA"] == total
        assert (await shown(tx, shop, "tea")).base == 8
        assert await goes_out(tx, shop) == sends


@pytest.mark.parametrize("policy", POLICIES)
async def test_units_that_a_cancel_gave_back_are_no_edit(db: Database, account: UUID, policy: str):
    """The mall put them on its counter before it was read; we hear of the cancel later."""
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, policy, cancel_policy="RESTORE", mall_restocks=True)
        await take(tx, shop, an_order("1", ("tea", 2), placed_at=NOW - 60 * MINUTE))
        assert await how_it_is(tx, shop) == (3, 3, None)
        await reads(tx, shop, 5)
        cancelled = an_order(
            "1", ("tea", 2), status=OrderStatus.RELEASED, placed_at=NOW - 60 * MINUTE
        )
        await take(tx, shop, cancelled, at=READ_AT + MINUTE)
        await fetches(tx, shop)

        assert (await totals(tx))["TEA"] == 5
        assert [cause for cause, _ in await changes(tx)] == ["ORDER", "CANCEL"]


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_zero_goes_out_whatever_was_edited(db: Database, account: UUID, policy: str):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, policy)
        await reads(tx, shop, 9)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 0)], reflect=True, now=READ_AT)

        assert numbers(await sent(tx, shop, at=READ_AT)) == [0]


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_zero_that_was_silently_not_applied_is_no_edit(
    db: Database, account: UUID, policy: str
):
    """The mall shows what it showed before our zero, less what it has sold since."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, drift_policy=policy, orders_running=True, watermark=NOW)
        await in_stock(tx, shop, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 0)], reflect=True, now=SOON)
        await answers(tx, await sent(tx, shop))
        await looks(tx, shop, await unread(tx, shop, at=READ_AT), 4, at=READ_AT)
        assert numbers(await sent(tx, shop, at=READ_AT)) == [0]
        await take(tx, shop, an_order("1", ("tea", 1), placed_at=READ_AT - MINUTE), at=READ_AT)
        await fetches(tx, shop)

        assert (await totals(tx))["TEA"] == -1
        assert "MALL_EDIT_TAKEN" not in [cause for cause, _ in await changes(tx)]


@pytest.mark.parametrize("policy", ["TAKE_THEIRS", "ASK"])
async def test_a_number_that_was_never_written_is_sent_again(
    db: Database, account: UUID, policy: str
):
    """One was sold meanwhile, so that nothing but the orders tells it from an edit."""
    async with db.transaction(account) as tx:
        facts = {"orders_running": True, "watermark": NOW, "orders_seen_at": SOON}
        shop = await a_shop(tx, drift_policy=policy, **facts)
        await in_stock(tx, shop, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 8)], reflect=True, now=SOON)
        await answers(tx, await sent(tx, shop))
        await reads(tx, shop, 4)
        assert await goes_out(tx, shop, READ_AT) == []
        await take(tx, shop, an_order("1", ("tea", 1), placed_at=READ_AT - MINUTE), at=READ_AT)
        await fetches(tx, shop)

        assert (await totals(tx))["TEA"] == 7
        assert await goes_out(tx, shop) == [7]


async def test_a_drift_is_taken_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, "TAKE_THEIRS")
        await reads(tx, shop, 9)
        await reads(tx, shop, 9, at=READ_AT + MINUTE)
        await fetches(tx, shop)
        await fetches(tx, shop, KNOWN + MINUTE)
        await reads(tx, shop, 9, at=KNOWN + MINUTE)
        await fetches(tx, shop, KNOWN + 90 * MINUTE)

        assert await changes(tx) == [("MALL_EDIT_TAKEN", 4)]


async def test_a_total_that_follows_a_mall_goes_out_to_the_others(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, "TAKE_THEIRS")
        other = await a_shop(tx, "Other", orders_running=False)
        await in_stock(tx, other, TEA=5)
        await reads(tx, shop, 9)
        await fetches(tx, shop)

        assert await goes_out(tx, other) == [9]


async def test_what_a_person_counted_since_stands(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, "TAKE_THEIRS")
        await reads(tx, shop, 9)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 6)], now=READ_AT + MINUTE)
        await fetches(tx, shop)

        assert (await totals(tx))["TEA"] == 6
        assert await goes_out(tx, shop) == [6]


@pytest.mark.parametrize(
    ("case", "limits", "shows"), [("cut", {"maximum": 3}, 3), ("hidden", {"minimum": 8}, 0)]
)
async def test_a_number_that_a_rule_made_is_asked_about(
    db: Database, account: UUID, case: str, limits: dict[str, int], shows: int
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, "TAKE_THEIRS")
        await listing_edits.set_limits(
            tx, OWNER, await ids_at(tx, shop), reflect=True, now=NOW, **limits
        )
        await answers(tx, await sent(tx, shop, at=NOW), at=NOW)
        await reads(tx, shop, 7)
        await fetches(tx, shop)

        assert await changes(tx) == [], case
        found = await row(tx, "SELECT asked, expected FROM listing_sync")
        assert (found["asked"], found["expected"]) == (True, shows)


@pytest.mark.parametrize("policy", ["TAKE_THEIRS", "ASK"])
async def test_where_no_orders_are_fetched_a_person_is_asked(
    db: Database, account: UUID, policy: str
):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, policy, orders=False)
        await reads(tx, shop, 3)

        assert (await row(tx, "SELECT asked FROM listing_sync"))["asked"]
        assert await how_it_is(tx, shop) == (5, 3, "CHANGED_AT_MALL")


async def test_another_policy_decides_on_what_was_asked(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await tea_at(tx, "ASK")
        await reads(tx, shop, 9)
        await fetches(tx, shop)
        change = ShopChange(drift_policy=shop_service.DriftPolicy.TAKE_THEIRS)
        await shop_service.update(tx, Vault(bytes(32)), SYSTEM, shop.id, change)
        await fetches(tx, shop, KNOWN + MINUTE)

        assert await changes(tx) == [("MALL_EDIT_TAKEN", 4)]


class TestByHand:
    async def test_whoever_asks_for_ours_to_be_sent_has_decided(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, "ASK")
            await reads(tx, shop, 9)
            await fetches(tx, shop)

            await reflect_jobs.ask(tx, OWNER, await ids_at(tx, shop), now=KNOWN)

            assert await goes_out(tx, shop) == [5]

    async def test_a_full_sync_decides_nothing(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, "ASK")
            await reads(tx, shop, 9)
            await fetches(tx, shop)
            ids = await sync.listings_of_shops(tx, [shop.id])
            await reflect_jobs.ask(tx, OWNER, ids, sweeps=True, now=KNOWN)

            assert await goes_out(tx, shop) == []

    async def test_theirs_is_a_counted_adjustment(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, "ASK")
            await reads(tx, shop, 9)
            await fetches(tx, shop)
            ids = await ids_at(tx, shop)

            taken = await drift.take(tx, OWNER, ids, now=KNOWN)
            again = await drift.take(tx, OWNER, ids, now=KNOWN)

            assert (taken.listing_ids, taken.refused, again.refused) == (tuple(ids), (), ())
            assert await changes(tx) == [("MALL_EDIT_TAKEN", 4)]
            assert await how_it_is(tx, shop) == (9, 9, None)
            assert (await operations(tx))[-1] == "TAKE_THEIRS"

    async def test_what_cannot_be_taken(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx, "ASK")
            ids = await ids_at(tx, shop)
            await reads(tx, shop, 3)
            early = await drift.take(tx, OWNER, ids, now=READ_AT)
            await fetches(tx, shop)
            await listing_edits.set_limits(tx, OWNER, ids, maximum=2, now=KNOWN)
            ruled = await drift.take(tx, OWNER, ids, now=KNOWN)
            await rows(tx, "UPDATE listing_sync SET base = NULL RETURNING listing_id")
            unknown = await drift.take(tx, OWNER, [*ids, shop.id], now=KNOWN)

            assert codes(early.refused) == ["ORDERS_NOT_IN"]
            assert codes(ruled.refused) == ["CANNOT_TAKE_THEIRS"]
            assert codes(unknown.refused) == ["NOT_FOUND", "MALL_STOCK_UNKNOWN"]
            assert await changes(tx) == []
