"""Everything that a filter finds, as the targets of one mutation."""

from typing import Any

import pytest
from sqlalchemy import text

from api.nodes import global_id
from tests.api.mutations.desk import Desk, Held
from tests.domain.services.rows import row

SYNC = """
mutation Sync($input: SetListingSyncInput!) { setListingSync(input: $input) {
    listings { itemCode sync } userErrors { code field message params { name value } } } }
"""
DELETE = """
mutation Delete($input: DeleteProductsInput!) { deleteProducts(input: $input) {
    deletedIds userErrors { code field params { name value } } } }
"""
DELETE_LISTINGS = """
mutation Delete($input: DeleteListingsInput!) { deleteListings(input: $input) {
    deletedIds userErrors { code } } }
"""
SAVE_SET = """
mutation SaveSet($input: SaveSetItemInput!) { saveSetItem(input: $input) { userErrors { code } } }
"""
LISTS = {
    "Listing": "query L($f: ListingFilter) { listings(filter: $f) { edges { node { id } } } }",
    "Product": "query P($f: ProductFilter) { products(filter: $f) { edges { node { id } } } }",
}


@pytest.fixture
async def held(desk: Desk) -> dict[str, Held]:
    here, elsewhere = await desk.a_shop("Here"), await desk.a_shop("Elsewhere")
    held = {
        "MUG": await desk.a_product(here, "MUG", total=3),
        "TEA": await desk.a_product(here, "TEA", total=0),
        "CUP": await desk.a_product(elsewhere, "CUP", total=7),
    }
    async with desk.db.transaction(desk.account) as tx:
        for table, code in (("products", "code"), ("listings", "item_code")):
            await tx.execute(text(f"UPDATE {table} SET folded = lower({code})"))
    return held


def synced(data: Any) -> list[str]:
    assert data["setListingSync"]["userErrors"] == []
    return [each["itemCode"] for each in data["setListingSync"]["listings"]]


async def test_all_that_a_filter_finds_is_changed_but_what_was_unticked(
    desk: Desk, held: dict[str, Held]
):
    matching = {"filter": {}, "except": [held["TEA"].listing], "expectedCount": 2}

    data = await desk.execute(SYNC, input={"listings": {"matching": matching}, "sync": False})

    assert synced(data) == ["MUG", "CUP"]


async def test_fewer_than_the_screen_said_are_well_and_none_too(desk: Desk, held: dict[str, Held]):
    mug = {"filter": {"text": "mug"}, "expectedCount": 9}
    nothing = {"filter": {"text": "nothing"}, "expectedCount": 9}

    found = await desk.execute(SYNC, input={"listings": {"matching": mug}, "sync": False})
    none = await desk.execute(SYNC, input={"listings": {"matching": nothing}, "sync": False})

    assert (synced(found), synced(none)) == (["MUG"], [])


async def test_more_than_the_screen_said_are_refused_and_nothing_moves(
    desk: Desk, held: dict[str, Held]
):
    before = await desk.everything()
    matching = {"filter": {"sync": True}, "expectedCount": 2}

    data = await desk.execute(SYNC, input={"listings": {"matching": matching}, "sync": False})

    assert data["setListingSync"] == {
        "listings": [],
        "userErrors": [
            {
                "code": "SELECTION_GREW",
                "field": ["listings", "matching", "expectedCount"],
                "message": "3 are hit by now, where 2 were expected. Look at the list again.",
                "params": [{"name": "expected", "value": "2"}, {"name": "now", "value": "3"}],
            }
        ],
    }
    assert await desk.everything() == before


async def test_what_is_refused_of_what_a_filter_found_is_named(desk: Desk, held: dict[str, Held]):
    part = {"productId": held["MUG"].product, "count": 1}
    await desk.execute(SAVE_SET, input={"code": "BOX", "parts": [part]})
    singles = {"filter": {"kind": "SINGLE"}, "expectedCount": 3}

    data = await desk.execute(
        DELETE, input={"products": {"matching": singles}, "withListings": True}
    )

    gone = {held["TEA"].product, held["CUP"].product}
    assert set(data["deleteProducts"]["deletedIds"]) == gone
    [error] = data["deleteProducts"]["userErrors"]
    assert (error["code"], error["field"]) == ("PART_IN_USE", ["products", "matching"])
    assert {"name": "id", "value": held["MUG"].product} in error["params"]


