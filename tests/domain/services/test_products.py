"""Products and groups: made, changed, deleted, back again."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.malls import OrderStatus
from domain.services import groups, products
from domain.store.database import Database, Tx
from domain.store.stock import unbalanced
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    codes,
    imported,
    in_stock,
    movements,
    product_ids,
    shown,
    take,
    totals,
)


async def test_a_product_is_made_and_changed_by_hand(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        made = await products.save_product(tx, OWNER, None, code=" TEA ", name="Ｔｅａ", now=NOW)
        await products.save_product(
            tx, OWNER, made.id, code="TEA-2", image_url="https://x/1.jpg", now=NOW
        )
        found = await row(
            tx, "SELECT code, name, named_by_hand, folded, image_url, version FROM products"
        )
        logged = await rows(
            tx,
            "SELECT facts FROM operation_logs WHERE action = 'SAVE_PRODUCT' ORDER BY id DESC LIMIT 1",
        )
    assert found == {
        "code": "TEA-2",
        "name": "Ｔｅａ",
        "named_by_hand": True,
        "folded": "tea-2 tea",
        "image_url": "https://x/1.jpg",
        "version": 3,
    }
    assert logged[0]["facts"] == {
        "code": {"before": "TEA", "after": "TEA-2"},
        "image_url": {"before": None, "after": "https://x/1.jpg"},
    }


@pytest.mark.parametrize(
    ("case", "which", "fields", "refused"),
    [
        ("no code", None, {"name": "x"}, "REQUIRED"),
        ("a code of many letters", None, {"code": "x" * 256}, "INVALID_VALUE"),
        ("a code in use", None, {"code": "TEA"}, "CODE_TAKEN"),
        ("another's code", "MUG", {"code": "TEA"}, "CODE_TAKEN"),
        ("a product that is not there", "?", {"name": "x"}, "NOT_FOUND"),
        ("a group that is not there", "TEA", {"group_id": uuid4()}, "NOT_FOUND"),
        ("a reserve below zero", "TEA", {"reserve": -1}, "INVALID_VALUE"),
        ("an old version", "TEA", {"name": "x", "expected_version": 7}, "VERSION_CHANGED"),
    ],
)
async def test_what_cannot_be_saved(
    db: Database,
    account: UUID,
    case: str,
    which: str | None,
    fields: dict[str, object],
    refused: str,
):
    async with db.transaction(account) as tx:
        await in_stock(tx, await a_shop(tx), TEA=1, MUG=1)
        ids = await product_ids(tx)
    product_id = ids.get(which, uuid4()) if which else None

    async def save(tx: Tx) -> None:
        await products.save_product(tx, OWNER, product_id, now=NOW, **fields)  # type: ignore[arg-type]

    with pytest.raises(DomainError) as error:
        await db.run(account, save)
    assert error.value.code == refused, case
    async with db.transaction(account) as tx:
        assert await totals(tx) == {"MUG": 1, "TEA": 1}


async def test_a_reserve_and_a_group_keep_units_back(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=10, MUG=4)
        ids = await product_ids(tx)

        group = await groups.save_group(
            tx, OWNER, None, name="Best sellers", reserve=3, add=list(ids.values()), now=NOW
        )
        shows = [(await shown(tx, shop, ref)).expected for ref in ("tea", "mug")]
        await products.save_product(tx, OWNER, ids["TEA"], reserve=0, now=NOW)
        saved = await groups.save_group(
            tx,
            OWNER,
            group.id,
            name="Best sellers",
            reserve=4,
            remove=[ids["MUG"]],
            reflect=True,
            now=NOW,
        )

        assert shows == [7, 1]
        assert saved.job_id is not None
        tea, mug = [await shown(tx, shop, ref) for ref in ("tea", "mug")]
        assert (tea.expected, mug.expected, mug.waits) == (10, 4, True)


async def test_a_group_has_a_name_of_its_own(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        first = await groups.save_group(tx, OWNER, None, name="A", reserve=1, now=NOW)
        with pytest.raises(DomainError) as taken:
            await groups.save_group(tx, OWNER, None, name=" A ", reserve=1, now=NOW)
        with pytest.raises(DomainError) as old:
            await groups.save_group(
                tx, OWNER, first.id, name="A", reserve=1, expected_version=1, now=NOW
            )
        with pytest.raises(DomainError) as nameless:
            await groups.save_group(tx, OWNER, None, name=" ", reserve=1, now=NOW)
    refused = [each.value.code for each in (taken, old, nameless)]
    assert refused == ["CODE_TAKEN", "VERSION_CHANGED", "REQUIRED"]


async def test_an_unmanaged_product_is_not_pushed(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)

        await products.save_product(
            tx, OWNER, (await product_ids(tx))["TEA"], managed=False, now=NOW
        )
        await take(tx, shop, an_order("1", ("tea", 1)))

        assert (await shown(tx, shop, "tea")).not_pushed == ("PRODUCT_UNMANAGED",)
        assert await totals(tx) == {"TEA": 5}


@pytest.mark.parametrize("with_listings", [True, False])
async def test_a_deleted_product_comes_back_by_its_code_with_its_history(
    db: Database, account: UUID, with_listings: bool
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        tea = (await product_ids(tx))["TEA"]

        gone = await products.delete_products(
            tx, OWNER, [tea, uuid4()], with_listings=with_listings, now=NOW
        )
        listing = await shown(tx, shop, "tea")
        listed = await rows(tx, "SELECT deleted_at IS NULL AS there FROM listings")
        result = await imported(tx, shop, a_listing("TEA", 5))

        assert (gone.ids, codes(gone.refused)) == ((tea,), ["NOT_FOUND"])
        assert (listing.link, listing.product_id, listing.waits) == ("UNLINKED", None, False)
        assert listed == [{"there": not with_listings}]
        assert (result.products_created, result.linked) == (1, 1)
        assert await product_ids(tx) == {"TEA": tea}
        assert (await shown(tx, shop, "tea")).expected == 5
        assert await movements(tx, "TEA") == [("COUNTED", 5, 5)]


async def test_an_order_of_a_product_that_was_deleted_since_still_counts(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE")
        await in_stock(tx, shop, TEA=5)
        await take(tx, shop, an_order("1", ("tea", 2)))
        tea = (await product_ids(tx))["TEA"]
        await products.delete_products(tx, OWNER, [tea], with_listings=True, now=NOW)

        released = an_order("1", ("tea", 2), status=OrderStatus.RELEASED)
        await take(tx, shop, released, at=NOW + timedelta(minutes=1))

        assert await movements(tx, "TEA") == [("COUNTED", 5, 5), ("ORDER", -2, 3), ("CANCEL", 2, 5)]
        assert await unbalanced(tx) == []
