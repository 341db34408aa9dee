"""The Amazon connector, answered from payloads that keep Amazon's published models."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from jsonschema import Draft4Validator, FormatChecker

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallOutcomeUnknown,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import (
    Bucket,
    CheckOutcome,
    CheckPartKey,
    ItemRef,
    Mall,
    MallKind,
    MallListing,
    MallOrderLine,
    OrderPage,
    OrderStatus,
    OrderWindow,
    PushOutcome,
    ShopConfig,
    StockPush,
    WriteMode,
)
from integrations.malls.amazon import limits
from integrations.malls.amazon.connector import Amazon
from integrations.malls.amazon.documents import unpacked

PAYLOADS = Path(__file__).parent / "payloads" / "amazon"
DATE = "Sun, 01 Feb 2026 01:02:03 GMT"
AT = datetime(2026, 2, 1, 1, 2, 3, tzinfo=UTC)
ITEMS = "/listings/2021-08-01/items/A1EXAMPLE"
ORDERS = "/orders/2026-01-01/orders"
REPORTS = "/reports/2021-06-30"
TEE = ItemRef("TEE-001-M")
WINDOW = OrderWindow(AT - timedelta(hours=1), AT - timedelta(minutes=2))
CREDENTIALS = {
    "client_id": "amzn1.application-oa2-client.1",
    "client_secret": "amzn1.oa2-cs.v1.1",
    "refresh_token": "Atzr|1",
}

Answer = httpx.Response | Callable[[httpx.Request], httpx.Response] | Exception


def payload(name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads((PAYLOADS / name).read_text("utf-8"))
    return document


def as_modelled(area: str, name: str, document: object) -> object:
    """The document, if it keeps the definition `name` of Amazon's model of this area."""
    model = payload(f"{area}.schema.json") | {"$ref": f"#/definitions/{name}"}
    Draft4Validator(model, format_checker=FormatChecker()).validate(document)
    return document


def answer(status: int, document: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=document, headers={"date": DATE} | headers)


def errors(code: str, message: str = "No.", details: str = "") -> dict[str, object]:
    listed: dict[str, object] = {"errors": [{"code": code, "message": message, "details": details}]}
    as_modelled("listings", "ErrorList", listed)
    return listed


@dataclass
class Server:
    """Amazon: answers each (method, path) from its list, the last one for good, and remembers what it was asked."""

    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    tokens: int = 0

    def on(self, method: str, path: str, *answers: Answer) -> "Server":
        self.answers[method, path] = list(answers)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.raw_path.decode().partition("?")[0]
        waiting = self.answers.get((request.method, path))
        if waiting is None:
            assert path == "/auth/o2/token", f"{request.method} {path} was not expected"
            return self.token()
        following = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(following, Exception):
            raise following
        return following if isinstance(following, httpx.Response) else following(request)

    def token(self, **also: object) -> httpx.Response:
        self.tokens += 1
        body = {"access_token": f"Atza|{self.tokens}", "token_type": "bearer", "expires_in": 3600}
        return answer(200, body | also)

    def calls(self) -> list[str]:
        return [f"{each.method} {each.url.path}" for each in self.asked]

    def form(self, index: int) -> dict[str, str]:
        return {
            key: values[0] for key, values in parse_qs(self.asked[index].content.decode()).items()
        }


@dataclass
class OpenThrottle:
    """Never waits; remembers what was drawn and what it was told."""

    drawn: list[str] = field(default_factory=list)
    told: list[tuple[str, timedelta]] = field(default_factory=list)

    async def take(self, *buckets: Bucket) -> None:
        self.drawn += [bucket.name for bucket in buckets]

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        self.told.append((bucket.name, retry_after))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def throttle() -> OpenThrottle:
    return OpenThrottle()


@pytest.fixture
def saved() -> list[Mapping[str, str]]:
    return []


Connect = Callable[..., Amazon]


@pytest.fixture
async def connect(
    server: Server, throttle: OpenThrottle, saved: list[Mapping[str, str]]
) -> AsyncIterator[Connect]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:

        async def save(credentials: Mapping[str, str]) -> None:
            saved.append(credentials)

        def connected(**credentials: str) -> Amazon:
            settings = {"seller_id": "A1EXAMPLE", "speed": "100000"}
            config = ShopConfig(MallKind.AMAZON, CREDENTIALS | credentials, settings)
            return Amazon(config, http, throttle, save)

        yield connected


@pytest.fixture
def shop(connect: Connect) -> Amazon:
    return connect()


def test_it_keeps_the_protocol(shop: Amazon) -> None:
    mall: Mall = shop
    assert mall.capabilities.max_pushes_per_call == 1


# Writing


def submission(status: str, *issues: Mapping[str, object]) -> httpx.Response:
    document = {"sku": "TEE-001-M", "status": status, "submissionId": "f1", "issues": issues}
    plain = json.loads(json.dumps(document))
    as_modelled("listings", "ListingsItemSubmissionResponse", plain)
    return answer(200, plain)


def issue(code: str, message: str, severity: str = "ERROR") -> dict[str, object]:
    return {
        "code": code,
        "message": message,
        "severity": severity,
        "categories": ["INVALID_ATTRIBUTE"],
    }


