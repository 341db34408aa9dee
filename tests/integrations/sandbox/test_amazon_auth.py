"""Login with Amazon and the 403 of the SP-API (amazon sheet §1)."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integrations.sandbox.amazon_seller import SELLER, assert_fits, open_shop

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
CONSENT = "/amazon-auth/apps/authorize/consent"
BACK = "https://renkei.test/connect/amazon?from=mall"


@pytest.fixture
async def seller():
    seller = await open_shop()
    yield seller
    await seller.client.aclose()


async def test_a_refresh_token_is_changed_into_an_access_token_of_an_hour(seller):
    answer = await seller.sign_in()
    given = answer.json()
    assert given.pop("access_token").startswith("Atza|")
    assert given == {
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": seller.credentials["refresh_token"],
    }


@pytest.mark.parametrize(
    ("case", "changes", "status", "error"),
    [
        ("a wrong client", {"client_secret": "x"}, 401, "invalid_client"),
        ("a wrong refresh token", {"refresh_token": "Atzr|x"}, 400, "invalid_grant"),
        ("another grant", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("an unknown code", {"grant_type": "authorization_code"}, 400, "invalid_grant"),
    ],
)
async def test_how_the_token_endpoint_refuses(seller, case, changes, status, error):
    answer = await seller.sign_in(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error), case
    assert answer.json().keys() == {"error", "error_description"}, case


async def test_a_connection_test_answers_the_marketplaces(seller):
    answer = await seller.call("GET", PARTICIPATIONS)
    assert_fits("sellers", "GetMarketplaceParticipationsResponse", answer.json())
    assert answer.json()["payload"][0]["participation"]["isParticipating"] is True
    assert answer.headers["x-amzn-RateLimit-Limit"] == "0.016"


async def _denied(seller):
    answer = await seller.call("GET", PARTICIPATIONS)
    assert answer.status_code == 403
    assert_fits("sellers", "GetMarketplaceParticipationsResponse", answer.json())
    (error,) = answer.json()["errors"]
    assert error["code"] == "Unauthorized"
    assert error["message"] == "Access to requested resource is denied."
    return error["details"]


async def test_tokens_that_are_missing_wrong_or_old_are_denied_with_403(seller):
    seller.hand.move(hours=1)
    assert "expired" in await _denied(seller)
    seller.token = "Atza|nonsense"
    assert "malformed" in await _denied(seller)
    seller.token = ""
    assert "missing" in await _denied(seller)


async def test_expired_credentials_are_refused_until_they_are_renewed(seller):
    await seller.control("POST", "faults", kind="expired")
    await _denied(seller)
    assert (await seller.sign_in()).json()["error"] == "invalid_grant"

    seller.credentials = (await seller.control("POST", "renew"))["credentials"]
    assert (await seller.sign_in()).status_code == 200
    assert (await seller.call("GET", PARTICIPATIONS)).status_code == 200


async def test_access_tokens_can_die_while_the_refresh_token_lives(seller):
    await seller.control("POST", "expire")
    await _denied(seller)
    assert (await seller.sign_in()).status_code == 200
    assert (await seller.call("GET", PARTICIPATIONS)).status_code == 200


async def _consent(seller, application=None):
    params = {
        "application_id": application or seller.credentials["application_id"],
        "state": "s 1",
        "redirect_uri": BACK,
    }
    page = await seller.client.get(CONSENT, params=params)
    return page, await seller.client.post(
        CONSENT, params=params, data={"selling_partner_id": SELLER}
    )


async def test_the_consent_page_leads_back_with_a_code_that_is_good_once(seller):
    await seller.control("POST", "faults", kind="expired")
    page, back = await _consent(seller)
    assert f'value="{SELLER}"' in page.text
    assert "承認" in page.text
    query = parse_qs(urlsplit(back.headers["location"]).query)
    assert (back.status_code, query["from"], query["state"]) == (302, ["mall"], ["s 1"])
    assert query["selling_partner_id"] == [SELLER]

    code = {"grant_type": "authorization_code", "code": query["spapi_oauth_code"][0]}
    given = await seller.sign_in(**code, redirect_uri=BACK)
    assert given.status_code == 200
    assert given.json()["refresh_token"] != seller.credentials["refresh_token"]
    assert (await seller.call("GET", PARTICIPATIONS)).status_code == 200
    assert (await seller.sign_in(**code)).json()["error"] == "invalid_grant"
    assert (await seller.sign_in()).json()["error"] == "invalid_grant", "the old refresh token"


async def test_a_code_dies_after_five_minutes(seller):
    _, back = await _consent(seller)
    code = parse_qs(urlsplit(back.headers["location"]).query)["spapi_oauth_code"][0]
    seller.hand.move(minutes=5)
    answer = await seller.sign_in(grant_type="authorization_code", code=code)
    assert answer.json()["error"] == "invalid_grant"


async def test_an_unknown_application_gets_no_consent(seller):
    page, back = await _consent(seller, application="amzn1.sp.solution.other")
    assert (page.status_code, back.status_code) == (400, 400)


@pytest.mark.parametrize(
    ("kind", "code", "status", "error"),
    [
        ("spurious", "", 403, "Unauthorized"),
        ("spurious", "500", 500, "InternalFailure"),
        ("spurious", "503", 503, "ServiceUnavailable"),
        ("maintenance", "", 503, "ServiceUnavailable"),
        ("throttle", "", 429, "QuotaExceeded"),
    ],
)
async def test_a_fault_is_met_once_and_gone(seller, kind, code, status, error):
    await seller.control("POST", "faults", kind=kind, code=code, calls=1)
    answer = await seller.call("GET", PARTICIPATIONS)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, error)
    assert (await seller.call("GET", PARTICIPATIONS)).status_code == 200


async def test_each_operation_has_its_own_bucket(seller):
    for _ in range(15):
        assert (await seller.call("GET", PARTICIPATIONS)).status_code == 200
    answer = await seller.call("GET", PARTICIPATIONS)
    assert answer.status_code == 429
    assert answer.headers["x-amzn-ErrorType"] == "TooManyRequestsException"
    assert "x-amzn-RateLimit-Limit" not in answer.headers
    assert (await seller.item("NONE")).status_code == 404
    seller.hand.move(seconds=1 / 0.016)
    assert (await seller.call("GET", PARTICIPATIONS)).status_code == 200
