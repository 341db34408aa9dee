"""Shops connected, changed, tested, sent to their mall's consent, started and stopped; errors cleared."""

import json
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import MallLockedOut
from domain.model.locales import Locale
from domain.model.malls import MallKind
from domain.model.sync_errors import SyncErrorKind
from domain.services import shops, sync_errors
from domain.store import shops as shop_rows
from tests.api.mutations.desk import KEYS, VAULT, Desk
from tests.domain.services.rows import NOW, OWNER, rows

CONNECT = """
mutation Connect($input: ConnectShopInput!) { connectShop(input: $input) {
    shop { id name state ordersRunning reflectRunning version credentials { key changedBy { ... on User { name } } } }
    check { kind state ok shop { name } }
    userErrors { code field message params { name value } } } }
"""
UPDATE = """
mutation Update($input: UpdateShopInput!) { updateShop(input: $input) {
    shop { name version reflectIntervalSeconds notificationEmail credentials { key } settings { key value } }
    check { state } userErrors { code field message } } }
"""
TEST = """
mutation Test($input: TestConnectionInput!) { testConnection(input: $input) {
    check { state ok parts { key } createdBy { ... on User { name } } } userErrors { code field } } }
"""
CONSENT = """
mutation Consent($input: StartShopConsentInput!) { startShopConsent(input: $input) {
    url expiresAt userErrors { code field message } } }
"""
START = """
mutation Start($input: StartSyncInput!) { startSync(input: $input) {
    account { syncRunning } shops { name state ordersRunning reflectRunning }
    userErrors { code field message } } }
"""
STOP = """
mutation Stop($input: StopSyncInput!) { stopSync(input: $input) {
    account { syncRunning } shops { name ordersRunning reflectRunning } userErrors { code } } }
"""
CLEAR = """
mutation Clear($input: ClearErrorsInput!) { clearErrors(input: $input) {
    cleared { level kind state clearedAt clearedBy { ... on User { name } } }
    checks { state shop { name state } } userErrors { code field message } } }
"""


