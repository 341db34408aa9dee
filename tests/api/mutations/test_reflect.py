"""Numbers sent to the malls because a person asked."""

from typing import Any

import pytest

from tests.api.mutations.desk import Desk
from tests.domain.services.rows import waiting

REFLECT = """
mutation Reflect($input: ReflectInput!) { reflect(input: $input) {
    job { id kind progress { total done } shops { shop { name } waiting held } }
    userErrors { code field message } } }
"""


async def test_a_product_is_sent_to_every_shop_that_shows_it(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)

    data = await desk.execute(REFLECT, input={"products": {"ids": [mug.product]}})

    job = data["reflect"]["job"]
    assert (job["kind"], job["progress"]) == ("REFLECT", {"total": 1, "done": 0})
    assert job["shops"] == [{"shop": {"name": "Tea at Rakuten"}, "waiting": 1, "held": 0}]
    assert data["reflect"]["userErrors"] == []
    async with desk.db.transaction(desk.account) as tx:
        assert (await waiting(tx, mug.listing_id))["waits"] is True
    assert await desk.operations() == ["REFLECT"]


async def test_only_the_shops_that_are_named_are_sent_to(desk: Desk):
    here, elsewhere = await desk.a_shop("Here"), await desk.a_shop("Elsewhere")
    mug = await desk.a_product(here, "MUG", total=3)
    tea = await desk.a_product(elsewhere, "TEA", total=3)

    data = await desk.execute(
        REFLECT,
        input={
            "products": {"ids": [mug.product]},
            "listings": {"ids": [tea.listing]},
            "shopIds": [desk.id("Shop", here)],
        },
    )

    assert [each["shop"]["name"] for each in data["reflect"]["job"]["shops"]] == ["Here"]


async def test_what_a_stopped_shop_may_not_send_is_held_and_no_error(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(running=False), "MUG", total=3)

    data = await desk.execute(REFLECT, input={"listings": {"ids": [mug.listing]}})

    assert data["reflect"]["userErrors"] == []
    assert data["reflect"]["job"]["shops"] == [
        {"shop": {"name": "Tea at Rakuten"}, "waiting": 0, "held": 1}
    ]


async def test_foreign_products_and_listings_are_not_found_and_nothing_is_sent(
    desk: Desk, neighbour: Desk
):
    ours = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    theirs = await neighbour.a_product(await neighbour.a_shop(), "CUP", total=7)

    for field, ids in (
        ("products", [ours.product, theirs.product]),
        ("listings", [ours.listing, theirs.listing]),
    ):
        data = await desk.execute(REFLECT, input={field: {"ids": ids}})
        assert data["reflect"] == {
            "job": None,
            "userErrors": [
                {
                    "code": "NOT_FOUND",
                    "field": [field, "ids", "1"],
                    "message": f"There is no such {field.removesuffix('s')}.",
                }
            ],
        }
    for each, held in ((desk, ours), (neighbour, theirs)):
        async with each.db.transaction(each.account) as tx:
            assert (await waiting(tx, held.listing_id))["waits"] is False


@pytest.mark.parametrize("named", [{}, {"products": {"ids": []}, "listings": {"ids": []}}])
async def test_a_reflect_of_nothing_says_what_is_missing(desk: Desk, named: dict[str, Any]):
    data = await desk.execute(REFLECT, input=named)

    assert data["reflect"]["userErrors"] == [
        {
            "code": "REQUIRED",
            "field": ["products"],
            "message": "Name the products or the listings to reflect.",
        }
    ]
