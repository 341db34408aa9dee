"""別品番紐づけ: the code table read, searched, changed."""

from tests.api.mutations.desk import Desk
from tests.domain.services.rows import NOW
from tests.domain.services.story import a_listing, imported, shop_of

SAVE = """
mutation Save($input: SaveCodeMappingsInput!) { saveCodeMappings(input: $input) {
    codeMappings { id shop { name } mallCode productCode product { code } } deletedIds
    listings { itemCode product { code } link { state reason actor { ... on User { name } } } }
    userErrors { code field message } } }
"""
READ = """
query Read($text: String, $shopIds: [ID!]) { codeMappings(text: $text, shopIds: $shopIds) {
    totalCount edges { node { mallCode productCode } } } }
"""


async def test_lines_are_made_searched_and_deleted(desk: Desk):
    tea, other = await desk.a_shop("Tea"), await desk.a_shop("Other")
    await desk.a_product(tea, "CUP", total=9)
    async with desk.db.transaction(desk.account) as tx:
        shop = await shop_of(tx, other)
        await imported(tx, shop, a_listing("c-1", 3), create_products=False, now=NOW)
    lines = [
        {"mallCode": "c-1", "productCode": "CUP"},
        {"mallCode": "ｐｏｔ－1", "productCode": "POT"},
    ]

    data = await desk.execute(SAVE, input={"shopId": desk.id("Shop", other), "save": lines})

    saved = data["saveCodeMappings"]
    ids = [each.pop("id") for each in saved["codeMappings"]]
    assert saved == {
        "codeMappings": [
            lines[0] | {"shop": {"name": "Other"}, "product": {"code": "CUP"}},
            lines[1] | {"shop": {"name": "Other"}, "product": None},
        ],
        "deletedIds": [],
        "listings": [
            {
                "itemCode": "c-1",
                "product": {"code": "CUP"},
                "link": {
                    "state": "LINKED",
                    "reason": "CODE_MAPPING",
                    "actor": {"name": "Hanako"},
                },
            }
        ],
        "userErrors": [],
    }
    found = await desk.execute(READ, text="POT-1")
    assert found["codeMappings"] == {"totalCount": 1, "edges": [{"node": lines[1]}]}
    nothing = await desk.execute(READ, shopIds=[desk.id("Shop", tea)])
    assert nothing["codeMappings"] == {"totalCount": 0, "edges": []}

    gone = await desk.execute(
        SAVE,
        input={
            "shopId": desk.id("Shop", other),
            "deleteIds": [ids[0], desk.id("CodeMapping", tea)],
        },
    )

    assert gone["saveCodeMappings"] == {
        "codeMappings": [],
        "deletedIds": [ids[0]],
        "listings": [],
        "userErrors": [
            {"code": "NOT_FOUND", "field": ["deleteIds", "1"], "message": "There is no such line."}
        ],
    }
    assert (await desk.execute(READ))["codeMappings"]["totalCount"] == 1
    assert await desk.operations() == ["IMPORT_LISTINGS", *["SAVE_CODE_MAPPINGS"] * 2]


async def test_a_line_that_says_nothing_changes_nothing(desk: Desk):
    shop = await desk.a_shop()
    lines = [{"mallCode": "A", "productCode": "B"}, {"mallCode": " ", "productCode": "C"}]

    data = await desk.execute(SAVE, input={"shopId": desk.id("Shop", shop), "save": lines})

    assert data["saveCodeMappings"]["userErrors"] == [
        {"code": "REQUIRED", "field": ["save", "1", "mallCode"], "message": "Enter a code."}
    ]
    assert (await desk.execute(READ))["codeMappings"]["totalCount"] == 0


async def test_more_than_a_hundred_lines_are_refused(desk: Desk):
    shop = await desk.a_shop()
    lines = [{"mallCode": f"{nth}", "productCode": "A"} for nth in range(101)]

    data = await desk.execute(SAVE, input={"shopId": desk.id("Shop", shop), "save": lines})

    assert [each["code"] for each in data["saveCodeMappings"]["userErrors"]] == ["TOO_MANY"]
