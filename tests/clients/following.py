"""What whoever follows a shop must not miss: a server that is killed while much happens, and comes back."""

import asyncio
from typing import Protocol

from domain.store.reads import read_event_cursor
from tests.clients.server import Server
from tests.clients.town import CODES, Town

AT_FIRST, UNHEARD, WHILE_DOWN, WHILE_BACK = CODES[:10], CODES[10:25], CODES[25:40], CODES[40:]


class Follower(Protocol):
    async def follow(self, after: str) -> None: ...

    async def heard(self, at_least: int) -> list[str]:
        """Every listing that was told of so far, as often as it was told, once there are so many."""


async def hears_everything_once(server: Server, town: Town, follower: Follower, after: str) -> None:
    """Through two kills: one before its second frame, one amid the changes after it has come back."""
    await follower.follow(after)
    await town.restock(AT_FIRST)
    await follower.heard(len(AT_FIRST))
    await town.restock(UNHEARD)
    server.kill()
    await town.restock(WHILE_DOWN)
    await server.start()
    await follower.heard(len(AT_FIRST) + 1)
    async with asyncio.TaskGroup() as meanwhile:
        meanwhile.create_task(town.restock(WHILE_BACK))
        server.kill()
        await server.start()
    told = await town.told(read_event_cursor(after))
    assert len(told) == len(set(told)) == len(CODES)
    assert await follower.heard(len(told)) == told
