"""setStock, getStock, limits and maintenance as Yahoo's fact sheet tells them (§2, §3, §6)."""

import pytest

from tests.integrations.sandbox.rig import item
from tests.integrations.sandbox.yahoo_store import SELLER, error, open_yahoo, results


@pytest.fixture
async def store():
    store = await open_yahoo()
    await store.rig.has(tee1__red=5, tee1__blue=3, mug7=5)
    yield store
    await store.client.aclose()


async def test_absolute_and_relative_numbers_in_one_call(store):
    answer = await store.set_stock("tee1:red,mug7", "12,+3")
    assert answer.status_code == 200
    assert results(answer) == [
        {"ItemCode": "tee1", "SubCode": "red", "Quantity": "12"},
        {"ItemCode": "mug7", "SubCode": None, "Quantity": "8"},
    ]
    assert await store.rig.counters() == {"mug7": 8, "tee1:blue": 3, "tee1:red": 12}


async def test_a_minus_is_a_delta_and_may_lead_below_zero(store):
    await store.set_stock("mug7", "-7")
    assert (await store.rig.counters())["mug7"] == -2


async def test_a_plus_that_is_not_escaped_is_a_bad_quantity(store):
    answer = await store.post("setStock", b"seller_id=demo-store&item_code=mug7&quantity=+3")
    assert error(answer)[:2] == (400, "st-02104")


@pytest.mark.parametrize(
    ("case", "codes", "quantities", "more", "code"),
    [
        ("no store", "mug7", "1", {"seller_id": ""}, "st-02100"),
        ("another store", "mug7", "1", {"seller_id": "other"}, "ed-00005"),
        ("no code", "", "1", {}, "st-02101"),
        ("a code with a dot", "mug.7", "1", {}, "st-02101"),
        ("a code of 100 letters", "a" * 100, "1", {}, "st-02101"),
        ("the same code twice", "mug7,mug7", "1,2", {}, "st-02103"),
        ("a decimal", "mug7", "33.0", {}, "st-02104"),
        ("unlimited, as it was", "mug7", "INI", {}, "st-02104"),
        ("above the range", "mug7", "1000000000", {}, "st-02104"),
        ("fewer quantities", "mug7,tee1:red", "1", {}, "st-02105"),
        ("a wrong overdraft", "mug7", "1", {"allow_overdraft": "2"}, "st-02106"),
        ("fewer overdrafts", "mug7,tee1:red", "1,2", {"allow_overdraft": "1"}, "st-02107"),
    ],
)
async def test_how_a_whole_call_is_refused(store, case, codes, quantities, more, code):
    answer = await store.set_stock(codes, quantities, **more)
    assert error(answer)[:2] == (400, code), case
    assert b'xmlns="urn:yahoo:api"' in answer.content
    assert (await store.rig.counters())["mug7"] == 5, case


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 400)])
async def test_a_call_holds_at_most_1000_codes(store, count, status):
    codes = ",".join(f"c{i}" for i in range(count))
    answer = await store.set_stock(codes, ",".join("1" * count))
    assert answer.status_code == status
    assert status == 200 or error(answer)[1] == "st-02102"


async def test_a_partial_failure_applies_the_others(store):
    await store.rig.goes_wrong("partial", items=["tee1:red"], code="st-02999", calls=1)
    answer = await store.set_stock("tee1:red,mug7", "1,2")
    assert answer.status_code == 207
    assert results(answer) == [
        {"ItemCode": "tee1", "SubCode": "red", "ErrorCode": "st-02999"},
        {"ItemCode": "mug7", "SubCode": None, "Quantity": "2"},
    ]
    assert await store.rig.counters() == {"mug7": 2, "tee1:blue": 3, "tee1:red": 5}


async def test_the_only_item_refused_is_a_whole_failure(store):
    await store.rig.goes_wrong("partial", items=["mug7"], calls=1)
    assert error(await store.set_stock("mug7", "2"))[:2] == (500, "st-02999")


async def test_updated_but_not_read_again_is_applied(store):
    await store.rig.goes_wrong("partial", items=["mug7"], code="ed-10002", calls=1)
    answer = await store.set_stock("mug7", "2")
    assert (answer.status_code, results(answer)[0]["ErrorCode"]) == (207, "ed-10002")
    assert (await store.rig.counters())["mug7"] == 2


async def test_accepted_without_being_applied_answers_the_number_it_was_sent(store):
    await store.rig.goes_wrong("not_applied", calls=1)
    answer = await store.set_stock("mug7", "2")
    assert (answer.status_code, results(answer)[0]["Quantity"]) == (200, "2")
    assert (await store.rig.counters())["mug7"] == 5


