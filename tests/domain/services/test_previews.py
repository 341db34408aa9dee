"""What a preview says is what then happens."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.model.actors import Actor, ActorKind
from domain.model.confirmations import Confirmer
from domain.model.errors import DomainError
from domain.model.previews import Preview, ShopPreview
from domain.model.sets import SetPart
from domain.model.shops import SyncPart
from domain.services import (
    confirmations,
    links,
    listing_edits,
    previews,
    products,
    reflect_requests,
    sets,
    switches,
    walks,
)
from domain.services.confirmations import Unconfirmed
from domain.store import accounts
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    counted,
    imported,
    product_ids,
)

SHOWN = {"MUG": 10, "CUP": 3, "TEA": 5, "POT": 2, "PAN": 7, "OFF": 4, "JAR": None}
"""What the mall shows by its file; JAR: nobody knows."""


async def a_mixed_shop(tx: Tx, name: str = "Rakuten", **values: bool) -> Shop:
    """Stopped: one that falls, one that rises, one that is right, one that nobody counted, one that is sold out, one
    whose tick is off, one unknown, and one that belongs to nothing."""
    shop = await a_shop(tx, name, **{"reflect_running": False, "orders_running": True, **values})
    await imported(tx, shop, *(a_listing(code, shows) for code, shows in SHOWN.items()))
    await imported(tx, shop, a_listing("LOOSE", 1), create_products=False, link=False)
    await counted(tx, MUG=4, CUP=9, TEA=5, PAN=1, OFF=0, JAR=2)
    await counted(tx, PAN=0)
    off = await listings_of(tx, "off")
    await listing_edits.set_sync(tx, OWNER, off, on=False, now=NOW)
    return shop


async def listings_of(tx: Tx, *refs: str) -> list[UUID]:
    found = await rows(
        tx,
        "SELECT id FROM listings WHERE account_id = :account AND item_code = ANY (:refs) ORDER BY id",
        refs=list(refs),
    )
    return [each["id"] for each in found]


async def going_out(tx: Tx) -> dict[str, tuple[int | None, int | None]]:
    """By code, what each listing that waits shows and is to show."""
    found = await rows(
        tx,
        """
        SELECT l.item_code, s.base, s.expected FROM listing_sync s JOIN listings l ON l.id = s.listing_id
        WHERE s.account_id = :account AND s.wanted > s.done ORDER BY l.item_code
        """,
    )
    return {each["item_code"]: (each["base"], each["expected"]) for each in found}


async def lines(tx: Tx, preview: Preview) -> dict[str, tuple[int | None, int | None]]:
    codes = {
        each["id"]: each["item_code"]
        for each in await rows(tx, "SELECT id, item_code FROM listings")
    }
    return {codes[each.listing_id]: (each.shown, each.to_show) for each in preview.sample}


def numbers_of(preview: Preview) -> list[tuple[int | None, int | None]]:
    return [(each.shown, each.to_show) for each in preview.sample]


STOPPED = {"mug": (10, 4), "cup": (3, 9), "pot": (2, 0), "pan": (7, 0), "jar": (None, 2)}
"""What differs."""


async def test_a_start_sends_what_its_preview_says(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        preview = await previews.of_start(tx, [shop.id], [SyncPart.REFLECT])
        seen = await lines(tx, preview)
        await switches.start_sync(tx, OWNER, [shop.id], [SyncPart.REFLECT], now=NOW)
        sent = await going_out(tx)

    assert preview.shops == (
        ShopPreview(
            shop.id,
            listings=8,
            held=2,
            changed=5,
            to_zero=2,
            never_counted=1,
            rising=1,
            falling=3,
            biggest_rise=6,
            biggest_fall=7,
        ),
    )
    assert list(seen) == ["pan", "pot", "cup", "mug", "jar"]
    assert seen == STOPPED == sent


async def test_the_master_switch_sends_what_its_preview_says(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        one = await a_mixed_shop(tx, reflect_running=True)
        await a_mixed_shop(tx, "Still stopped")
        await switches.stop_sync(tx, OWNER, None, now=NOW)
        preview = await previews.of_start(tx, None)
        before = await going_out(tx)
        await switches.start_sync(tx, OWNER, None, now=NOW)
        sent = await going_out(tx)

    by_shop = {each.shop_id: (each.listings, each.changed) for each in preview.shops}
    assert by_shop.pop(one.id) == (8, len(STOPPED))
    assert list(by_shop.values()) == [(8, 0)]
    assert before == {}
    assert sent == STOPPED


async def test_what_runs_already_is_not_started_again(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx, reflect_running=True)
        assert await previews.of_start(tx, [shop.id], [SyncPart.REFLECT]) == Preview()
        assert await previews.of_start(tx, None) == Preview()


async def test_orders_that_are_switched_on_again_are_read_from_where_they_were_left(
    db: Database, account: UUID
):
    left = NOW - timedelta(days=3)
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx, orders_running=False)
        await tx.execute(
            text("UPDATE shops SET watermark = :left WHERE id = :shop"),
            {"left": left, "shop": shop.id},
        )
        both = await previews.of_start(tx, [shop.id])
        without = await previews.of_start(tx, [shop.id], [SyncPart.REFLECT])
        orders = await previews.of_start(tx, [shop.id], [SyncPart.ORDERS])

    told = [
        (each.shops[0].orders_since, each.shops[0].orders_off) for each in (both, without, orders)
    ]
    assert told == [(left, False), (None, True), (left, False)]
    assert orders.shops == (ShopPreview(shop.id, orders_since=left),)


async def test_a_reflect_counts_what_changes_and_what_is_held(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx, reflect_running=True, orders_running=False)
        await tx.execute(text("UPDATE listing_sync SET done = wanted, claimed = wanted"))
        ids = await product_ids(tx)
        asked = [ids["MUG"], ids["TEA"], ids["OFF"]]
        preview = await previews.of_reflect(tx, product_ids=asked)
        await reflect_requests.reflect(tx, OWNER, product_ids=asked, now=NOW)
        sent = await going_out(tx)

    assert preview.shops == (
        ShopPreview(
            shop.id, listings=3, held=1, changed=1, falling=1, biggest_fall=6, orders_off=True
        ),
    )
    assert sent == {"mug": (10, 4), "tea": (5, 5)}
    assert numbers_of(preview) == [(10, 4)]


async def test_a_reflect_of_a_part_counts_the_sets_that_hold_it_at_the_shops_that_are_named(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx, reflect_running=True)
        other = await a_mixed_shop(tx, "Other", reflect_running=True)
        ids = await product_ids(tx)
        gift = await sets.save_set(
            tx, OWNER, None, code="GIFT", parts=[SetPart(ids["MUG"], 2)], now=NOW
        )
        [page, _] = await listings_of(tx, "loose")
        await links.link(tx, OWNER, [(page, gift.id)], now=NOW)
        here = await previews.of_reflect(tx, product_ids=[ids["MUG"]], shop_ids=[shop.id])
        everywhere = await previews.of_reflect(tx, product_ids=[ids["MUG"]])
        both = await previews.of_reflect(tx, product_ids=[ids["MUG"]], listing_ids=[page])

    counts = {each.shop_id: each.listings for each in everywhere.shops}
    assert sorted(counts.values()) == [1, 2]
    assert [(each.shop_id, each.listings) for each in here.shops] == [(shop.id, counts[shop.id])]
    assert both == everywhere
    assert set(counts) == {shop.id, other.id}


async def test_a_set_of_which_a_part_was_never_counted_is_never_counted(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        ids = await product_ids(tx)
        parts = [SetPart(ids["MUG"], 1), SetPart(ids["POT"], 1)]
        gift = await sets.save_set(tx, OWNER, None, code="GIFT", parts=parts, now=NOW)
        [page] = await listings_of(tx, "loose")
        await links.link(tx, OWNER, [(page, gift.id)], now=NOW)
        preview = await previews.of_start(tx, [shop.id])

    [told] = preview.shops
    assert (told.to_zero, told.never_counted) == (3, 2)


async def test_a_full_sync_sends_all_but_what_is_deleted(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx, reflect_running=True)
        await tx.execute(text("UPDATE listings SET deleted_at = now() WHERE item_code = 'loose'"))
        [told] = (await previews.of_full_sync(tx, [shop.id])).shops

    assert (told.listings, told.held, told.changed, told.to_zero) == (7, 1, 5, 2)


async def test_a_tick_that_goes_on_sends_what_differs_and_no_more(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await a_mixed_shop(tx, reflect_running=True)
        await tx.execute(text("UPDATE listing_sync SET done = wanted, claimed = wanted"))
        asked = await listings_of(tx, "off", "mug")
        preview = await previews.of_sync_on(tx, asked)
        await listing_edits.set_sync(tx, OWNER, asked, on=True, reflect=True, now=NOW)
        sent = await going_out(tx)

    [told] = preview.shops
    assert (told.listings, told.changed, told.to_zero) == (1, 1, 1)
    assert numbers_of(preview) == [(4, 0)]
    assert sent == {"off": (4, 0)}


async def test_what_is_unlinked_changes_nothing_at_its_mall(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx, reflect_running=True, orders_running=False)
        asked = await listings_of(tx, "mug", "loose", "tea")
        preview = await previews.of_unlink(tx, asked)

    assert preview.shops == (ShopPreview(shop.id, listings=3, held=1, changed=2),)
    assert numbers_of(preview) == [(10, None), (5, None)]


@pytest.mark.parametrize(
    ("case", "at_once", "copies", "sent"),
    [
        ("edits go out by themselves", True, 0, {"mug": (3, 9)}),
        ("edits wait", False, 0, {}),
        ("another one is left that contradicts it", True, 1, {}),
    ],
)
async def test_what_nothing_contradicts_any_more_may_rise(
    db: Database,
    account: UUID,
    case: str,
    at_once: bool,
    copies: int,
    sent: dict[str, tuple[int, int]],
):
    pages = ["mug", "mug-2", *("mug-3",) * copies]
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, orders_running=True)
        await imported(tx, shop, *(a_listing("MUG", 3, ref=ref) for ref in pages))
        await counted(tx, MUG=9)
        await accounts.reflect_edits(tx, at_once=at_once)
        asked = await listings_of(tx, "mug-2")
        preview = await previews.of_unlink(tx, asked)
        before = await going_out(tx)
        await links.unlink(tx, OWNER, asked, now=NOW)
        after = await going_out(tx)

    [told] = preview.shops
    assert (told.listings, told.changed, told.rising) == (1, 1 + len(sent), len(sent)), case
    assert told.biggest_rise == 6 * len(sent)
    assert numbers_of(preview) == [*sent.values(), (3, None)]
    assert (before, after) == ({}, sent)


async def test_parts_of_sets_that_stay_are_not_counted_as_deleted(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        ids = await product_ids(tx)
        await sets.save_set(tx, OWNER, None, code="GIFT", parts=[SetPart(ids["MUG"], 1)], now=NOW)
        asked = [ids["MUG"], ids["TEA"]]
        preview = await previews.of_delete(tx, asked)
        deleted = await products.delete_products(tx, OWNER, asked, with_listings=False, now=NOW)

    assert preview.shops == (ShopPreview(shop.id, listings=1, changed=1),)
    assert deleted.ids == (ids["TEA"],)


async def test_nothing_of_another_account_is_counted(
    db: Database, account: UUID, another_account: UUID
):
    async with db.transaction(another_account) as tx:
        theirs = await a_mixed_shop(tx, reflect_running=True)
        listings = await listings_of(tx, "mug")
        ids = list((await product_ids(tx)).values())
    async with db.transaction(account) as tx:
        assert await previews.of_reflect(tx, product_ids=ids, listing_ids=listings) == Preview()
        assert await previews.of_unlink(tx, listings) == Preview()
        assert await previews.of_delete(tx, ids) == Preview()
        for look in (previews.of_start, previews.of_full_sync):
            with pytest.raises(DomainError) as refused:
                await look(tx, [theirs.id])
            assert (refused.value.code, refused.value.field) == ("NOT_FOUND", ("shop_ids", "0"))


async def test_the_sample_is_short_and_begins_with_what_goes_to_zero(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, reflect_running=False, orders_running=True)
        shows = {f"P{nth:02}": nth + 1 for nth in range(30)}
        await imported(tx, shop, *(a_listing(code, units) for code, units in shows.items()))
        await counted(tx, P05=900)
        preview = await previews.of_start(tx, [shop.id])

    assert preview.count(lambda each: each.changed) == 30
    assert [each.shown for each in preview.sample] == list(range(30, 10, -1))
    assert {each.to_show for each in preview.sample} == {0}


# ── confirmations ──

CONFIRMER = Confirmer(b"k" * 32)
HANAKO, TARO = (Actor(ActorKind.USER, name, UUID(int=nth)) for nth, name in enumerate("HT"))
BOUND = (HANAKO, "start_sync")


async def limits(tx: Tx, *, to_zero: int = 50, changed: int = 500) -> None:
    await tx.execute(
        text("UPDATE accounts SET confirm_to_zero = :to_zero, confirm_changed = :changed"),
        {"to_zero": to_zero, "changed": changed},
    )


async def refusal(
    tx: Tx,
    preview: Preview,
    token: str | None,
    bound: tuple[object, ...] = BOUND,
    now: datetime = NOW,
) -> Unconfirmed | None:
    """None: it goes on."""
    try:
        await confirmations.check(tx, CONFIRMER, preview, bound, token, now=now)
    except Unconfirmed as error:
        return error
    return None


async def test_a_change_below_the_limits_needs_no_confirmation(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        preview = await previews.of_start(tx, [shop.id])
        offer = await confirmations.check(tx, CONFIRMER, preview, BOUND, None, now=NOW)

    assert (offer.preview, offer.token, offer.until) == (preview, None, None)


@pytest.mark.parametrize("limit", [{"to_zero": 1}, {"changed": 4}])
async def test_a_change_above_a_limit_goes_on_with_what_was_seen_of_it_alone(
    db: Database, account: UUID, limit: dict[str, int]
):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        await limits(tx, **limit)
        preview = await previews.of_start(tx, [shop.id])
        needed = await refusal(tx, preview, None)
        assert needed is not None
        token = needed.offer.token
        assert await refusal(tx, preview, token) is None
        stale = {
            "too old": await refusal(tx, preview, token, now=NOW + timedelta(minutes=10)),
            "another's": await refusal(tx, preview, token, (TARO, BOUND[1])),
            "for something else": await refusal(tx, preview, token, (BOUND[0], "reflect")),
            "made up": await refusal(tx, preview, "token"),
        }

    assert needed.code == "CONFIRMATION_NEEDED"
    assert needed.offer.until == NOW + timedelta(minutes=10)
    assert needed.params == {"changed": 5, "to_zero": 2, "orders_off": 0}
    for case, error in stale.items():
        assert error is not None, case
        assert (error.code, error.offer.preview) == ("CONFIRMATION_STALE", preview), case


async def test_what_has_grown_since_it_was_seen_is_looked_at_again(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        await limits(tx, to_zero=0)
        seen = await previews.of_start(tx, [shop.id])
        offer = await confirmations.offer(tx, CONFIRMER, seen, BOUND, now=NOW)
        await counted(tx, CUP=0)
        more = await previews.of_start(tx, [shop.id])
        stale = await refusal(tx, more, offer.token)
        await counted(tx, CUP=9, MUG=10)
        less = await refusal(tx, await previews.of_start(tx, [shop.id]), offer.token)

    assert stale is not None
    assert (stale.code, stale.offer.preview) == ("CONFIRMATION_STALE", more)
    assert less is None


async def test_numbers_that_go_out_while_orders_are_not_read_need_a_confirmation(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        await a_mixed_shop(tx, reflect_running=True, orders_running=False)
        right, held = await listings_of(tx, "tea"), await listings_of(tx, "off")
        sent = await refusal(tx, await previews.of_reflect(tx, listing_ids=right), None)
        kept = await refusal(tx, await previews.of_reflect(tx, listing_ids=held), None)
        cut = await refusal(tx, await previews.of_unlink(tx, right), None)

    assert sent is not None
    assert (sent.code, sent.params["orders_off"]) == ("CONFIRMATION_NEEDED", 1)
    assert kept is None
    assert cut is None


@pytest.mark.parametrize(
    ("case", "earlier"),
    [
        ("it came into use just now", {"in_use": False}),
        ("it was stopped just now", {"reflect_running": True}),
        ("it was halted until now", {"state": "HALTED"}),
    ],
)
async def test_a_preview_knows_the_shop_as_it_is_while_its_listings_are_looked_at_again(
    db: Database, account: UUID, case: str, earlier: dict[str, Any]
):
    async with db.transaction(account) as tx:
        shop = await a_mixed_shop(tx)
        wanted = await previews.of_start(tx, [shop.id])
        assert len(numbers_of(wanted)) == len(STOPPED)
        now = {name: getattr(shop, name) for name in earlier}
        await shop_rows.change(tx, shop.id, **earlier)
        await walks.look_again(tx, [shop.id], now=NOW)

        await shop_rows.change(tx, shop.id, **now)
        await walks.begin(tx, [shop.id], forget=False, now=NOW)

        assert await previews.of_start(tx, [shop.id]) == wanted, case