async def test_a_push_merges_the_quantity_of_our_own_channel(
    shop: Amazon, server: Server, throttle: OpenThrottle
) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", submission("ACCEPTED"))

    [result] = await shop.push_stock([StockPush(TEE, 7)])

    assert (result.ref, result.outcome, result.quantity) == (TEE, PushOutcome.ACCEPTED, None)
    assert AT - timedelta(seconds=5) < result.at.earliest <= AT
    assert result.at.latest == AT + timedelta(seconds=1)
    request = server.asked[-1]
    assert dict(request.url.params) == {
        "marketplaceIds": "A1VC38T7YXB528",
        "issueLocale": "ja_JP",
    }
    assert request.headers["x-amz-access-token"] == "Atza|1"
    assert as_modelled("listings", "ListingsItemPatchRequest", json.loads(request.content)) == {
        "productType": "PRODUCT",
        "patches": [
            {
                "op": "merge",
                "path": "/attributes/fulfillment_availability",
                "value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}],
            }
        ],
    }
    assert throttle.drawn == [limits.PATCH_LISTING.name]


@pytest.mark.parametrize(
    ("case", "fields", "sent"),
    [
        ("lead time is a number", {"lead_time_to_ship_max_days": "3"}, {"lead_time_to_ship_max_days": 3}),
        ("the restock date goes as it is", {"restock_date": "2026-03-01"}, {"restock_date": "2026-03-01"}),
        ("empty fields are not ours to empty", {"lead_time_to_ship_max_days": "", "restock_date": ""}, {}),
        ("fields of other malls stay here", {"allow_overdraft": "1"}, {}),
    ],
)  # fmt: skip
async def test_fields_that_travel_with_stock(
    shop: Amazon,
    server: Server,
    case: str,
    fields: Mapping[str, str],
    sent: Mapping[str, object],
) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", submission("ACCEPTED"))

    await shop.push_stock([StockPush(TEE, 0, fields=fields)])

    [patch] = json.loads(server.asked[-1].content)["patches"]
    assert patch["value"] == [{"fulfillment_channel_code": "DEFAULT", "quantity": 0, **sent}], case


@pytest.mark.parametrize(
    ("case", "response", "outcome", "code", "message"),
    [
        (
            "warnings do not refuse",
            submission("ACCEPTED", issue("18000", "Look.", "WARNING")),
            PushOutcome.ACCEPTED, "18000", "Look.",
        ),
        (
            "the errors say why, not the warnings",
            submission("INVALID", issue("1", "Look.", "WARNING"), issue("99022", "Few."), issue("90220", "None.")),
            PushOutcome.REFUSED, "99022", "Few. / None.",
        ),
        ("refused without a word", submission("INVALID"), PushOutcome.REFUSED, "", ""),
        ("a shape that is wrong", answer(400, errors("InvalidInput", "Bad.")), PushOutcome.REFUSED, "InvalidInput", "Bad."),
        ("a SKU that is not there", answer(404, errors("NOT_FOUND", "No SKU.")), PushOutcome.REFUSED, "NOT_FOUND", "No SKU."),
    ],
)  # fmt: skip
async def test_what_became_of_a_push(
    shop: Amazon,
    server: Server,
    case: str,
    response: httpx.Response,
    outcome: PushOutcome,
    code: str,
    message: str,
) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", response)

    [result] = await shop.push_stock([StockPush(TEE, 7)])

    assert (result.outcome, result.mall_code, result.mall_message) == (outcome, code, message), case
    assert result.at.latest == AT + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("sku", "path"),
    [
        ("A/B 1", "A%2FB%201"),
        ("50%OFF?", "50%25OFF%3F"),
        ("赤-M", "%E8%B5%A4-M"),
        ("a+b#c", "a%2Bb%23c"),
    ],
)
async def test_a_sku_is_one_part_of_the_address(
    shop: Amazon, server: Server, sku: str, path: str
) -> None:
    server.on("PATCH", f"{ITEMS}/{path}", submission("ACCEPTED"))

    [result] = await shop.push_stock([StockPush(ItemRef(sku), 1)])

    assert result.ref == ItemRef(sku)


@pytest.mark.parametrize(
    ("case", "push"),
    [
        ("a delta", StockPush(TEE, -1, WriteMode.RELATIVE)),
        ("a lead time that is none", StockPush(TEE, 1, fields={"lead_time_to_ship_max_days": "soon"})),
    ],
)  # fmt: skip
async def test_what_amazon_has_no_words_for_is_not_sent(
    shop: Amazon, server: Server, case: str, push: StockPush
) -> None:
    with pytest.raises(MallRefused) as refused:
        await shop.push_stock([push])

    assert refused.value.item_ref == "TEE-001-M", case
    assert server.asked == []


async def test_a_call_holds_no_more_than_amazon_takes(shop: Amazon, server: Server) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        await shop.push_stock([StockPush(TEE, 1)] * 2)
    with pytest.raises(ValueError, match="at most 20"):
        await shop.read_stock([TEE] * 21)
    with pytest.raises(ValueError, match="at most 100"):
        await shop.orders_by_number(["249-1"] * 101)
    assert await shop.push_stock([]) == []
    assert await shop.read_stock([]) == []
    assert (await shop.orders_by_number([])).orders == ()
    assert server.asked == []


# Errors

