"""Following: nothing is lost, nothing comes twice, and not more is said than needs be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest

from api.app import create_app
from api.broadcast import Broadcaster
from api.context import Viewer
from api.errors import Refused
from api.execution import Engine, Operation
from api.feed import Feed
from api.following import MOST_EVENTS
from api.nodes import global_id
from api.requests import Request
from api.schema import schema
from domain.model.actors import SYSTEM
from domain.model.events import EventKind
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services import accounts
from domain.settings import Settings
from domain.store.database import Database, Event
from domain.store.reads import event_cursor, read_event_cursor
from integrations.bells import Bells
from renkei.engines.datadir import DataDirectory
from renkei.engines.postgres import Postgres
from renkei.engines.valkey import embedded_valkey
from tests.api.transport.serving import Api, until
from tests.factories import a_listing, a_product, a_row, a_shop, an_account
from tests.patience import eventually

DIFFS = """
subscription ($filter: EventFilter, $after: EventCursor, $coalesce: Boolean) {
  diffEvents(filter: $filter, after: $after, coalesce: $coalesce) {
    cursor reload events { change at listing { itemCode shop { name } } } } }
"""
ERRORS = """
subscription ($filter: SyncErrorFilter, $after: EventCursor) {
  errorEvents(filter: $filter, after: $after) {
    cursor reload events { change error { level kind count shop { name } } } } }
