"""Following stock, shops and jobs: which events are told to whom, and with what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from api.nodes import global_id
from domain.model.actors import SYSTEM
from domain.model.events import MOST_EVENTS, EventKind, StockChange
from domain.model.jobs import JobKind, JobState
from domain.model.stock import Cause
from domain.services import shops
from domain.services.ledger import Ledger
from domain.store import jobs, stock_events
from domain.store.database import Database, Event
from tests.api.transport.serving import Api
from tests.factories import a_listing, a_product, a_row, a_set, a_shop

STOCK = """
subscription ($filter: EventFilter, $after: EventCursor, $coalesce: Boolean) {
  stockEvents(filter: $filter, after: $after, coalesce: $coalesce) {
    cursor reload events { cause total sellable order { number } product { code } } } }
"""
SHOPS = """
subscription ($shopIds: [ID!], $after: EventCursor) {
  shopEvents(shopIds: $shopIds, after: $after) { cursor reload events { shop { name } } } }
"""
JOBS = """
subscription ($ids: [ID!], $after: EventCursor) {
  jobProgress(ids: $ids, after: $after) {
    cursor reload events { job { __typename state progress { done } } } } }
"""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Shelf:
    """TEA with one kept back, MUG, and BOX of one tea and two mugs. TEA is listed at one shop, BOX at the other."""

    db: Database
    account: UUID
    ids: dict[str, UUID]
    tea_page: UUID
    shop: UUID
    other_shop: UUID
    order: UUID

    async def move(self, code: str, *deltas: int, order: bool = False) -> None:
        """One transaction with a movement for each number."""
        async with self.db.transaction(self.account) as tx:
            ledger = await Ledger.locked(tx, [self.ids[code]])
            for delta in deltas:
                ledger.move(
                    self.ids[code],
                    delta,
                    Cause.ORDER if order else Cause.COUNTED,
                    effective_at=NOW,
                    order_id=self.order if order else None,
                )
            await ledger.write(tx)

    async def change(self, code: str, change: StockChange) -> None:
        async with self.db.transaction(self.account) as tx:
            stock_events.changed(tx, [self.ids[code]], change)

    async def delete(self, code: str) -> None:
        async with self.db.transaction(self.account) as tx:
            gone = "UPDATE products SET deleted_at = now() WHERE account_id = $1 AND id = $2"
            await tx.planned(gone, [self.account, self.ids[code]])


@pytest.fixture
async def shelf(db: Database, account: UUID) -> Shelf:
    async with db.transaction(account) as tx:
        tea, mug = await a_product(tx, "TEA", reserve=1), await a_product(tx, "MUG")
        box = await a_set(tx, "BOX", {tea: 1, mug: 2})
        shop, other = await a_shop(tx, "楽天本店"), await a_shop(tx, "楽天二号店")
        page = await a_listing(tx, shop, "tea", product_id=tea)
        await a_listing(tx, other, "box", product_id=box)
        seen = {"observed_at": NOW, "first_observed_at": NOW, "placed_at": NOW, "fetched_at": NOW}
        order = await a_row(tx, "orders", shop_id=shop, number="R-1", status="HOLDS", **seen)
    ids = {"TEA": tea, "MUG": mug, "BOX": box}
    return Shelf(db, account, ids, page, shop, other, order)


async def told(api: Api, query: str, **variables: Any) -> Any:
    """The events of the first frame."""
    async with api.talking() as socket:
        await socket.subscribe("1", query, **variables)
        return (await socket.frame())["events"]


def codes(events: Any) -> list[str]:
    return [each["product"]["code"] for each in events]


async def now_of(api: Api) -> str:
    return str((await api.ask("{ eventCursor }"))["eventCursor"])


async def test_an_order_is_told_of_what_it_took_and_of_the_set_that_holds_it(
    api: Api, shelf: Shelf
) -> None:
    await shelf.move("MUG", 6)
    await shelf.move("TEA", 5)
    cursor = await now_of(api)
    await shelf.move("TEA", -2, order=True)

    of_order = {"cause": "ORDER", "order": {"number": "R-1"}}
    assert await told(api, STOCK, after=cursor) == [
        {"product": {"code": "TEA"}, "total": 3, "sellable": 2, **of_order},
        {"product": {"code": "BOX"}, "total": None, "sellable": 2, **of_order},
    ]


async def test_what_is_no_movement_is_told_without_a_cause(api: Api, shelf: Shelf) -> None:
    cursor = await now_of(api)
    await shelf.change("BOX", StockChange.NUMBERS)
    await shelf.change("TEA", StockChange.NAMED)

    untold = {"cause": None, "order": None}
    assert await told(api, STOCK, after=cursor) == [
        {"product": {"code": "BOX"}, "total": None, "sellable": 0, **untold},
        {"product": {"code": "TEA"}, "total": 0, "sellable": -1, **untold},
    ]


async def test_a_products_newest_event_stands_for_those_before_it_unless_asked_otherwise(
    api: Api, shelf: Shelf
) -> None:
    cursor = await now_of(api)
    await shelf.move("MUG", 1, 2)
    await shelf.move("MUG", 3)

    assert codes(await told(api, STOCK, after=cursor)) == ["MUG", "BOX"]
    every = await told(api, STOCK, after=cursor, coalesce=False)
    assert codes(every) == ["MUG", "MUG", "BOX", "MUG", "BOX"]


@pytest.mark.parametrize(
    ("case", "filter_", "expected"),
    [
        ("nothing said", lambda s: {}, ["TEA", "MUG", "BOX"]),
        ("products", lambda s: {"productIds": [global_id("Product", s.ids["BOX"])]}, ["BOX"]),
        ("codes", lambda s: {"codes": ["MUG", "NEW"]}, ["MUG"]),
        ("no code", lambda s: {"codes": []}, []),
        ("a listing", lambda s: {"listingIds": [global_id("Listing", s.tea_page)]}, ["TEA"]),
        ("a shop", lambda s: {"shopIds": [global_id("Shop", s.other_shop)]}, ["BOX"]),
        (
            "all of them together",
            lambda s: {"shopIds": [global_id("Shop", s.shop)], "codes": ["BOX"]},
            [],
        ),
    ],
)
async def test_stock_by_filter(
    api: Api,
    shelf: Shelf,
    case: str,
    filter_: Callable[[Shelf], dict[str, Any]],
    expected: list[str],
) -> None:
    cursor = await now_of(api)
    await shelf.move("TEA", 1)
    await shelf.move("MUG", 1)

    assert codes(await told(api, STOCK, after=cursor, filter=filter_(shelf))) == expected, case


async def test_a_code_that_comes_up_later_is_followed_too(api: Api, shelf: Shelf) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", STOCK, filter={"codes": ["CUP"]})
        assert (await socket.frame())["events"] == []
        async with shelf.db.transaction(shelf.account) as tx:
            shelf.ids["CUP"] = await a_product(tx, "CUP")
        await shelf.move("CUP", 4)
        assert codes((await socket.frame())["events"]) == ["CUP"]


async def test_what_is_gone_is_not_told(api: Api, shelf: Shelf) -> None:
    cursor = await now_of(api)
    await shelf.move("MUG", 1)
    await shelf.delete("MUG")

    assert codes(await told(api, STOCK, after=cursor)) == ["BOX"]


async def test_when_too_much_changed_at_once_stock_is_to_be_read_again(
    api: Api, db: Database, account: UUID
) -> None:
    cursor = await now_of(api)
    async with db.transaction(account) as tx:
        tx.emit(*[Event(EventKind.DIFF)] * (MOST_EVENTS + 1))
    async with api.talking() as socket:
        await socket.subscribe("1", STOCK, after=cursor)
        frame = await socket.frame()

    assert (frame["reload"], frame["events"]) == (True, [])


@pytest.mark.parametrize("query", [STOCK, SHOPS, JOBS])
@pytest.mark.parametrize(
    ("after", "code"),
    [("?", "BAD_CURSOR"), ("ZXZlbnRzOjk5OTk5", "EVENT_CURSOR_EXPIRED")],
)
async def test_a_cursor_that_is_none_is_refused(
    api: Api, query: str, after: str, code: str
) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", query, after=after)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    ("case", "query", "variables", "code"),
    [
        ("another kind of id", STOCK, {"filter": {"productIds": ["U2hvcDox"]}}, "BAD_ID"),
        ("more codes than can be", STOCK, {"filter": {"codes": ["?"] * 101}}, "TOO_MANY"),
        ("no shop", SHOPS, {"shopIds": ["?"]}, "BAD_ID"),
        ("more shops than can be", SHOPS, {"shopIds": ["?"] * 101}, "TOO_MANY"),
        ("no job", JOBS, {"ids": ["?"]}, "BAD_ID"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused(
    api: Api, case: str, query: str, variables: dict[str, Any], code: str
) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", query, **variables)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == code, case


async def test_shops_are_told_once_however_often_they_changed(api: Api, shelf: Shelf) -> None:
    cursor = await now_of(api)
    for shop in (shelf.shop, shelf.other_shop, shelf.shop):
        async with shelf.db.transaction(shelf.account) as tx:
            shops.announce(tx, shop)

    both = await told(api, SHOPS, after=cursor)
    assert both == [{"shop": {"name": "楽天二号店"}}, {"shop": {"name": "楽天本店"}}]
    other = [global_id("Shop", shelf.other_shop)]
    assert await told(api, SHOPS, after=cursor, shopIds=other) == both[:1]


async def test_jobs_of_all_kinds_are_told_as_they_are_now(api: Api, shelf: Shelf) -> None:
    cursor = await now_of(api)
    async with shelf.db.transaction(shelf.account) as tx:
        reflect = await jobs.create(tx, JobKind.REFLECT, total=2, actor=SYSTEM)
        check = await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shelf.shop, actor=SYSTEM)
    async with shelf.db.transaction(shelf.account) as tx:
        await jobs.progress(tx, reflect, done=1, failed=0)
        await jobs.finish(tx, check, JobState.DONE, {"ok": True}, at=NOW)

    running = {"__typename": "ReflectJob", "state": "RUNNING", "progress": {"done": 1}}
    assert await told(api, JOBS, after=cursor) == [
        {"job": running},
        {"job": {"__typename": "ShopCheck", "state": "DONE", "progress": {"done": 0}}},
    ]
    only = [global_id("Job", reflect)]
    assert await told(api, JOBS, after=cursor, ids=only) == [{"job": running}]
