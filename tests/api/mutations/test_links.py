"""Listings put on products, and taken off them again."""

from tests.api.mutations.desk import Desk
from tests.domain.services.rows import rows

LINK = """
mutation Link($input: LinkListingsInput!) { linkListings(input: $input) {
    links { state reason copyPage listing { itemCode product { code } } actor { ... on User { name } } }
    products { code listings { itemCode } }
    job { kind }
    userErrors { code field message } } }
"""
UNLINK = """
mutation Unlink($input: UnlinkListingsInput!) { unlinkListings(input: $input) {
    listings { itemCode link { state } product { id } quantityToShow notPushed }
    products { code listings { itemCode } }
    userErrors { code field message } } }
"""
PRODUCT = "query P($id: ID!) { node(id: $id) { ... on Listing { product { code } } } }"


async def test_a_listing_moves_to_another_product(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    tea = await desk.a_product(await desk.a_shop("Second"), "TEA", total=3)

    data = await desk.execute(
        LINK, input={"pairs": [{"listingId": tea.listing, "productId": mug.product}]}
    )

    linked = data["linkListings"]
    assert linked["links"] == [
        {
            "state": "LINKED",
            "reason": "BY_HAND",
            "copyPage": False,
            "listing": {"itemCode": "TEA", "product": {"code": "MUG"}},
            "actor": {"name": "Hanako"},
        }
    ]
    shown = {
        each["code"]: {one["itemCode"] for one in each["listings"]} for each in linked["products"]
    }
    assert shown == {"MUG": {"MUG", "TEA"}, "TEA": set()}
    assert (linked["job"], linked["userErrors"]) == (None, [])
    assert await desk.operations() == ["LINK_LISTINGS"]


async def test_two_pages_of_a_shop_contradict_each_other_until_both_are_meant(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    tea = await desk.a_product(shop, "TEA", total=3)
    pairs = [{"listingId": tea.listing, "productId": mug.product}]

    first = await desk.execute(LINK, input={"pairs": pairs})
    second = await desk.execute(LINK, input={"pairs": pairs, "copyPage": True, "reflect": True})

    assert [each["state"] for each in first["linkListings"]["links"]] == ["CONFLICT"]
    [meant] = second["linkListings"]["links"]
    assert (meant["state"], meant["copyPage"]) == ("LINKED", True)
    assert second["linkListings"]["job"] == {"kind": "REFLECT"}


async def test_foreign_rows_are_not_found_and_the_others_are_linked(desk: Desk, neighbour: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    tea = await desk.a_product(await desk.a_shop("Second"), "TEA", total=3)
    theirs = await neighbour.a_product(await neighbour.a_shop(), "CUP", total=7)

    data = await desk.execute(
        LINK,
        input={
            "pairs": [
                {"listingId": theirs.listing, "productId": mug.product},
                {"listingId": mug.listing, "productId": theirs.product},
                {"listingId": tea.listing, "productId": mug.product},
            ]
        },
    )

    assert data["linkListings"]["userErrors"] == [
        {
            "code": "NOT_FOUND",
            "field": ["pairs", "0", "listingId"],
            "message": "There is no such listing.",
        },
        {
            "code": "NOT_FOUND",
            "field": ["pairs", "1", "productId"],
            "message": "There is no such product.",
        },
    ]
    assert [each["listing"]["itemCode"] for each in data["linkListings"]["links"]] == ["TEA"]
    assert await neighbour.execute(PRODUCT, id=theirs.listing) == {
        "node": {"product": {"code": "CUP"}}
    }


async def test_an_unlinked_listing_belongs_to_nothing_and_is_not_pushed(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.execute(UNLINK, input={"listings": {"ids": [mug.listing]}})

    assert data["unlinkListings"] == {
        "listings": [
            {
                "itemCode": "MUG",
                "link": {"state": "UNLINKED_BY_HAND"},
                "product": None,
                "quantityToShow": None,
                "notPushed": ["UNLINKED"],
            }
        ],
        "products": [{"code": "MUG", "listings": []}],
        "userErrors": [],
    }
    assert await desk.operations() == ["UNLINK_LISTINGS"]


async def test_what_is_gone_by_the_time_of_the_answer_is_left_out_of_it(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    async with desk.db.transaction(desk.account) as tx:
        await rows(tx, "UPDATE products SET deleted_at = now() WHERE code = 'MUG' RETURNING id")

    data = await desk.execute(UNLINK, input={"listings": {"ids": [mug.listing]}})

    assert [each["itemCode"] for each in data["unlinkListings"]["listings"]] == ["MUG"]
    assert data["unlinkListings"]["products"] == []


async def test_a_foreign_listing_stays_linked(desk: Desk, neighbour: Desk):
    theirs = await neighbour.a_product(await neighbour.a_shop(), "CUP", total=7)

    data = await desk.execute(UNLINK, input={"listings": {"ids": [theirs.listing, "nonsense"]}})
    again = await desk.execute(UNLINK, input={"listings": {"ids": [theirs.listing]}})

    assert [each["field"] for each in data["unlinkListings"]["userErrors"]] == [
        ["listings", "ids", "1"]
    ]
    assert again["unlinkListings"] == {
        "listings": [],
        "products": [],
        "userErrors": [
            {
                "code": "NOT_FOUND",
                "field": ["listings", "ids", "0"],
                "message": "There is no such listing.",
            }
        ],
    }
    assert await neighbour.execute(PRODUCT, id=theirs.listing) == {
        "node": {"product": {"code": "CUP"}}
    }
