"""graphql-transport-ws, as the client of its authors speaks it."""

from collections.abc import AsyncIterator

import orjson
import pytest

from api.app import create_app
from api.nodes import global_id
from api.session import Patience
from domain.settings import Settings
from tests.api.transport.serving import serving
from tests.clients.node import Node
from tests.clients.server import Server
from tests.clients.town import CODES, Town

ENDS = (4400, 4401, 4403, 4406, 4408, 4409, 4429)


@pytest.fixture
async def impatient(settings: Settings) -> AsyncIterator[str]:
    """The address of a server that waits for nobody."""
    async with serving(create_app(settings, Patience(init=0.2))) as address:
        yield address


async def test_it_asks_changes_follows_pings_and_is_told_why_it_is_sent_away(
    node: Node, server: Server, token: str, town: Town, impatient: str
) -> None:
    product = global_id("Product", town.products[CODES[0]])
    said = await node.run("graphql_ws.mjs", server.address, token, product, impatient)

    saved = {"product": {"total": 7}, "userErrors": []}
    assert orjson.loads(said) == {
        "query": [{"viewer": {"locale": "EN"}}],
        "mutation": [{"setStock": {"results": [saved]}}],
        "subscription": {"diffEvents": {"reload": False, "events": []}},
        "ponged": True,
        "ends": {str(code): code for code in ENDS},
    }