def form(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def a_form(**changed: Any) -> dict[str, Any]:
    return {"mall": "RAKUTEN", "name": "Tea", "credentials": form(KEYS)} | changed


async def test_a_connected_shop_is_off_and_its_test_has_begun(desk: Desk):
    data = await desk.execute(CONNECT, input=a_form())

    connected = data["connectShop"]
    assert connected["userErrors"] == []
    assert {
        name: connected["shop"][name] for name in ("name", "ordersRunning", "reflectRunning")
    } == {
        "name": "Tea",
        "ordersRunning": False,
        "reflectRunning": False,
    }
    assert connected["shop"]["credentials"] == [
        {"key": key, "changedBy": {"name": "Hanako"}} for key in KEYS
    ]
    assert connected["check"] == {
        "kind": "SHOP_CHECK",
        "state": "WAITING",
        "ok": None,
        "shop": {"name": "Tea"},
    }


async def test_secrets_are_told_to_nobody(desk: Desk):
    data = await desk.execute(CONNECT, input=a_form())
    refused = await desk.answer(
        CONNECT, input=a_form(name="Two", credentials=form(KEYS | {"pin": "SP-hidden"}))
    )
    async with desk.db.transaction(desk.account) as tx:
        logged = await rows(tx, "SELECT to_jsonb(t) FROM operation_logs t")
        jobs = await rows(tx, "SELECT to_jsonb(t) FROM jobs t")
        told = await rows(tx, "SELECT to_jsonb(t) FROM events t")

    everything = json.dumps([data, refused, logged, jobs, told], default=str)
    assert [each["code"] for each in refused["data"]["connectShop"]["userErrors"]] == [
        "INVALID_VALUE"
    ]
    assert not [secret for secret in (*KEYS.values(), "SP-hidden") if secret in everything]


async def test_a_form_that_lacks_a_field_names_it_in_the_callers_language(desk: Desk):
    only_one = {"service_secret": KEYS["service_secret"]}

    data = await desk.reading(Locale.JA).execute(CONNECT, input=a_form(credentials=form(only_one)))

    assert data["connectShop"] == {
        "shop": None,
        "check": None,
        "userErrors": [
            {
                "code": "REQUIRED",
                "field": ["credentials", "license_key"],
                "message": "ライセンスキーを入力してください。",
                "params": [
                    {"name": "key", "value": "license_key"},
                    {"name": "label", "value": "ライセンスキー"},
                ],
            }
        ],
    }


async def test_a_field_that_comes_twice_is_refused(desk: Desk):
    twice = [*form(KEYS), {"key": "license_key", "value": "another"}]

    data = await desk.execute(CONNECT, input=a_form(credentials=twice))

    assert [(e["field"], e["message"]) for e in data["connectShop"]["userErrors"]] == [
        (["credentials", "license_key"], "license_key is named twice. Name it once.")
    ]


async def test_what_is_left_out_of_a_change_stays(desk: Desk):
    made = await desk.execute(CONNECT, input=a_form())
    shop = made["connectShop"]["shop"]
    changed = await desk.execute(
        UPDATE,
        input={
            "id": shop["id"],
            "expectedVersion": shop["version"],
            "reflectIntervalSeconds": 60,
            "notificationEmail": "shop@example.com",
        },
    )
    cleared = await desk.execute(
        UPDATE,
        input={
            "id": shop["id"],
            "notificationEmail": None,
            "credentials": form({"license_key": "SL-new"}),
        },
    )

    assert changed["updateShop"] == {
        "shop": {
            "name": "Tea",
            "version": shop["version"] + 1,
            "reflectIntervalSeconds": 60,
            "notificationEmail": "shop@example.com",
            "credentials": [{"key": key} for key in KEYS],
            "settings": [],
        },
        "check": None,
        "userErrors": [],
    }
    assert cleared["updateShop"]["shop"]["notificationEmail"] is None
    assert cleared["updateShop"]["shop"]["reflectIntervalSeconds"] == 60
    assert cleared["updateShop"]["check"] == {"state": "WAITING"}


async def test_a_stale_form_is_refused(desk: Desk):
    shop = await desk.a_shop()

    data = await desk.execute(
        UPDATE, input={"id": desk.id("Shop", shop), "expectedVersion": 99, "name": "Other"}
    )

    assert [(e["code"], e["field"]) for e in data["updateShop"]["userErrors"]] == [
        ("VERSION_CHANGED", ["expectedVersion"])
    ]


async def test_a_test_that_is_asked_for_can_be_followed(desk: Desk):
    shop = await desk.a_shop()

    data = await desk.execute(TEST, input={"shopId": desk.id("Shop", shop)})

    assert data["testConnection"] == {
        "check": {"state": "WAITING", "ok": None, "parts": [], "createdBy": {"name": "Hanako"}},
        "userErrors": [],
    }
    assert await desk.operations() == ["TEST_CONNECTION"]


async def a_yahoo_shop(desk: Desk) -> str:
    async with desk.db.transaction(desk.account) as tx:
        shop, _ = await shops.connect(
            tx,
            VAULT,
            OWNER,
            MallKind.YAHOO_SHOPPING,
            "Tea at Yahoo",
            {"client_id": "our-app", "client_secret": "hush"},
            {"seller_id": "tea"},
        )
    return desk.id("Shop", shop.id)


async def test_consent_leads_to_the_malls_page_and_back_to_us(desk: Desk):
    shop = await a_yahoo_shop(desk)

    data = await desk.execute(
        CONSENT, input={"shopId": shop, "returnUrl": "https://admin.example.com/shops/1"}
    )

    consent = data["startShopConsent"]
    assert consent["userErrors"] == []
    assert "redirect_uri=https%3A%2F%2Fapi.example.com%2Fconnect%2Fyahoo_shopping" in consent["url"]
    assert "hush" not in consent["url"]
    assert consent["expiresAt"] == "2026-11-20T03:10:00.000000Z"


async def test_consent_returns_to_no_stranger_and_only_where_a_mall_asks_for_it(desk: Desk):
    yahoo, rakuten = await a_yahoo_shop(desk), desk.id("Shop", await desk.a_shop())
    back = "https://admin.example.com/"

    elsewhere = await desk.execute(
        CONSENT, input={"shopId": yahoo, "returnUrl": "https://evil.example"}
    )
    needless = await desk.execute(CONSENT, input={"shopId": rakuten, "returnUrl": back})

    def refusal(data: Any) -> Any:
        answer = data["startShopConsent"]
        assert answer["url"] is None
        return [(each["code"], each["field"]) for each in answer["userErrors"]]

    assert refusal(elsewhere) == [("INVALID_VALUE", ["returnUrl"])]
    assert refusal(needless) == [("NOT_SUPPORTED_BY_MALL", ["shopId"])]


async def test_the_master_switch_and_a_shops_own(desk: Desk):
    shop = desk.id("Shop", await desk.a_shop(running=False))

    master = await desk.execute(START, input={})
    part = await desk.execute(START, input={"shopIds": [shop], "parts": ["ORDERS"]})
    stopped = await desk.execute(STOP, input={"shopIds": [shop]})
    still = await desk.execute(STOP, input={"shopIds": None})

    off = {"ordersRunning": False, "reflectRunning": False}
    assert master["startSync"]["account"] == {"syncRunning": True}
    [of_shop] = part["startSync"]["shops"]
    assert (of_shop["ordersRunning"], of_shop["reflectRunning"]) == (True, False)
    assert stopped["stopSync"] == {
        "account": {"syncRunning": True},
        "shops": [{"name": "Tea at Rakuten"} | off],
        "userErrors": [],
    }
    assert still["stopSync"]["account"] == {"syncRunning": False}


async def test_a_shop_that_is_not_in_use_does_not_start(desk: Desk):
    shop = await desk.a_shop(running=False)
    async with desk.db.transaction(desk.account) as tx:
        await rows(tx, "UPDATE shops SET in_use = false WHERE id = :shop RETURNING id", shop=shop)

    data = await desk.execute(START, input={"shopIds": [desk.id("Shop", shop)]})

    assert data["startSync"] == {
        "account": None,
        "shops": [],
        "userErrors": [
            {
                "code": "SHOP_NOT_IN_USE",
                "field": ["shopIds"],
                "message": "Tea at Rakuten is not in use: put it in use first.",
            }
        ],
    }


async def an_item_error(desk: Desk, shop_id: UUID) -> str:
    async with desk.db.transaction(desk.account) as tx:
        error_id = await sync_errors.report(
            tx, SyncErrorKind.ITEM_REFUSED, shop_id=shop_id, shop_name="Tea", now=NOW
        )
    return desk.id("SyncError", error_id)


async def a_halt(desk: Desk, shop_id: UUID) -> str:
    async with desk.db.transaction(desk.account) as tx:
        shop = await shop_rows.get(tx, shop_id)
        assert shop is not None
        await shops.halt(tx, shop, MallLockedOut("Rakuten refuses the key."), now=NOW)
        [error] = await rows(tx, "SELECT id FROM sync_errors WHERE level = 9")
    return desk.id("SyncError", error["id"])


async def test_level_8_is_cleared_now_and_level_9_by_its_test(desk: Desk):
    shop = await desk.a_shop()
    item, halt = await an_item_error(desk, shop), await a_halt(desk, shop)

    data = await desk.execute(CLEAR, input={"errors": {"ids": [item, halt]}})

    assert data["clearErrors"] == {
        "cleared": [
            {
                "level": "LEVEL_8",
                "kind": "ITEM_REFUSED",
                "state": "CLEARED",
                "clearedAt": "2026-11-20T03:00:00.000000Z",
                "clearedBy": {"name": "Hanako"},
            }
        ],
        "checks": [{"state": "WAITING", "shop": {"name": "Tea at Rakuten", "state": "HALTED"}}],
        "userErrors": [],
    }
    assert await desk.operations() == ["CLEAR_ERRORS", "CLEAR_ERRORS"]


async def test_an_error_that_is_unknown_leaves_the_others_uncleared(desk: Desk):
    item = await an_item_error(desk, await desk.a_shop())

    data = await desk.execute(
        CLEAR, input={"errors": {"ids": [item, desk.id("Shop", desk.account)]}}
    )

    assert data["clearErrors"] == {
        "cleared": [],
        "checks": [],
        "userErrors": [
            {
                "code": "NOT_FOUND",
                "field": ["errors", "ids", "1"],
                "message": "There is no such error.",
            }
        ],
    }
    assert await desk.operations() == []


@pytest.mark.parametrize(
    ("case", "wanted", "hits"),
    [
        ("all", {}, {"ITEM_REFUSED", "UNREACHABLE"}),
        ("of a kind", {"kinds": ["UNREACHABLE"]}, {"UNREACHABLE"}),
        ("of a level that none has", {"levels": ["LEVEL_9"]}, set()),
        ("of no kind", {"kinds": []}, set()),
        ("that are gone by themselves", {"states": ["RESOLVED"]}, {"UNREACHABLE"}),
        ("that were cleared before", {"states": ["CLEARED"]}, set()),
    ],
)
async def test_all_errors_that_a_filter_finds_are_cleared(
    desk: Desk, case: str, wanted: dict[str, list[str]], hits: set[str]
):
    shop = await desk.a_shop()
    other = await desk.a_shop("Tea at another Rakuten")
    async with desk.db.transaction(desk.account) as tx:
        for kind in (SyncErrorKind.ITEM_REFUSED, SyncErrorKind.UNREACHABLE):
            await sync_errors.report(tx, kind, shop_id=shop, shop_name="Tea", now=NOW)
        await sync_errors.report(
            tx, SyncErrorKind.ITEM_REFUSED, shop_id=other, shop_name="Other", now=NOW
        )
        await sync_errors.resolve(tx, shop, (SyncErrorKind.UNREACHABLE,), now=NOW)

    filtered = wanted | {"shopIds": [desk.id("Shop", shop)]}
    data = await desk.execute(CLEAR, input={"errors": {"filter": filtered}})

    assert data["clearErrors"]["userErrors"] == []
    assert {error["kind"] for error in data["clearErrors"]["cleared"]} == hits, case


@pytest.mark.parametrize("selection", [{}, {"ids": [], "filter": {}}, {"ids": None}])
async def test_errors_are_chosen_by_id_or_by_filter(desk: Desk, selection: dict[str, object]):
    answer = await desk.answer(CLEAR, input={"errors": selection})

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer.get("data") is None


async def test_an_address_that_leads_into_our_own_network_is_denied(desk: Desk):
    inside = form({"base_url": "http://169.254.169.254/latest"})
    shop = desk.id("Shop", await desk.a_shop("Mug"))

    connecting = await desk.execute(CONNECT, input=a_form(settings=inside))
    changing = await desk.reading(Locale.JA).execute(UPDATE, input={"id": shop, "settings": inside})

    [error] = connecting["connectShop"]["userErrors"]
    assert error["field"] == ["settings", "base_url"]
    assert error["message"] == (
        "169.254.169.254 is not the mall's own address. Leave it empty, or ask whoever runs Renkei to allow the host "
        "(RENKEI_MALL_HOSTS)."
    )
    assert changing["updateShop"]["userErrors"] == [
        {
            "code": "INVALID_VALUE",
            "field": ["settings", "base_url"],
            "message": "「169.254.169.254」はモールのアドレスではありません。空欄にするか、運用担当者に RENKEI_MALL_HOSTS への追加を依頼してください。",
        }
    ]
    assert await desk.operations() == []
