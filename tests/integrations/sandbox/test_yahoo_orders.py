"""orderList, orderInfo and what a sale or a cancel does, as Yahoo's fact sheet tells them (§4, §8)."""

from xml.etree import ElementTree

import pytest

from tests.integrations.sandbox.rig import item
from tests.integrations.sandbox.yahoo_store import error, open_yahoo, order_ids

TODAY = "<OrderTimeFrom>20261201000000</OrderTimeFrom><OrderTimeTo>20261201235959</OrderTimeTo>"


@pytest.fixture
async def store():
    store = await open_yahoo()
    await store.rig.has(tee1__red=50, mug7=50)
    yield store
    await store.client.aclose()


def lines(answer):
    root = ElementTree.fromstring(answer.content)
    return [{field.tag: field.text for field in line} for line in root.iter("Item")]


async def test_only_the_fields_asked_for_come_back(store):
    order = await store.rig.buys("mug7", 2)
    answer = await store.order_list(TODAY, fields="OrderId,OrderTime,OrderStatus,IsSeen")
    root = ElementTree.fromstring(answer.content)
    (info,) = root.iter("OrderInfo")
    assert (root.findtext("Status"), root.findtext("Search/TotalCount")) == ("OK", "1")
    assert {field.tag: field.text for field in info} == {
        "Index": "1",
        "OrderId": order["number"],
        "IsSeen": "false",
        "OrderTime": "2026-12-01T12:00:00+09:00",
        "OrderStatus": "2",
    }
    assert order["number"] == "demo-store-10000001"


async def test_pages_of_ten_unless_asked_oldest_or_newest_first(store):
    numbers = []
    for _ in range(11):
        numbers.append((await store.rig.buys("mug7", 1))["number"])
        store.hand.move(seconds=1)
    first = await store.order_list(TODAY)
    rest = await store.order_list(TODAY, more="<Start>11</Start><Result>2000</Result>")
    newest = await store.order_list(TODAY, more="<Sort>-order_time</Sort><Result>1</Result>")
    assert (order_ids(first), order_ids(rest)) == (numbers[:10], numbers[10:])
    assert order_ids(newest) == numbers[10:]


async def test_an_order_published_late_is_found_by_its_publication_time():
    store = await open_yahoo(speed=1, limits=False)
    await store.rig.has(mug7=5)
    await store.rig.goes_wrong("late_orders", seconds=3600, calls=1)
    order = await store.rig.buys("mug7", 1)
    early = await store.order_list(TODAY)
    store.hand.move(hours=1)
    await store.sign_in()
    published = "<PublicationTimeFrom>20261201123000</PublicationTimeFrom>"
    assert await store.rig.counters() == {"mug7": 4}
    assert order_ids(early) == []
    assert order_ids(await store.order_list(published)) == [order["number"]]
    placed = "<OrderTimeFrom>20261201123000</OrderTimeFrom>"
    assert order_ids(await store.order_list(placed)) == []
    await store.client.aclose()


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("<OrderStatus>2</OrderStatus>", 1),
        ("<OrderStatus>4,5</OrderStatus>", 0),
        ("<IsSeen>false</IsSeen>", 1),
        ("<IsActive>false</IsActive>", 0),
        ("<OrderId>demo-store-10000001</OrderId>", 1),
        ("<ShipStatus>3</ShipStatus>", 0),
        ("<OrderTimeFrom>20261201120000</OrderTimeFrom>", 1),
        ("<OrderTimeTo>20261201115959</OrderTimeTo>", 0),
    ],
)
async def test_conditions(store, condition, found):
    await store.rig.buys("mug7", 1)
    assert len(order_ids(await store.order_list(condition))) == found


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("no condition", {"condition": ""}),
        ("an unknown condition", {"condition": "<Colour>red</Colour>"}),
        ("a time with dashes", {"condition": "<OrderTimeFrom>2026-12-01</OrderTimeFrom>"}),
        ("no such day", {"condition": "<OrderTimeFrom>20261131000000</OrderTimeFrom>"}),
        ("no fields", {"fields": ""}),
        ("another store", {"seller": "other"}),
        ("an unknown sort", {"more": "<Sort>+colour</Sort>"}),
        ("not XML", {"more": "<Result>"}),
    ],
)
async def test_how_a_list_is_refused(store, case, changes):
    answer = await store.order_list(**{"condition": TODAY} | changes)
    assert error(answer)[:2] == (400, "od90101"), case


