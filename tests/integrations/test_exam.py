"""The exam every connector sits: the promises of domain/model/malls.py, kept against its mall over real HTTP."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallOutcomeUnknown,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.mall_specs import MALL_SPECS, consent_url
from domain.model.malls import (
    Bucket,
    CheckOutcome,
    CheckPartKey,
    FeedStage,
    ItemRef,
    Mall,
    MallKind,
    MallListing,
    MallOrder,
    OrderPage,
    OrderStatus,
    OrderWindow,
    PushOutcome,
    PushResult,
    ShopConfig,
    StockPush,
    WriteMode,
)
from integrations.registry import CONNECTORS, connect
from integrations.sandbox.app import create_app
from integrations.sandbox.clock import Clock
from tests.consent_page import pressed
from tests.integrations.recorded import OpenThrottle
from tests.patience import eventually

UNHURRIED = 5.0
IMPATIENT = 0.5
LONG_AGO = timedelta(minutes=10)
MANY = 105
STRICT_SPEED = 20


@dataclass(frozen=True)
class Seat:
    """What the exam has to know of a mall: its name at the sandbox, its addresses, two codes it can have."""

    name: str
    paths: Mapping[str, str]
    first: ItemRef
    second: ItemRef
    unknown: ItemRef


SEATS: Mapping[MallKind, Seat] = {
    MallKind.RAKUTEN: Seat(
        "rakuten",
        {"base_url": "/rakuten"},
        ItemRef("tee-001", "tee-001-red-m"),
        ItemRef("mug-7", "mug-7"),
        ItemRef("nope", "nope"),
    ),
    MallKind.YAHOO_SHOPPING: Seat(
        "yahoo",
        {"base_url": "/yahoo", "auth_url": "/yahoo-auth"},
        ItemRef("tee1", "tee1-red-m"),
        ItemRef("mug7"),
        ItemRef("nope"),
    ),
    MallKind.AMAZON: Seat(
        "amazon",
        {"base_url": "/amazon", "auth_url": "/amazon-auth", "consent_url": "/amazon-auth"},
        ItemRef("TEE-001-M"),
        ItemRef("MUG 7/2"),
        ItemRef("NOPE"),
    ),
}


@dataclass
class Hand:
    """The malls' clock: real time, set back while the past is written."""

    back: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.back

    @contextmanager
    def set_back(self, by: timedelta) -> Iterator[None]:
        self.back = by
        try:
            yield
        finally:
            self.back = timedelta(0)


@dataclass
class Sandbox:
    address: str
    hand: Hand


