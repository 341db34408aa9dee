"""Clients that keep what they read: pages join, what changed shows itself by its id, and following misses nothing."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.services.credentials import Vault
from domain.store.database import Database
from tests.api.transport.market import a_market
from tests.api.transport.test_examples import FOLDER as EXAMPLES
from tests.api.transport.test_examples import QUERIES
from tests.clients.following import hears_everything_once
from tests.clients.node import Node, Talk
from tests.clients.server import Server
from tests.clients.town import AFTER, BEFORE, CODES, Town

PAGE = 25
Row = list[Any]


@dataclass(frozen=True, slots=True)
class Screen:
    """A grid in a script. Rows: code, total, quantity to show."""

    talk: Talk

    async def first(self) -> tuple[list[Row], str]:
        """The first page, and the cursor of the very read."""
        answer = await self.talk.ask("first", first=PAGE)
        return answer["rows"], answer["after"]

    async def more(self) -> None:
        await self.talk.ask("more")

    async def shown(self) -> list[Row]:
        """What the cache holds: nothing is asked of the server."""
        return await self.talk.ask("shown")

    async def save(self, code: str, total: int) -> Any:
        return await self.talk.ask("save", code=code, total=total)

    async def keep(self, queries: Sequence[tuple[str, Any]]) -> list[str]:
        """Asks them all; answers which of them can be read from the cache afterwards."""
        return await self.talk.ask("keep", queries=queries)

    async def follow(self, after: str) -> None:
        await self.talk.ask("follow", after=after)

    async def heard(self, at_least: int) -> list[str]:
        return await self.talk.ask("heard", atLeast=at_least)


Screens = Callable[[Server], AbstractAsyncContextManager[Screen]]


@pytest.fixture(params=["apollo.mjs", "urql.mjs"])
def screen(request: pytest.FixtureRequest, node: Node, token: str, sdl: Path) -> Screens:
    """One at a server, which ends without a warning of its library."""

    @asynccontextmanager
    async def at(server: Server) -> AsyncIterator[Screen]:
        given = server.address, token, str(sdl), str(EXAMPLES)
        async with node.talking(request.param, *given) as talk:
            yield Screen(talk)
            assert await talk.end() == ""

    return at


async def test_pages_join_and_what_is_saved_shows_itself(
    server: Server, town: Town, screen: Screens
) -> None:
    async with screen(server) as shop:
        rows, _ = await shop.first()
        assert rows == [[code, BEFORE, BEFORE] for code in CODES[:PAGE]]
        await shop.more()
        both = [[code, BEFORE, BEFORE] for code in CODES[: 2 * PAGE]]
        assert await shop.shown() == both

        assert await shop.save(CODES[PAGE], 7) == [[]]
        both[PAGE] = [CODES[PAGE], 7, 7]
        assert await shop.shown() == both


async def test_the_queries_of_all_screens_live_in_one_cache(
    server: Server, db: Database, account: UUID, screen: Screens
) -> None:
    market = await a_market(db, account, Vault(server.settings.secret_key))
    queries = [(name, variables(market)) for name, variables in QUERIES.items()]
    async with screen(server) as shop:
        assert await shop.keep(queries) == list(QUERIES)


async def test_following_misses_nothing_through_kills_and_keeps_the_grid_true(
    mortal: Server, town: Town, screen: Screens
) -> None:
    async with screen(mortal) as shop:
        _, cursor = await shop.first()
        await shop.more()
        await hears_everything_once(mortal, town, shop, cursor)
        assert await shop.shown() == [
            [code, AFTER + nth, AFTER + nth] for nth, code in enumerate(CODES[: 2 * PAGE])
        ]