async def test_an_order_with_one_line_and_with_two(store):
    one = await store.rig.buys("tee1", 2, "red")
    wanted = [{"item_code": "tee1", "variant_code": "red", "quantity": 1}]
    wanted.append({"item_code": "mug7", "quantity": 3})
    two = await store.rig.control("POST", "purchase", lines=wanted)
    fields = "OrderId,LineId,ItemId,SubCode,Quantity,ShipStatus"
    single = await store.order_info(one["number"], fields)
    double = await store.order_info(two["number"], fields)
    assert lines(single) == [{"LineId": "1", "ItemId": "tee1", "SubCode": "red", "Quantity": "2"}]
    assert [(line["ItemId"], line["SubCode"]) for line in lines(double)] == [
        ("tee1", "red"),
        ("mug7", None),
    ]
    assert (
        ElementTree.fromstring(single.content).findtext("Result/OrderInfo/Ship/ShipStatus") == "1"
    )


async def test_an_unknown_order(store):
    answer = await store.order_info("demo-store-1", "OrderId")
    assert error(answer) == (404, "od91801", "Not Exists : demo-store-1")


async def test_a_cut_line_remembers_what_was_bought(store):
    order = await store.rig.buys("mug7", 3)
    await store.rig.control("POST", "cut", number=order["number"], item_code="mug7", by=2)
    answer = await store.order_info(order["number"], "Quantity,OriginalNum")
    assert lines(answer) == [{"Quantity": "1", "OriginalNum": "3"}]


async def test_a_split_order_names_its_parts_and_moves_no_counter(store):
    order = await store.rig.buys("mug7", 3)
    part = {"number": order["number"], "item_code": "mug7", "by": 1}
    child = (await store.rig.control("POST", "split", **part))["child"]
    fields = "IsSplit,ParentOrderId,ChildOrderId,Quantity"
    answers = [await store.order_info(n, fields) for n in (order["number"], child["number"])]
    infos = [ElementTree.fromstring(answer.content).find("Result/OrderInfo") for answer in answers]
    assert [info.findtext("IsSplit") for info in infos] == ["true", "true"]
    assert infos[0].findtext("ChildOrderId") == child["number"]
    assert infos[1].findtext("ParentOrderId") == order["number"]
    assert [lines(answer) for answer in answers] == [[{"Quantity": "2"}], [{"Quantity": "1"}]]
    assert (await store.rig.counters())["mug7"] == 47


@pytest.mark.parametrize(("keeps", "counter"), [(True, 50), (False, 48)])
async def test_a_cancel_returns_what_keep_stock_says_and_is_final(store, keeps, counter):
    mug = item("mug7", quantity=50, attributes={"keep_stock": keeps})
    await store.rig.control("PUT", "items", items=[mug])
    number = (await store.rig.buys("mug7", 2))["number"]
    await store.rig.control("POST", "cancel", number=number)
    cancelled = await store.order_list(
        "<OrderStatus>4</OrderStatus>", fields="OrderId", more="<Result>5</Result>"
    )
    reopened = await store.rig.asked("POST", "status", number=number, status="2")
    assert order_ids(cancelled) == [number]
    assert (await store.rig.counters())["mug7"] == counter
    assert (reopened.status_code, reopened.json()["error"]["code"]) == (409, "CLOSED")


async def test_a_cancel_for_lack_of_stock_closes_the_item_whatever_its_number(store):
    number = (await store.rig.buys("mug7", 2))["number"]
    await store.rig.control("POST", "cancel", number=number, reason="stock_out")
    assert (await store.set_stock("mug7", "9")).status_code == 200
    line = {"item_code": "mug7", "quantity": 1}
    refused = await store.rig.asked("POST", "purchase", lines=[line])
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "SOLD_OUT")


async def test_how_many_orders_are_new_reserved_and_on_hold(store):
    await store.rig.buys("mug7", 1)
    await store.rig.buys("mug7", 1, status="1")
    await store.rig.buys("mug7", 1, status="3", details={"seen": True})
    answer = await store.get("orderCount", sellerId="demo-store")
    root = ElementTree.fromstring(answer.content)
    assert {field.tag: field.text for field in root.find("Result/Count")} == {
        "NewOrder": "2",
        "NewReserve": "1",
        "Holding": "1",
    }