"""
CURSOR = "{ eventCursor }"
TEA = '"itemCode":"b"'

Frame = dict[str, Any]


class World:
    """One account with a shop, a product and three listings, and things that happen to them."""

    def __init__(self, db: Database, account: UUID) -> None:
        self.db = db
        self.account = account
        self.listings: dict[str, UUID] = {}

    async def begin(self) -> "World":
        async with self.db.transaction(self.account) as tx:
            self.shop = await a_shop(tx, "楽天本店")
            self.other_shop = await a_shop(tx, "楽天二号店")
            self.product = await a_product(tx, "TEA")
            for code, shop in [("a", self.shop), ("b", self.shop), ("c", self.other_shop)]:
                self.listings[code] = await a_listing(tx, shop, code)
        return self

    async def differ(self, codes: str, change: str = "OPENED") -> None:
        """One transaction with an event for each letter; `b` is a listing of the product."""
        async with self.db.transaction(self.account) as tx:
            for code in codes:
                shop = self.other_shop if code == "c" else self.shop
                product = self.product if code == "b" else None
                tx.emit(Event(EventKind.DIFF, change, self.listings[code], shop, product))

    async def fail(self, kind: str, level: int, *changes: str) -> None:
        async with self.db.transaction(self.account) as tx:
            columns = {"kind": kind, "level": level, "group_key": f"{kind}:{self.shop}"}
            error = await a_row(tx, "sync_errors", shop_id=self.shop, **columns)
            tx.emit(*(Event(EventKind.ERROR, change, error, self.shop) for change in changes))

    async def delete(self, code: str) -> None:
        gone = "UPDATE listings SET deleted_at = now() WHERE id = $1"
        async with self.db.transaction(self.account) as tx:
            await tx.planned(gone, [self.listings[code]])


@asynccontextmanager
async def ringing_at(settings: Settings) -> AsyncIterator[Database]:
    """The database as a worker has it: its commits ring."""
    bells = Bells(settings.redis_url)
    db = Database.at(settings.database_url, bells, pool_size=2)
    yield db
    await bells.close()
    await db.close()


@pytest.fixture
async def ringing(settings: Settings) -> AsyncIterator[Database]:
    async with ringing_at(settings) as db:
        yield db


@pytest.fixture
async def world(ringing: Database, account: UUID) -> World:
    return await World(ringing, account).begin()


def told(frame: Frame) -> list[str]:
    """What happened to what, in order: "a OPENED"."""
    return [f"{each['listing']['itemCode']} {each['change']}" for each in frame["events"]]


async def test_the_first_frame_comes_at_once_and_later_ones_with_the_events(
    api: Api, world: World
) -> None:
    await world.differ("a")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS)
        first = await socket.frame()
        assert (told(first), first["reload"]) == ([], False)
        await world.differ("ab")
        frame = await socket.frame()
        assert told(frame) == ["a OPENED", "b OPENED"]
        assert frame["events"][0]["listing"]["shop"] == {"name": "楽天本店"}


async def test_query_then_subscribe_after_it_has_no_gap(api: Api, world: World) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("a")
    await world.differ("b", "CLOSED")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=cursor)
        replayed = await socket.frame()
        assert told(replayed) == ["a OPENED", "b CLOSED"]
        await world.differ("c")
        live = await socket.frame()
        assert told(live) == ["c OPENED"]
    await world.differ("a", "CHANGED")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=live["cursor"])
        assert told(await socket.frame()) == ["a CHANGED"]
        await socket.subscribe("2", DIFFS, after=replayed["cursor"])
        assert told(await socket.frame()) == ["c OPENED", "a CHANGED"]


async def test_a_frame_holds_so_many_events_and_its_cursor_stands_after_them(
    api: Api, world: World
) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("a" * (2 * MOST_EVENTS + 1))
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=cursor, coalesce=False)
        frames = [await socket.frame() for _ in range(3)]
        assert [len(frame["events"]) for frame in frames] == [MOST_EVENTS, MOST_EVENTS, 1]
        await socket.subscribe("2", DIFFS, after=frames[1]["cursor"], coalesce=False)
        assert told(await socket.frame()) == ["a OPENED"]


async def test_a_nodes_newest_event_stands_for_those_before_it(api: Api, world: World) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("aba")
    await world.differ("a", "CLOSED")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=cursor)
        assert told(await socket.frame()) == ["b OPENED", "a CLOSED"]
        await socket.subscribe("2", DIFFS, after=cursor, coalesce=False)
        every = ["a OPENED", "b OPENED", "a OPENED", "a CLOSED"]
        assert told(await socket.frame()) == every


async def test_every_error_is_told(api: Api, world: World) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", ERRORS)
        await socket.frame()
        await world.fail("THROTTLED", 8, "OPENED", "COUNT_CHANGED", "RESOLVED")
        events = (await socket.frame())["events"]
        assert [each["change"] for each in events] == ["OPENED", "COUNT_CHANGED", "RESOLVED"]
        shown = {"level": "LEVEL_8", "kind": "THROTTLED", "count": 1, "shop": {"name": "楽天本店"}}
        assert events[0]["error"] == shown


@pytest.mark.parametrize(
    ("case", "filter_", "expected"),
    [
        ("levels", {"levels": ["LEVEL_9"]}, ["CREDENTIALS_REFUSED"]),
        ("kinds", {"kinds": ["MAINTENANCE"]}, ["MAINTENANCE"]),
        (
            "both",
            {"levels": ["LEVEL_9"], "kinds": ["MAINTENANCE", "CREDENTIALS_REFUSED"]},
            ["CREDENTIALS_REFUSED"],
        ),
        (
            "states are not heeded",
            {"states": ["CLEARED"]},
            ["THROTTLED", "CREDENTIALS_REFUSED", "MAINTENANCE"],
        ),
        ("null is any", {"levels": None}, ["THROTTLED", "CREDENTIALS_REFUSED", "MAINTENANCE"]),
    ],
)
async def test_errors_by_filter(
    api: Api, world: World, case: str, filter_: dict[str, Any], expected: list[str]
) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    for kind, level in [("THROTTLED", 8), ("CREDENTIALS_REFUSED", 9), ("MAINTENANCE", 8)]:
        await world.fail(kind, level, "OPENED")
    async with api.talking() as socket:
        await socket.subscribe("1", ERRORS, after=cursor, filter=filter_)
        events = (await socket.frame())["events"]
        assert [each["error"]["kind"] for each in events] == expected, case


async def test_errors_of_some_shops(api: Api, world: World) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.fail("THROTTLED", 8, "OPENED")
    async with api.talking() as socket:
        for shop, count in ((world.shop, 1), (world.other_shop, 0)):
            only = {"shopIds": [global_id("Shop", shop)]}
            await socket.subscribe(str(count), ERRORS, after=cursor, filter=only)
            assert len((await socket.frame())["events"]) == count
        await socket.subscribe("2", ERRORS, filter={"shopIds": ["?"]})
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "BAD_ID"


@pytest.mark.parametrize(
    ("case", "filter_", "expected"),
    [
        ("listings", lambda w: {"listingIds": [global_id("Listing", w.listings["a"])]}, "a"),
        ("shops", lambda w: {"shopIds": [global_id("Shop", w.other_shop)]}, "c"),
        ("products", lambda w: {"productIds": [global_id("Product", w.product)]}, "b"),
        ("codes", lambda w: {"codes": ["TEA", "MUG"]}, "b"),
        (
            "all of them together",
            lambda w: {"codes": ["TEA"], "shopIds": [global_id("Shop", w.shop)]},
            "b",
        ),
        ("nothing", lambda w: {"codes": []}, ""),
        ("everything", lambda w: {"codes": None}, "abc"),
    ],
)
async def test_differences_by_filter(
    api: Api, world: World, case: str, filter_: Callable[[World], dict[str, Any]], expected: str
) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("abc")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=cursor, filter=filter_(world))
        assert told(await socket.frame()) == [f"{code} OPENED" for code in expected], case


async def test_what_is_gone_is_not_told_and_takes_nothing_along(api: Api, world: World) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("abc")
    await world.delete("b")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=cursor)
        assert told(await socket.frame()) == ["a OPENED", "c OPENED"]


async def test_when_too_much_changed_at_once_the_screen_is_to_be_read_again(
    api: Api, world: World
) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("a")
    await world.differ("b" * 1_001)
    await world.differ("c")
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS, after=cursor)
        reload = await socket.frame()
        assert (reload["reload"], reload["events"]) == (True, [])
        assert told(await socket.frame()) == ["c OPENED"]


async def test_a_cursor_beyond_what_is_kept_says_read_again(
    api: Api, world: World, database: Postgres
) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("ab")
    after_a = event_cursor(read_event_cursor(cursor) + 1)
    await world.differ("c")
    owner = await asyncpg.connect(database.url().replace("+asyncpg", ""))
    await owner.execute("DELETE FROM events WHERE account_id = $1 AND seq <= 2", world.account)
    await owner.close()
    async with api.talking() as socket:
        for stale in (cursor, after_a):
            await socket.subscribe("1", DIFFS, after=stale)
            error = (await socket.hear())["payload"][0]
            assert error["extensions"]["code"] == "EVENT_CURSOR_EXPIRED"
            assert "Read the screen again" in error["message"]
        newest = (await api.ask(CURSOR))["eventCursor"]
        await socket.subscribe("1", DIFFS, after=newest)
        assert told(await socket.frame()) == []


async def test_a_partner_who_may_only_see_stock_follows_nothing_else(
    api: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        api.token = await accounts.create_token(
            tx, "取引先", scopes=[Permission.STOCK_READ], actor=SYSTEM
        )
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS)
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_another_accounts_events_are_never_told(
    api: Api, ringing: Database, world: World
) -> None:
    stranger = await World(ringing, await an_account(ringing)).begin()
    async with api.talking() as socket:
        await socket.subscribe("1", DIFFS)
        await socket.frame()
        await stranger.differ("abc")
        await world.differ("c")
        assert told(await socket.frame()) == ["c OPENED"]


async def test_events_go_on_by_the_clock_when_valkey_is_killed(
    settings: Settings, api: Api, account: UUID, place_of_its_own: DataDirectory
) -> None:
    with embedded_valkey(place_of_its_own) as valkey:
        own = replace(settings, redis_url=valkey.url)
        async with (
            api.elsewhere(create_app(own)) as here,
            ringing_at(own) as db,
        ):
            world = await World(db, account).begin()
            async with here.talking() as socket:
                await until_status(here.http, "ready")
                await socket.subscribe("1", DIFFS)
                await socket.frame()
                valkey.process.kill()
                valkey.process.wait()
                await world.differ("a")
                assert told(await socket.frame()) == ["a OPENED"]
                await until_status(here.http, "degraded")
                await world.differ("b")
                assert told(await socket.frame()) == ["b OPENED"]
                valkey.start()
                await until_status(here.http, "ready")
                await world.differ("c")
                assert told(await socket.frame()) == ["c OPENED"]


async def until_status(http: httpx.AsyncClient, status: str) -> None:
    async def so() -> bool:
        return bool((await http.get("/readyz")).json()["status"] == status)

    await eventually(so)


class Ear:
    """Listens without a socket."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, payload: str) -> None:
        self.heard.append(payload)

    def end(self, refused: Refused) -> None:
        raise refused