async def test_a_reading_with_found_and_unknown_codes(store):
    await store.set_stock("mug7", "5", allow_overdraft="1")
    answer = await store.get_stock("mug7,nope")
    assert results(answer) == [
        {
            "ItemCode": "mug7",
            "SubCode": None,
            "Status": "1",
            "Quantity": "5",
            "AllowOverdraft": "1",
            "IsPublished": "1",
            "UpdateTime": "2026-12-01T12:00:00+09:00",
        },
        {"ItemCode": "nope", "SubCode": None, "Status": "0"},
    ]
    assert b'ok="1" ng="1"' in answer.content


async def test_stock_of_an_unknown_code_waits_for_its_item(store):
    assert (await store.set_stock("later", "4")).status_code == 200
    assert results(await store.get_stock("later"))[0]["Status"] == "0"
    await store.rig.control("PUT", "items", items=[item("later")])
    assert results(await store.get_stock("later"))[0]["Quantity"] == "4"


async def test_a_write_is_read_back_after_the_display_delay():
    store = await open_yahoo(speed=1, display_delay=20, limits=False)
    await store.rig.has(mug7=5)
    await store.set_stock("mug7", "9")
    at_once = results(await store.get_stock("mug7"))[0]["Quantity"]
    store.hand.move(seconds=20)
    assert (at_once, results(await store.get_stock("mug7"))[0]["Quantity"]) == ("5", "9")
    await store.client.aclose()


async def test_a_second_call_within_a_second_blocks_for_a_while():
    store = await open_yahoo(speed=1)
    statuses = []
    for gap in (0, 0.2, 5, 30):
        store.hand.move(seconds=gap)
        statuses.append((await store.get_stock("mug7")).status_code)
    assert statuses == [200, 403, 403, 200]
    await store.client.aclose()


async def test_an_application_has_its_calls_of_the_day():
    store = await open_yahoo(speed=1, calls_a_day=2)
    statuses = []
    for gap in (0, 1, 1, 54_000):
        store.hand.move(seconds=gap)
        await store.sign_in()
        statuses.append((await store.get_stock("mug7")).status_code)
    assert statuses == [200, 200, 403, 200]
    await store.client.aclose()


@pytest.mark.parametrize(
    ("case", "fault", "expected"),
    [
        ("maintenance", {"kind": "maintenance", "on": ["stock"]}, (503, "ed-00002")),
        ("too many calls", {"kind": "throttle"}, (403, None)),
        ("publishing", {"kind": "spurious", "code": "publishing"}, (400, None)),
        ("a system error", {"kind": "spurious", "code": "ed-00001"}, (500, "ed-00001")),
    ],
)
async def test_mishaps_in_yahoos_words(store, case, fault, expected):
    await store.rig.control("POST", "faults", **fault)
    answer = await store.set_stock("mug7", "1")
    assert error(answer)[:2] == expected, case
    assert (await store.rig.counters())["mug7"] == 5, case
    assert await store.rig.control("DELETE", "faults") == {"lifted": 1}
    assert (await store.set_stock("mug7", "1")).status_code == 200, case


async def test_the_catalogue_is_walked_by_category(store):
    red = item("tee1", "red", attributes={"category": "wear", "keep_stock": True})
    await store.rig.control(
        "PUT", "items", items=[red, item("cap2", attributes={"category": "wear"})]
    )
    keys = [result["PageKey"] for result in results(await store.get("stCategoryList"))]
    listed = results(await store.get("myItemList", stcat_key="all", stock="true", results="1"))
    assert keys == ["all", "wear"]
    assert listed == [
        {
            "ItemCode": "mug7",
            "HasSubCode": "0",
            "Name": "Name of mug7",
            "Display": "1",
            "EditingFlag": "0",
            "Quantity": "5",
        }
    ]


async def test_an_items_search_and_its_sub_codes(store):
    found = await store.get("myItemList", type="code", query="tee", stock="true")
    full = await store.get("getItem", item_code="tee1")
    assert [(r["ItemCode"], r["Quantity"]) for r in results(found)] == [("tee1", "8")]
    assert b'<SubCodes><SubCode code="blue" /><SubCode code="red" /></SubCodes>' in full.content
    assert (await store.get("getItem", item_code="none")).status_code == 404
    assert error(await store.get("myItemList"))[:2] == (400, "px-04001")
    assert error(await store.get("getItem", seller_id=f"{SELLER}-2"))[:2] == (400, "ed-00005")