READ_TIMEOUT = httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    ("case", "response", "kind", "code"),
    [
        ("a role is missing", answer(403, errors("Unauthorized", "Access denied.")), MallLockedOut, "Unauthorized"),
        ("the body is too large", answer(413, errors("RequestTooLarge")), MallRefused, "RequestTooLarge"),
        ("the type is not taken", answer(415, errors("UnsupportedMediaType")), MallRefused, "UnsupportedMediaType"),
        ("the bucket is empty", answer(429, errors("QuotaExceeded")), MallThrottled, "QuotaExceeded"),
        ("a fault may have come after the write", answer(500, errors("InternalFailure")), MallOutcomeUnknown, "InternalFailure"),
        ("overload", answer(503, errors("ServiceUnavailable")), MallUnavailable, "ServiceUnavailable"),
        ("a gateway lost the answer", httpx.Response(504, text="<html>late</html>"), MallOutcomeUnknown, "504"),
        ("no answer came", READ_TIMEOUT, MallOutcomeUnknown, ""),
        ("nobody was there", httpx.ConnectError("refused"), MallUnavailable, ""),
        ("an answer that is no JSON", httpx.Response(200, text="<html>"), MallMalformed, ""),
        ("an answer that is no object", answer(200, []), MallMalformed, ""),
        ("a status that was not asked for", submission("VALID"), MallMalformed, ""),
        ("an answer without status", answer(200, {"sku": "TEE-001-M"}), MallMalformed, ""),
        ("issues of another kind", answer(200, {"status": "INVALID", "issues": ["no"]}), MallMalformed, ""),
    ],
)  # fmt: skip
async def test_what_stops_a_push(
    shop: Amazon,
    server: Server,
    case: str,
    response: Answer,
    kind: type[MallError],
    code: str,
) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", response)

    with pytest.raises(MallError) as stopped:
        await shop.push_stock([StockPush(TEE, 7)])

    assert (type(stopped.value), stopped.value.mall_code) == (kind, code), case


@pytest.mark.parametrize(
    ("case", "response", "kind"),
    [
        ("a shape that is wrong", answer(400, errors("InvalidInput")), MallRefused),
        ("a fault", answer(500, errors("InternalFailure")), MallUnavailable),
        ("a gateway", answer(502), MallUnavailable),
        ("no answer came", READ_TIMEOUT, MallUnavailable),
        ("quantities are whole", answer(200, {"sku": "TEE-001-M", "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": "7"}]}), MallMalformed),
        ("quantities are not negative", answer(200, {"sku": "TEE-001-M", "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": -1}]}), MallMalformed),
    ],
)  # fmt: skip
async def test_what_stops_a_reading(
    shop: Amazon, server: Server, case: str, response: Answer, kind: type[MallError]
) -> None:
    server.on("GET", f"{ITEMS}/TEE-001-M", response)

    with pytest.raises(MallError) as stopped:
        await shop.read_stock([TEE])

    assert type(stopped.value) is kind, case


async def test_details_are_kept_and_maintenance_is_told(shop: Amazon, server: Server) -> None:
    refusal = errors("Unauthorized", "Access denied.", "The token has been revoked.")
    server.on("GET", f"{ITEMS}/TEE-001-M", answer(403, refusal), answer(403, refusal), answer(503))

    with pytest.raises(MallLockedOut) as locked_out:
        await shop.read_stock([TEE])
    with pytest.raises(MallUnavailable) as unavailable:
        await shop.read_stock([TEE])

    assert locked_out.value.mall_message == "Access denied. The token has been revoked."
    assert unavailable.value.maintenance


@pytest.mark.parametrize(
    ("case", "headers", "rest"),
    [
        ("the rate it names", {"x-amzn-ratelimit-limit": "0.5"}, timedelta(seconds=2)),
        ("Retry-After, should it come", {"retry-after": "9"}, timedelta(seconds=9)),
        ("a rate of nothing says nothing", {"x-amzn-ratelimit-limit": "0.0"}, timedelta(seconds=0.2)),
        ("else the documented rate", {}, timedelta(seconds=0.2)),
    ],
)  # fmt: skip
async def test_an_empty_bucket_rests(
    shop: Amazon,
    server: Server,
    throttle: OpenThrottle,
    case: str,
    headers: dict[str, str],
    rest: timedelta,
) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", answer(429, errors("QuotaExceeded"), **headers))

    with pytest.raises(MallThrottled):
        await shop.push_stock([StockPush(TEE, 7)])

    assert throttle.told == [(limits.PATCH_LISTING.name, rest)], case


# Access


async def test_one_token_serves_many_calls(shop: Amazon, server: Server) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", submission("ACCEPTED"))

    await asyncio.gather(*(shop.push_stock([StockPush(TEE, n)]) for n in range(3)))

    assert server.calls().count("POST /auth/o2/token") == 1
    assert server.form(0) == {
        "grant_type": "refresh_token",
        "refresh_token": "Atzr|1",
        "client_id": CREDENTIALS["client_id"],
        "client_secret": CREDENTIALS["client_secret"],
    }
    assert "x-amz-access-token" not in server.asked[0].headers


async def test_a_token_about_to_end_is_renewed_first(shop: Amazon, server: Server) -> None:
    server.on("POST", "/auth/o2/token", lambda _: server.token(expires_in=60))
    server.on("PATCH", f"{ITEMS}/TEE-001-M", submission("ACCEPTED"))

    await shop.push_stock([StockPush(TEE, 1)])
    await shop.push_stock([StockPush(TEE, 2)])

    assert server.asked[-1].headers["x-amz-access-token"] == "Atza|2"


async def test_a_403_is_tried_once_more_with_a_fresh_token(
    shop: Amazon, server: Server, throttle: OpenThrottle
) -> None:
    refusal = answer(403, errors("Unauthorized"))
    server.on("PATCH", f"{ITEMS}/TEE-001-M", refusal, submission("ACCEPTED"))

    [result] = await shop.push_stock([StockPush(TEE, 7)])

    assert result.outcome is PushOutcome.ACCEPTED
    assert server.calls() == [
        "POST /auth/o2/token",
        f"PATCH {ITEMS}/TEE-001-M",
        "POST /auth/o2/token",
        f"PATCH {ITEMS}/TEE-001-M",
    ]
    assert server.asked[-1].headers["x-amz-access-token"] == "Atza|2"
    assert throttle.drawn == [limits.PATCH_LISTING.name] * 2


