"""Whatever is thrown at it, it answers with a code that is documented, and goes on."""

import asyncio
import json
import os
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import hypothesis
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis.strategies import DataObject, booleans, data, dictionaries, lists, sampled_from
from websockets.exceptions import ConnectionClosed

from api.app import create_app
from api.error_codes import ErrorCode
from api.nodes import global_id
from api.schema import schema
from domain.settings import Settings
from domain.store.database import Database
from domain.store.reads import MODELS
from tests.api.transport.garbage import WORDS, Vandal, asking, foreign, junk, noise, texts
from tests.api.transport.serving import Api, Socket, a_client, serving
from tests.factories import a_product, an_account

SCHEMA = schema()._schema
EXAMPLES = int(os.environ.get("RENKEI_EXAMPLES", "12"))
CODES = {code.value for code in ErrorCode}
OURS = {"INTERNAL", "UNAVAILABLE"}
CLOSED = {1000, 1009, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429}
TYPES = ("connection_init", "subscribe", "complete", "ping", "pong")
WHO = "{ viewer { locale } }"
FIELDS = [
    (kind.name.lower(), name)
    for kind in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)
    if kind is not None
    for name in kind.fields
]
MEMBERS = ("query", "operationName", "variables", "extensions", "documentId", "id", "type")
HEADERS = (
    "accept",
    "accept-language",
    "content-type",
    "authorization",
    "origin",
    "accept-encoding",
)


@pytest.fixture(scope="session")
async def address(settings: Settings) -> AsyncIterator[str]:
    rich = replace(settings, cost_budget=10**9, cost_restore=10**9)
    async with serving(create_app(rich)) as address:
        yield address


@pytest.fixture
async def target(api: Api, address: str) -> AsyncIterator[Api]:
    """With a budget that no test empties."""
    async with a_client(address) as http:
        yield Api(http, address, api.token)


@pytest.fixture
async def ids(db: Database, account: UUID) -> list[str]:
    """Of this account, of another, and of nobody."""
    found = []
    for each in (account, await an_account(db)):
        async with db.transaction(each) as tx:
            found.append(global_id("Product", await a_product(tx, "MUG", total=3)))
    return found + [foreign(kind) for kind in sorted(MODELS)]


async def often(
    draw: Callable[[DataObject], Any],
    send: Callable[[Any], Awaitable[None]],
    examples: int = EXAMPLES,
) -> None:
    """Sends what is drawn; the same each time, unless RENKEI_EXAMPLES says how many others."""
    loop = asyncio.get_running_loop()

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize="RENKEI_EXAMPLES" not in os.environ,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(data())
    def attempted(drawn: DataObject) -> None:
        sending = send(draw(drawn))
        asyncio.run_coroutine_threadsafe(sending, loop).result(30)  # type: ignore[arg-type]

    await asyncio.to_thread(attempted)


def check_errors(errors: Any, sent: Any) -> None:
    assert errors, sent
    for error in errors:
        assert error["extensions"]["code"] in CODES - OURS, (error, sent)
        assert error["message"], sent


def check(answer: httpx.Response, sent: Any) -> None:
    assert answer.status_code < 500, (answer.text, sent)
    body = answer.json()
    if "errors" in body:
        check_errors(body["errors"], sent)
    else:
        assert answer.status_code == 200, sent


def test_the_roots_of_the_schema_are_asked() -> None:
    assert {kind for kind, _ in FIELDS} == {"query", "mutation", "subscription"}
    assert len(FIELDS) > 40


@pytest.mark.parametrize(("kind", "name"), [each for each in FIELDS if each[0] != "subscription"])
async def test_a_field_with_values_that_nobody_means(
    target: Api, ids: list[str], kind: str, name: str
) -> None:
    definition = SCHEMA.get_type(kind.title()).fields[name]  # type: ignore[union-attr]

    def draw(drawn: DataObject) -> Any:
        variables = Vandal(drawn, ids).variables(definition)
        language = drawn.draw(sampled_from(["ja", "en"]))
        return {"query": asking(kind, name, definition), "variables": variables}, language

    async def send(sent: Any) -> None:
        request, language = sent
        check(await target.post(as_json(request), accept_language=language), sent)

    await often(draw, send)


