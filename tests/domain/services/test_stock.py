"""Totals set and adjusted by hand."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.sets import SetPart
from domain.model.stock import MOST_UNITS, AdjustReason
from domain.services import sets, stock
from domain.services.stock import Adjustment, NewTotal
from domain.store.database import Database, Tx
from domain.store.stock import unbalanced
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import a_shop, in_stock, movements, product_ids, shown, totals


async def a_shop_with_tea(tx: Tx) -> dict[str, UUID]:
    shop = await a_shop(tx)
    await in_stock(tx, shop, TEA=5, MUG=-2)
    return await product_ids(tx)


@pytest.mark.parametrize(
    ("case", "item", "code"),
    [
        ("a product that is not there", NewTotal(uuid4(), 1), "NOT_FOUND"),
        ("the total is another by now", ("TEA", 9, 4), "TOTAL_CHANGED"),
        ("below zero by choice", ("TEA", -1, None), "INSUFFICIENT_STOCK"),
        ("further below zero by choice", ("MUG", -3, None), "INSUFFICIENT_STOCK"),
        ("more than can be entered", ("TEA", MOST_UNITS + 1, None), "INVALID_VALUE"),
        ("a set", ("BOX", 1, None), "SET_HAS_NO_STOCK"),
    ],
)
async def test_what_is_refused_moves_nothing_and_leaves_the_others_done(
    db: Database, account: UUID, case: str, item: Any, code: str
):
    async with db.transaction(account) as tx:
        ids = await a_shop_with_tea(tx)
        saved = await sets.save_set(
            tx, OWNER, None, code="BOX", parts=[SetPart(ids["TEA"], 2)], now=NOW
        )
        ids["BOX"] = saved.id
        wanted = item if isinstance(item, NewTotal) else NewTotal(ids[item[0]], item[1], item[2])

        change = await stock.set_totals(tx, OWNER, [wanted, NewTotal(ids["MUG"], 7)], now=NOW)

        refused, done = change.results
        assert (refused.error and refused.error.code, refused.movement_id) == (code, None), case
        assert done.error is None
        assert await totals(tx) == {"BOX": 0, "MUG": 7, "TEA": 5}


async def test_items_of_one_call_build_on_each_other(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        tea = (await a_shop_with_tea(tx))["TEA"]

        change = await stock.set_totals(
            tx, OWNER, [NewTotal(tea, 8, 5), NewTotal(tea, 8, 8), NewTotal(tea, 6, 8)], now=NOW
        )

        made = [result.movement_id is not None for result in change.results]
        assert made == [True, False, True]
        assert await movements(tx, "TEA") == [
            ("COUNTED", 5, 5),
            ("SET_BY_HAND", 3, 8),
            ("SET_BY_HAND", -2, 6),
        ]
        ids = [each["id"] for each in await rows(tx, "SELECT id FROM stock_movements ORDER BY id")]
        assert [result.movement_id for result in change.results if result.movement_id] == ids[-2:]
        assert await unbalanced(tx) == []


@pytest.mark.parametrize(
    ("case", "account_says", "asked", "waits", "difference"),
    [
        ("edits wait to be reflected", "ON_REQUEST", None, False, "EDIT_NOT_REFLECTED"),
        ("unless the account sends them", "AT_ONCE", None, True, None),
        ("unless the caller says so", "ON_REQUEST", True, True, None),
        ("and the caller may keep them back", "AT_ONCE", False, False, "EDIT_NOT_REFLECTED"),
    ],
)
async def test_what_is_set_goes_out_when_someone_says_so(
    db: Database,
    account: UUID,
    case: str,
    account_says: str,
    asked: bool | None,
    waits: bool,
    difference: str | None,
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await rows(tx, "UPDATE accounts SET reflect_edits = :says RETURNING id", says=account_says)
        tea = (await product_ids(tx))["TEA"]

        change = await stock.set_totals(tx, OWNER, [NewTotal(tea, 3)], reflect=asked, now=NOW)

        listing = await shown(tx, shop, "tea")
        assert (listing.expected, listing.base) == (3, 5), case
        assert (listing.waits, listing.edited, listing.difference) == (waits, not waits, difference)
        assert (change.job_id is not None) == bool(asked)


async def test_a_set_total_is_a_count_and_an_adjustment_is_not(db: Database, account: UUID):
    later = NOW + timedelta(hours=1)
    async with db.transaction(account) as tx:
        ids = await a_shop_with_tea(tx)
        await stock.set_totals(tx, OWNER, [NewTotal(ids["TEA"], 5)], now=later)
        await stock.adjust_totals(
            tx, OWNER, [Adjustment(ids["MUG"], 1)], reason=AdjustReason.RETURNED, now=later
        )
        found = await rows(tx, "SELECT code FROM products WHERE counted_at = :later", later=later)
        assert found == [{"code": "TEA"}]


async def test_an_adjustment_says_why_and_who(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        ids = await a_shop_with_tea(tx)
        items = [Adjustment(ids["TEA"], -2), Adjustment(ids["MUG"], 1), Adjustment(ids["TEA"], -4)]

        change = await stock.adjust_totals(
            tx, OWNER, items, reason=AdjustReason.DAMAGED, note="fell", now=NOW
        )

        assert [result.error and result.error.code for result in change.results] == [
            None,
            None,
            "INSUFFICIENT_STOCK",
        ]
        assert await totals(tx) == {"MUG": -1, "TEA": 3}
        movement = await row(
            tx,
            "SELECT cause, reason, delta, actor ->> 'name' AS actor FROM stock_movements WHERE id = :id",
            id=change.results[0].movement_id,
        )
        assert movement == {
            "cause": "ADJUSTED",
            "reason": "DAMAGED",
            "delta": -2,
            "actor": "Hanako",
        }
        logged = await rows(
            tx,
            "SELECT target_id, facts FROM operation_logs WHERE action = 'ADJUST_STOCK' ORDER BY id",
        )
        facts = {"reason": "DAMAGED", "note": "fell"}
        assert logged == [
            {"target_id": ids["TEA"], "facts": facts | {"before": 5, "after": 3}},
            {"target_id": ids["MUG"], "facts": facts | {"before": -2, "after": -1}},
        ]