async def test_a_second_403_locks_out(shop: Amazon, server: Server) -> None:
    server.on("PATCH", f"{ITEMS}/TEE-001-M", answer(403, errors("Unauthorized")))

    with pytest.raises(MallLockedOut):
        await shop.push_stock([StockPush(TEE, 7)])

    assert server.calls().count(f"PATCH {ITEMS}/TEE-001-M") == 2


async def test_a_refresh_token_that_amazon_changed_is_saved(
    shop: Amazon, server: Server, saved: list[Mapping[str, str]]
) -> None:
    server.on(
        "POST", "/auth/o2/token", lambda _: server.token(expires_in=60, refresh_token="Atzr|2")
    )
    server.on("PATCH", f"{ITEMS}/TEE-001-M", submission("ACCEPTED"))

    await shop.push_stock([StockPush(TEE, 1)])
    await shop.push_stock([StockPush(TEE, 2)])

    assert saved == [{"refresh_token": "Atzr|2"}]
    assert server.form(2)["refresh_token"] == "Atzr|2"


@pytest.mark.parametrize(
    ("case", "response", "kind", "consent"),
    [
        ("consent revoked", answer(400, {"error": "invalid_grant", "error_description": "Revoked."}), MallLockedOut, True),
        ("client not known", answer(401, {"error": "invalid_client"}), MallLockedOut, False),
        ("a request it cannot read", answer(400, {"error": "invalid_request"}), MallLockedOut, False),
        ("refused in another shape", httpx.Response(403, text="<html>"), MallLockedOut, False),
        ("too many", answer(429), MallThrottled, None),
        ("a fault", answer(500), MallUnavailable, None),
        ("no answer: the push was never sent", READ_TIMEOUT, MallUnavailable, None),
        ("no token in it", answer(200, {"expires_in": 3600, "refresh_token": "Atzr|hidden"}), MallMalformed, None),
    ],
)  # fmt: skip
async def test_what_the_login_refuses(
    shop: Amazon,
    server: Server,
    case: str,
    response: Answer,
    kind: type[MallError],
    consent: bool | None,
) -> None:
    server.on("POST", "/auth/o2/token", response)

    with pytest.raises(MallError) as stopped:
        await shop.push_stock([StockPush(TEE, 7)])

    assert type(stopped.value) is kind, case
    assert getattr(stopped.value, "consent", None) is consent, case
    assert "hidden" not in f"{stopped.value.message}{stopped.value.mall_message}"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("missing", "consent"),
    [("refresh_token", True), ("client_id", False), ("client_secret", False)],
)
async def test_a_credential_that_is_not_set_locks_out(
    connect: Connect, server: Server, missing: str, consent: bool
) -> None:
    with pytest.raises(MallLockedOut) as locked_out:
        await connect(**{missing: ""}).read_stock([TEE])

    assert locked_out.value.consent is consent
    assert server.asked == []


async def test_a_consent_code_becomes_a_refresh_token(connect: Connect, server: Server) -> None:
    server.on("POST", "/auth/o2/token", lambda _: server.token(refresh_token="Atzr|new"))

    credentials = await connect(refresh_token="").exchange_code("c0de", "https://r.example/connect")

    assert credentials == {"refresh_token": "Atzr|new"}
    assert server.form(0) == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://r.example/connect",
        "client_id": CREDENTIALS["client_id"],
        "client_secret": CREDENTIALS["client_secret"],
    }


# Reading


async def test_readings_come_in_the_order_asked(
    shop: Amazon, server: Server, throttle: OpenThrottle
) -> None:
    found = as_modelled("listings", "ItemSearchResults", payload("listings_found.json"))
    server.on("GET", ITEMS, answer(200, found))

    tee, fba, gone, both = await shop.read_stock(
        [TEE, ItemRef("FBA-100"), ItemRef("GONE"), ItemRef("BOTH-1")]
    )

    assert (tee.quantity, tee.found, tee.fulfilled_by_mall) == (7, True, False)
    assert tee.fields == {"lead_time_to_ship_max_days": "3", "restock_date": "2026-03-01"}
    assert (fba.quantity, fba.found, fba.fulfilled_by_mall) == (None, True, True)
    assert (gone.ref, gone.quantity, gone.found) == (ItemRef("GONE"), None, False)
    assert (both.quantity, both.fulfilled_by_mall) == (0, False)
    assert tee.at.latest == AT + timedelta(seconds=1)
    assert dict(server.asked[-1].url.params) == {
        "marketplaceIds": "A1VC38T7YXB528",
        "identifiersType": "SKU",
        "identifiers": "TEE-001-M,FBA-100,GONE,BOTH-1",
        "includedData": "fulfillmentAvailability,attributes",
        "pageSize": "20",
    }
    assert throttle.drawn == [limits.SEARCH_LISTINGS.name]


