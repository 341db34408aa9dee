"""Products, sets and groups made, changed and deleted."""

from tests.api.mutations.desk import Desk

SAVE = """
mutation Save($input: SaveProductInput!) { saveProduct(input: $input) {
    product { id code name managed reserve imageUrl total version group { name } }
    job { progress { total } } userErrors { code field message } } }
"""
DELETE = """
mutation Delete($input: DeleteProductsInput!) { deleteProducts(input: $input) {
    deletedIds userErrors { code field message params { name value } } } }
"""
SAVE_SET = """
mutation SaveSet($input: SaveSetItemInput!) { saveSetItem(input: $input) {
    product { id code kind total sellable parts { count product { code } } }
    job { state } userErrors { code field message } } }
"""
DELETE_SETS = """
mutation DeleteSets($input: DeleteSetItemsInput!) { deleteSetItems(input: $input) {
    products { code kind total parts { count } } userErrors { code field message } } }
"""
SAVE_GROUP = """
mutation SaveGroup($input: SaveProductGroupInput!) { saveProductGroup(input: $input) {
    productGroup { id name reserve productCount version } job { progress { total } }
    userErrors { code field message } } }
"""
LISTING = """
query L($id: ID!) { node(id: $id) { ... on Listing { itemCode quantityToShow link { state } } } }
"""


async def test_a_product_is_made_and_changed(desk: Desk):
    made = await desk.execute(SAVE, input={"code": " MUG ", "name": "Mug", "reserve": 2})
    product = made["saveProduct"]["product"]

    changed = await desk.execute(
        SAVE,
        input={
            "id": product["id"],
            "expectedVersion": product["version"],
            "name": "Blue mug",
            "reserve": None,
            "managed": None,
            "imageUrl": "https://img.example.com/mug.jpg",
        },
    )

    assert (product["code"], product["reserve"], product["total"]) == ("MUG", 2, 0)
    assert changed["saveProduct"] == {
        "product": {
            "id": product["id"],
            "code": "MUG",
            "name": "Blue mug",
            "managed": True,
            "reserve": 0,
            "imageUrl": "https://img.example.com/mug.jpg",
            "total": 0,
            "version": product["version"] + 1,
            "group": None,
        },
        "job": None,
        "userErrors": [],
    }
    assert await desk.operations() == ["SAVE_PRODUCT", "SAVE_PRODUCT"]


