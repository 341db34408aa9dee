"""Why does this listing show 5, and why does it not reflect?"""

from pathlib import Path
from typing import Any

from domain.model.locales import Locale
from tests.api.mutations.desk import Desk, Held
from tests.api.statements import of_work, statements

ROOT = Path(__file__).parents[3]
EXPLAIN = (ROOT / "examples" / "operations" / "explain.graphql").read_text()
STEPS = """
query Steps($id: ID!) { node(id: $id) { ... on Listing { explain { steps {
    rule before after setAt setBy { ... on User { name } } setOn { __typename id } } } } } }
"""
OF_ALL = """
query All { listings(first: 100) { edges { node {
    quantityToShow explain { text steps { rule after setBy { __typename } } checks { ok } } } } } }
"""
SET_LIMITS = "mutation L($input: SetListingLimitsInput!) { setListingLimits(input: $input) { userErrors { code } } }"
SAVE_GROUP = """
mutation G($input: SaveProductGroupInput!) { saveProductGroup(input: $input) { productGroup { id } userErrors { code } } }
"""
SAVE_PRODUCT = (
    "mutation P($input: SaveProductInput!) { saveProduct(input: $input) { userErrors { code } } }"
)
SAVE_SET = "mutation S($input: SaveSetItemInput!) { saveSetItem(input: $input) { product { id } userErrors { code } } }"
LINK = (
    "mutation L($input: LinkListingsInput!) { linkListings(input: $input) { userErrors { code } } }"
)
UNLINK = "mutation U($input: UnlinkListingsInput!) { unlinkListings(input: $input) { userErrors { code } } }"


async def done(desk: Desk, document: str, **input: Any) -> Any:
    [payload] = (await desk.execute(document, input=input)).values()
    assert payload["userErrors"] == []
    return payload


async def explained(desk: Desk, held: Held) -> Any:
    data = await desk.execute(EXPLAIN, id=held.listing)
    return data["node"]["explain"]


async def steps_of(desk: Desk, held: Held) -> dict[str, Any]:
    found = await desk.execute(STEPS, id=held.listing)
    return {each.pop("rule"): each for each in found["node"]["explain"]["steps"]}


async def test_a_number_is_told_rule_by_rule_with_who_set_each_and_where(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=12)
    group = await done(desk, SAVE_GROUP, name="Best", reserve=2, addProducts={"ids": [mug.product]})
    await done(desk, SET_LIMITS, listings={"ids": [mug.listing]}, minimum=1, maximum=5)

    steps = await steps_of(desk, mug)

    assert (await explained(desk, mug))[
        "text"
    ] == "12 in total − 2 reserved → 10, at most 5 here → 5."
    assert {rule: (each["before"], each["after"]) for rule, each in steps.items()} == {
        "TOTAL": (12, 12),
        "RESERVE": (12, 10),
        "FLOOR_ZERO": (10, 10),
        "MINIMUM": (10, 10),
        "MAXIMUM": (10, 5),
        "MALL_MAXIMUM": (5, 5),
    }
    assert {rule: each["setOn"] for rule, each in steps.items()} == {
        "TOTAL": {"__typename": "Product", "id": mug.product},
        "RESERVE": {"__typename": "ProductGroup", "id": group["productGroup"]["id"]},
        "FLOOR_ZERO": None,
        "MINIMUM": {"__typename": "Listing", "id": mug.listing},
        "MAXIMUM": {"__typename": "Listing", "id": mug.listing},
        "MALL_MAXIMUM": None,
    }
    by_hand = {"RESERVE", "MINIMUM", "MAXIMUM"}
    assert {rule for rule, each in steps.items() if each["setBy"] == {"name": "Hanako"}} == by_hand
    assert {rule for rule, each in steps.items() if each["setAt"]} == by_hand | {"TOTAL"}


async def test_a_limit_keeps_its_moment_when_the_other_one_changes(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=12)
    await done(desk, SET_LIMITS, listings={"ids": [mug.listing]}, minimum=1, maximum=5)
    before = await steps_of(desk, mug)
    await done(desk, SET_LIMITS, listings={"ids": [mug.listing]}, minimum=1, maximum=6)

    after = await steps_of(desk, mug)

    assert after["MINIMUM"] == before["MINIMUM"]
    assert after["MAXIMUM"]["setAt"] > before["MAXIMUM"]["setAt"]


async def test_a_products_own_reserve_hides_its_groups(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=12)
    await done(desk, SAVE_GROUP, name="Best", reserve=2, addProducts={"ids": [mug.product]})
    await done(desk, SAVE_PRODUCT, id=mug.product, reserve=7)

    reserve = (await steps_of(desk, mug))["RESERVE"]

    assert reserve["setOn"] == {"__typename": "Product", "id": mug.product}
    assert (reserve["after"], reserve["setBy"]) == (5, {"name": "Hanako"})


async def test_a_set_begins_with_what_its_parts_allow(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=7)
    page = await desk.a_product(shop, "GIFT-PAGE", total=0)
    gift = await done(desk, SAVE_SET, code="GIFT", parts=[{"productId": mug.product, "count": 2}])
    pair = {"listingId": page.listing, "productId": gift["product"]["id"]}
    await done(desk, LINK, pairs=[pair])

    first, *_ = (await steps_of(desk, page)).items()

    rule, step = first
    assert (rule, step["before"], step["after"]) == ("SET_PARTS", 3, 3)
    assert step["setOn"] == {"__typename": "Product", "id": gift["product"]["id"]}
    assert step["setBy"] == {"name": "Hanako"}
    assert (await explained(desk, page))["text"] == "parts for 3 sets."


async def test_what_belongs_to_nothing_says_so(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=12)
    await done(desk, UNLINK, listings={"ids": [mug.listing]})

    told = await explained(desk, mug)

    assert (told["text"], told["steps"]) == (
        "It belongs to no product, so nothing here decides its number.",
        [],
    )
    assert [each["key"] for each in told["checks"] if not each["ok"]] == ["UNLINKED"]


async def test_the_checks_say_what_keeps_the_number_back_in_the_readers_language(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(running=False), "MUG", total=12)
    await done(desk, SET_LIMITS, listings={"ids": [mug.listing]}, minimum=1)

    told = await explained(desk.reading(Locale.JA), mug)

    assert told["text"] == "総在庫数12。"
    assert [each for each in told["checks"] if not each["ok"]] == [
        {
            "key": "MASTER_STOPPED",
            "ok": False,
            "text": "在庫連動が止まっています。連動を開始してください。",
        },
        {
            "key": "SHOP_REFLECT_STOPPED",
            "ok": False,
            "text": "店舗の在庫反映が止まっています。開始してください。",
        },
    ]


async def test_many_listings_are_explained_by_one_statement(desk: Desk):
    shop = await desk.a_shop()
    for nth in range(5):
        await desk.a_product(shop, f"MUG-{nth}", total=nth)

    with statements() as sent:
        data = await desk.execute(OF_ALL)

    assert len(of_work(sent)) == 1
    told = [edge["node"]["explain"] for edge in data["listings"]["edges"]]
    assert [each["steps"][-1]["after"] for each in told] == [0, 1, 2, 3, 4]
    assert [each["text"] for each in told] == [f"{nth} in total." for nth in range(5)]