@pytest.mark.parametrize(
    ("case", "rows", "quantity", "by_mall"),
    [
        ("ours", [{"fulfillmentChannelCode": "DEFAULT", "quantity": 7}], 7, False),
        ("ours, without a number", [{"fulfillmentChannelCode": "DEFAULT"}], None, False),
        ("Amazon's", [{"fulfillmentChannelCode": "AMAZON_JP"}], None, True),
        ("not offered anywhere", [], None, False),
    ],
)
async def test_one_sku_is_asked_for_by_name(
    shop: Amazon,
    server: Server,
    case: str,
    rows: Sequence[Mapping[str, object]],
    quantity: int | None,
    by_mall: bool,
) -> None:
    item = as_modelled("listings", "Item", {"sku": "TEE-001-M", "fulfillmentAvailability": rows})
    server.on("GET", f"{ITEMS}/TEE-001-M", answer(200, item))

    [reading] = await shop.read_stock([TEE])

    assert (reading.quantity, reading.fulfilled_by_mall, reading.found) == (quantity, by_mall, True), case  # fmt: skip


async def test_a_sku_that_is_not_there(shop: Amazon, server: Server) -> None:
    server.on("GET", f"{ITEMS}/TEE-001-M", answer(404, errors("NOT_FOUND")))

    [reading] = await shop.read_stock([TEE])

    assert (reading.found, reading.quantity) == (False, None)
    assert reading.at.latest == AT + timedelta(seconds=1)


async def test_a_comma_in_a_sku_parts_nothing(shop: Amazon, server: Server) -> None:
    server.on("GET", f"{ITEMS}/A%2CB", answer(404, errors("NOT_FOUND")))
    server.on("GET", f"{ITEMS}/TEE-001-M", answer(404, errors("NOT_FOUND")))

    readings = await shop.read_stock([ItemRef("A,B"), TEE])

    assert [reading.ref for reading in readings] == [ItemRef("A,B"), TEE]


async def test_a_search_that_lists_nothing_at_all_is_not_an_absence(
    shop: Amazon, server: Server
) -> None:
    server.on("GET", ITEMS, answer(200, {}))

    with pytest.raises(MallMalformed, match="items is missing"):
        await shop.read_stock([TEE, ItemRef("B")])


# Orders


async def walked(shop: Amazon) -> list[OrderPage]:
    return [page async for page in shop.orders_placed(WINDOW)]


async def test_orders_are_walked_page_by_page(
    shop: Amazon, server: Server, throttle: OpenThrottle
) -> None:
    names = ("orders_first_page.json", "orders_last_page.json")
    pages = [as_modelled("orders", "SearchOrdersResponse", payload(name)) for name in names]
    server.on("GET", ORDERS, *(answer(200, page) for page in pages))

    first, last = await walked(shop)

    pending, cancelled = first.orders
    assert (pending.number, pending.status) == ("249-0000001-0000001", OrderStatus.HOLDS)
    assert pending.placed_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert pending.updated_at == datetime(2026, 2, 1, 0, 5, tzinfo=UTC)
    assert pending.lines == (
        MallOrderLine(TEE, 2, "10", mall_restocks=True),
        MallOrderLine(TEE, 1, "11", mall_restocks=True),
    )
    assert (cancelled.number, cancelled.status) == ("249-0000002-0000002", OrderStatus.RELEASED)
    assert cancelled.updated_at == datetime(2026, 2, 1, 0, 30, tzinfo=UTC)
    assert cancelled.lines == (MallOrderLine(TEE, 0, "20", mall_restocks=True),)
    assert (first.last, first.total) == (False, None)
    assert AT - timedelta(seconds=5) < first.observed_at <= AT

    [shipped] = last.orders
    assert shipped.status is OrderStatus.SHIPPED
    assert shipped.lines == (MallOrderLine(ItemRef("FBA-100"), 1, "30", fulfilled_by_mall=True),)
    assert last.unreadable == {"249-0000004-0000004": "sellerSku is missing"}
    assert last.last
    assert throttle.drawn == [limits.SEARCH_ORDERS.name] * 2


async def test_every_page_is_asked_for_with_the_same_words(shop: Amazon, server: Server) -> None:
    pages = (payload("orders_first_page.json"), payload("orders_last_page.json"))
    server.on("GET", ORDERS, *(answer(200, page) for page in pages))

    assert len(await walked(shop)) == 2

    words = {
        "marketplaceIds": "A1VC38T7YXB528",
        "lastUpdatedAfter": "2026-02-01T00:02:03.000Z",
        "lastUpdatedBefore": "2026-02-01T01:00:03.000Z",
        "includedData": "FULFILLMENT,CANCELLATION",
        "maxResultsPerPage": "100",
    }
    token = {"paginationToken": "2YgYW55IGNhcm5hbCBwbGVhc3VyZS4="}
    assert [dict(each.url.params) for each in server.asked[1:]] == [words, words | token]


async def test_pages_that_go_in_a_circle_end_the_walk(shop: Amazon, server: Server) -> None:
    server.on("GET", ORDERS, answer(200, {"orders": [], "pagination": {"nextToken": "same"}}))

    with pytest.raises(MallMalformed, match="already read"):
        await walked(shop)

    assert server.calls().count(f"GET {ORDERS}") == 2


def order(status: str = "UNSHIPPED", by: str = "MERCHANT", **item: object) -> dict[str, object]:
    shown: dict[str, object] = {
        "orderId": "249-1",
        "createdTime": "2026-02-01T00:00:00Z",
        "lastUpdatedTime": "2026-02-01T00:05:00Z",
        "salesChannel": {"channelName": "AMAZON"},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": by},
        "orderItems": [
            {"orderItemId": "1", "quantityOrdered": 3, "product": {"sellerSku": "TEE-001-M"}} | item
        ],
    }
    as_modelled("orders", "GetOrderResponse", {"order": shown})
    return shown