@pytest.fixture
async def broadcaster(db: Database, settings: Settings) -> AsyncIterator[Broadcaster]:
    bells = Bells(settings.redis_url)
    feed = Feed(db, bells)
    running = asyncio.create_task(feed.run())
    yield Broadcaster(Engine(schema()._schema, db, feed))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await bells.close()


def viewer(account: UUID, locale: Locale = Locale.EN, role: Role = Role.OWNER) -> Viewer:
    return Viewer(account, PERMISSIONS[role], locale, SYSTEM)


@asynccontextmanager
async def listening(
    broadcaster: Broadcaster, viewer: Viewer, **variables: Any
) -> AsyncIterator[Ear]:
    ear = Ear()
    operation = broadcaster.engine.operation(Request(DIFFS, None, variables))
    async with broadcaster.following(operation, viewer, ear):
        await until(lambda: len(ear.heard) > 0)
        yield ear


async def test_who_follows_the_same_shares_one_execution_and_one_frame(
    broadcaster: Broadcaster, world: World, api: Api
) -> None:
    cursor = (await api.ask(CURSOR))["eventCursor"]
    await world.differ("a")
    me = viewer(world.account)
    async with (
        listening(broadcaster, me) as first,
        listening(broadcaster, me) as second,
        listening(broadcaster, me, after=cursor) as late,
    ):
        await until(lambda: len(broadcaster) == 1)
        await world.differ("b")
        await until(lambda: all(TEA in each.heard[-1] for each in (first, second, late)))
        assert first.heard[-1] is second.heard[-1] is late.heard[-1]
        assert len(late.heard) == 2


