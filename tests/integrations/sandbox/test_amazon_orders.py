"""Orders 2026-01-01: windows, pages, states, and what a purchase does to the counter (amazon sheet §4)."""

from datetime import timedelta

import pytest

from tests.integrations.sandbox.amazon_seller import (
    JAPAN,
    assert_fits,
    open_shop,
    setting,
    shown,
)
from tests.integrations.sandbox.rig import NOON

MODEL = "orders_2026-01-01"
SINCE = shown(NOON - timedelta(hours=1))


@pytest.fixture
async def seller():
    seller = await open_shop()
    await seller.lists("MUG", quantity=50, name="マグ", attributes={"asin": "B00MUG"})
    yield seller
    await seller.client.aclose()


async def listed(seller, **params):
    answer = await seller.orders(**params)
    assert answer.status_code == 200, answer.text
    assert_fits(MODEL, "SearchOrdersResponse", answer.json())
    return answer.json()["orders"]


async def test_a_purchase_lowers_the_counter_at_once_and_is_listed_two_minutes_later(seller):
    number = await seller.sells("MUG", 2)
    assert await seller.counter("MUG") == 48
    seller.hand.move(seconds=119)
    assert await listed(seller, createdAfter=SINCE) == []
    seller.hand.move(seconds=1)
    assert await listed(seller, createdAfter=SINCE) == [
        {
            "orderId": number,
            "createdTime": shown(NOON),
            "lastUpdatedTime": shown(NOON),
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": JAPAN,
                "marketplaceName": "Amazon.co.jp",
            },
            "fulfillment": {
                "fulfillmentStatus": "PENDING",
                "fulfilledBy": "MERCHANT",
                "fulfillmentServiceLevel": "STANDARD",
            },
            "orderItems": [
                {
                    "orderItemId": "00000000010001",
                    "quantityOrdered": 2,
                    "product": {"sellerSku": "MUG", "asin": "B00MUG", "title": "マグ"},
                    "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 2},
                }
            ],
        }
    ]


async def test_the_two_minutes_shrink_with_the_speed():
    seller = await open_shop(speed=60)
    await seller.lists("MUG", quantity=5)
    number = await seller.sells("MUG", 1)
    seller.hand.move(seconds=2)
    assert [o["orderId"] for o in await listed(seller, createdAfter=SINCE)] == [number]
    await seller.client.aclose()


@pytest.mark.parametrize(
    ("case", "params"),
    [
        ("no time", {}),
        ("both times", {"createdAfter": SINCE, "lastUpdatedAfter": SINCE}),
        ("a bound of the other", {"createdAfter": SINCE, "lastUpdatedBefore": SINCE}),
        ("a bound too young", {"createdAfter": SINCE, "createdBefore": shown(NOON)}),
        ("bounds the wrong way round", {"createdAfter": SINCE, "createdBefore": "2026-01-01T00:00:00Z"}),
        ("a time that is none", {"createdAfter": "yesterday"}),
        ("too large a page", {"createdAfter": SINCE, "maxResultsPerPage": 101}),
        ("an unknown status", {"createdAfter": SINCE, "fulfillmentStatuses": "Canceled"}),
        ("an unknown data set", {"createdAfter": SINCE, "includedData": "ITEMS"}),
        ("another marketplace", {"createdAfter": SINCE, "marketplaceIds": "ATVPDKIKX0DER"}),
        ("a token of nobody", {"createdAfter": SINCE, "paginationToken": "abc"}),
    ],
)  # fmt: skip
async def test_how_a_search_is_refused(seller, case, params):
    answer = await seller.orders(**params)
    assert_fits(MODEL, "ErrorList", answer.json())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "InvalidInput"), case


async def test_an_order_is_unshipped_when_its_payment_has_cleared(seller):
    number = await seller.sells("MUG", 1)
    cleared = NOON + timedelta(minutes=30)
    seller.hand.move(minutes=31)
    assert await listed(seller, lastUpdatedAfter=shown(cleared)) == []
    seller.hand.move(minutes=1)
    (order,) = await listed(seller, lastUpdatedAfter=shown(cleared))
    assert (order["orderId"], order["lastUpdatedTime"]) == (number, shown(cleared))
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"


async def test_a_cancel_gives_the_units_back_and_shows_by_last_update(seller):
    number = await seller.sells("MUG", 2)
    seller.hand.move(minutes=10)
    since = shown(seller.hand.at)
    await seller.control("POST", "cancel", number=number)
    assert await seller.counter("MUG") == 50
    seller.hand.move(minutes=2)
    (order,) = await listed(seller, lastUpdatedAfter=since)
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    (line,) = order["orderItems"]
    assert (line["quantityOrdered"], line["fulfillment"]["quantityUnfulfilled"]) == (0, 0)
    assert line["cancellation"]["cancellationExecution"]["cancelledBy"] == "BUYER"
    assert await listed(seller, lastUpdatedAfter=since, fulfillmentStatuses="UNSHIPPED") == []