@asynccontextmanager
async def served(speed: float) -> AsyncIterator[Sandbox]:
    """All malls on one real server. Speed 0 lifts limits and delays."""
    hand = Hand()
    app = create_app(clock=Clock(speed=speed, read=hand))
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: asyncio.sleep(0, server.started))
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Sandbox(f"http://127.0.0.1:{port}", hand)
    finally:
        server.should_exit = True
        await serving


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with served(speed=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
async def strict_sandbox() -> AsyncIterator[Sandbox]:
    """With the malls' limits and delays, at STRICT_SPEED times the real ones."""
    async with served(speed=STRICT_SPEED) as sandbox:
        yield sandbox


@dataclass
class Shop:
    """One shop of the mall under examination. `mall` is the connector; the rest is the examiner's own access."""

    kind: MallKind
    seller: str
    sandbox: Sandbox
    control: httpx.AsyncClient
    http: httpx.AsyncClient
    credentials: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    throttle: OpenThrottle = field(default_factory=OpenThrottle)

    @property
    def seat(self) -> Seat:
        return SEATS[self.kind]

    def mall(self) -> Mall:
        config = ShopConfig(self.kind, self.credentials, self.settings)
        return connect(config, self.http, self.throttle, self.keep)

    async def keep(self, credentials: Mapping[str, str]) -> None:
        self.credentials.update(credentials)

    async def asks(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        whose = {"mall": self.seat.name, "seller": self.seller}
        answer = await self.control.request(method, f"/_control/{path}", json=whose | body)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def has(self, quantities: Mapping[ItemRef, int]) -> None:
        items = [
            named(ref) | {"name": f"Name of {ref.item_code}", "quantity": quantity}
            for ref, quantity in quantities.items()
        ]
        await self.asks("PUT", "items", items=items)

    async def sells(self, *lines: tuple[ItemRef, int]) -> str:
        """A sale of ten minutes ago; its number. Amazon's list is two minutes late."""
        with self.sandbox.hand.set_back(LONG_AGO):
            bought = [named(ref) | {"quantity": units} for ref, units in lines]
            told = await self.asks("POST", "purchase", lines=bought)
        return str(told["number"])

    async def goes_wrong(self, kind: str, **more: Any) -> None:
        await self.asks("POST", "faults", kind=kind, **more)

    async def goes_right(self) -> None:
        await self.asks("DELETE", "faults")

    async def requests(self) -> dict[str, int]:
        told = await self.asks("GET", "state")
        return dict(told["requests"])


def named(ref: ItemRef) -> dict[str, Any]:
    return {"item_code": ref.item_code, "variant_code": ref.variant_code}


@asynccontextmanager
async def a_shop(kind: MallKind, sandbox: Sandbox, patience: float) -> AsyncIterator[Shop]:
    async with (
        httpx.AsyncClient(base_url=sandbox.address) as control,
        httpx.AsyncClient(timeout=patience) as http,
    ):
        shop = Shop(kind, f"A{secrets.token_hex(6).upper()}", sandbox, control, http)
        opened = await shop.asks("POST", "shops")
        shop.credentials = {key: str(value) for key, value in opened["credentials"].items()}
        paths = {key: sandbox.address + path for key, path in shop.seat.paths.items()}
        shop.settings = paths | {"seller_id": shop.seller, "speed": "10000"}
        yield shop


@pytest.fixture(params=list(CONNECTORS))
def kind(request: pytest.FixtureRequest) -> MallKind:
    return MallKind(request.param)


@pytest.fixture
async def shop(kind: MallKind, sandbox: Sandbox) -> AsyncIterator[Shop]:
    async with a_shop(kind, sandbox, UNHURRIED) as shop:
        await shop.has({shop.seat.first: 10, shop.seat.second: 5})
        yield shop


@pytest.fixture
async def hurried_shop(kind: MallKind, sandbox: Sandbox) -> AsyncIterator[Shop]:
    async with a_shop(kind, sandbox, IMPATIENT) as shop:
        await shop.has({shop.seat.first: 10, shop.seat.second: 5})
        yield shop


async def push(mall: Mall, pushes: Sequence[StockPush]) -> list[PushResult]:
    size = mall.capabilities.max_pushes_per_call
    results: list[PushResult] = []
    for start in range(0, len(pushes), size):
        results += await mall.push_stock(pushes[start : start + size])
    return results


async def shown(mall: Mall, refs: Sequence[ItemRef]) -> list[int | None]:
    return [reading.quantity for reading in await mall.read_stock(refs)]


async def shows(mall: Mall, expected: Mapping[ItemRef, int]) -> None:
    async def they_agree() -> bool:
        return await shown(mall, list(expected)) == list(expected.values())

    await eventually(they_agree)


def lately(mall: Mall) -> OrderWindow:
    now = datetime.now(UTC)
    return OrderWindow(now - 2 * LONG_AGO, now - mall.capabilities.order_lag - timedelta(seconds=2))


async def pages_of(mall: Mall) -> list[OrderPage]:
    return [page async for page in mall.orders_placed(lately(mall))]


async def orders_of(mall: Mall) -> list[MallOrder]:
    return [order for page in await pages_of(mall) for order in page.orders]


def is_now(moment: datetime) -> bool:
    return moment.tzinfo is UTC and abs(moment - datetime.now(UTC)) < timedelta(seconds=15)


async def test_an_absolute_number_is_shown_as_it_was_sent(shop: Shop) -> None:
    mall, (first, second) = shop.mall(), (shop.seat.first, shop.seat.second)

    results = await push(mall, [StockPush(second, 0), StockPush(first, 7)])

    expected = PushOutcome.APPLIED if mall.capabilities.answers_applied else PushOutcome.ACCEPTED
    assert [(r.ref, r.outcome) for r in results] == [(second, expected), (first, expected)]
    assert all(is_now(r.at.earliest) and is_now(r.at.latest) for r in results)
    assert all(r.at.earliest <= r.at.latest for r in results)
    await shows(mall, {first: 7, second: 0})


async def test_a_relative_number_moves_what_is_there(shop: Shop) -> None:
    mall, first = shop.mall(), shop.seat.first
    if not mall.capabilities.relative_writes:
        pytest.skip("this mall takes absolute numbers only")

    await push(mall, [StockPush(first, -3, WriteMode.RELATIVE)])
    await shows(mall, {first: 7})
    await push(mall, [StockPush(first, 5, WriteMode.RELATIVE)])
    await shows(mall, {first: 12})


async def test_numbers_in_bulk_are_shown_as_they_were_sent(shop: Shop) -> None:
    mall, (first, second) = shop.mall(), (shop.seat.first, shop.seat.second)
    if mall.feeds is None:
        assert mall.capabilities.feed is None
        pytest.skip("this mall takes no numbers in bulk")
    assert mall.capabilities.feed is not None
    await shop.goes_wrong("partial", items=[str(second)])

    name = await mall.feeds.begin([StockPush(second, 8), StockPush(first, 7)])
    state = await mall.feeds.state(name)

    assert (state.stage, state.processed, set(state.refused)) == (FeedStage.DONE, 2, {0})
    assert is_now(state.at.earliest)
    assert is_now(state.at.latest)
    assert all(code and words for code, words in state.refused.values())
    await shows(mall, {first: 7, second: 5})


@pytest.mark.parametrize(
    ("fault", "stage"), [("stuck", FeedStage.RUNNING), ("fatal", FeedStage.FAILED)]
)
async def test_a_feed_that_does_not_end_well(shop: Shop, fault: str, stage: FeedStage) -> None:
    mall = shop.mall()
    if mall.feeds is None:
        pytest.skip("this mall takes no numbers in bulk")
    await shop.goes_wrong(fault)

    name = await mall.feeds.begin([StockPush(shop.seat.first, 7)])

    assert (await mall.feeds.state(name)).stage is stage
    assert (await mall.feeds.state("999")).stage is FeedStage.UNHEARD_OF
    await shows(mall, {shop.seat.first: 10})


async def test_one_refused_item_is_named_and_keeps_its_number(shop: Shop) -> None:
    mall, (first, second) = shop.mall(), (shop.seat.first, shop.seat.second)
    await shop.goes_wrong("partial", items=[str(second)])
    pushes = [StockPush(first, 7), StockPush(second, 8)]

    refused = await refused_of(mall, pushes)

    assert refused == {str(second)}
    await shows(mall, {first: 7, second: 5})


async def refused_of(mall: Mall, pushes: Sequence[StockPush]) -> set[str]:
    """Where a call is all or nothing, what is left of it is sent again."""
    try:
        results = await push(mall, pushes)
    except MallRefused as error:
        rest = [each for each in pushes if str(each.ref) != error.item_ref]
        return {str(error.item_ref)} | await refused_of(mall, rest)
    return {str(r.ref) for r in results if r.outcome is PushOutcome.REFUSED}


async def test_an_unknown_code_is_not_found_and_others_are_in_the_order_asked(shop: Shop) -> None:
    seat, mall = shop.seat, shop.mall()

    read = await mall.read_stock([seat.second, seat.unknown, seat.first])

    assert [(r.ref, r.found, r.quantity) for r in read] == [
        (seat.second, True, 5),
        (seat.unknown, False, None),
        (seat.first, True, 10),
    ]
    assert all(is_now(r.at.earliest) and is_now(r.at.latest) for r in read)


async def test_an_order_is_seen_with_its_lines_status_and_time(shop: Shop) -> None:
    seat, mall = shop.seat, shop.mall()
    number = await shop.sells((seat.first, 2), (seat.second, 1))

    pages = await pages_of(mall)

    [order] = [order for page in pages for order in page.orders]
    assert order.number == number
    assert order.status is OrderStatus.HOLDS
    assert sorted((line.ref, line.quantity) for line in order.lines) == sorted(
        [(seat.first, 2), (seat.second, 1)]
    )
    assert order.placed_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - LONG_AGO - order.placed_at) < timedelta(seconds=15)
    assert all(is_now(page.observed_at) for page in pages)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert all(page.unreadable == {} for page in pages)
    assert all(page.total in (None, 1) for page in pages)


async def test_a_window_before_the_order_does_not_show_it(shop: Shop) -> None:
    mall = shop.mall()
    await shop.sells((shop.seat.first, 1))
    now = datetime.now(UTC)

    pages = [
        page
        async for page in mall.orders_placed(OrderWindow(now - 3 * LONG_AGO, now - 2 * LONG_AGO))
    ]

    assert [page.orders for page in pages] == [()]
    assert pages[0].last


async def test_many_orders_come_oldest_first_and_none_is_lost(shop: Shop) -> None:
    mall = shop.mall()
    await shop.has({shop.seat.first: 10 * MANY})
    numbers = [await shop.sells((shop.seat.first, 1)) for _ in range(MANY)]

    orders = await orders_of(mall)

    assert len(orders) == MANY
    assert {order.number for order in orders} == set(numbers)
    assert [order.placed_at for order in orders] == sorted(order.placed_at for order in orders)


async def test_an_order_held_back_by_yahoo_is_found_when_it_is_published(
    strict_sandbox: Sandbox,
) -> None:
    async with a_shop(MallKind.YAHOO_SHOPPING, strict_sandbox, UNHURRIED) as shop:
        await shop.has({shop.seat.first: 10})
        held_for = 5 * LONG_AGO
        await shop.goes_wrong("late_orders", seconds=held_for.total_seconds())
        with strict_sandbox.hand.set_back(held_for + LONG_AGO):
            line = named(shop.seat.first) | {"quantity": 1}
            told = await shop.asks("POST", "purchase", lines=[line])
        shop.throttle, shop.settings["speed"] = PacedThrottle(), str(STRICT_SPEED)

        [order] = await orders_of(shop.mall())

        assert order.number == told["number"]
        assert datetime.now(UTC) - order.placed_at > held_for


async def test_a_cancel_is_seen_by_its_number(shop: Shop) -> None:
    mall = shop.mall()
    kept, cancelled = [await shop.sells((shop.seat.first, 1)) for _ in range(2)]
    await shop.asks("POST", "cancel", number=cancelled)

    page = await mall.orders_by_number([cancelled, kept])

    assert {order.number: order.status for order in page.orders} == {
        cancelled: OrderStatus.RELEASED,
        kept: OrderStatus.HOLDS,
    }
    assert is_now(page.observed_at)
    assert page.unreadable == {}


async def test_a_cut_quantity_is_seen_by_its_number(shop: Shop) -> None:
    mall, first = shop.mall(), shop.seat.first
    number = await shop.sells((first, 3))
    await shop.asks("POST", "cut", number=number, **named(first), by=2)

    page = await mall.orders_by_number([number])

    assert [[line.quantity for line in order.lines] for order in page.orders] == [[1]]


async def test_of_an_order_only_codes_are_kept(shop: Shop) -> None:
    mall, (first, second) = shop.mall(), (shop.seat.first, shop.seat.second)
    number = await shop.sells((first, 2), (second, 1))

    [order] = await orders_of(mall)

    codes = {first.item_code, first.variant_code, second.item_code, second.variant_code}
    known = codes | {number, order.status.value} | {line.line_id for line in order.lines}
    assert set(words_in(order)) <= known


def words_in(value: object) -> Iterator[str]:
    """Every text held anywhere in a value."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from words_in(getattr(value, each.name))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from words_in(part)


@pytest.mark.parametrize(
    "calls",
    [
        lambda mall, ref: mall.push_stock([StockPush(ref, 7)]),
        lambda mall, ref: mall.read_stock([ref]),
        lambda mall, _: pages_of(mall),
        lambda mall, _: mall.orders_by_number(["number"]),
    ],
    ids=["writes", "reads", "orders", "orders by number"],
)
async def test_too_many_calls_are_told_to_the_throttle(
    shop: Shop, calls: Callable[[Mall, ItemRef], Awaitable[object]]
) -> None:
    mall = shop.mall()
    await shop.goes_wrong("throttle", calls=1)

    with pytest.raises(MallThrottled):
        await calls(mall, shop.seat.first)

    assert shop.throttle.told
    assert set(shop.throttle.told) <= set(shop.throttle.taken)
    await shows(mall, {shop.seat.first: 10})


class PacedThrottle(OpenThrottle):
    """Keeps to the buckets, as the workers' shared one does, with a margin for two ways of different length."""

    MARGIN = 1.3

    def __init__(self) -> None:
        super().__init__()
        self.free_at: dict[str, float] = {}

    async def take(self, *buckets: Bucket) -> None:
        await super().take(*buckets)
        for bucket in buckets:
            now, gap = time.monotonic(), self.MARGIN / (bucket.rate * STRICT_SPEED)
            free_at = max(self.free_at.get(bucket.name, 0), now - (bucket.burst - 1) * gap)
            self.free_at[bucket.name] = free_at + gap
            await asyncio.sleep(max(0, free_at - now))


async def test_who_keeps_to_its_buckets_is_never_told_to_wait(
    kind: MallKind, strict_sandbox: Sandbox
) -> None:
    async with a_shop(kind, strict_sandbox, UNHURRIED) as shop:
        shop.throttle = PacedThrottle()
        shop.settings["speed"] = str(STRICT_SPEED)
        first = shop.seat.first
        await shop.has({first: 0, shop.seat.second: 5})
        mall = shop.mall()

        for quantity in range(10):
            await mall.push_stock([StockPush(first, quantity)])
            await mall.read_stock([first])
        await orders_of(mall)

        assert shop.throttle.told == {}
        await shows(mall, {first: 9})


async def test_dead_credentials_lock_out_until_they_are_renewed(shop: Shop) -> None:
    await shop.goes_wrong("expired")

    with pytest.raises(MallLockedOut):
        await shop.mall().push_stock([StockPush(shop.seat.first, 7)])
    with pytest.raises(MallLockedOut):
        await pages_of(shop.mall())

    renewed = await shop.asks("POST", "renew")
    shop.credentials = {key: str(value) for key, value in renewed["credentials"].items()}
    await shows(shop.mall(), {shop.seat.first: 10})


async def test_an_access_token_that_died_early_is_renewed(shop: Shop) -> None:
    if MALL_SPECS[shop.kind].consent is None:
        pytest.skip("this mall has no access tokens")
    mall = shop.mall()
    await shows(mall, {shop.seat.first: 10})
    await shop.asks("POST", "expire")

    await push(mall, [StockPush(shop.seat.first, 7)])

    await shows(mall, {shop.seat.first: 7})


async def test_maintenance_is_told_apart_and_applies_nothing(shop: Shop) -> None:
    mall = shop.mall()
    await shop.goes_wrong("maintenance")

    for call in (mall.push_stock([StockPush(shop.seat.first, 7)]), pages_of(mall)):
        with pytest.raises(MallUnavailable) as unavailable:
            await call
        assert unavailable.value.maintenance

    await shop.goes_right()
    await shows(mall, {shop.seat.first: 10})


async def test_a_number_applied_without_an_answer_is_unknown(hurried_shop: Shop) -> None:
    shop, mall = hurried_shop, hurried_shop.mall()
    await shows(mall, {shop.seat.first: 10})
    await shop.goes_wrong("no_answer", calls=1)

    with pytest.raises(MallOutcomeUnknown):
        await mall.push_stock([StockPush(shop.seat.first, 7)])

    await shows(mall, {shop.seat.first: 7})


async def test_a_number_applied_on_a_cut_connection_is_unknown(shop: Shop) -> None:
    mall = shop.mall()
    await shop.goes_wrong("cut", calls=1)

    with pytest.raises(MallOutcomeUnknown):
        await mall.push_stock([StockPush(shop.seat.first, 7)])

    await shows(mall, {shop.seat.first: 7})


async def test_a_reading_without_an_answer_changed_nothing(hurried_shop: Shop) -> None:
    shop, mall = hurried_shop, hurried_shop.mall()
    await shop.goes_wrong("no_answer", on=["stock", "catalogue"], calls=1)

    with pytest.raises(MallUnavailable):
        await mall.read_stock([shop.seat.first, shop.seat.second])


async def test_half_an_answer_is_malformed(shop: Shop) -> None:
    mall = shop.mall()
    await shop.goes_wrong("malformed")

    with pytest.raises(MallMalformed):
        await mall.push_stock([StockPush(shop.seat.first, 7)])
    with pytest.raises(MallMalformed):
        await mall.read_stock([shop.seat.first, shop.seat.second])


async def test_half_a_list_of_orders_is_malformed(shop: Shop) -> None:
    await shop.sells((shop.seat.first, 1))
    await shop.goes_wrong("malformed", on=["orders"])

    with pytest.raises(MallMalformed):
        await pages_of(shop.mall())


async def test_more_than_a_call_takes_is_not_sent(shop: Shop) -> None:
    mall, first = shop.mall(), shop.seat.first
    before = await shop.requests()

    with pytest.raises(ValueError, match="at most"):
        await mall.push_stock([StockPush(first, 7)] * (mall.capabilities.max_pushes_per_call + 1))
    with pytest.raises(ValueError, match="at most"):
        await mall.read_stock([first] * (mall.capabilities.max_reads_per_call + 1))
    with pytest.raises(ValueError, match="at most"):
        await mall.orders_by_number(["number"] * 101)

    assert await shop.requests() == before


async def test_a_full_call_is_taken(shop: Shop) -> None:
    mall = shop.mall()
    pushes = [
        StockPush(ItemRef(f"item-{n}", shop.seat.second.variant_code and f"item-{n}"), n)
        for n in range(mall.capabilities.max_pushes_per_call)
    ]
    await shop.has({each.ref: 0 for each in pushes})

    assert len(await mall.push_stock(pushes)) == len(pushes)

    some = {each.ref: each.quantity for each in pushes[-mall.capabilities.max_reads_per_call :]}
    await shows(mall, some)


async def test_nothing_asked_is_nothing_sent(shop: Shop) -> None:
    mall = shop.mall()
    before = await shop.requests()

    assert await mall.push_stock([]) == []
    assert await mall.read_stock([]) == []
    assert (await mall.orders_by_number([])).orders == ()
    assert await shop.requests() == before


async def test_listings_hold_every_code_once(shop: Shop) -> None:
    mall, seat = shop.mall(), shop.seat

    listings = [listing async for page in mall.listings() for listing in page]

    assert sorted((each.ref, each.quantity) for each in listings) == sorted(
        [(seat.first, 10), (seat.second, 5)]
    )
    assert {name_of(each) for each in listings} == {True}
    match_keys = set(MALL_SPECS[shop.kind].match_keys)
    assert all(set(each.keys) <= match_keys and any(each.keys.values()) for each in listings)


def name_of(listing: MallListing) -> bool:
    return listing.name.startswith(f"Name of {listing.ref.item_code}")


async def test_the_connection_test_answers_every_part(shop: Shop) -> None:
    parts = {part.key: part for part in await shop.mall().test_connection()}

    assert set(parts) == set(CheckPartKey)
    fine = {CheckOutcome.OK, CheckOutcome.NOT_NEEDED, CheckOutcome.NOT_TESTED}
    assert {part.outcome for part in parts.values()} <= fine, parts
    for key in (CheckPartKey.CREDENTIALS, CheckPartKey.STOCK_READ, CheckPartKey.ORDERS):
        assert parts[key].outcome is CheckOutcome.OK
    assert parts[CheckPartKey.CLOCK].outcome is CheckOutcome.OK


async def test_the_connection_test_says_what_is_dead(shop: Shop) -> None:
    await shop.goes_wrong("expired")

    parts = await shop.mall().test_connection()

    assert {part.key for part in parts} == set(CheckPartKey)
    dead = [part for part in parts if part.outcome is CheckOutcome.NG]
    assert dead
    assert all(isinstance(part.error, MallError) for part in dead)
    assert any(isinstance(part.error, MallLockedOut) for part in dead)
    assert {part.key for part in dead} & {CheckPartKey.CREDENTIALS, CheckPartKey.CONSENT}


async def test_a_consent_becomes_credentials(shop: Shop) -> None:
    spec, back = MALL_SPECS[shop.kind], "https://renkei.example/connect"
    if spec.consent is None:
        with pytest.raises(MallRefused):
            await shop.mall().exchange_code("code", back)
        return
    given = {
        **shop.settings,
        **{k: v for k, v in shop.credentials.items() if k == "application_id"},
    }
    code = await consented(shop, consent_url(spec, shop.credentials, given, "state-1", back))

    del shop.credentials["refresh_token"]
    shop.credentials.update(await shop.mall().exchange_code(code, back))

    await shows(shop.mall(), {shop.seat.first: 10})


async def consented(shop: Shop, url: str) -> str:
    """What the seller's browser brings back from the mall's page."""
    query = await pressed(shop.control, url, shop.seller)
    consent = MALL_SPECS[shop.kind].consent
    assert consent is not None
    assert query["state"] == ["state-1"]
    return query[consent.code_param][0]
