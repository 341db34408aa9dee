"""Sets: made, changed, sold, taken apart."""

from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.sets import SetPart
from domain.model.stock import AdjustReason
from domain.services import products, sets, stock
from domain.services.stock import Adjustment
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    codes,
    everywhere_right,
    imported,
    in_stock,
    movements,
    product_ids,
    shown,
    take,
    totals,
)


async def a_gift_box(tx: Tx, shop: Shop) -> UUID:
    """A box of one tea and two mugs, listed; ten teas and seven mugs are there."""
    await in_stock(tx, shop, TEA=10, MUG=7)
    await imported(tx, shop, a_listing("BOX", 3))
    ids = await product_ids(tx)
    parts = [SetPart(ids["TEA"], 1), SetPart(ids["MUG"], 2)]
    await sets.save_set(tx, OWNER, ids["BOX"], parts=parts, now=NOW)
    await everywhere_right(tx)
    return ids["BOX"]


async def test_a_listed_product_becomes_a_set_and_shows_what_its_parts_allow(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=10, MUG=7)
        await imported(tx, shop, a_listing("BOX", 9))
        ids = await product_ids(tx)
        parts = [SetPart(ids["TEA"], 1), SetPart(ids["MUG"], 2)]

        saved = await sets.save_set(tx, OWNER, ids["BOX"], parts=parts, name="Box", now=NOW)

        assert (saved.id, saved.job_id) == (ids["BOX"], None)
        box = await shown(tx, shop, "box")
        assert (box.expected, box.edited, box.waits) == (3, True, False)
        assert await rows(tx, "SELECT kind, name FROM products WHERE code = 'BOX'") == [
            {"kind": "SET", "name": "Box"}
        ]

        saved = await sets.save_set(tx, OWNER, saved.id, parts=parts[:1], reflect=True, now=NOW)

        assert saved.job_id is not None
        assert (await shown(tx, shop, "box")).expected == 10


async def test_selling_a_part_or_the_set_moves_both(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await a_gift_box(tx, shop)

        await take(tx, shop, an_order("1", ("box", 1)), an_order("2", ("mug", 2)))

        assert await totals(tx) == {"BOX": 0, "MUG": 3, "TEA": 9}
        assert {ref: (await shown(tx, shop, ref)).expected for ref in ("box", "mug", "tea")} == {
            "box": 1,
            "mug": 3,
            "tea": 9,
        }
        assert await movements(tx, "MUG") == [("COUNTED", 7, 7), ("ORDER", -2, 5), ("ORDER", -2, 3)]


@pytest.mark.parametrize(
    ("case", "code", "parts", "refused"),
    [
        ("no parts", "NEW", {}, "SET_EMPTY"),
        ("a set in a set", "NEW", {"BOX": 1}, "SET_IN_SET"),
        ("a part becomes a set", "MUG", {"TEA": 1}, "SET_IN_SET"),
        ("a product that holds stock", "PEN", {"TEA": 1}, "SET_HAS_NO_STOCK"),
        ("none of a part", "NEW", {"TEA": 0}, "INVALID_VALUE"),
        ("a part that is not there", "NEW", {"?": 1}, "NOT_FOUND"),
        ("no code", "", {"TEA": 1}, "REQUIRED"),
    ],
)
async def test_what_no_set_can_be(
    db: Database, account: UUID, case: str, code: str, parts: dict[str, int], refused: str
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await a_gift_box(tx, shop)
        await in_stock(tx, shop, PEN=1)
        ids = await product_ids(tx)

    async def save(tx: Tx) -> None:
        named = [SetPart(ids.get(part, uuid4()), count) for part, count in parts.items()]
        await sets.save_set(tx, OWNER, ids.get(code), code=code, parts=named, now=NOW)

    with pytest.raises(DomainError) as error:
        await db.run(account, save)
    assert error.value.code == refused, case
    async with db.transaction(account) as tx:
        found = await rows(tx, "SELECT code FROM products WHERE kind = 'SET'")
        assert found == [{"code": "BOX"}]


async def test_a_code_in_use_and_a_full_plan_are_refused(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await in_stock(tx, await a_shop(tx), TEA=1, MUG=1)
        parts = [SetPart((await product_ids(tx))["TEA"], 1)]
        with pytest.raises(DomainError, match="another product") as taken:
            await sets.save_set(tx, OWNER, None, code="MUG", parts=parts, now=NOW)
        await rows(tx, "UPDATE accounts SET product_limit = 2 RETURNING id")
        with pytest.raises(DomainError, match="plan") as full:
            await sets.save_set(tx, OWNER, None, code="BOX", parts=parts, now=NOW)
    assert (taken.value.code, full.value.code) == ("CODE_TAKEN", "PLAN_LIMIT")


async def test_a_version_that_is_not_the_newest_is_refused(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        box = await a_gift_box(tx, await a_shop(tx))
        parts = [SetPart((await product_ids(tx))["TEA"], 1)]
        with pytest.raises(DomainError) as error:
            await sets.save_set(tx, OWNER, box, parts=parts, expected_version=1, now=NOW)
    assert (error.value.code, error.value.params) == (
        "VERSION_CHANGED",
        {"current": 2, "expected": 1},
    )


async def test_a_set_taken_apart_is_a_product_without_stock(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        box = await a_gift_box(tx, shop)
        tea = (await product_ids(tx))["TEA"]

        refused = await sets.sets_to_singles(tx, OWNER, [box, tea], reflect=True, now=NOW)

        assert [each.target_id for each in refused] == [tea]
        assert codes(refused) == ["NOT_FOUND"]
        assert (await shown(tx, shop, "box")).expected == 0
        change = await stock.adjust_totals(
            tx, OWNER, [Adjustment(box, 4)], reason=AdjustReason.FOUND, now=NOW
        )
        assert change.results[0].error is None
        assert (await shown(tx, shop, "box")).expected == 4


async def test_an_order_of_what_has_become_a_set_since_moves_nothing(db: Database, account: UUID):
    """A cut of an old order cannot give back to a product that holds nothing any more."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx, cancel_policy="RESTORE")
        await in_stock(tx, shop, BOX=2, TEA=10)
        await take(tx, shop, an_order("1", ("box", 2)))
        ids = await product_ids(tx)
        await sets.save_set(tx, OWNER, ids["BOX"], parts=[SetPart(ids["TEA"], 1)], now=NOW)

        await take(tx, shop, an_order("1", ("box", 1)))

        assert await totals(tx) == {"BOX": 0, "TEA": 10}


async def test_a_part_cannot_be_deleted_before_its_set(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        box = await a_gift_box(tx, shop)
        ids = await product_ids(tx)

        alone = await products.delete_products(tx, OWNER, [ids["MUG"]], with_listings=True, now=NOW)
        together = await products.delete_products(
            tx, OWNER, [ids["MUG"], box], with_listings=True, now=NOW
        )

        assert (alone.ids, codes(alone.refused)) == ((), ["PART_IN_USE"])
        assert (set(together.ids), together.refused) == ({ids["MUG"], box}, ())
        assert await totals(tx) == {"TEA": 10}
