"""Rakuten answered from payloads written after the mall's fact sheet."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

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
from integrations.malls.rakuten.orders import STATUS, order_of
from tests.integrations.recorded import Recorded, payload

TEE = ItemRef("tee-001", "tee-001-red-m")
MUG = ItemRef("mug-7", "mug-7")
WINDOW = OrderWindow(
    datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 1, 15, 0, 0, tzinfo=UTC)
)


def rakuten(handler: Callable[[httpx.Request], httpx.Response]) -> tuple[Mall, Recorded]:
    recorded = Recorded(handler)
    credentials = {"service_secret": "SP1", "license_key": "SL1"}
    return recorded.mall(MallKind.RAKUTEN, credentials, {}), recorded


def always(response: httpx.Response) -> tuple[Mall, Recorded]:
    return rakuten(lambda _: response)


async def test_numbers_go_as_they_were_told_and_204_means_they_stand() -> None:
    mall, recorded = always(httpx.Response(204))

    results = await mall.push_stock([StockPush(TEE, 12), StockPush(MUG, -1, WriteMode.RELATIVE)])

    assert recorded.body() == {
        "inventories": [
            {
                "manageNumber": "tee-001",
                "variantId": "tee-001-red-m",
                "mode": "ABSOLUTE",
                "quantity": 12,
            },
            {"manageNumber": "mug-7", "variantId": "mug-7", "mode": "RELATIVE", "quantity": -1},
        ]
    }
    request = recorded.requests[0]
    assert str(request.url) == "https://api.rms.rakuten.co.jp/es/2.0/inventories/bulk-upsert"
    assert request.headers["authorization"] == f"ESA {base64.b64encode(b'SP1:SL1').decode()}"
    assert [(r.ref, r.outcome) for r in results] == [
        (TEE, PushOutcome.APPLIED),
        (MUG, PushOutcome.APPLIED),
    ]
    assert recorded.throttle.taken == ["rakuten.stock.write"]


async def test_a_refusal_names_the_entry_at_its_path() -> None:
    mall, _ = always(payload("rakuten/refused_entry.json", 400))

    with pytest.raises(MallRefused) as refused:
        await mall.push_stock([StockPush(TEE, 1), StockPush(MUG, 100_000)])

    assert refused.value.item_ref == str(MUG)
    assert refused.value.mall_code == "IE0003"


async def test_a_refusal_that_names_no_entry_names_no_item() -> None:
    mall, _ = always(httpx.Response(400, json={"errors": [{"code": "IE0002", "message": "x"}]}))

    with pytest.raises(MallRefused) as refused:
        await mall.push_stock([StockPush(TEE, 1), StockPush(MUG, 1)])

    assert refused.value.item_ref is None


GATEWAY = {"Results": {"errorCode": "ES04-01", "message": "Bad Request"}}
UNAUTHORISED = {"errors": [{"code": "GA0001", "message": "Un-Authorised"}]}


@pytest.mark.parametrize(
    ("case", "answer", "expected", "code"),
    [
        ("a dead key", httpx.Response(401, json=UNAUTHORISED), MallLockedOut, "GA0001"),
        ("a dead key, no body", httpx.Response(401), MallLockedOut, "401"),
        ("switched off", httpx.Response(400, json=GATEWAY), MallLockedOut, "ES04-01"),
        (
            "an older dead key",
            httpx.Response(
                403, json={"Results": {"errorCode": "ES01-01", "message": "Un-Authorised"}}
            ),
            MallLockedOut,
            "ES01-01",
        ),
        ("too many calls", httpx.Response(429), MallThrottled, "429"),
        ("maintenance, empty", httpx.Response(503), MallUnavailable, "503"),
        (
            "maintenance, a page",
            httpx.Response(502, html="<html>メンテナンス</html>"),
            MallUnavailable,
            "503",
        ),
        ("a fault of the mall", httpx.Response(500), MallOutcomeUnknown, "500"),
        ("success with a page", httpx.Response(200, html="<html>"), MallMalformed, ""),
        (
            "a body that is no object",
            httpx.Response(400, json=["?"]),
            MallRefused,
            "400",
        ),
    ],
)
async def test_what_stops_a_write(
    case: str, answer: httpx.Response, expected: type[MallError], code: str
) -> None:
    mall, _ = always(answer)

    with pytest.raises(MallError) as raised:
        await mall.push_stock([StockPush(TEE, 1)])

    assert type(raised.value) is expected, case
    if code:
        assert raised.value.mall_code == code, case


async def test_a_page_in_place_of_an_answer_is_maintenance() -> None:
    mall, _ = always(httpx.Response(503, html="<html>メンテナンス中</html>"))

    with pytest.raises(MallUnavailable) as raised:
        await mall.read_stock([TEE])

    assert raised.value.maintenance


async def test_too_many_calls_rest_the_bucket() -> None:
    mall, recorded = always(httpx.Response(429, headers={"retry-after": "7"}))

    with pytest.raises(MallThrottled):
        await mall.push_stock([StockPush(TEE, 1)])

    assert recorded.throttle.told == {"rakuten.stock.write": timedelta(seconds=7)}


async def test_readings_come_in_the_order_asked_and_the_unknown_is_not_found() -> None:
    mall, _ = always(payload("rakuten/bulk_get.json"))
    nowhere = ItemRef("nope", "nope")

    read = await mall.read_stock([MUG, nowhere, ItemRef("TEE-001", "tee-001-red-m")])

    assert [(r.found, r.quantity) for r in read] == [(True, 0), (False, None), (True, 12)]
    assert read[0].at.latest == datetime(2026, 2, 1, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"inventories":[{"manageNumber":"tee-001"}]}', b'{"inventories":null}'],
)
async def test_a_broken_reading_is_malformed(body: bytes) -> None:
    mall, _ = always(httpx.Response(200, content=body))

    with pytest.raises(MallMalformed):
        await mall.read_stock([TEE])


def orders_handler(search: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/searchOrder/"):
            return payload(f"rakuten/{search}.json")
        return payload("rakuten/get_order.json")

    return answer


async def test_orders_come_oldest_first_with_their_lines_and_nothing_of_the_buyer() -> None:
    mall, recorded = rakuten(orders_handler("search_order"))

    pages = [page async for page in mall.orders_placed(WINDOW)]

    assert len(pages) == 1
    assert (pages[0].total, pages[0].last) == (3, True)
    assert pages[0].orders == (
        MallOrder(
            "123456-20260201-0000000001",
            datetime(2026, 1, 31, 15, tzinfo=UTC),
            OrderStatus.HOLDS,
            (MallOrderLine(TEE, 2, "11"), MallOrderLine(ItemRef("old-9"), 3, "13")),
        ),
        MallOrder(
            "123456-20260201-0000000002",
            datetime(2026, 2, 1, 1, 5, tzinfo=UTC),
            OrderStatus.RELEASED,
            (MallOrderLine(MUG, 1, "21"),),
        ),
    )
    assert list(pages[0].unreadable) == ["123456-20260201-0000000003"]
    assert not any(word in repr(pages) for word in ("太郎", "花子", "example.com"))
    search = recorded.requests[0]
    assert search.headers["content-type"] == "application/json; charset=utf-8"
    body = recorded.body(0)
    assert isinstance(body, dict)
    assert body["startDatetime"] == "2026-02-01T00:00:00+0900"
    assert body["endDatetime"] == "2026-02-01T23:59:59+0900"
    assert "orderProgressList" not in body
    assert recorded.body(1) == {
        "orderNumberList": [f"123456-20260201-000000000{n}" for n in (1, 2, 3)],
        "version": 8,
    }


async def test_a_window_without_orders_is_one_empty_last_page() -> None:
    mall, recorded = rakuten(orders_handler("search_order_none"))

    pages = [page async for page in mall.orders_placed(WINDOW)]

    assert [(page.orders, page.total, page.last) for page in pages] == [((), 0, True)]
    assert len(recorded.requests) == 1


async def test_an_error_that_rides_on_200_is_a_refusal() -> None:
    mall, _ = rakuten(orders_handler("search_order_error"))

    with pytest.raises(MallRefused) as refused:
        [page async for page in mall.orders_placed(WINDOW)]

    assert refused.value.mall_code == "ORDER_EXT_API_SEARCH_ORDER_ERROR_011"


async def test_every_page_of_a_long_window_is_read() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/getOrder/"):
            return httpx.Response(200, json={"OrderModelList": []})
        page = recorded.body()["PaginationRequestModel"]["requestPage"]  # type: ignore[index]
        numbers = [f"n-{page}-{n}" for n in range(100 if page == 1 else 1)]
        paging = {"totalRecordsAmount": 101, "totalPages": 2, "requestPage": page}
        return httpx.Response(
            200, json={"orderNumberList": numbers, "PaginationResponseModel": paging}
        )

    mall, recorded = rakuten(answer)
    pages = [page async for page in mall.orders_placed(WINDOW)]

    assert [(len(page.unreadable), page.last) for page in pages] == [(100, False), (1, True)]


async def test_a_broken_order_is_not_quoted() -> None:
    broken = {"OrderModelList": [{"emailAddress": "taro@example.com"}]}
    mall, _ = always(httpx.Response(200, json=broken))

    with pytest.raises(MallMalformed) as raised:
        await mall.orders_by_number(["123456-20260201-0000000001"])

    assert "example.com" not in raised.value.excerpt + str(raised.value)


@pytest.mark.parametrize(
    ("progress", "status"),
    [
        *((progress, OrderStatus.HOLDS) for progress in (100, 200, 300, 400, 800)),
        *((progress, OrderStatus.SHIPPED) for progress in (500, 600, 700)),
        (900, OrderStatus.RELEASED),
    ],
)
def test_progress(progress: int, status: OrderStatus) -> None:
    model = {
        "orderNumber": "1",
        "orderProgress": progress,
        "orderDatetime": "2026-02-01T00:00:00+0900",
        "PackageModelList": [],
    }
    assert order_of(model).status is status


def test_progress_of_another_kind_is_not_guessed() -> None:
    assert 150 not in STATUS


async def test_listings_are_joined_with_their_quantities() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/bulk-get"):
            return payload("rakuten/bulk_get.json")
        if request.url.params["cursorMark"] == "*":
            return payload("rakuten/items_search.json")
        return httpx.Response(200, json={"numFound": 2, "results": [], "nextCursorMark": "AoE"})

    mall, _ = rakuten(answer)
    listings = [listing async for page in mall.listings() for listing in page]

    assert [(each.ref, each.quantity, each.mall_restocks) for each in listings] == [
        (TEE, 12, True),
        (ItemRef("tee-001", "tee-001-red-l"), None, False),
        (MUG, 0, None),
    ]
    assert listings[0] == MallListing(
        TEE,
        name="Tシャツ 赤 M",
        keys={
            "merchantDefinedSkuId": "TEE-RED-M",
            "variantId": "tee-001-red-m",
            "manageNumber": "tee-001",
            "itemNumber": "T1",
        },
        quantity=12,
        mall_restocks=True,
        fields={
            "restockOnCancel": "true",
            "backOrderFlag": "false",
            "hidden": "false",
            "itemType": "NORMAL",
        },
    )


async def test_the_license_key_is_checked_with_its_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path.rsplit("/", 1)[-1]:
            case "expiry-date":
                return httpx.Response(200, json={"expiryDate": "2026-11-28T23:59:59"})
            case "bulk-get":
                return httpx.Response(400, json=GATEWAY)
            case "search":
                return payload("rakuten/items_search.json")
            case _:
                return payload("rakuten/search_order_none.json")

    mall, _ = rakuten(answer)
    parts = {part.key: part for part in await mall.test_connection()}

    credentials = parts[CheckPartKey.CREDENTIALS]
    assert credentials.outcome is CheckOutcome.OK
    assert credentials.expires_at == datetime(2026, 11, 28, 14, 59, 59, tzinfo=UTC)
    assert parts[CheckPartKey.CONSENT].outcome is CheckOutcome.NOT_NEEDED
    assert parts[CheckPartKey.STOCK_READ].outcome is CheckOutcome.NG
    assert isinstance(parts[CheckPartKey.STOCK_READ].error, MallLockedOut)
    assert parts[CheckPartKey.ORDERS].outcome is CheckOutcome.OK
    assert parts[CheckPartKey.CATALOGUE].outcome is CheckOutcome.OK
    assert parts[CheckPartKey.CLOCK].outcome is CheckOutcome.NOT_TESTED


async def test_more_than_a_batch_is_not_sent() -> None:
    mall, recorded = always(httpx.Response(204))

    with pytest.raises(ValueError, match="at most 400"):
        await mall.push_stock([StockPush(TEE, 1)] * 401)

    assert recorded.requests == []


async def test_there_is_no_consent_page() -> None:
    mall, _ = always(httpx.Response(204))

    with pytest.raises(MallRefused):
        await mall.exchange_code("code", "https://example.com/")