@pytest.mark.parametrize(
    ("case", "other", "variables"),
    [
        ("another language", {"locale": Locale.JA}, {}),
        ("other rights", {"role": Role.VIEWER}, {}),
        ("another filter", {}, {"filter": {"codes": ["TEA"]}}),
        ("every event", {}, {"coalesce": False}),
    ],
)
async def test_who_follows_something_else_does_not(
    broadcaster: Broadcaster,
    world: World,
    case: str,
    other: dict[str, Any],
    variables: dict[str, Any],
) -> None:
    async with (
        listening(broadcaster, viewer(world.account)) as first,
        listening(broadcaster, viewer(world.account, **other), **variables) as second,
    ):
        await world.differ("b")
        await until(lambda: TEA in first.heard[-1] and TEA in second.heard[-1])
        assert len(broadcaster) == 2, case


async def test_who_leaves_hears_no_more_and_the_others_go_on(
    broadcaster: Broadcaster, world: World
) -> None:
    me = viewer(world.account)
    async with listening(broadcaster, me) as stays:
        async with listening(broadcaster, me) as leaves:
            await until(lambda: len(broadcaster) == 1)
        await world.differ("b")
        await until(lambda: len(stays.heard) == 2)
        assert len(leaves.heard) == 1
    await until(lambda: len(broadcaster) == 0)


class Meanwhile(Engine):
    """Something happens just before the first execution that has events to show."""

    happens: Callable[[], Awaitable[None]] | None = None

    async def executed(self, operation: Operation, viewer: Viewer, root: Any = None) -> Any:
        happens, self.happens = self.happens, None if root.events else self.happens
        if root.events and happens is not None:
            await happens()
        return await super().executed(operation, viewer, root)


@pytest.fixture
async def meanwhile(db: Database, settings: Settings) -> AsyncIterator[Meanwhile]:
    bells = Bells(settings.redis_url)
    yield Meanwhile(schema()._schema, db, Feed(db, bells))
    await bells.close()


async def test_a_node_that_goes_while_its_frame_is_made_takes_nothing_along(
    meanwhile: Meanwhile, world: World
) -> None:
    async with listening(Broadcaster(meanwhile), viewer(world.account)) as ear:
        meanwhile.happens = lambda: world.delete("b")
        await world.differ("abc")
        await until(lambda: len(ear.heard) == 2)
        frame = orjson.loads(ear.heard[-1])
        assert told(frame["data"]["diffEvents"]) == ["a OPENED", "c OPENED"]
        assert "errors" not in frame


async def test_a_failure_of_ours_is_tried_again_from_where_it_stood(
    meanwhile: Meanwhile, world: World
) -> None:
    async def fails() -> None:
        raise ConnectionResetError("the database went")

    async with listening(Broadcaster(meanwhile), viewer(world.account)) as ear:
        meanwhile.happens = fails
        await world.differ("abc")
        await until(lambda: len(ear.heard) == 2)
        frame = orjson.loads(ear.heard[-1])
        assert told(frame["data"]["diffEvents"]) == ["a OPENED", "b OPENED", "c OPENED"]
