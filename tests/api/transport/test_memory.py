"""Streams and polls remember: whatever dies on our side, every event is told once and in its order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import cycle
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.exceptions import WebSocketException

from api.app import create_app
from api.nodes import global_id
from domain.model.actors import SYSTEM
from domain.model.events import DiffChange, ErrorChange, EventKind
from domain.model.jobs import JobKind
from domain.model.stock import Cause
from domain.services import shops
from domain.services.ledger import Ledger
from domain.settings import Settings
from domain.store import jobs
from domain.store.database import Database, Event, Tx
from domain.store.reads import read_event_cursor
from renkei.engines.datadir import DataDirectory
from renkei.engines.valkey import embedded_valkey
from tests.api.transport.serving import Api, Socket, a_client, until
from tests.api.transport.test_events import ringing_at, until_status
from tests.clients.server import Server, a_server
from tests.factories import a_listing, a_product, a_row, a_shop

STEPS = 30
NODES = {
    "errorEvents": "error",
    "diffEvents": "listing",
    "stockEvents": "product",
    "shopEvents": "shop",
    "jobProgress": "job",
}
CHANGES = """
query ($after: EventCursor) {
  stockChanges(after: $after, first: 7) { cursor hasMore reload entries { code sellable } } }
"""


@dataclass
class Business:
    """A merchant to whom something of every kind happens in each step, always to another node."""

    db: Database
    account: UUID
    happened: dict[str, list[str]] = field(default_factory=lambda: {each: [] for each in NODES})
    totals: dict[str, int] = field(default_factory=dict)

    async def begin(self) -> "Business":
        async with self.db.transaction(self.account) as tx:
            for nth in range(STEPS):
                await a_product(tx, code_of(nth))
                self.totals[code_of(nth)] = 0
        return self

    async def step(self) -> None:
        nth = len(self.happened["stockEvents"])
        async with self.db.transaction(self.account) as tx:
            made = await self._happen(tx, nth)
        for name, node in made.items():
            self.happened[name].append(node)
        self.totals[code_of(nth)] = nth + 1

    async def _happen(self, tx: Tx, nth: int) -> dict[str, str]:
        shop = await a_shop(tx, f"店舗 {nth}")
        listing = await a_listing(tx, shop, code_of(nth))
        kept = {"kind": "THROTTLED", "level": 8, "group_key": f"{nth}"}
        error = await a_row(tx, "sync_errors", shop_id=shop, **kept)
        product = await self._sell(tx, nth)
        job = await jobs.create(tx, JobKind.REFLECT, total=1, actor=SYSTEM)
        shops.announce(tx, shop)
        tx.emit(Event(EventKind.ERROR, ErrorChange.OPENED.value, error, shop))
        tx.emit(Event(EventKind.DIFF, DiffChange.OPENED.value, listing, shop))
        nodes = {
            "SyncError": error,
            "Listing": listing,
            "Product": product,
            "Shop": shop,
            "Job": job,
        }
        return dict(zip(NODES, (global_id(*node) for node in nodes.items()), strict=True))

    async def _sell(self, tx: Tx, nth: int) -> UUID:
        found = "SELECT id FROM products WHERE account_id = $1 AND code = $2"
        product: UUID = await tx.planned(found, [self.account, code_of(nth)])
        ledger = await Ledger.locked(tx, [product])
        ledger.move(product, nth + 1, Cause.COUNTED, effective_at=datetime.now(UTC))
        await ledger.write(tx)
        return product


@dataclass
class Listener:
    """Follows everything, at one server after the other, from where it was left."""

    servers: Sequence[Api]
    cursors: dict[str, str]
    told: dict[str, list[str]] = field(default_factory=lambda: {each: [] for each in NODES})

    async def listen(self) -> None:
        for server in cycle(self.servers):
            try:
                async with server.talking() as socket:
                    await self._listen(socket)
            except (WebSocketException, OSError):
                await asyncio.sleep(0.01)

    async def _listen(self, socket: Socket) -> None:
        for name, node in NODES.items():
            frames = f"{{ cursor reload events {{ {node} {{ id }} }} }}"
            query = f"subscription ($after: EventCursor) {{ {name}(after: $after) {frames} }}"
            await socket.subscribe(name, query, after=self.cursors[name])
        while True:
            message = await socket.hear()
            assert message["type"] == "next", message
            self._note(message["id"], message["payload"]["data"][message["id"]])

    def _note(self, name: str, frame: Any) -> None:
        assert not frame["reload"]
        self.told[name] += [each[NODES[name]]["id"] for each in frame["events"]]
        self.cursors[name] = frame["cursor"]


@dataclass
class Partner:
    """Polls what changed, at one server after the other; knows what it was told last of each code."""

    servers: Sequence[Api]
    cursor: str | None = None
    known: dict[str, int] = field(default_factory=dict)

    async def poll(self) -> None:
        for server in cycle(self.servers):
            try:
                await self._poll(server)
            except httpx.TransportError:
                continue
            finally:
                await asyncio.sleep(0.01)

    async def _poll(self, server: Api) -> None:
        page = (await server.ask(CHANGES, after=self.cursor))["stockChanges"]
        assert not page["reload"] or self.cursor is None
        self.known |= {each["code"]: each["sellable"] for each in page["entries"]}
        self.cursor = page["cursor"]


@asynccontextmanager
async def running(*those: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Meanwhile; what fails there fails the story."""
    async with asyncio.TaskGroup() as meanwhile:
        tasks = [meanwhile.create_task(each()) for each in those]  # type: ignore[arg-type]
        yield
        for task in tasks:
            task.cancel()


