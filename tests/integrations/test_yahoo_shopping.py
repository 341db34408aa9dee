"""Yahoo! Shopping answered from payloads written after the mall's fact sheet."""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
    CheckOutcome,
    CheckPartKey,
    ItemRef,
    Mall,
    MallKind,
    MallListing,
    MallOrder,
    MallOrderLine,
    OrderStatus,
    OrderWindow,
    PushOutcome,
    StockPush,
    WriteMode,
)
from domain.model.order_readings import LastRead
from integrations.malls.yahoo_shopping.auth import Signature
from integrations.malls.yahoo_shopping.orders import STATUS
from tests.integrations.recorded import Recorded, payload

TEE = ItemRef("tee1", "tee1-red-m")
MUG = ItemRef("mug7")
CAP = ItemRef("cap3")
WINDOW = OrderWindow(datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 1, 15, tzinfo=UTC))
CREDENTIALS = {"client_id": "app", "client_secret": "secret", "refresh_token": "refresh-1"}
SETTINGS = {"seller_id": "demo-store", "speed": "1000"}
Handler = Callable[[httpx.Request], httpx.Response]


def token(**more: str) -> httpx.Response:
    body = {"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600}
    return httpx.Response(200, json=body | more)


def yahoo(handler: Handler, credentials: Mapping[str, str] = CREDENTIALS) -> tuple[Mall, Recorded]:
    """The token endpoint answers by itself unless `handler` is asked about it and raises."""

    def answer(request: httpx.Request) -> httpx.Response:
        return token() if request.url.path == "/yconnect/v2/token" else handler(request)

    recorded = Recorded(answer)
    return recorded.mall(MallKind.YAHOO_SHOPPING, credentials, SETTINGS), recorded


def always(response: httpx.Response) -> tuple[Mall, Recorded]:
    return yahoo(lambda _: response)


def error(code: str, message: str, status: int) -> httpx.Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error xmlns="urn:yahoo:api">'
        f"<Message>{message}</Message><Code>{code}</Code></Error>"
    )
    return httpx.Response(status, content=body.encode(), headers={"content-type": "text/xml"})


def form_of(request: httpx.Request) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(request.content.decode()).items()}


async def test_numbers_go_as_they_were_told() -> None:
    mall, recorded = always(payload("yahoo_shopping/set_stock.xml"))

    results = await mall.push_stock([StockPush(TEE, 12), StockPush(MUG, 3, WriteMode.RELATIVE)])

    asked, sent = recorded.requests
    assert form_of(asked) == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert asked.headers["authorization"] == f"Basic {base64.b64encode(b'app:secret').decode()}"
    assert str(sent.url) == ("https://circus.shopping.yahooapis.jp/ShoppingWebService/V1/setStock")
    assert sent.headers["authorization"] == "Bearer access-1"
    assert b"%2B3" in sent.content
    assert form_of(sent) == {
        "seller_id": "demo-store",
        "item_code": "tee1:tee1-red-m,mug7",
        "quantity": "12,+3",
    }
    assert [(r.ref, r.outcome, r.quantity) for r in results] == [
        (TEE, PushOutcome.APPLIED, 12),
        (MUG, PushOutcome.APPLIED, 8),
    ]


async def test_partial_failures_are_told_apart_in_the_order_given() -> None:
    mall, _ = always(payload("yahoo_shopping/set_stock_partial.xml", 207))
    untold = ItemRef("hat9")

    results = await mall.push_stock([StockPush(ref, 8) for ref in (TEE, MUG, CAP, untold)])

    assert [(r.ref, r.outcome, r.mall_code) for r in results] == [
        (TEE, PushOutcome.REFUSED, "st-02104"),
        (MUG, PushOutcome.APPLIED, ""),
        (CAP, PushOutcome.APPLIED, "ed-10002"),
        (untold, PushOutcome.ACCEPTED, ""),
    ]


@pytest.mark.parametrize(
    ("case", "fields", "sent"),
    [
        ("every push brings it", [{"allow_overdraft": "1"}, {"allow_overdraft": "0"}], "1,0"),
        ("one brings none", [{"allow_overdraft": "1"}, {}], None),
    ],
)
async def test_overdraft_travels_for_all_or_none(
    case: str, fields: list[Mapping[str, str]], sent: str | None
) -> None:
    mall, recorded = always(payload("yahoo_shopping/set_stock.xml"))

    await mall.push_stock(
        [StockPush(TEE, 12, fields=fields[0]), StockPush(MUG, 8, fields=fields[1])]
    )

    assert form_of(recorded.requests[-1]).get("allow_overdraft") == sent, case


