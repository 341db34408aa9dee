"""Python's gql, over HTTP and WebSocket: a partner's program that pages, saves and follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from api.nodes import global_id
from tests.api.transport.test_examples import SOURCES
from tests.clients.following import hears_everything_once
from tests.clients.server import Server
from tests.clients.town import BEFORE, CODES, Town
from tests.patience import PATIENCE_SECONDS

PAGE = 25
PAUSE_SECONDS = 0.1


def over_http(server: Server, token: str) -> Client:
    """Which knows the schema, and checks against it what it is told to send."""
    headers = {"authorization": f"Bearer {token}", "accept-language": "en"}
    transport = HTTPXAsyncTransport(url=f"http://{server.address}/graphql", headers=headers)
    return Client(transport=transport, fetch_schema_from_transport=True)


def over_socket(server: Server, token: str) -> Client:
    transport = WebsocketsTransport(
        url=f"ws://{server.address}/graphql",
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        init_payload={"authorization": f"Bearer {token}", "locale": "EN"},
    )
    return Client(transport=transport)


def asking(name: str, **variables: Any) -> GraphQLRequest:
    return GraphQLRequest(SOURCES[name], variable_values=variables)


@pytest.mark.parametrize("over", [over_http, over_socket])
async def test_it_pages_and_saves(over: Any, server: Server, town: Town, token: str) -> None:
    async with over(server, token) as session:
        first = (await session.execute(asking("grid", first=PAGE)))["products"]
        after = first["pageInfo"]["endCursor"]
        second = (await session.execute(asking("grid", first=PAGE, after=after)))["products"]
        items = [{"productId": global_id("Product", town.products[CODES[0]]), "total": 7}]
        saved = await session.execute(asking("save_totals", input={"items": items}))

    rows = [edge["node"] for page in (first, second) for edge in page["edges"]]
    assert [(row["code"], row["total"]) for row in rows] == [
        (code, BEFORE) for code in CODES[: 2 * PAGE]
    ]
    [result] = saved["setStock"]["results"]
    assert (result["product"]["total"], result["userErrors"]) == (7, [])


async def test_it_is_told_what_is_wrong(server: Server, town: Town, token: str) -> None:
    async with over_socket(server, token) as session:
        with pytest.raises(TransportQueryError) as refused:
            await session.execute(gql("{ nothing }"))
    [error] = refused.value.errors or []
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@dataclass
class Program:
    """Follows the grid, and goes on after the last frame when its socket breaks."""

    server: Server
    token: str
    told: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    async def follow(self, after: str) -> None:
        self.task = asyncio.create_task(self._following(after))

    async def heard(self, at_least: int) -> list[str]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.told) < at_least:
                self.more.clear()
                await self.more.wait()
        return self.told

    async def _following(self, after: str) -> None:
        while True:
            try:
                async for frame in self._frames(after):
                    after = frame["cursor"]
                    self.told += [event["listing"]["id"] for event in frame["events"]]
                    self.more.set()
            except (TransportError, OSError):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _frames(self, after: str) -> AsyncIterator[Any]:
        async with over_socket(self.server, self.token) as session:
            async for data in session.subscribe(asking("grid_live", filter={}, after=after)):
                yield data["diffEvents"]


@pytest.fixture
async def program(mortal: Server, token: str) -> AsyncIterator[Program]:
    made = Program(mortal, token)
    yield made
    if made.task:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_following_misses_nothing_through_kills(
    mortal: Server, town: Town, token: str, program: Program
) -> None:
    async with over_http(mortal, token) as session:
        cursor = (await session.execute(asking("grid", first=1)))["eventCursor"]
    await hears_everything_once(mortal, town, program, cursor)