BAD = [
    ("a negative count", {"filter": {}, "expectedCount": -1}, "INVALID_VALUE", ["expectedCount"]),
    (
        "no id at all",
        {"filter": {"shopIds": ["junk"]}, "expectedCount": 1},
        "NOT_FOUND",
        ["filter", "shopIds", "0"],
    ),
    (
        "an id of another kind",
        {"filter": {}, "except": ["SHOP"], "expectedCount": 1},
        "NOT_FOUND",
        ["except", "0"],
    ),
    (
        "a text that no database holds",
        {"filter": {"text": "\x00"}, "expectedCount": 1},
        "INVALID_VALUE",
        ["filter", "text"],
    ),
    (
        "more values than a filter takes",
        {"filter": {"links": ["LINKED"] * 101}, "expectedCount": 1},
        "TOO_MANY",
        ["filter", "links"],
    ),
    (
        "more unticked than are taken",
        {"filter": {}, "except": ["junk"] * 1_001, "expectedCount": 1},
        "TOO_MANY",
        ["except"],
    ),
]


@pytest.mark.parametrize(
    ("matching", "code", "field"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
async def test_a_selection_that_cannot_be_meant_is_refused_at_its_place(
    desk: Desk, matching: dict[str, Any], code: str, field: list[str]
):
    data = await desk.execute(SYNC, input={"listings": {"matching": matching}, "sync": False})

    [error] = data["setListingSync"]["userErrors"]
    assert (error["code"], error["field"]) == (code, ["listings", "matching", *field])


async def test_a_selection_says_one_of_both(desk: Desk, held: dict[str, Held]):
    both = {"ids": [held["MUG"].listing], "matching": {"filter": {}, "expectedCount": 9}}

    for selection in (both, {}):
        answer = await desk.answer(SYNC, input={"listings": selection, "sync": False})
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_anothers_shop_and_anothers_rows_are_no_hits(
    desk: Desk, neighbour: Desk, held: dict[str, Held]
):
    theirs = neighbour.id("Shop", await neighbour.a_shop())
    matching = {"filter": {"shopIds": [theirs]}, "expectedCount": 0}

    ours = await neighbour.execute(SYNC, input={"listings": {"matching": matching}, "sync": False})

    assert synced(ours) == []
    matching["filter"] = {}
    assert (
        synced(
            await neighbour.execute(SYNC, input={"listings": {"matching": matching}, "sync": False})
        )
        == []
    )


FILTERS: list[tuple[str, dict[str, Any]]] = [
    ("Product", {}),
    ("Product", {"text": "mug,MUG"}),
    ("Product", {"kind": "SINGLE", "managed": True, "total": {"gte": 1, "lte": 5}}),
    ("Product", {"sellable": {"eq": 0}}),
    ("Product", {"unreflected": False, "listing": {"sync": True, "hasOpenError": False}}),
    ("Product", {"listing": {"shopIds": ["HERE"], "links": ["LINKED"]}}),
    ("Product", {"missingInShopIds": ["HERE"]}),
    ("Listing", {}),
    ("Listing", {"shopIds": ["HERE"], "text": "u"}),
    ("Listing", {"differs": "FROM_TOTAL", "links": ["LINKED", "CONFLICT"]}),
    ("Listing", {"notPushed": ["LISTING_SYNC_OFF"], "causes": [], "pushStates": ["WAITING"]}),
]


@pytest.mark.parametrize(("model", "filter"), FILTERS)
async def test_a_selection_holds_what_the_list_of_the_same_filter_shows(
    desk: Desk, held: dict[str, Held], model: str, filter: dict[str, Any]
):
    async with desk.db.transaction(desk.account) as tx:
        here = await row(tx, "SELECT id FROM shops WHERE account_id = :account AND name = 'Here'")
    wanted = with_shop(filter, global_id("Shop", here["id"]))
    shown = await desk.execute(LISTS[model], f=wanted)
    [page] = shown.values()

    found = await meant(desk, model, wanted)

    assert found == {edge["node"]["id"] for edge in page["edges"]}


def with_shop(filter: Any, shop: str) -> Any:
    if isinstance(filter, dict):
        return {name: with_shop(each, shop) for name, each in filter.items()}
    return [shop] if filter == ["HERE"] else filter


async def meant(desk: Desk, model: str, filter: dict[str, Any]) -> set[str]:
    """Those that a mutation over this filter is done to: it deletes them."""
    chosen = {"matching": {"filter": filter, "expectedCount": 9}}
    if model == "Product":
        data = await desk.execute(DELETE, input={"products": chosen, "withListings": False})
    else:
        data = await desk.execute(DELETE_LISTINGS, input={"listings": chosen})
    [payload] = data.values()
    assert payload["userErrors"] == []
    return set(payload["deletedIds"])