UNDER_WAY = "反映またはアップロード中のため更新ができません"


@pytest.mark.parametrize(
    ("case", "answer", "expected", "code"),
    [
        ("session ended", error("px-04102", "shorter", 401), MallLockedOut, "px-04102"),
        ("not approved", error("px-04303", "no", 403), MallLockedOut, "px-04303"),
        ("unknown address", error("px-04306", "no", 403), MallLockedOut, "px-04306"),
        ("not permitted", error("px-04307", "no", 403), MallLockedOut, "px-04307"),
        ("missing parameter", error("px-04001", "x", 400), MallRefused, "px-04001"),
        ("unknown store", error("ed-00004", "x", 400), MallLockedOut, "ed-00004"),
        ("too many codes", error("st-02102", "x", 400), MallRefused, "st-02102"),
        ("refused on 200", error("st-02101", "x", 200), MallRefused, "st-02101"),
        ("maintenance", error("ed-00002", "x", 503), MallUnavailable, "ed-00002"),
        ("publishing", error("st-09999", UNDER_WAY, 400), MallUnavailable, "st-09999"),
        ("system", error("st-02999", "x", 500), MallOutcomeUnknown, "st-02999"),
        ("system", error("ed-00001", "x", 500), MallOutcomeUnknown, "ed-00001"),
        ("gateway", httpx.Response(502), MallOutcomeUnknown, "502"),
        ("too many calls", httpx.Response(429), MallThrottled, "429"),
        (
            "the day's calls",
            httpx.Response(403, text="Your Request was Forbidden"),
            MallThrottled,
            "403",
        ),
        ("not XML", httpx.Response(200, text="OK"), MallMalformed, ""),
        ("cut short", httpx.Response(200, text="<ResultSet><Result>"), MallMalformed, ""),
        ("another document", httpx.Response(200, text="<Other/>"), MallMalformed, ""),
        (
            "a bomb",
            httpx.Response(200, text='<!DOCTYPE x [<!ENTITY a "b">]><ResultSet>&a;</ResultSet>'),
            MallMalformed,
            "",
        ),
        (
            "no number",
            httpx.Response(
                200,
                text="<ResultSet><Result><ItemCode>mug7</ItemCode><Quantity>?</Quantity></Result></ResultSet>",
            ),
            MallMalformed,
            "",
        ),
    ],
)
async def test_what_stops_a_write(
    case: str, answer: httpx.Response, expected: type[MallError], code: str
) -> None:
    mall, _ = always(answer)

    with pytest.raises(MallError) as raised:
        await mall.push_stock([StockPush(MUG, 1)])

    assert type(raised.value) is expected, case
    if code:
        assert raised.value.mall_code == code, case


@pytest.mark.parametrize(
    ("code", "status", "consent"), [("px-04102", 401, True), ("px-04306", 403, False)]
)
async def test_who_has_to_act(code: str, status: int, consent: bool) -> None:
    mall, _ = always(error(code, "x", status))

    with pytest.raises(MallLockedOut) as raised:
        await mall.read_stock([MUG])

    assert raised.value.consent is consent


async def test_after_too_many_calls_the_application_rests_a_while() -> None:
    mall, recorded = always(httpx.Response(403, text="Your Request was Forbidden"))

    with pytest.raises(MallThrottled):
        await mall.read_stock([MUG])

    assert recorded.throttle.told["yahoo.day"] == timedelta(minutes=1)


async def test_a_reading_tells_what_yahoo_does_not_know() -> None:
    mall, _ = always(payload("yahoo_shopping/get_stock.xml"))

    read = await mall.read_stock([ItemRef("nope"), TEE])

    assert [(r.ref, r.found, r.quantity, dict(r.fields)) for r in read] == [
        (ItemRef("nope"), False, None, {}),
        (TEE, True, 12, {"allow_overdraft": "0"}),
    ]