def code_of(nth: int) -> str:
    return f"TEA-{nth:02}"


async def followed(api: Api, servers: Sequence[Api]) -> tuple[Listener, Partner]:
    cursor = (await api.ask("{ eventCursor }"))["eventCursor"]
    return Listener(servers, dict.fromkeys(NODES, cursor)), Partner(servers)


async def heard(listener: Listener, partner: Partner, business: Business) -> None:
    """Returns once everything was told."""
    await until(lambda: listener.told == business.happened)
    await until(lambda: partner.known == business.totals)


async def at_least(listener: Listener, steps: int) -> None:
    await until(lambda: all(len(told) >= steps for told in listener.told.values()))


@asynccontextmanager
async def two_processes(settings: Settings, token: str) -> AsyncIterator[tuple[Server, list[Api]]]:
    """The first of them, and both as they are spoken to."""
    async with (
        a_server(settings) as first,
        a_server(settings) as second,
        a_client(first.address) as here,
        a_client(second.address) as there,
    ):
        yield first, [Api(here, first.address, token), Api(there, second.address, token)]


async def test_a_killed_process_loses_nothing_of_any_stream_or_poll(
    settings: Settings, api: Api, account: UUID
) -> None:
    async with (
        ringing_at(settings) as db,
        two_processes(settings, api.token) as (first, servers),
    ):
        business = await Business(db, account).begin()
        listener, partner = await followed(api, servers)
        async with running(listener.listen, partner.poll):
            for _ in range(STEPS // 3):
                await business.step()
            await at_least(listener, 1)
            for _ in range(STEPS // 3):
                await business.step()
            first.kill()
            for _ in range(STEPS // 3):
                await business.step()
            await heard(listener, partner, business)


async def test_a_valkey_that_dies_and_comes_back_empty_loses_nothing_of_any_stream_or_poll(
    settings: Settings, api: Api, account: UUID, place_of_its_own: DataDirectory
) -> None:
    with embedded_valkey(place_of_its_own) as valkey:
        own = replace(settings, redis_url=valkey.url)
        async with api.elsewhere(create_app(own)) as here, ringing_at(own) as db:
            business = await Business(db, account).begin()
            listener, partner = await followed(api, [here])
            await until_status(here.http, "ready")
            async with running(listener.listen, partner.poll):
                await business.step()
                await at_least(listener, 1)
                await business.step()
                valkey.process.kill()
                valkey.process.wait()
                await business.step()
                await at_least(listener, 3)
                valkey.start()
                await until_status(here.http, "ready")
                await business.step()
                await heard(listener, partner, business)


SAVE = """
mutation ($input: SetStockInput!) { setStock(input: $input) { results { userErrors { code } } } }
"""
TOTALS = """
subscription ($filter: EventFilter) {
  stockEvents(filter: $filter) { cursor events { total sellable cause product { code total } } } }
"""


async def test_what_is_saved_at_one_process_is_seen_at_another(
    settings: Settings, api: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        product = global_id("Product", await a_product(tx, "TEA", reserve=2))
    async with (
        two_processes(settings, api.token) as (_, [here, there]),
        here.talking() as socket,
    ):
        await socket.subscribe("1", TOTALS, filter={"codes": ["TEA"]})
        assert (await socket.frame())["events"] == []
        saved = await there.ask(SAVE, input={"items": [{"productId": product, "total": 7}]})
        assert saved == {"setStock": {"results": [{"userErrors": []}]}}
        [event] = (await socket.frame())["events"]

    assert event == {
        "total": 7,
        "sellable": 5,
        "cause": "SET_BY_HAND",
        "product": {"code": "TEA", "total": 7},
    }


@pytest.mark.parametrize(
    ("case", "beside"),
    [("planned", ""), ("beside what is not planned", "stockChanges(first: 1) { hasMore }")],
)
async def test_the_event_cursor_is_as_old_as_what_is_read_with_it(
    settings: Settings, api: Api, account: UUID, case: str, beside: str
) -> None:
    """Each transaction adds one unit and one event: read together, they are the same number."""
    query = f'{{ product(code: "TEA") {{ total }} {beside} eventCursor }}'
    read = []

    async def sell(db: Database, product: UUID) -> None:
        while True:
            async with db.transaction(account) as tx:
                ledger = await Ledger.locked(tx, [product])
                ledger.move(product, 1, Cause.COUNTED, effective_at=datetime.now(UTC))
                await ledger.write(tx)

    async with ringing_at(settings) as db:
        async with db.transaction(account) as tx:
            product = await a_product(tx, "TEA")
        async with running(lambda: sell(db, product)):
            for _ in range(60):
                data = await api.ask(query)
                read.append((data["product"]["total"], read_event_cursor(data["eventCursor"])))

    assert [total for total, _ in read] == [cursor for _, cursor in read], case
    assert len(set(read)) > 10