@pytest.mark.parametrize(
    ("status", "means"),
    [
        ("PENDING_AVAILABILITY", OrderStatus.HOLDS),
        ("PENDING", OrderStatus.HOLDS),
        ("UNSHIPPED", OrderStatus.HOLDS),
        ("PARTIALLY_SHIPPED", OrderStatus.HOLDS),
        ("SHIPPED", OrderStatus.SHIPPED),
        ("CANCELLED", OrderStatus.RELEASED),
        ("UNFULFILLABLE", OrderStatus.RELEASED),
    ],
)
async def test_what_a_status_means(
    shop: Amazon, server: Server, status: str, means: OrderStatus
) -> None:
    server.on("GET", f"{ORDERS}/249-1", answer(200, {"order": order(status)}))

    [shown] = (await shop.orders_by_number(["249-1"])).orders

    assert shown.status is means


CANCELLED_LINE = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}
REQUESTED = {"cancellationRequest": {"requester": "BUYER"}}


@pytest.mark.parametrize(
    ("case", "shown", "quantity", "restocks"),
    [
        ("not shipped yet", order(fulfillment={"quantityFulfilled": 0, "quantityUnfulfilled": 3}), 3, True),
        ("without numbers, not shipped", order("PENDING"), 3, True),
        ("without numbers, shipped", order("SHIPPED"), 3, False),
        ("shipped", order("SHIPPED", fulfillment={"quantityFulfilled": 3, "quantityUnfulfilled": 0}), 3, False),
        ("shipped in part", order("PARTIALLY_SHIPPED", fulfillment={"quantityFulfilled": 1, "quantityUnfulfilled": 2}), 3, None),
        ("a buyer's request is only a request", order(cancellation=REQUESTED), 3, True),
        ("a line cancelled in a living order", order(cancellation=CANCELLED_LINE), 0, True),
        ("cut to what is left of it", order(cancellation=CANCELLED_LINE, fulfillment={"quantityFulfilled": 0, "quantityUnfulfilled": 1}), 1, True),
        ("a cancelled order keeps its number", order("CANCELLED", cancellation=CANCELLED_LINE), 3, True),
        ("or shows none", order("CANCELLED", quantityOrdered=0), 0, True),
        ("Amazon's own stock is not ours to restock", order(by="AMAZON"), 3, None),
    ],
)  # fmt: skip
async def test_what_a_line_takes(
    shop: Amazon,
    server: Server,
    case: str,
    shown: Mapping[str, object],
    quantity: int,
    restocks: bool | None,
) -> None:
    server.on("GET", f"{ORDERS}/249-1", answer(200, {"order": shown}))

    [read] = (await shop.orders_by_number(["249-1"])).orders

    [line] = read.lines
    assert (line.quantity, line.mall_restocks) == (quantity, restocks), case


@pytest.mark.parametrize(
    ("case", "response", "reason"),
    [
        ("not known", answer(404, errors("NotFound", "No order.")), "NotFound: No order."),
        ("not a number of Amazon's", answer(400, errors("InvalidInput", "Bad.")), "InvalidInput: Bad."),
        ("a status new to us", answer(200, {"order": order() | {"fulfillment": {"fulfillmentStatus": "LOST"}}}), "fulfillmentStatus 'LOST' is not known"),
        ("no status", answer(200, {"order": order() | {"fulfillment": None}}), "fulfillment is missing"),
        ("no items", answer(200, {"order": order() | {"orderItems": []}}), "orderItems is empty"),
        ("no SKU", answer(200, {"order": order(product={"asin": "B0EXAMPLE1"})}), "sellerSku is missing"),
        ("an empty SKU", answer(200, {"order": order(product={"sellerSku": " "})}), "sellerSku is empty"),
        ("no quantity", answer(200, {"order": order() | {"orderItems": [{"product": {"sellerSku": "A"}}]}}), "quantityOrdered is missing"),
        ("a negative quantity", answer(200, {"order": order(quantityOrdered=-1)}), "quantityOrdered is negative"),
        ("no time", answer(200, {"order": order() | {"createdTime": "yesterday"}}), "createdTime is not a time"),
        ("a time of nowhere", answer(200, {"order": order() | {"createdTime": "2026-02-01T00:00:00"}}), "createdTime names no offset from UTC"),
        ("no JSON", httpx.Response(200, text="<html>"), "Amazon's answer could not be read: it is not JSON."),
    ],
)  # fmt: skip
async def test_an_order_that_cannot_be_read_is_named(
    shop: Amazon, server: Server, case: str, response: httpx.Response, reason: str
) -> None:
    server.on("GET", f"{ORDERS}/249-1", response)

    page = await shop.orders_by_number(["249-1"])

    assert (page.orders, page.unreadable) == ((), {"249-1": reason}), case


async def test_one_order_that_cannot_be_read_does_not_hide_the_others(
    shop: Amazon, server: Server, throttle: OpenThrottle
) -> None:
    server.on("GET", f"{ORDERS}/249-1", answer(200, {"order": order()}))
    server.on("GET", f"{ORDERS}/249-2", answer(404, errors("NotFound")))

    page = await shop.orders_by_number(["249-2", "249-1", "249-2"])

    assert [each.number for each in page.orders] == ["249-1"]
    assert (list(page.unreadable), page.total, page.last) == (["249-2"], 2, True)
    assert dict(server.asked[-1].url.params) == {"includedData": "FULFILLMENT,CANCELLATION"}
    assert throttle.drawn == [limits.GET_ORDER.name] * 2


