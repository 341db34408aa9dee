"""共通設定, 利用店舗設定 and 連携解除, as their screens ask for them."""

from typing import Any

import pytest
from sqlalchemy import text

from domain.model.locales import Locale
from domain.services import shops
from tests.api.mutations.desk import Desk
from tests.factories import a_shop

UPDATE = """
mutation Update($input: UpdateAccountInput!) { updateAccount(input: $input) {
    account { name timeZone baseShop { name } reflectEdits level9Resume showImages syncNewListings confirmToZero
        confirmChanged version }
    userErrors { code field message } } }
"""
IN_USE = """
mutation InUse($input: SetShopsInUseInput!) { setShopsInUse(input: $input) {
    shops { name inUse state } userErrors { code field message } } }
"""
DISCONNECT = """
mutation Disconnect($input: DisconnectShopInput!) { disconnectShop(input: $input) {
    shop { id name state disconnectedAt credentials { isSet } actions { key enabled reason } }
    userErrors { code field message } } }
"""
SHOPS = "{ shops { id name } account { badges { unlinkedListings differences } } }"
LISTED = "{ listings { edges { node { itemCode } } } links { edges { node { state } } } }"
DIFFERENCES = """
{ total: differences(kind: FROM_TOTAL) { totalCount edges { node { itemCode } } }
  shown: differences { totalCount } }
"""
NODE = """
query N($id: ID!) { node(id: $id) { ... on Shop { name state }
    ... on Listing { itemCode product { id } shop { id name state } link { state } } } }
"""


async def test_the_account_is_answered_as_it_is_now(desk: Desk):
    shop = await desk.a_shop("Tea")
    data = await desk.execute(
        UPDATE,
        input={
            "name": " Tea House ",
            "timeZone": "Europe/Berlin",
            "baseShopId": desk.id("Shop", shop),
            "reflectEdits": "AT_ONCE",
            "level9Resume": "ON_VALID_CREDENTIALS",
            "showImages": False,
            "syncNewListings": False,
            "confirmToZero": 3,
            "confirmChanged": 0,
            "expectedVersion": 1,
        },
    )

    assert data["updateAccount"] == {
        "account": {
            "name": "Tea House",
            "timeZone": "Europe/Berlin",
            "baseShop": {"name": "Tea"},
            "reflectEdits": "AT_ONCE",
            "level9Resume": "ON_VALID_CREDENTIALS",
            "showImages": False,
            "syncNewListings": False,
            "confirmToZero": 3,
            "confirmChanged": 0,
            "version": 2,
        },
        "userErrors": [],
    }
    assert await desk.operations() == ["UPDATE_ACCOUNT"]

    without = await desk.execute(UPDATE, input={"baseShopId": None, "name": None})

    assert without["updateAccount"]["account"]["baseShop"] is None
    assert without["updateAccount"]["account"]["name"] == "Tea House"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (
            {"timeZone": "Tokyo"},
            {
                "code": "INVALID_VALUE",
                "field": ["timeZone"],
                "message": "タイムゾーン「Tokyo」はありません。Asia/Tokyo のような名前を入力してください。",
            },
        ),
        (
            {"baseShopId": "junk"},
            {
                "code": "NOT_FOUND",
                "field": ["baseShopId"],
                "message": "この店舗は見つかりません。店舗一覧を読み込み直してください。",
            },
        ),
        (
            {"confirmToZero": -1},
            {
                "code": "INVALID_VALUE",
                "field": ["confirmToZero"],
                "message": "0から1000000までの数を入力してください（入力値：-1）。",
            },
        ),
    ],
)
async def test_what_cannot_be_says_what_to_do(
    desk: Desk, wrong: dict[str, Any], error: dict[str, Any]
):
    before = await desk.everything()

    data = await desk.reading(Locale.JA).execute(UPDATE, input=wrong)

    assert data["updateAccount"] == {"account": None, "userErrors": [error]}
    assert await desk.everything() == before


async def test_a_shop_out_of_use_is_no_difference(desk: Desk):
    tea, mug = await desk.a_shop("Tea"), await desk.a_shop("Mug")
    await desk.a_product(tea, "TEA", total=9)
    await desk.a_product(mug, "MUG", total=4)
    async with desk.db.transaction(desk.account) as tx:
        await tx.execute(text("UPDATE listing_sync SET base = 1"))
    assert (await desk.execute(DIFFERENCES))["total"]["totalCount"] == 2

    data = await desk.execute(IN_USE, input={"shopIds": [desk.id("Shop", mug)]})

    assert data["setShopsInUse"] == {
        "shops": [{"name": "Tea", "inUse": False, "state": "ONBOARDING"}],
        "userErrors": [],
    }
    found = await desk.execute(DIFFERENCES)
    assert found["total"] == {"totalCount": 1, "edges": [{"node": {"itemCode": "MUG"}}]}
    assert await desk.operations() == ["SET_SHOPS_IN_USE"]


@pytest.mark.parametrize("delete", [True, False])
async def test_a_disconnected_shop_is_in_no_list_and_still_named(desk: Desk, delete: bool):
    shop = await desk.a_shop("Tea")
    held = await desk.a_product(shop, "TEA", total=9)
    shop_id = desk.id("Shop", shop)

    data = await desk.execute(DISCONNECT, input={"id": shop_id, "deleteListings": delete})

    given_up = data["disconnectShop"]["shop"]
    assert (given_up["state"], given_up["disconnectedAt"] is None) == ("DISCONNECTED", False)
    assert {each["isSet"] for each in given_up["credentials"]} == {False}
    assert {each["enabled"] for each in given_up["actions"]} == {False}
    assert {each["reason"] for each in given_up["actions"]} == {"The shop was disconnected."}
    assert await desk.execute(SHOPS) == {
        "shops": [],
        "account": {"badges": {"unlinkedListings": 0, "differences": 0}},
    }
    assert await desk.execute(LISTED) == {"listings": {"edges": []}, "links": {"edges": []}}
    named = {"name": "Tea", "state": "DISCONNECTED"}
    assert await desk.execute(NODE, id=shop_id) == {"node": named}
    kept = {
        "itemCode": "TEA",
        "product": None,
        "shop": {"id": shop_id} | named,
        "link": {"state": "UNLINKED"},
    }
    assert await desk.execute(NODE, id=held.listing) == {"node": None if delete else kept}
    assert await desk.operations() == ["DISCONNECT_SHOP"]

    again = await desk.execute(DISCONNECT, input={"id": shop_id, "deleteListings": delete})

    assert [each["code"] for each in again["disconnectShop"]["userErrors"]] == ["NOT_FOUND"]
    await desk.a_shop("Tea", running=False)


async def test_the_hundred_and_first_shop_is_refused(desk: Desk):
    async with desk.db.transaction(desk.account) as tx:
        for nth in range(shops.MOST_SHOPS):
            await a_shop(tx, f"Shop {nth}")

    data = await desk.reading(Locale.JA).execute(
        "mutation C($input: ConnectShopInput!) { connectShop(input: $input) { userErrors { code message } } }",
        input={"mall": "RAKUTEN", "name": "One more", "credentials": []},
    )

    assert data["connectShop"]["userErrors"] == [
        {
            "code": "TOO_MANY",
            "message": "店舗は100店までです（現在100店）。使わない店舗の連携を解除してください。",
        }
    ]
