"""What is set on listings, and listings taken out."""

from tests.api.mutations.desk import Desk

LIMITS = """
mutation Limits($input: SetListingLimitsInput!) { setListingLimits(input: $input) {
    listings { minimum maximum quantityToShow version } job { progress { total } }
    userErrors { code field message } } }
"""
SYNC = """
mutation Sync($input: SetListingSyncInput!) { setListingSync(input: $input) {
    listings { sync notPushed } job { progress { total } } userErrors { code field } } }
"""
DELETE = """
mutation Delete($input: DeleteListingsInput!) { deleteListings(input: $input) {
    deletedIds userErrors { code field } } }
"""
LISTINGS = "query P($id: ID!) { node(id: $id) { ... on Product { listings { id } } } }"


async def test_a_limit_that_is_left_out_stays_and_null_takes_it_away(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=9)
    chosen = {"listings": {"ids": [mug.listing]}}

    first = await desk.execute(LIMITS, input=chosen | {"minimum": 1, "maximum": 5})
    second = await desk.execute(LIMITS, input=chosen | {"maximum": None, "reflect": True})

    [limited] = first["setListingLimits"]["listings"]
    assert (limited["minimum"], limited["maximum"], limited["quantityToShow"]) == (1, 5, 5)
    assert second["setListingLimits"] == {
        "listings": [
            {
                "minimum": 1,
                "maximum": None,
                "quantityToShow": 9,
                "version": limited["version"] + 1,
            }
        ],
        "job": {"progress": {"total": 1}},
        "userErrors": [],
    }
    assert await desk.operations() == ["SET_LIMITS", "SET_LIMITS"]


async def test_a_limit_that_offers_nothing_is_refused(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=9)

    data = await desk.execute(LIMITS, input={"listings": {"ids": [mug.listing]}, "maximum": 0})

    assert data["setListingLimits"]["listings"] == []
    assert [(e["code"], e["field"]) for e in data["setListingLimits"]["userErrors"]] == [
        ("INVALID_VALUE", ["maximum"])
    ]
    assert await desk.operations() == []


async def test_a_listing_without_its_tick_is_not_pushed(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=9)

    data = await desk.execute(SYNC, input={"listings": {"ids": [mug.listing]}, "sync": False})

    assert data["setListingSync"] == {
        "listings": [{"sync": False, "notPushed": ["LISTING_SYNC_OFF"]}],
        "job": None,
        "userErrors": [],
    }
    assert await desk.operations() == ["SET_SYNC"]


async def test_a_deleted_listing_is_gone_and_the_others_with_it_are_told(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=9)
    gone = {"listings": {"ids": [mug.listing]}}

    data = await desk.execute(DELETE, input=gone)
    again = await desk.execute(DELETE, input=gone)

    assert data["deleteListings"] == {"deletedIds": [mug.listing], "userErrors": []}
    assert again["deleteListings"] == {
        "deletedIds": [],
        "userErrors": [{"code": "NOT_FOUND", "field": ["listings", "ids", "0"]}],
    }
    assert await desk.execute(LISTINGS, id=mug.product) == {"node": {"listings": []}}
    assert await desk.operations() == ["DELETE_LISTINGS"]
