"""Yahoo! ID連携 v2: consent, tokens, and what a call without a good token is told (fact sheet §1)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.integrations.sandbox.rig import NOON
from tests.integrations.sandbox.yahoo_store import (
    BACK,
    CONSENT,
    SELLER,
    error,
    open_yahoo,
)

CONDITION = "<OrderTimeFrom>20261201000000</OrderTimeFrom>"


@pytest.fixture
async def store():
    store = await open_yahoo()
    yield store
    await store.client.aclose()


async def consented(store, **changes):
    asked = {
        "response_type": "code",
        "client_id": store.rig.credentials["client_id"],
        "redirect_uri": BACK,
        "scope": "openid profile",
        "state": "s&t",
        "seller": SELLER,
    } | changes
    return await store.client.post(CONSENT, content=urlencode(asked).encode())


async def a_code(store):
    answer = await consented(store)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def test_the_consent_page_has_one_button_in_two_languages(store):
    asked = {"response_type": "code", "client_id": store.rig.credentials["client_id"]}
    page = await store.client.get(CONSENT, params=asked | {"redirect_uri": BACK, "state": '"x"'})
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert "同意する / Agree" in page.text
    assert 'value="&quot;x&quot;"' in page.text


async def test_agreeing_sends_the_browser_back_with_code_and_state(store):
    answer = await consented(store)
    back = urlsplit(answer.headers["location"])
    query = parse_qs(back.query)
    assert (answer.status_code, back.hostname, back.path) == (302, "renkei.test", "/connect/yahoo")
    assert (query["from"], query["state"], len(query["code"])) == (["mall"], ["s&t"], 1)


async def test_an_unknown_application_is_not_asked_for(store):
    assert (await consented(store, client_id="nobody")).status_code == 400


async def test_a_code_is_changed_once_into_tokens(store):
    asked = {"grant_type": "authorization_code", "code": await a_code(store), "redirect_uri": BACK}
    given = (await store.sign_in(**asked)).json()
    again = await store.sign_in(**asked)
    assert given.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    refreshed = await store.sign_in(refresh_token=given["refresh_token"])
    assert refreshed.json().keys() == {"access_token", "token_type", "expires_in"}


@pytest.mark.parametrize(
    ("case", "changes", "status", "reason"),
    [
        ("a wrong secret", {"client_secret": "x"}, 401, "invalid_client"),
        ("a wrong refresh token", {"refresh_token": "x"}, 400, "invalid_grant"),
        ("another grant", {"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_how_the_token_endpoint_refuses(store, case, changes, status, reason):
    answer = await store.sign_in(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, reason), case


async def test_a_code_goes_with_its_return_address_and_dies_after_ten_minutes(store):
    asked = {"grant_type": "authorization_code", "code": await a_code(store), "redirect_uri": BACK}
    elsewhere = await store.sign_in(**asked | {"redirect_uri": "https://elsewhere.test"})
    store.hand.move(minutes=10)
    late = await store.sign_in(**asked)
    assert elsewhere.json()["error"] == late.json()["error"] == "invalid_grant"


async def test_refreshing_does_not_lengthen_the_four_weeks(store):
    store.hand.move(weeks=4, seconds=-1)
    assert (await store.sign_in()).status_code == 200
    store.hand.move(seconds=1)
    answer = await store.sign_in()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_refresh_may_answer_a_new_refresh_token(store):
    await store.rig.control("POST", "settings", settings={"rotate_refresh": True})
    new = (await store.sign_in()).json()["refresh_token"]
    assert (await store.sign_in()).json()["error"] == "invalid_grant"
    assert (await store.sign_in(refresh_token=new)).status_code == 200


@pytest.mark.parametrize("way", ["an hour passes", "by control"])
async def test_an_expired_access_token(store, way):
    if way == "by control":
        await store.rig.control("POST", "expire")
    else:
        store.hand.move(hours=1)
    answer = await store.get_stock("tee")
    assert error(answer)[:2] == (401, None)
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="yahooapis.jp", error="invalid_token", error_description="expired token"'
    )
    await store.sign_in()
    assert (await store.get_stock("tee")).status_code == 200


async def test_a_withdrawn_consent_holds_until_it_is_renewed(store):
    await store.rig.goes_wrong("expired")
    called, refreshed = await store.get_stock("tee"), await store.sign_in()
    renewed = await store.rig.control("POST", "renew")
    store.rig.credentials = renewed["credentials"]
    assert called.status_code == 401
    assert refreshed.json()["error"] == "invalid_grant"
    assert (await store.sign_in()).status_code == 200
    assert (await store.get_stock("tee")).status_code == 200


# the session of the order API


async def after_half_a_day(store):
    store.hand.at = NOON + timedelta(hours=12)
    await store.sign_in()


async def test_the_order_session_ends_twelve_hours_after_consent(store):
    assert (await store.order_list(CONDITION)).status_code == 200
    await after_half_a_day(store)
    ended, stock = await store.order_list(CONDITION), await store.get_stock("tee")
    assert error(ended)[:2] == (401, "px-04102")
    assert stock.status_code == 200


@pytest.mark.parametrize(
    ("case", "signed", "status", "said"),
    [
        ("a good signature", {}, 200, "authorized"),
        ("another store's", {"seller": "other"}, 401, None),
        ("another key", {"version": "2"}, 401, None),
        ("an old moment", {"minutes": -6}, 401, None),
    ],
)
async def test_a_signature_lifts_the_end_of_the_session(store, case, signed, status, said):
    await after_half_a_day(store)
    answer = await store.order_list(CONDITION, **store.signature(**signed))
    assert answer.status_code == status, case
    assert answer.headers.get("x-sws-authorize-status") == said, case


async def test_a_bad_signature_within_the_session_is_a_200_that_says_so(store):
    answer = await store.order_list(CONDITION, **{"x-sws-signature": "bm9uc2Vuc2U="})
    assert answer.status_code == 200
    assert answer.headers["x-sws-authorize-status"] == "unauthorized"


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ({"order_api": False}, 403, "px-04303"),
        ({"allowed_addresses": ["192.0.2.1"]}, 403, "px-04306"),
        ({"allowed_addresses": ["127.0.0.1"]}, 200, None),
    ],
)
async def test_who_may_use_the_order_api(store, setting, status, code):
    await store.rig.control("POST", "settings", settings=setting)
    answer = await store.order_list(CONDITION)
    assert answer.status_code == status
    assert code is None or error(answer)[1] == code