@pytest.mark.parametrize("name", [name for kind, name in FIELDS if kind == "subscription"])
async def test_a_subscription_with_values_that_nobody_means(
    target: Api, ids: list[str], name: str
) -> None:
    definition = SCHEMA.get_type("Subscription").fields[name]  # type: ignore[union-attr]

    def draw(drawn: DataObject) -> Any:
        variables = Vandal(drawn, ids).variables(definition)
        return {"query": asking("subscription", name, definition), "variables": variables}

    async def send(payload: Any) -> None:
        async with target.talking() as socket:
            subscribe = {"type": "subscribe", "id": "1", "payload": payload}
            await socket.connection.send(as_json(subscribe).decode())
            message = await socket.hear()
            if message["type"] == "error":
                check_errors(message["payload"], payload)
            else:
                assert (message["type"], *message["payload"]) == ("next", "data")

    await often(draw, send)


async def test_bodies_that_nobody_sends(target: Api) -> None:
    async def send(body: bytes) -> None:
        check(await target.post(body), body)

    await often(lambda drawn: drawn.draw(noise() | junk().map(as_json)), send, 5 * EXAMPLES)


async def test_requests_of_which_any_part_is_wrong(target: Api) -> None:
    def draw(drawn: DataObject) -> bytes:
        names = drawn.draw(lists(sampled_from(MEMBERS), unique=True))
        sent = {name: drawn.draw(junk()) for name in names}
        if drawn.draw(booleans()):
            sent["query"] = WHO
        return as_json(sent)

    async def send(body: bytes) -> None:
        check(await target.post(body), body)

    await often(draw, send, 5 * EXAMPLES)


async def test_addresses_that_nobody_writes(target: Api) -> None:
    async def send(params: dict[str, str]) -> None:
        check(await target.get(params), params)

    params = dictionaries(sampled_from(MEMBERS), texts(), max_size=4)
    await often(lambda drawn: drawn.draw(params), send, 3 * EXAMPLES)


async def test_headers_that_nobody_sends(target: Api) -> None:
    printable = [each for each in WORDS if each.isascii() and each.isprintable()]
    words = sampled_from([*printable, "*/*", "q=1;,,", "ja;q=x"])

    async def send(headers: dict[str, str]) -> None:
        named = {name.replace("-", "_"): value.strip() for name, value in headers.items()}
        check(await target.post({"query": WHO}, **named), headers)

    headers = dictionaries(sampled_from(HEADERS), words)
    await often(lambda drawn: drawn.draw(headers), send, 3 * EXAMPLES)


async def test_messages_that_nobody_sends(target: Api) -> None:
    """Each socket answers them, or ends with a code of the protocol."""

    async def send(said: list[str]) -> None:
        async with target.socket() as socket:
            try:
                await said_and_heard(socket, target.token, said)
            except ConnectionClosed:
                assert socket.connection.close_code in CLOSED, said

    await often(lambda drawn: [message(drawn) for _ in range(3)], send, 5 * EXAMPLES)


async def said_and_heard(socket: Socket, token: str, said: list[str]) -> None:
    await socket.init(authorization=f"Bearer {token}")
    for each in said:
        await socket.connection.send(each)
    await socket.say(type="ping", payload={"last": True})
    while (heard := await socket.hear()) != {"type": "pong", "payload": {"last": True}}:
        if heard["type"] == "error":
            check_errors(heard["payload"], said)


def message(drawn: DataObject) -> str:
    kind = drawn.draw(sampled_from(["noise", "junk", "members", "subscribe"]))
    match kind:
        case "noise":
            return drawn.draw(noise()).decode("utf-8", "replace")
        case "junk":
            return as_json(drawn.draw(junk())).decode()
        case "members":
            members = {name: drawn.draw(junk()) for name in ("id", "payload")}
            return as_json({"type": drawn.draw(sampled_from(TYPES)), **members}).decode()
    payload = {"query": drawn.draw(texts()), "variables": drawn.draw(junk())}
    return as_json({"type": "subscribe", "id": "1", "payload": payload}).decode()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /graphql HTTP/1.1\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
        b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_who_hangs_up_in_the_middle_of_a_word_is_let_go(target: Api, begun: bytes) -> None:
    host, _, port = target.address.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(begun)
    await writer.drain()
    writer.transport.abort()
    assert (await target.post({"query": WHO})).status_code == 200


async def test_a_socket_that_is_cut_without_a_farewell_is_let_go(target: Api) -> None:
    async with target.talking() as socket:
        await socket.subscribe("1", "subscription { errorEvents { cursor } }")
        await socket.frame()
        transport = socket.connection.transport
        raw = transport.get_extra_info("socket")
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
        transport.abort()
    assert (await target.post({"query": WHO})).status_code == 200


def as_json(value: Any) -> bytes:
    """JSON; what orjson cannot say (numbers beyond 64 bits) is left to what can."""
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value).encode("utf-8", "replace")
