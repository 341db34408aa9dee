"""Apollo's automatic persisted queries: a document goes over the line once, whoever asks."""

from pathlib import Path

import orjson

from tests.api.transport.test_examples import FOLDER as EXAMPLES
from tests.clients.node import Node
from tests.clients.server import Server
from tests.clients.town import Town


async def test_a_document_is_sent_once(
    node: Node, server: Server, town: Town, token: str, sdl: Path
) -> None:
    said = await node.run("persisted.mjs", server.address, token, str(sdl), str(EXAMPLES))

    by_hash = {"method": "GET", "document": False}
    assert orjson.loads(said) == {
        "shown": [3, 3],
        "sent": [
            {**by_hash, "status": 400},
            {"method": "POST", "document": True, "status": 200},
            {**by_hash, "status": 200},
        ],
    }