async def test_a_shipped_order_is_not_cancelled(seller):
    number = await seller.sells("MUG", 2)
    await seller.control("POST", "status", number=number, status="SHIPPED")
    answer = await seller.asked("POST", "cancel", number=number)
    assert (answer.status_code, await seller.counter("MUG")) == (409, 48)
    shipped = (await seller.call("GET", f"/orders/2026-01-01/orders/{number}")).json()["order"]
    assert shipped["orderItems"][0]["quantityOrdered"] == 2


async def test_without_data_sets_there_is_no_status(seller):
    await seller.sells("MUG", 1)
    seller.hand.move(minutes=2)
    (order,) = await listed(seller, createdAfter=SINCE, includedData="")
    assert "fulfillment" not in order
    assert order["orderItems"][0].keys() == {"orderItemId", "quantityOrdered", "product"}


async def test_pages_neither_overlap_nor_lose_orders_placed_between_them(seller):
    numbers = [await seller.sells("MUG", 1) for _ in range(5)]
    seller.hand.move(minutes=2)
    params = {"createdAfter": SINCE, "includedData": "FULFILLMENT"}
    first = (await seller.orders(**params, maxResultsPerPage=2)).json()
    await seller.sells("MUG", 1)
    seller.hand.move(minutes=2)
    token = {"paginationToken": first["pagination"]["nextToken"]}
    second = (await seller.orders(**params, **token)).json()
    assert [o["orderId"] for page in (first, second) for o in page["orders"]] == numbers
    assert "pagination" not in second
    assert second["createdBefore"] == first["createdBefore"] == shown(NOON)

    other = await seller.orders(createdAfter=shown(NOON), **token)
    assert "must match" in other.json()["errors"][0]["message"]
    seller.hand.move(hours=25)
    await seller.sign_in()
    assert (await seller.orders(**params, **token)).status_code == 400


async def test_an_fba_order_is_told_apart(seller):
    fba = {"fulfillment_channel_code": "AMAZON_JP"}
    await seller.lists("FBA", quantity=9, attributes=fba)
    by_amazon, by_merchant = await seller.sells("FBA", 1), await seller.sells("MUG", 1)
    seller.hand.move(minutes=2)
    for party, number in (("AMAZON", by_amazon), ("MERCHANT", by_merchant)):
        (order,) = await listed(seller, createdAfter=SINCE, fulfilledBy=party)
        assert (order["orderId"], order["fulfillment"]["fulfilledBy"]) == (number, party)


async def test_one_order_is_read_at_once(seller):
    number = await seller.sells("MUG", 1)
    path = f"/orders/2026-01-01/orders/{number}"
    answer = await seller.call("GET", path, params={"includedData": "FULFILLMENT"})
    assert_fits(MODEL, "GetOrderResponse", answer.json())
    assert answer.json()["order"]["fulfillment"]["fulfillmentStatus"] == "PENDING"
    missing = await seller.call("GET", "/orders/2026-01-01/orders/503-0000000-0000009")
    assert missing.status_code == 404


async def test_a_late_order_enters_the_list_later(seller):
    await seller.control("POST", "faults", kind="late_orders", seconds=600)
    number = await seller.sells("MUG", 1)
    path = f"/orders/2026-01-01/orders/{number}"
    seller.hand.move(minutes=9)
    assert await listed(seller, createdAfter=SINCE) == []
    assert (await seller.call("GET", path)).status_code == 404
    seller.hand.move(minutes=1)
    assert [o["orderId"] for o in await listed(seller, createdAfter=SINCE)] == [number]


async def test_the_list_may_be_asked_twenty_times_and_then_every_three_minutes(seller):
    answers = [await seller.orders(createdAfter=SINCE) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[-1].json()["errors"][0]["code"] == "QuotaExceeded"
    seller.hand.move(minutes=2)
    assert (await seller.orders(createdAfter=SINCE)).status_code == 429
    seller.hand.move(minutes=1)
    assert (await seller.orders(createdAfter=SINCE)).status_code == 200


async def test_an_absolute_write_puts_a_sold_unit_back(seller):
    await seller.sells("MUG", 1)
    await seller.patch("MUG", setting(50))
    seller.hand.move(minutes=1)
    assert await seller.counter("MUG") == 50
