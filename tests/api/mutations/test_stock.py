"""Totals set and adjusted by hand."""

from domain.model.locales import Locale
from domain.model.roles import Permission
from renkei.engines.postgres import APP, Postgres
from tests.api.mutations.desk import Counting, Desk, engine_over

SET = """
mutation Set($input: SetStockInput!) { setStock(input: $input) {
    results {
        product { code total unreflected listings { itemCode quantityToShow difference { cause } } }
        movement { cause change balance actor { __typename ... on User { name } } }
        userErrors { code field message params { name value } } }
    job { kind state progress { total done } createdBy { __typename } }
    userErrors { code field message params { name value } } } }
"""
ADJUST = """
mutation Adjust($input: AdjustStockInput!) { adjustStock(input: $input) {
    results { product { total } movement { cause reason change balance } userErrors { code field message } }
    job { state } userErrors { code field message } } }
"""
TOTAL = "query Total($id: ID!) { node(id: $id) { ... on Product { total } } }"


async def test_a_total_that_is_set_shows_its_listings_and_its_line_in_the_ledger(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.execute(
        SET, input={"items": [{"productId": mug.product, "total": 8, "expectedTotal": 3}]}
    )

    assert data["setStock"] == {
        "results": [
            {
                "product": {
                    "code": "MUG",
                    "total": 8,
                    "unreflected": True,
                    "listings": [
                        {
                            "itemCode": "MUG",
                            "quantityToShow": 8,
                            "difference": {"cause": "EDIT_NOT_REFLECTED"},
                        }
                    ],
                },
                "movement": {
                    "cause": "SET_BY_HAND",
                    "change": 5,
                    "balance": 8,
                    "actor": {"__typename": "User", "name": "Hanako"},
                },
                "userErrors": [],
            }
        ],
        "job": None,
        "userErrors": [],
    }
    assert await desk.operations() == ["SET_STOCK"]


async def test_reflect_sends_it_at_once_and_answers_the_job(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.execute(
        SET, input={"items": [{"productId": mug.product, "total": 8}], "reflect": True}
    )

    assert data["setStock"]["job"] == {
        "kind": "REFLECT",
        "state": "RUNNING",
        "progress": {"total": 1, "done": 0},
        "createdBy": {"__typename": "User"},
    }


async def test_a_stale_total_comes_back_with_the_new_one_and_leaves_the_others_done(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    tea = await desk.a_product(shop, "TEA", total=10)

    data = await desk.execute(
        SET,
        input={
            "items": [
                {"productId": mug.product, "total": 8, "expectedTotal": 4},
                {"productId": tea.product, "total": 12},
            ]
        },
    )

    stale, done = data["setStock"]["results"]
    assert (stale["product"]["total"], stale["movement"]) == (3, None)
    assert stale["userErrors"] == [
        {
            "code": "TOTAL_CHANGED",
            "field": ["items", "0", "total"],
            "message": "The total is 3 by now, not 4. Look at it and set it again.",
            "params": [{"name": "current", "value": "3"}, {"name": "expected", "value": "4"}],
        }
    ]
    assert (done["product"]["total"], done["userErrors"]) == (12, [])


async def test_a_refusal_is_said_in_the_callers_language(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=1)

    data = await desk.reading(Locale.JA).execute(
        ADJUST,
        input={"items": [{"productId": mug.product, "change": -3}], "reason": "DAMAGED"},
    )

    assert data["adjustStock"] == {
        "results": [
            {
                "product": {"total": 1},
                "movement": None,
                "userErrors": [
                    {
                        "code": "INSUFFICIENT_STOCK",
                        "field": ["items", "0", "change"],
                        "message": "総在庫数は1です。-3にすると0を下回ります。減らす数を直すか、実際にない場合は allowNegative を指定して調整してください。",
                    }
                ],
            }
        ],
        "job": None,
        "userErrors": [],
    }


async def test_more_may_be_gone_than_there_was_where_the_caller_says_so(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=1)
    gone = {"items": [{"productId": mug.product, "change": -3}], "reason": "LOST"}

    data = await desk.execute(ADJUST, input=gone | {"allowNegative": True})

    [result] = data["adjustStock"]["results"]
    assert (result["product"]["total"], result["userErrors"]) == (-2, [])


async def test_units_that_came_in_are_added_for_a_reason(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=1)

    data = await desk.execute(
        ADJUST,
        input={
            "items": [
                {"productId": mug.product, "change": 5},
                {"productId": mug.product, "change": -2},
            ],
            "reason": "RECEIVED",
            "note": "Two were broken",
        },
    )

    first, second = data["adjustStock"]["results"]
    assert first["movement"] == {
        "cause": "ADJUSTED",
        "reason": "RECEIVED",
        "change": 5,
        "balance": 6,
    }
    assert second["movement"]["balance"] == second["product"]["total"] == 4
    assert await desk.operations() == ["ADJUST_STOCK", "ADJUST_STOCK"]


async def test_a_foreign_product_is_not_found_and_stays_as_it_is(desk: Desk, neighbour: Desk):
    theirs = await neighbour.a_product(await neighbour.a_shop(), "CUP", total=7)

    data = await desk.execute(SET, input={"items": [{"productId": theirs.product, "total": 0}]})

    assert data["setStock"]["results"] == [
        {
            "product": None,
            "movement": None,
            "userErrors": [
                {
                    "code": "NOT_FOUND",
                    "field": ["items", "0", "productId"],
                    "message": "There is no such product.",
                    "params": [],
                }
            ],
        }
    ]
    assert await neighbour.execute(TOTAL, id=theirs.product) == {"node": {"total": 7}}


async def test_more_than_a_hundred_at_once_are_refused_whole(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.execute(SET, input={"items": [{"productId": mug.product, "total": 0}] * 101})

    assert data["setStock"] == {
        "results": [],
        "job": None,
        "userErrors": [
            {
                "code": "TOO_MANY",
                "field": ["items"],
                "message": "At most 100 at once: send the rest in further requests.",
                "params": [{"name": "most", "value": "100"}, {"name": "count", "value": "101"}],
            }
        ],
    }
    assert await desk.execute(TOTAL, id=mug.product) == {"node": {"total": 3}}


async def test_who_may_only_look_changes_nothing(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    answer = await desk.having(Permission.READ).answer(
        SET, input={"items": [{"productId": mug.product, "total": 0}]}
    )

    assert answer["data"] == {"setStock": None}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert await desk.execute(TOTAL, id=mug.product) == {"node": {"total": 3}}


async def test_however_many_items_each_kind_of_node_is_read_once(database: Postgres, desk: Desk):
    shop = await desk.a_shop()
    held = [await desk.a_product(shop, code, total=3) for code in ("MUG", "TEA", "CUP")]
    counting = Counting.at(database.url(user=APP), pool_size=4)
    asking = await Desk.opened(engine_over(counting), counting, desk.account)
    counting.begun = 0

    data = await asking.execute(
        SET,
        input={
            "items": [{"productId": each.product, "total": 5} for each in held],
            "reflect": True,
        },
    )
    await counting.close()

    assert [each["product"]["total"] for each in data["setStock"]["results"]] == [5, 5, 5]
    assert counting.begun == len(["the change", "products", "movements", "the job"])
