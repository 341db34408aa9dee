"""棚卸 as a screen sends it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.services import orders
from domain.services.orders import Seen
from domain.store import shops
from tests.api.mutations.desk import Desk, Held
from tests.domain.services.rows import NOW
from tests.domain.services.story import an_order

COUNT = """
mutation Count($input: CountStockInput!) { countStock(input: $input) {
    results {
        product { code total } movement { cause reason change balance effectiveAt }
        counted notShipped movedSince result userErrors { code field message } }
    job { kind } userErrors { code field message } } }
"""


def input_of(*counted: tuple[Held, int], basis: str = "ON_SHELF", **more: Any) -> dict[str, Any]:
    items = [{"productId": held.product, "counted": units} for held, units in counted]
    at = (NOW - timedelta(minutes=30)).isoformat()
    return {"items": items, "countedAt": at, "basis": basis} | more


async def sold(desk: Desk, shop_id: UUID, number: str, units: int, minutes: int) -> None:
    """MUGs, so many minutes before now."""
    order = an_order(number, ("MUG", units), placed_at=NOW - timedelta(minutes=minutes))
    async with desk.db.transaction(desk.account) as tx:
        shop = await shops.get(tx, shop_id)
        assert shop is not None
        await shops.change(tx, shop_id, effective_from=NOW - timedelta(days=1))
        shop = await shops.get(tx, shop_id)
        assert shop is not None
        await orders.take(tx, shop, Seen([order], NOW, NOW), now=NOW)


async def test_the_answer_shows_how_the_total_comes_about(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=0)
    await sold(desk, shop, "1", units=3, minutes=40)
    await sold(desk, shop, "2", units=2, minutes=20)

    data = await desk.execute(COUNT, input=input_of((mug, 10)))

    assert data["countStock"] == {
        "results": [
            {
                "product": {"code": "MUG", "total": 5},
                "movement": {
                    "cause": "COUNTED",
                    "reason": "ON_SHELF",
                    "change": 10,
                    "balance": 5,
                    "effectiveAt": "2026-11-20T02:30:00.000000Z",
                },
                "counted": 10,
                "notShipped": 3,
                "movedSince": -2,
                "result": 5,
                "userErrors": [],
            }
        ],
        "job": None,
        "userErrors": [],
    }
    assert await desk.operations() == ["COUNT_STOCK"]


async def test_a_repeated_request_counts_once_and_answers_the_same(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=0)
    asked = input_of((mug, 10), basis="FREE", idempotencyKey="count-1", reflect=True)

    first = await desk.execute(COUNT, input=asked)
    again = await desk.execute(COUNT, input=asked)

    assert again == first
    assert first["countStock"]["job"] == {"kind": "REFLECT"}
    assert await desk.operations() == ["COUNT_STOCK"]


async def test_a_refused_item_leaves_the_others_done(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=0)
    tea = await desk.a_product(shop, "TEA", total=0)

    data = await desk.execute(COUNT, input=input_of((mug, -1), (tea, 4)))

    refused, done = data["countStock"]["results"]
    sums = ("counted", "notShipped", "movedSince", "result", "movement")
    assert {name: refused[name] for name in sums} == dict.fromkeys(sums)
    assert [(each["code"], each["field"]) for each in refused["userErrors"]] == [
        ("INVALID_VALUE", ["items", "0", "counted"])
    ]
    assert (done["product"]["total"], done["result"]) == (4, 4)


async def test_a_count_that_is_still_to_come_is_refused(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=0)

    data = await desk.execute(COUNT, input=input_of((mug, 1), countedAt="2026-11-20T03:00:01Z"))

    assert data["countStock"]["results"] == []
    [error] = data["countStock"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID_VALUE", ["countedAt"])


async def test_a_count_older_than_what_was_set_since_is_refused(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=0)
    await desk.execute(COUNT, input=input_of((mug, 6), countedAt="2026-11-20T02:45:00Z"))

    data = await desk.execute(COUNT, input=input_of((mug, 9)))

    [result] = data["countStock"]["results"]
    assert result["product"]["total"] == 6
    assert result["userErrors"] == [
        {
            "code": "COUNTED_SINCE",
            "field": ["items", "0", "counted"],
            "message": "Its total was counted or set after that, at 2026-11-20 02:45 UTC: that stands. Count it anew.",
        }
    ]