async def test_an_ended_access_token_is_renewed_once() -> None:
    tokens = iter(["access-1", "access-2"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/yconnect/v2/token":
            return token(access_token=next(tokens))
        if request.headers["authorization"] == "Bearer access-1":
            return payload("yahoo_shopping/access_token_ended.xml", 401)
        return payload("yahoo_shopping/set_stock.xml")

    recorded = Recorded(answer)
    mall = recorded.mall(MallKind.YAHOO_SHOPPING, CREDENTIALS, SETTINGS)

    results = await mall.push_stock([StockPush(MUG, 8)])

    assert [r.outcome for r in results] == [PushOutcome.APPLIED]
    assert len(recorded.requests) == 4


async def test_an_access_token_is_used_again() -> None:
    mall, recorded = always(payload("yahoo_shopping/get_stock.xml"))

    await mall.read_stock([TEE])
    await mall.read_stock([TEE])

    assert [r.url.path.rsplit("/", 1)[-1] for r in recorded.requests] == [
        "token",
        "getStock",
        "getStock",
    ]


async def test_a_new_refresh_token_is_kept() -> None:
    recorded = Recorded(
        lambda request: (
            token(refresh_token="refresh-2")
            if "token" in request.url.path
            else payload("yahoo_shopping/get_stock.xml")
        )
    )
    mall = recorded.mall(MallKind.YAHOO_SHOPPING, CREDENTIALS, SETTINGS)

    await mall.read_stock([TEE])

    assert recorded.saved == {"refresh_token": "refresh-2"}


@pytest.mark.parametrize(
    ("case", "answer", "consent"),
    [
        ("the consent ended", httpx.Response(400, json={"error": "invalid_grant"}), True),
        ("the client is wrong", httpx.Response(401, json={"error": "invalid_client"}), False),
        ("the answer is a page", httpx.Response(400, html="<html>"), False),
    ],
)
async def test_a_refused_token(case: str, answer: httpx.Response, consent: bool) -> None:
    mall = Recorded(lambda _: answer).mall(MallKind.YAHOO_SHOPPING, CREDENTIALS, SETTINGS)

    with pytest.raises(MallLockedOut) as raised:
        await mall.push_stock([StockPush(MUG, 1)])

    assert raised.value.consent is consent, case


async def test_without_consent_nothing_is_asked() -> None:
    mall, recorded = yahoo(lambda _: httpx.Response(500), {**CREDENTIALS, "refresh_token": ""})

    with pytest.raises(MallLockedOut) as raised:
        await mall.read_stock([MUG])

    assert raised.value.consent
    assert recorded.requests == []


async def test_an_unreadable_token_is_not_quoted() -> None:
    answer = httpx.Response(200, json={"access_token": "s3cret"})
    mall = Recorded(lambda _: answer).mall(MallKind.YAHOO_SHOPPING, CREDENTIALS, SETTINGS)

    with pytest.raises(MallMalformed) as raised:
        await mall.read_stock([MUG])

    assert "s3cret" not in raised.value.excerpt + str(raised.value)


def orders_handler(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/orderInfo"):
        known = b"demo-store-10000001" in request.content
        missing = error("od91801", "Not Exists :demo-store", 404)
        return payload("yahoo_shopping/order_info.xml") if known else missing
    if b"PublicationTimeFrom" in request.content:
        return payload("yahoo_shopping/order_list_published.xml")
    return payload("yahoo_shopping/order_list.xml")


async def test_orders_placed_or_published_come_oldest_first_and_none_is_dropped() -> None:
    mall, recorded = yahoo(orders_handler)

    pages = [page async for page in mall.orders_placed(WINDOW)]

    assert [(page.total, page.last) for page in pages] == [(3, True)]
    assert pages[0].orders == (
        MallOrder(
            "demo-store-10000001",
            datetime(2026, 2, 1, 0, 0, tzinfo=UTC),
            OrderStatus.HOLDS,
            (MallOrderLine(TEE, 2, "1"), MallOrderLine(MUG, 1, "2")),
            datetime(2026, 2, 1, 0, 10, tzinfo=UTC),
        ),
    )
    assert dict(pages[0].unreadable) == {
        "demo-store-10000000": "od91801 Not Exists :demo-store",
        "demo-store-10000002": "od91801 Not Exists :demo-store",
    }
    assert (
        b"<Condition><OrderTimeFrom>20260201000000</OrderTimeFrom>"
        b"<OrderTimeTo>20260201235959</OrderTimeTo></Condition>" in recorded.requests[1].content
    )


def one_order(updated: str) -> httpx.Response:
    """A list of one order, as `updated`; empty: without that time."""
    stamp = f"<LastUpdateTime>{updated}</LastUpdateTime>" if updated else ""
    return httpx.Response(
        200,
        text="<Result><Status>OK</Status><Search><TotalCount>1</TotalCount><OrderInfo>"
        "<OrderId>demo-store-10000001</OrderId><OrderTime>2026-02-01T09:00:00+09:00</OrderTime>"
        f"{stamp}</OrderInfo></Search></Result>",
    )


UPDATED_AT = datetime(2026, 2, 1, 0, 10, tzinfo=UTC)
"""Of the recorded order: 09:10 in Japan."""

SURE, IN_ITS_SECOND = UPDATED_AT + timedelta(minutes=1), UPDATED_AT + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("case", "listed", "read_at", "date", "told", "unchanged"),
    [
        ("never read", "09:10:00", None, "01:00:00", True, False),
        ("not updated since", "09:10:00", SURE, "01:00:00", False, True),
        ("updated since", "09:11:00", SURE, "01:00:00", True, False),
        ("the list does not say", "", SURE, "01:00:00", True, False),
        ("read in its second, now over", "09:10:00", IN_ITS_SECOND, "00:10:04", True, False),
        ("read in its second, not over", "09:10:00", IN_ITS_SECOND, "00:10:01", False, False),
    ],
)
async def test_an_order_is_told_again_only_if_it_may_have_changed(
    case: str, listed: str, read_at: datetime | None, date: str, told: bool, unchanged: bool
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/orderInfo"):
            answer = payload("yahoo_shopping/order_info.xml")
        else:
            answer = one_order(f"2026-02-01T{listed}+09:00" if listed else "")
        answer.headers["date"] = f"Sun, 01 Feb 2026 {date} GMT"
        return answer

    async def recall(numbers: Sequence[str]) -> Mapping[str, LastRead]:
        return {number: LastRead(read_at, UPDATED_AT, 0) for number in numbers if read_at}

    mall, recorded = yahoo(handler)
    [page] = [page async for page in mall.orders_placed(WINDOW, recall)]

    calls = [each for each in recorded.requests if each.url.path.endswith("/orderInfo")]
    assert (len(calls), len(page.orders)) == (told, told), case
    assert page.unchanged == (("demo-store-10000001",) if unchanged else ()), case
    assert (page.total, page.last) == (1, True)


async def test_a_window_without_orders_is_one_empty_last_page() -> None:
    mall, _ = always(payload("yahoo_shopping/order_list_none.xml"))

    pages = [page async for page in mall.orders_placed(WINDOW)]

    assert [(page.orders, page.total, page.last) for page in pages] == [((), 0, True)]


async def test_only_stock_fields_of_an_order_are_asked_for() -> None:
    mall, recorded = yahoo(orders_handler)

    await mall.orders_by_number(["demo-store-10000001"])

    assert (
        b"<Field>OrderId,ParentOrderId,ChildOrderId,OrderTime,LastUpdateTime,OrderStatus,LineId,ItemId,SubCode,Quantity"
        b"</Field>" in recorded.requests[-1].content
    )


async def test_a_lockout_is_not_taken_for_an_unreadable_order() -> None:
    mall, _ = always(error("px-04102", "shorter", 401))

    with pytest.raises(MallLockedOut):
        await mall.orders_by_number(["demo-store-10000001"])


async def test_a_refused_request_is_not_taken_for_an_unreadable_order() -> None:
    mall, _ = always(error("px-04001", "missing", 400))

    with pytest.raises(MallRefused):
        await mall.orders_by_number(["demo-store-10000001"])


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *((status, OrderStatus.HOLDS) for status in "01238"),
        ("4", OrderStatus.RELEASED),
        ("5", OrderStatus.SHIPPED),
    ],
)
def test_statuses(status: str, meaning: OrderStatus) -> None:
    assert STATUS[status] is meaning


async def test_the_catalogue_is_the_stock_file_once_it_is_ready() -> None:
    looks = iter([error("pm-08003", "not ready", 400), payload("yahoo_shopping/stock.csv")])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/downloadSubmit"):
            return next(looks)
        return httpx.Response(
            200, text="<ResultSet><Result><Status>OK</Status></Result></ResultSet>"
        )

    mall, recorded = yahoo(answer)
    listings = [listing async for page in mall.listings() for listing in page]

    assert listings == [
        MallListing(
            TEE,
            name="Tシャツ, 赤",
            keys={"code": "tee1", "sub-code": "tee1-red-m"},
            quantity=12,
            fields={"allow_overdraft": "0"},
        ),
        MallListing(
            MUG,
            name="マグカップ",
            keys={"code": "mug7", "sub-code": "mug7"},
            quantity=0,
            fields={"allow_overdraft": "1", "stock_close": "1"},
        ),
        MallListing(CAP, name="帽子", keys={"code": "cap3", "sub-code": "cap3"}),
    ]
    assert dict(recorded.requests[-1].url.params) == {"seller_id": "demo-store", "type": "2"}


@pytest.mark.parametrize(
    "content", [b"<html>", b"code,quantity\r\na,1\r\n", b"code,sub-code,quantity\r\na,,many\r\n"]
)
async def test_a_broken_stock_file_is_malformed(content: bytes) -> None:
    mall, _ = always(httpx.Response(200, content=content))

    with pytest.raises(MallMalformed):
        [page async for page in mall.listings()]


@pytest.mark.parametrize(
    ("told", "outcome"), [("authorized", CheckOutcome.OK), ("expired", CheckOutcome.NG)]
)
async def test_the_public_key_is_sealed_for_the_store_and_checked(
    told: str, outcome: CheckOutcome
) -> None:
    private = generate_private_key(public_exponent=65537, key_size=1024)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/getStock"):
            empty = (
                "<Result><ItemCode>renkei-connection-check</ItemCode><Status>0</Status></Result>"
            )
            return httpx.Response(200, text=f"<ResultSet>{empty}</ResultSet>")
        response = payload("yahoo_shopping/order_list_none.xml")
        response.headers["X-SWS-Authorize-Status"] = told
        return response

    keyed = {**CREDENTIALS, "public_key": pem.decode(), "public_key_version": "3"}
    mall, recorded = yahoo(answer, keyed)
    parts = {part.key: part.outcome for part in await mall.test_connection()}

    sent = recorded.requests[-1].headers
    seller, _, at = private.decrypt(
        base64.b64decode(sent["x-sws-signature"]), PKCS1v15()
    ).partition(b":")
    assert seller == b"demo-store"
    assert abs(int(at) - time.time()) < 60
    assert sent["x-sws-signature-version"] == "3"
    assert parts == {
        CheckPartKey.CREDENTIALS: outcome,
        CheckPartKey.CONSENT: CheckOutcome.OK,
        CheckPartKey.STOCK_READ: CheckOutcome.OK,
        CheckPartKey.ORDERS: CheckOutcome.OK,
        CheckPartKey.CATALOGUE: CheckOutcome.NOT_TESTED,
        CheckPartKey.CLOCK: CheckOutcome.NG,
    }


def test_the_calls_of_one_second_carry_one_seal() -> None:
    pem = generate_private_key(public_exponent=65537, key_size=1024).public_key()
    text = pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    times = iter([UPDATED_AT, UPDATED_AT + timedelta(milliseconds=999), SURE, UPDATED_AT])
    credentials = {"public_key": text, "public_key_version": "3"}
    signature = Signature("demo-store", credentials, lambda: next(times))

    first, second, later, before = [signature.headers()["x-sws-signature"] for _ in range(4)]

    assert first == second
    assert len({first, later, before}) == 3


async def test_a_key_that_is_none_locks_out() -> None:
    mall, _ = yahoo(
        orders_handler, {**CREDENTIALS, "public_key": "oops", "public_key_version": "1"}
    )

    with pytest.raises(MallLockedOut, match="PEM"):
        await mall.orders_by_number(["demo-store-10000001"])


async def test_an_ended_consent_shows_in_the_connection_test() -> None:
    refused = httpx.Response(400, json={"error": "invalid_grant"})
    mall = Recorded(lambda _: refused).mall(MallKind.YAHOO_SHOPPING, CREDENTIALS, SETTINGS)

    parts = {part.key: part.outcome for part in await mall.test_connection()}

    assert parts == {
        CheckPartKey.CREDENTIALS: CheckOutcome.OK,
        CheckPartKey.CONSENT: CheckOutcome.NG,
        CheckPartKey.STOCK_READ: CheckOutcome.NOT_TESTED,
        CheckPartKey.ORDERS: CheckOutcome.NOT_TESTED,
        CheckPartKey.CATALOGUE: CheckOutcome.NOT_TESTED,
        CheckPartKey.CLOCK: CheckOutcome.NOT_TESTED,
    }


async def test_a_consent_code_becomes_a_refresh_token() -> None:
    recorded = Recorded(lambda _: token(refresh_token="refresh-9"))
    mall = recorded.mall(MallKind.YAHOO_SHOPPING, CREDENTIALS, SETTINGS)

    assert await mall.exchange_code("c0de", "https://renkei.example/connect/yahoo") == {
        "refresh_token": "refresh-9"
    }
    assert form_of(recorded.requests[0]) == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://renkei.example/connect/yahoo",
    }