@pytest.mark.parametrize(
    ("case", "document"),
    [
        ("no list of orders", {}),
        ("an order without number", {"orders": [{"createdTime": "2026-02-01T00:00:00Z"}]}),
        ("a list of something else", {"orders": ["249-1"]}),
    ],
)
async def test_a_page_that_cannot_be_read_stops_the_walk_unquoted(
    shop: Amazon, server: Server, case: str, document: object
) -> None:
    server.on("GET", ORDERS, answer(200, document))

    with pytest.raises(MallMalformed) as stopped:
        await anext(aiter(shop.orders_placed(WINDOW)))

    assert stopped.value.excerpt == "", case


# Catalogue

DOCUMENT_URL = "https://documents.example/report"


def report(status: str, **also: str) -> httpx.Response:
    shown = {
        "reportId": "R1",
        "reportType": "GET_MERCHANT_LISTINGS_ALL_DATA",
        "createdTime": "2026-02-01T00:00:00Z",
        "processingStatus": status,
    }
    return answer(200, as_modelled("reports", "Report", shown | also))


def serve_report(server: Server, content: bytes, **document: str) -> None:
    described = {"reportDocumentId": "D1", "url": DOCUMENT_URL} | document
    as_modelled("reports", "ReportDocument", described)
    server.on("POST", f"{REPORTS}/reports", answer(202, {"reportId": "R1"}))
    server.on(
        "GET",
        f"{REPORTS}/reports/R1",
        report("IN_QUEUE"),
        report("IN_PROGRESS"),
        report("DONE", reportDocumentId="D1"),
    )
    server.on("GET", f"{REPORTS}/documents/D1", answer(200, described))
    server.on("GET", "/report", httpx.Response(200, content=content))


async def catalogue(shop: Amazon) -> list[MallListing]:
    return [listing async for batch in shop.listings() for listing in batch]


@pytest.mark.parametrize(
    ("case", "name", "encode", "document"),
    [
        ("English", "report_en.tsv", lambda text: text.encode(), {}),
        ("English with a BOM", "report_en.tsv", lambda text: text.encode("utf-8-sig"), {}),
        ("Japanese", "report_jp.tsv", lambda text: text.encode(), {}),
        ("Japanese in cp932", "report_jp.tsv", lambda text: text.encode("cp932"), {}),
        ("packed", "report_jp.tsv", lambda text: gzip.compress(text.encode("cp932")), {"compressionAlgorithm": "GZIP"}),
    ],
)  # fmt: skip
async def test_the_catalogue_in_every_dress(
    shop: Amazon,
    server: Server,
    case: str,
    name: str,
    encode: Callable[[str], bytes],
    document: dict[str, str],
) -> None:
    serve_report(server, encode((PAYLOADS / name).read_bytes().decode()), **document)

    tee, mug, fba = await catalogue(shop)

    assert (tee.ref, tee.name, tee.quantity) == (TEE, 'Tシャツ "夏" M', 7), case
    assert tee.keys["seller-sku"] == "TEE-001-M"
    assert tee.keys["product-id"] == "B0EXAMPLE1"
    assert (tee.fulfilled_by_mall, tee.mall_restocks) == (False, True)
    assert (mug.ref, mug.name, mug.quantity) == (ItemRef("0012"), "マグ ①", None), "blank is not 0"
    assert (fba.quantity, fba.fulfilled_by_mall, fba.mall_restocks) == (None, True, None)


async def test_how_a_report_is_fetched(
    shop: Amazon, server: Server, throttle: OpenThrottle
) -> None:
    serve_report(server, (PAYLOADS / "report_en.tsv").read_bytes())

    assert len(await catalogue(shop)) == 3

    _, wish, *_, download = server.asked
    assert as_modelled("reports", "CreateReportSpecification", json.loads(wish.content)) == {
        "reportType": "GET_MERCHANT_LISTINGS_ALL_DATA",
        "marketplaceIds": ["A1VC38T7YXB528"],
    }
    assert "x-amz-access-token" not in download.headers
    assert throttle.drawn == [
        limits.CREATE_REPORT.name,
        *[limits.GET_REPORT.name] * 3,
        limits.GET_REPORT_DOCUMENT.name,
    ]


async def test_columns_are_found_by_name_and_pending_units_are_not_stock(
    shop: Amazon, server: Server
) -> None:
    serve_report(
        server,
        "在庫数\tフルフィルメント・チャンネル\t数量\t出品者SKU\n9\tDEFAULT\t4\tA\n\n".encode(),
    )

    [listing] = await catalogue(shop)

    assert (listing.ref, listing.quantity) == (ItemRef("A"), 4)


async def test_a_large_catalogue_comes_in_batches(shop: Amazon, server: Server) -> None:
    rows = "".join(f"S{n}\t{n}\tDEFAULT\n" for n in range(1201))
    serve_report(server, f"seller-sku\tquantity\tfulfillment-channel\n{rows}".encode())

    sizes = [len(batch) async for batch in shop.listings()]

    assert sizes == [500, 500, 201]


async def test_an_empty_catalogue_is_a_cancelled_report(shop: Amazon, server: Server) -> None:
    serve_report(server, b"")
    server.on("GET", f"{REPORTS}/reports/R1", report("CANCELLED"))

    assert await catalogue(shop) == []


HEADER = "seller-sku\tquantity\tfulfillment-channel\n"


