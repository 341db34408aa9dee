"""Fields that travel with stock: imported, set, read, sent; and whose they are (A10)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.mall_fields import LEAD_TIME, FieldChange, FieldOwner
from domain.model.malls import (
    ItemRef,
    MallKind,
    MallListing,
    MallTime,
    PushOutcome,
    PushResult,
    StockReading,
)
from domain.services import listing_fields, listings, reflect, reflect_jobs, settling
from domain.services.reflect import Batch
from domain.store import sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import a_shop, codes, counted, everywhere_right, imported
from tests.domain.services.turns import SOON, lease_of

YAHOO, AMAZON = MallKind.YAHOO_SHOPPING, MallKind.AMAZON
OVERDRAFT = "allow_overdraft"


def page(code: str, quantity: int | None = None, **fields: str) -> MallListing:
    keys = {"sub-code": code, "seller-sku": code}
    return MallListing(ItemRef(code), keys=keys, quantity=quantity, fields=fields)


async def at_yahoo(tx: Tx, **overdrafts: str) -> Shop:
    """Pages with these 超過購入 settings, of products that have five each."""
    shop = await a_shop(tx, mall=YAHOO)
    pages = [
        page(code, 5, **({OVERDRAFT: each} if each else {})) for code, each in overdrafts.items()
    ]
    await imported(tx, shop, *pages)
    await counted(tx, **dict.fromkeys(overdrafts, 5))
    await everywhere_right(tx)
    return shop


async def id_of(tx: Tx, code: str) -> UUID:
    found = await row(tx, "SELECT id FROM listings WHERE item_code = :code", code=code)
    listing_id: UUID = found["id"]
    return listing_id


async def set_of(tx: Tx, code: str, key: str, *value: str | None, **more: Any) -> Any:
    sets = {"value": value[0], "sets_value": True} if value else {}
    reflect = more.pop("reflect", None)
    change = FieldChange(key, **sets, **more)
    return await listing_fields.set_fields(
        tx, OWNER, [await id_of(tx, code)], [change], reflect=reflect, now=NOW
    )


async def sent(tx: Tx, shop: Shop) -> list[dict[str, Mapping[str, str]]]:
    """By call, by code, the fields that go out when everything is asked for."""
    await reflect_jobs.ask(tx, OWNER, await sync.listings_of_shops(tx, [shop.id]), now=NOW)
    epoch = await lease_of(tx, shop)
    calls = []
    while batch := await reflect.claim(tx, shop, epoch, at_most=10, now=SOON):
        calls.append({each.ref.item_code: each.fields for each in batch.attempts})
        await answered(tx, batch)
    return calls


async def answered(tx: Tx, batch: Batch, outcome: PushOutcome = PushOutcome.APPLIED) -> None:
    at = MallTime(SOON, SOON)
    await settling.settle(
        tx, batch, [PushResult(each.ref, outcome, at) for each in batch.attempts], now=SOON
    )


async def shown_at(tx: Tx, code: str) -> tuple[Any, Any, Any]:
    """What the mall shows, what is ours beside it, and whether it was changed there."""
    found = await row(
        tx,
        """
        SELECT l.fields, f.value, f.changed_at_mall FROM listings l
        LEFT JOIN listing_fields f ON f.listing_id = l.id WHERE l.item_code = :code
        """,
        code=code,
    )
    return found["fields"], found["value"], found["changed_at_mall"]


async def seen(tx: Tx, shop: Shop, code: str, **fields: str) -> None:
    ref, at = ItemRef(code), MallTime(NOW, NOW)
    readings = [StockReading(ref, at, quantity=5, fields=fields)]
    ids = {ref: await id_of(tx, code)}
    await listing_fields.read_at_mall(tx, shop.mall, ids, readings, now=NOW)


async def test_what_was_imported_goes_out_again(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="1", MUG="0")
        assert await sent(tx, shop) == [{"TEA": {OVERDRAFT: "1"}, "MUG": {OVERDRAFT: "0"}}]


async def test_fields_that_go_with_all_items_or_none_part_the_calls(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="1", MUG="", POT="0")
        calls = await sent(tx, shop)

        assert sorted(calls, key=len) == [
            {"MUG": {}},
            {"TEA": {OVERDRAFT: "1"}, "POT": {OVERDRAFT: "0"}},
        ]


async def test_what_a_person_sets_goes_out_with_the_next_number(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="0")
        before = await row(tx, "SELECT version FROM listings")
        done = await set_of(tx, "TEA", OVERDRAFT, "1")

        assert (done.refused, done.job_id) == ((), None)
        assert (await row(tx, "SELECT version FROM listings"))["version"] == before["version"] + 1
        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "0"}, "1", None)
        assert await row(tx, "SELECT wanted > done AS waits FROM listing_sync") == {"waits": False}

        assert await sent(tx, shop) == [{"TEA": {OVERDRAFT: "1"}}]
        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "1"}, "1", None)
        assert "SET_FIELDS" in await operations(tx)


async def test_where_edits_go_out_by_themselves_fields_do_too(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await at_yahoo(tx, TEA="0")
        await rows(tx, "UPDATE accounts SET reflect_edits = 'AT_ONCE' RETURNING id")
        await set_of(tx, "TEA", OVERDRAFT, "1")
        assert await row(tx, "SELECT wanted > done AS waits FROM listing_sync") == {"waits": True}


async def test_asking_for_a_reflect_answers_its_job(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await at_yahoo(tx, TEA="0")
        assert (await set_of(tx, "TEA", OVERDRAFT, "1", reflect=True)).job_id is not None


async def test_what_is_the_malls_or_nothing_is_never_sent(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="1", MUG="1", POT="1")
        await set_of(tx, "TEA", OVERDRAFT, owner=FieldOwner.MALL)
        await set_of(tx, "MUG", OVERDRAFT, None)

        calls = await sent(tx, shop)

        assert sorted(calls, key=len) == [{"POT": {OVERDRAFT: "1"}}, {"TEA": {}, "MUG": {}}]
        await set_of(tx, "TEA", OVERDRAFT, owner=FieldOwner.US)
        assert (await shown_at(tx, "TEA"))[1] == "1"


async def test_a_change_at_the_mall_is_told_and_overwritten(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="0")
        await seen(tx, shop, "TEA", allow_overdraft="0")
        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "0"}, None, None)

        await seen(tx, shop, "TEA", allow_overdraft="1", unknown="x")

        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "1"}, "0", NOW)
        assert await sent(tx, shop) == [{"TEA": {OVERDRAFT: "0"}}]
        assert (await shown_at(tx, "TEA"))[:2] == ({OVERDRAFT: "0"}, "0")


async def test_what_we_set_and_the_mall_does_not_show_yet_was_not_changed_there(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="0")
        await set_of(tx, "TEA", OVERDRAFT, "1")
        await seen(tx, shop, "TEA", allow_overdraft="0")
        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "0"}, "1", None)


async def test_an_import_takes_what_the_mall_says_and_makes_no_second_row(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="0", MUG="0")
        await set_of(tx, "TEA", OVERDRAFT, "1")
        await set_of(tx, "MUG", OVERDRAFT, owner=FieldOwner.MALL)

        again = await imported(
            tx, shop, page("TEA", **{OVERDRAFT: "0"}), page("MUG", **{OVERDRAFT: "1"})
        )

        assert (again.created, again.updated) == (0, 1)
        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "0"}, None, None)
        assert await shown_at(tx, "MUG") == ({OVERDRAFT: "1"}, "0", None)


async def test_an_import_that_leaves_a_field_out_leaves_ours(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="0")
        await set_of(tx, "TEA", OVERDRAFT, "1")
        await imported(tx, shop, page("TEA", 4))
        assert await shown_at(tx, "TEA") == ({OVERDRAFT: "0"}, "1", None)


async def test_an_accepted_number_says_nothing_of_its_fields_until_it_is_read(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, mall=AMAZON)
        await imported(tx, shop, page("TEA", 5))
        await counted(tx, TEA=5)
        await set_of(tx, "TEA", LEAD_TIME, "3", reflect=True)
        epoch = await lease_of(tx, shop)
        batch = await reflect.claim(tx, shop, epoch, at_most=1, now=SOON)
        assert batch is not None
        assert [each.fields for each in batch.pushes] == [{LEAD_TIME: "3"}]

        await answered(tx, batch, PushOutcome.ACCEPTED)
        assert (await shown_at(tx, "TEA"))[0] == {}

        await seen(tx, shop, "TEA", lead_time_to_ship_max_days="3")
        assert await shown_at(tx, "TEA") == ({LEAD_TIME: "3"}, "3", None)


async def test_listings_whose_mall_does_not_take_a_field_keep_all_of_their_own(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        yahoo = await at_yahoo(tx, TEA="0")
        amazon = await a_shop(tx, "Amazon", mall=AMAZON)
        await imported(tx, amazon, page("MUG"))
        asked = [await id_of(tx, "MUG"), await id_of(tx, "TEA"), uuid4()]
        changes = [FieldChange(OVERDRAFT, "1", sets_value=True)]

        done = await listing_fields.set_fields(tx, OWNER, asked, changes, now=NOW)

        assert done.listing_ids == (asked[1],)
        assert codes(done.refused) == ["NOT_FOUND", "NOT_SUPPORTED_BY_MALL"]
        assert await sent(tx, yahoo) == [{"TEA": {OVERDRAFT: "1"}}]


async def test_new_listings_have_the_tick_that_the_account_says(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_yahoo(tx, TEA="0")
        await rows(tx, "UPDATE accounts SET sync_new_listings = false RETURNING id")

        await imported(tx, shop, page("TEA", 4), page("MUG", 3))

        found = await rows(tx, "SELECT item_code, sync FROM listings ORDER BY item_code")
        assert found == [{"item_code": "MUG", "sync": False}, {"item_code": "TEA", "sync": True}]


async def test_a_lead_time_chosen_at_import_is_for_new_listings_only(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, mall=AMAZON)
        await imported(tx, shop, page("OLD", 5))

        await listings.import_listings(
            tx,
            OWNER,
            shop,
            [page("OLD", 5), page("NEW", 5)],
            seen_at=None,
            create_products=True,
            link=True,
            fields_of_new={LEAD_TIME: "4"},
            now=NOW,
        )
        await counted(tx, OLD=5, NEW=5)

        assert await shown_at(tx, "OLD") == ({}, None, None)
        assert await shown_at(tx, "NEW") == ({}, "4", None)
        [call] = await sent(tx, shop)
        assert call == {"OLD": {}, "NEW": {LEAD_TIME: "4"}}


async def test_a_field_that_the_mall_does_not_take_stops_the_import(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        with pytest.raises(DomainError) as refused:
            await listings.import_listings(
                tx,
                OWNER,
                shop,
                [page("TEA")],
                seen_at=None,
                create_products=True,
                link=True,
                fields_of_new={LEAD_TIME: "4"},
                now=NOW,
            )
        assert refused.value.code == "NOT_SUPPORTED_BY_MALL"
        assert await rows(tx, "SELECT id FROM listings") == []
