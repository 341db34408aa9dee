"""モール別項目 and 取り扱いショップ, as their screens ask for them."""

from typing import Any
from uuid import UUID

import pytest

from api.nodes import read_id
from domain.model.locales import Locale
from domain.model.malls import ItemRef, MallKind, MallListing
from domain.services import bulk, shops
from tests.api.mutations.desk import VAULT, Desk
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import a_listing, imported, shop_of

FIELDS = """
mutation Fields($input: SetListingFieldsInput!) { setListingFields(input: $input) {
    listings { itemCode version mallFields { key value owner mallValue changedAtMall column { label(locale: JA) pattern } } }
    job { kind progress { total } } userErrors { code field message } } }
"""
FIELDS_JOB = """
mutation Fields($input: SetListingFieldsInput!) { setListingFields(input: $input) {
    job { id progress { total } } userErrors { code field message } } }
"""
ATTACH = """
mutation Attach($input: AttachListingsInput!) { attachListings(input: $input) {
    listings { itemCode matchCode quantityToShow mallStock { quantity source } product { code }
        link { state reason } shop { name } }
    job { id } userErrors { code field message } } }
"""
READ = """
query Read($id: ID!) { node(id: $id) { ... on Listing { mallFields { key value owner mallValue changedAtMall } } } }
"""


async def a_yahoo_shop(desk: Desk, *pages: tuple[str, str]) -> UUID:
    """With pages of these codes and 超過購入 settings."""
    keys = {"client_id": "app", "client_secret": "secret"}
    async with desk.db.transaction(desk.account) as tx:
        shop, _ = await shops.connect(
            tx, VAULT, OWNER, MallKind.YAHOO_SHOPPING, "Yahoo", keys, {"seller_id": "tea"}
        )
        found = [
            MallListing(
                ItemRef(code), keys={"sub-code": code}, fields={"allow_overdraft": overdraft}
            )
            for code, overdraft in pages
        ]
        await imported(tx, shop, *found, now=NOW)
    return shop.id


async def listing_ids(desk: Desk) -> dict[str, str]:
    data = await desk.execute("{ listings { edges { node { id itemCode } } } }")
    nodes = [edge["node"] for edge in data["listings"]["edges"]]
    return {each["itemCode"]: each["id"] for each in nodes}


def selected(*ids: str) -> dict[str, Any]:
    return {"listings": {"ids": list(ids)}}


async def test_fields_are_set_and_answered_beside_what_the_mall_shows(desk: Desk):
    await a_yahoo_shop(desk, ("TEA", "0"), ("MUG", "1"))
    ids = await listing_ids(desk)
    assert (await desk.execute(READ, id=ids["TEA"]))["node"]["mallFields"] == [
        {
            "key": "allow_overdraft",
            "value": "0",
            "owner": "US",
            "mallValue": "0",
            "changedAtMall": False,
        }
    ]

    data = await desk.execute(
        FIELDS,
        input=selected(ids["TEA"]) | {"fields": [{"key": "allow_overdraft", "value": "1"}]},
    )

    [answered] = data["setListingFields"]["listings"]
    assert answered.pop("version") == 2
    assert answered == {
        "itemCode": "TEA",
        "mallFields": [
            {
                "key": "allow_overdraft",
                "value": "1",
                "owner": "US",
                "mallValue": "0",
                "changedAtMall": False,
                "column": {"label": "超過購入設定", "pattern": "^[01]$"},
            }
        ],
    }
    assert (data["setListingFields"]["job"], data["setListingFields"]["userErrors"]) == (None, [])

    theirs = [{"key": "allow_overdraft", "owner": "MALL"}]
    data = await desk.execute(
        FIELDS, input=selected(ids["TEA"]) | {"fields": theirs, "reflect": True}
    )

    [answered] = data["setListingFields"]["listings"]
    [field] = answered["mallFields"]
    assert (field["value"], field["owner"]) == ("1", "MALL")
    assert data["setListingFields"]["job"] == {"kind": "REFLECT", "progress": {"total": 1}}
    assert await desk.operations() == ["IMPORT_LISTINGS", "SET_FIELDS", "SET_FIELDS"]


