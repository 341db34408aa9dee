"""GraphQL over HTTP, as its published audits check it."""

import orjson
import pytest

from tests.clients.node import Node
from tests.clients.server import Server

FEWEST_AUDITS = 61


async def test_every_audit_of_the_specification_is_met(
    node: Node, server: Server, token: str, subtests: pytest.Subtests
) -> None:
    said = await node.run("audits.mjs", f"http://{server.address}/graphql", token)
    audits = [orjson.loads(line) for line in said.splitlines()]
    assert len(audits) >= FEWEST_AUDITS
    for audit in audits:
        with subtests.test(f"{audit['id']} {audit['name']}"):
            assert audit["status"] == "ok", audit["reason"]