async def test_a_code_in_use_and_a_stale_version_are_refused(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    taken = await desk.execute(SAVE, input={"code": "MUG"})
    stale = await desk.execute(
        SAVE, input={"id": mug.product, "expectedVersion": 99, "name": "Cup"}
    )

    assert taken["saveProduct"] == {
        "product": None,
        "job": None,
        "userErrors": [
            {
                "code": "CODE_TAKEN",
                "field": ["code"],
                "message": "The code MUG belongs to another product. Choose another code.",
            }
        ],
    }
    assert [(each["code"], each["field"]) for each in stale["saveProduct"]["userErrors"]] == [
        ("VERSION_CHANGED", ["expectedVersion"])
    ]
    assert await desk.operations() == []


async def test_what_is_kept_back_is_reflected_where_that_is_asked(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.execute(SAVE, input={"id": mug.product, "reserve": 1, "reflect": True})
    shown = await desk.execute(LISTING, id=mug.listing)

    assert data["saveProduct"]["job"] == {"progress": {"total": 1}}
    assert shown["node"]["quantityToShow"] == 2


async def test_a_deleted_product_leaves_its_listing_unlinked(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.execute(
        DELETE, input={"products": {"ids": [mug.product]}, "withListings": False}
    )
    left = await desk.execute(LISTING, id=mug.listing)

    assert data["deleteProducts"] == {"deletedIds": [mug.product], "userErrors": []}
    assert left == {
        "node": {"itemCode": "MUG", "quantityToShow": None, "link": {"state": "UNLINKED"}}
    }


async def test_a_part_of_a_set_stays_until_the_set_is_gone(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=3)
    tea = await desk.a_product(shop, "TEA", total=3)
    made = await desk.execute(
        SAVE_SET, input={"code": "BOX", "parts": [{"productId": mug.product, "count": 1}]}
    )
    both = {"products": {"ids": [tea.product, mug.product]}, "withListings": True}

    refused = await desk.execute(DELETE, input=both)
    await desk.execute(DELETE_SETS, input={"productIds": [made["saveSetItem"]["product"]["id"]]})
    again = await desk.execute(
        DELETE, input={"products": {"ids": [mug.product]}, "withListings": True}
    )

    assert refused["deleteProducts"] == {
        "deletedIds": [tea.product],
        "userErrors": [
            {
                "code": "PART_IN_USE",
                "field": ["products", "ids", "1"],
                "message": "It is part of BOX. Take it out of the set first.",
                "params": [{"name": "sets", "value": "BOX"}],
            }
        ],
    }
    assert again["deleteProducts"] == {"deletedIds": [mug.product], "userErrors": []}
    assert await desk.execute(LISTING, id=mug.listing) == {"node": None}


async def test_a_set_is_made_changed_and_made_single_again(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=7)
    tea = await desk.a_product(shop, "TEA", total=2)
    made = await desk.execute(
        SAVE_SET,
        input={
            "code": "BOX",
            "name": "Gift box",
            "parts": [
                {"productId": mug.product, "count": 2},
                {"productId": tea.product, "count": 1},
            ],
        },
    )
    box = made["saveSetItem"]["product"]

    fewer = await desk.execute(
        SAVE_SET,
        input={"productId": box["id"], "parts": [{"productId": mug.product, "count": 3}]},
    )
    single = await desk.execute(DELETE_SETS, input={"productIds": [box["id"], mug.product]})

    assert (box["kind"], box["total"], box["sellable"]) == ("SET", None, 2)
    assert {each["product"]["code"]: each["count"] for each in box["parts"]} == {"MUG": 2, "TEA": 1}
    assert fewer["saveSetItem"] == {
        "product": {
            "id": box["id"],
            "code": "BOX",
            "kind": "SET",
            "total": None,
            "sellable": 2,
            "parts": [{"count": 3, "product": {"code": "MUG"}}],
        },
        "job": None,
        "userErrors": [],
    }
    assert single["deleteSetItems"] == {
        "products": [{"code": "BOX", "kind": "SINGLE", "total": 0, "parts": []}],
        "userErrors": [
            {"code": "NOT_FOUND", "field": ["productIds", "1"], "message": "There is no such set."}
        ],
    }


async def test_a_set_without_parts_is_refused_whole(desk: Desk):
    data = await desk.execute(SAVE_SET, input={"code": "BOX", "parts": []})

    assert data["saveSetItem"] == {
        "product": None,
        "job": None,
        "userErrors": [
            {"code": "SET_EMPTY", "field": ["parts"], "message": "Name at least one part."}
        ],
    }
    assert await desk.execute('{ product(code: "BOX") { code } }') == {"product": None}


async def test_a_group_keeps_back_of_each_of_its_products(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=7)

    made = await desk.execute(
        SAVE_GROUP,
        input={
            "name": "Cups",
            "reserve": 2,
            "addProducts": {"ids": [mug.product]},
            "reflect": True,
        },
    )
    group = made["saveProductGroup"]["productGroup"]
    shown = await desk.execute(LISTING, id=mug.listing)
    left = await desk.execute(
        SAVE_GROUP,
        input={
            "id": group["id"],
            "name": "Cups",
            "reserve": 2,
            "removeProducts": {"ids": [mug.product]},
        },
    )

    assert (group["name"], group["reserve"], group["productCount"]) == ("Cups", 2, 1)
    assert made["saveProductGroup"]["job"] == {"progress": {"total": 1}}
    assert shown["node"]["quantityToShow"] == 5
    assert left["saveProductGroup"]["productGroup"]["productCount"] == 0


async def test_texts_have_their_bounds(desk: Desk):
    endless = await desk.execute(SAVE, input={"code": "M" * 256})
    scripted = await desk.execute(SAVE, input={"code": "MUG", "imageUrl": "javascript:alert(1)"})

    assert [each["saveProduct"]["userErrors"] for each in (endless, scripted)] == [
        [{"code": "INVALID_VALUE", "field": ["code"], "message": "Enter at most 255 characters."}],
        [
            {
                "code": "INVALID_VALUE",
                "field": ["imageUrl"],
                "message": "Enter an address that begins with https:// or http://.",
            }
        ],
    ]
    assert await desk.execute('{ product(code: "MUG") { code } }') == {"product": None}
