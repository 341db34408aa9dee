"""What docs/api.md shows to partners, run as they would run it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from domain.model.actors import SYSTEM
from domain.model.roles import Permission
from domain.services import accounts
from domain.store.database import Database
from tests.clients.server import Server
from tests.clients.town import CODES, Town
from tests.fences import API, fenced, options
from tests.patience import PATIENCE_SECONDS

PAUSE_SECONDS = "0.1"

[PROGRAM] = fenced(API.read_text(), "python")
[COMMAND] = fenced(API.read_text(), "sh")

Told = AsyncIterator[str]


@pytest.fixture
async def token(db: Database, account: UUID) -> str:
    """A partner's."""
    async with db.transaction(account) as tx:
        return await accounts.create_token(
            tx, "partner", scopes=[Permission.STOCK_READ], actor=SYSTEM
        )


@pytest.fixture
async def told(server: Server, town: Town, token: str) -> AsyncIterator[Told]:
    """What the program prints, without the polls that found nothing."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, f"http://{server.address}/graphql", token, PAUSE_SECONDS),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    yield (line.decode() async for line in program.stdout if b" 0 of them" not in line)
    program.kill()
    await program.wait()


async def test_the_program_keeps_a_copy_of_the_stock(town: Town, told: Told) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        whole = await anext(told)
        await town.set_total(CODES[0], 3)
        changed = await anext(told)

    assert whole == f"{len(CODES)} codes, {len(CODES)} of them new\n"
    assert changed == f"{len(CODES)} codes, 1 of them new\n"


async def test_the_command_asks_for_the_stock_of_codes(
    server: Server, town: Town, token: str
) -> None:
    [body] = options(COMMAND, "-d")
    given = [header.replace("$TOKEN", token).split(": ") for header in options(COMMAND, "-H")]
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"http://{server.address}/graphql", content=body, headers=dict(given)
        )

    assert [each["status"] for each in answer.json()["data"]["stock"]] == ["UNKNOWN_CODE"] * 2