async def test_a_listing_whose_mall_does_not_take_a_field_is_refused(desk: Desk):
    await a_yahoo_shop(desk, ("TEA", "0"))
    tea = (await listing_ids(desk))["TEA"]
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=9)
    fields = [{"key": "allow_overdraft", "value": "1"}]

    data = await desk.reading(Locale.JA).execute(
        FIELDS, input=selected(mug.listing, tea) | {"fields": fields}
    )

    assert [each["itemCode"] for each in data["setListingFields"]["listings"]] == ["TEA"]
    assert data["setListingFields"]["userErrors"] == [
        {
            "code": "NOT_SUPPORTED_BY_MALL",
            "field": ["listings", "ids", "0"],
            "message": "この店舗のモールでは「allow_overdraft」を在庫と一緒に送れません（送れる項目：）。",
        }
    ]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ([], "REQUIRED", ["fields"]),
        ([{"key": "allow_overdraft"}], "REQUIRED", ["fields", "0", "value"]),
        (
            [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
            "INVALID_VALUE",
            ["fields", "1", "key"],
        ),
        ([{"key": "allow_overdraft", "value": "2"}], "INVALID_VALUE", ["listings", "ids", "0"]),
    ],
)
async def test_what_says_nothing_changes_nothing(
    desk: Desk, fields: list[Any], code: str, field: list[str]
):
    await a_yahoo_shop(desk, ("TEA", "0"))
    tea = (await listing_ids(desk))["TEA"]
    before = await desk.everything()

    data = await desk.execute(FIELDS, input=selected(tea) | {"fields": fields})

    errors = data["setListingFields"]["userErrors"]
    assert [(each["code"], each["field"]) for each in errors] == [(code, field)]
    assert await desk.everything() == before


async def test_products_are_attached_and_refused_one_by_one(desk: Desk):
    yahoo = await a_yahoo_shop(desk, ("POT", "0"))
    rakuten = await desk.a_shop("Tea", running=False)
    tea = await desk.a_product(rakuten, "TEA", total=9)
    cup = await desk.a_product(rakuten, "カップ", total=1)
    asked = {"shopId": desk.id("Shop", yahoo), "products": {"ids": [cup.product, tea.product]}}

    data = await desk.reading(Locale.JA).execute(ATTACH, input=asked)

    assert data["attachListings"] == {
        "listings": [
            {
                "itemCode": "TEA",
                "matchCode": "TEA",
                "quantityToShow": 9,
                "mallStock": {"quantity": None, "source": "NEVER_SEEN"},
                "product": {"code": "TEA"},
                "link": {"state": "LINKED", "reason": "BY_HAND"},
                "shop": {"name": "Yahoo"},
            }
        ],
        "job": None,
        "userErrors": [
            {
                "code": "INVALID_VALUE",
                "field": ["products", "ids", "0"],
                "message": "このモールでは「カップ」というコードを使えません。商品コードを変更するか、出品を取り込んで紐づけてください。",
            }
        ],
    }
    again = await desk.reading(Locale.JA).execute(ATTACH, input=asked)
    assert again["attachListings"]["userErrors"][1] == {
        "code": "CODE_TAKEN",
        "field": ["products", "ids", "1"],
        "message": "商品「TEA」は店舗「Yahoo」ですでに取り扱っています。",
    }
    assert await desk.operations() == ["IMPORT_LISTINGS", "ATTACH_LISTINGS"]


async def test_a_shop_whose_pages_have_other_codes_takes_none(desk: Desk):
    shop = await desk.a_shop()
    mug = await desk.a_product(shop, "MUG", total=9)
    other = await desk.a_shop("Other")

    data = await desk.execute(
        ATTACH, input={"shopId": desk.id("Shop", other), "products": {"ids": [mug.product]}}
    )

    assert [(e["code"], e["field"]) for e in data["attachListings"]["userErrors"]] == [
        ("NOT_SUPPORTED_BY_MALL", ["shopId"])
    ]


async def works(desk: Desk, job: str) -> None:
    """A worker does the job to its end."""
    job_id = read_id(job).id
    while await desk.db.run(desk.account, lambda tx: bulk.do_part(tx, job_id, now=NOW)):
        pass


async def test_more_than_a_hundred_become_jobs(desk: Desk):
    codes = [f"T{nth:03}" for nth in range(101)]
    async with desk.db.transaction(desk.account) as tx:
        rakuten = await shop_of(tx, await desk.a_shop("Rakuten"))
        await imported(tx, rakuten, *(a_listing(code) for code in codes), now=NOW)
    yahoo = await a_yahoo_shop(desk)
    everything = {"filter": {}, "expectedCount": 101}

    data = await desk.execute(
        ATTACH, input={"shopId": desk.id("Shop", yahoo), "products": {"matching": everything}}
    )
    await works(desk, data["attachListings"]["job"]["id"])
    of_yahoo = {"filter": {"shopIds": [desk.id("Shop", yahoo)]}, "expectedCount": 101}
    fields = [{"key": "allow_overdraft", "value": "1", "owner": "US"}]
    data = await desk.execute(
        FIELDS_JOB, input={"listings": {"matching": of_yahoo}, "fields": fields}
    )
    await works(desk, data["setListingFields"]["job"]["id"])

    assert data["setListingFields"]["job"]["progress"] == {"total": 101}
    async with desk.db.transaction(desk.account) as tx:
        kept = await rows(
            tx,
            """
            SELECT l.item_code, f.value, k.state FROM listing_fields f JOIN listings l ON l.id = f.listing_id
            JOIN links k ON k.listing_id = l.id ORDER BY l.item_code
            """,
        )
    assert kept == [{"item_code": code, "value": "1", "state": "LINKED"} for code in codes]