@pytest.mark.parametrize(
    ("case", "content", "document", "words"),
    [
        ("no column for the channel", b"seller-sku\tquantity\n", {}, "no column fulfillment-channel"),
        ("nothing but a BOM", b"\xef\xbb\xbf", {}, "no column"),
        ("a row without SKU", f"{HEADER}\t1\tDEFAULT\n".encode(), {}, "Line 2 of the report names no SKU"),
        ("a quantity that is none", f"{HEADER}A\tmany\tDEFAULT\n".encode(), {}, "Line 2 of the report has a quantity"),
        ("an encoding of its own", HEADER.encode() + b"\xff\xfe\x81", {}, "neither UTF-8 nor Shift_JIS"),
        ("not packed as it says", HEADER.encode(), {"compressionAlgorithm": "GZIP"}, "could not be unpacked"),
        ("cut short", gzip.compress(HEADER.encode() * 99, mtime=0)[:-9], {"compressionAlgorithm": "GZIP"}, "could not be unpacked"),
    ],
)  # fmt: skip
async def test_a_report_that_cannot_be_read(
    shop: Amazon,
    server: Server,
    case: str,
    content: bytes,
    document: dict[str, str],
    words: str,
) -> None:
    serve_report(server, content, **document)

    with pytest.raises(MallMalformed, match=words):
        await catalogue(shop)


@pytest.mark.parametrize(
    ("case", "path", "response", "kind"),
    [
        ("Amazon gives it up", f"{REPORTS}/reports/R1", report("FATAL"), MallUnavailable),
        ("it is never done", f"{REPORTS}/reports/R1", report("IN_PROGRESS"), MallUnavailable),
        ("done without a document", f"{REPORTS}/reports/R1", report("DONE"), MallMalformed),
        ("a status new to us", f"{REPORTS}/reports/R1", answer(200, {"processingStatus": "LOST"}), MallMalformed),
        ("packed in a way new to us", f"{REPORTS}/documents/D1", answer(200, {"url": DOCUMENT_URL, "compressionAlgorithm": "ZIP"}), MallMalformed),
        ("the address has lapsed", "/report", httpx.Response(403, text="<Error>"), MallUnavailable),
    ],
)  # fmt: skip
async def test_a_report_that_does_not_come(
    shop: Amazon,
    server: Server,
    case: str,
    path: str,
    response: httpx.Response,
    kind: type[MallError],
) -> None:
    serve_report(server, HEADER.encode())
    server.on("GET", path, response)

    with pytest.raises(MallError) as stopped:
        await catalogue(shop)

    assert type(stopped.value) is kind, case


def test_a_report_is_unpacked_up_to_a_limit() -> None:
    packed = gzip.compress(b"0123456789")

    assert unpacked(packed, limit=10) == b"0123456789"
    with pytest.raises(MallMalformed, match="larger than 9 bytes"):
        unpacked(packed, limit=9)


# Connection test


def serve_checks(server: Server) -> None:
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server.on("GET", ITEMS, answer(200, {"numberOfResults": 0, "items": []}, date=now))
    server.on("GET", ORDERS, answer(200, {"orders": []}))
    server.on("GET", f"{REPORTS}/reports", answer(200, {"reports": []}))


async def outcomes(shop: Amazon) -> dict[CheckPartKey, CheckOutcome]:
    return {part.key: part.outcome for part in await shop.test_connection()}


async def test_a_connection_that_stands(shop: Amazon, server: Server) -> None:
    serve_checks(server)

    assert await outcomes(shop) == dict.fromkeys(CheckPartKey, CheckOutcome.OK)


async def test_a_role_that_is_missing_shows_in_its_part_only(shop: Amazon, server: Server) -> None:
    serve_checks(server)
    server.on("GET", ORDERS, answer(403, errors("Unauthorized", "Access denied.")))

    [part] = [p for p in await shop.test_connection() if p.outcome is not CheckOutcome.OK]

    assert (part.key, part.outcome) == (CheckPartKey.ORDERS, CheckOutcome.NG)
    assert part.mall_message == "Access denied."
    assert isinstance(part.error, MallLockedOut)


@pytest.mark.parametrize(
    ("case", "response", "credentials", "consent"),
    [
        ("consent revoked", answer(400, {"error": "invalid_grant"}), CheckOutcome.OK, CheckOutcome.NG),
        ("client not known", answer(401, {"error": "invalid_client"}), CheckOutcome.NG, CheckOutcome.NOT_TESTED),
        ("the login is down", answer(503), CheckOutcome.NG, CheckOutcome.NOT_TESTED),
    ],
)  # fmt: skip
async def test_a_login_that_fails_leaves_the_rest_untested(
    shop: Amazon,
    server: Server,
    case: str,
    response: httpx.Response,
    credentials: CheckOutcome,
    consent: CheckOutcome,
) -> None:
    server.on("POST", "/auth/o2/token", response)

    seen = await outcomes(shop)

    assert (seen.pop(CheckPartKey.CREDENTIALS), seen.pop(CheckPartKey.CONSENT)) == (credentials, consent), case  # fmt: skip
    assert set(seen.values()) == {CheckOutcome.NOT_TESTED}


async def test_without_a_consent_the_credentials_are_not_tested(connect: Connect) -> None:
    seen = await outcomes(connect(refresh_token=""))

    assert seen[CheckPartKey.CREDENTIALS] is CheckOutcome.NOT_TESTED
    assert seen[CheckPartKey.CONSENT] is CheckOutcome.NG


async def test_the_test_asks_for_a_token_of_its_own(shop: Amazon, server: Server) -> None:
    serve_checks(server)

    await shop.test_connection()
    await shop.test_connection()

    assert server.tokens == 2
