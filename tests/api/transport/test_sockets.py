"""graphql-transport-ws, to the letter."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import pytest
from starlette.types import ASGIApp, Message
from websockets.exceptions import InvalidStatus

from api.app import create_app
from api.nodes import global_id
from api.session import MOST_OPERATIONS, MOST_WAITING, Patience
from api.watch import LOOK_SECONDS
from domain.model.roles import Role
from domain.settings import Settings
from domain.store.database import Database
from tests.api.transport.conftest import ORIGIN, a_token
from tests.api.transport.serving import PROTOCOL, Api
from tests.api.transport.test_auth import revoke
from tests.factories import a_product
from tests.patience import PATIENCE_SECONDS

WHO = "{ viewer { locale } }"
FOLLOW = "subscription { diffEvents { cursor } }"


async def test_queries_are_answered_too(api: Api) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", "query A { viewer { locale } }")
        answered = await socket.hear()
        assert answered["payload"].pop("extensions").keys() == {"cost"}
        payload = {"data": {"viewer": {"locale": "EN"}}}
        assert answered == {"id": "1", "type": "next", "payload": payload}
        assert await socket.hear() == {"id": "1", "type": "complete"}


async def test_a_mutation_changes_what_is_there(api: Api, db: Database, account: UUID) -> None:
    async with db.transaction(account) as tx:
        product = global_id("Product", await a_product(tx, "TEA", total=3))
    change = """
    mutation ($input: SetStockInput!) {
      setStock(input: $input) { results { product { total } userErrors { code } } } }
    """
    async with api.talking() as socket:
        items = [{"productId": product, "total": 7}]
        await socket.subscribe("1", change, input={"items": items})
        assert (await socket.frame())["results"] == [{"product": {"total": 7}, "userErrors": []}]


async def test_an_id_may_be_used_again_once_it_is_complete(api: Api) -> None:
    async with api.talking() as socket:
        for _ in range(3):
            await socket.subscribe("1", WHO)
            assert (await socket.hear())["type"] == "next"
            assert (await socket.hear())["type"] == "complete"


async def test_what_cannot_begin_ends_its_operation_and_nothing_else(api: Api) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", "{ nothing }")
        error = await socket.hear()
        assert (error["id"], error["type"]) == ("1", "error")
        assert error["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        for source, code in [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{" + "a " * 6_000 + "}", "GRAPHQL_PARSE_FAILED"),
            ("query ($a: String!) { product(code: $a) { id } }", "BAD_USER_INPUT"),
            (
                "subscription ($a: Int!) { diffEvents(coalesce: true) { cursor } }",
                "GRAPHQL_VALIDATION_FAILED",
            ),
            ('subscription { diffEvents(after: "nonsense") { cursor } }', "BAD_CURSOR"),
            ('{ product(code: "\0") { id } }', "BAD_USER_INPUT"),
            ('{ product(code: "\\u0000") { id } }', "BAD_USER_INPUT"),
            ('subscription { diffEvents(filter: {shopIds: ["nonsense"]}) { cursor } }', "BAD_ID"),
        ]:
            await socket.subscribe("1", source)
            assert (await socket.hear())["payload"][0]["extensions"]["code"] == code, source


async def test_a_client_that_completes_hears_no_more(api: Api) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", FOLLOW)
        await socket.frame()
        await socket.say(type="complete", id="1")
        await socket.say(type="complete", id="1")
        await socket.subscribe("1", WHO)
        assert (await socket.hear())["payload"]["data"] == {"viewer": {"locale": "EN"}}


async def test_a_ping_is_answered_before_and_after_the_beginning(api: Api) -> None:
    async with api.socket() as socket:
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong"}
        await socket.init(authorization=f"Bearer {api.token}")
        await socket.say(type="ping", payload={"n": 1})
        assert await socket.hear() == {"type": "pong", "payload": {"n": 1}}
        await socket.say(type="pong", payload=None)
        await socket.say(type="ping", payload=None)
        assert await socket.hear() == {"type": "pong"}


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"unknown": 1}}])
async def test_the_token_may_come_in_the_header(api: Api, payload: dict[str, Any]) -> None:
    header = {"Authorization": f"Bearer {api.token}", "Accept-Language": "en"}
    async with api.socket(additional_headers=header) as socket:
        await socket.say(type="connection_init", **payload)
        assert await socket.hear() == {"type": "connection_ack"}
        await socket.subscribe("1", WHO)
        assert (await socket.frame()) == {"locale": "EN"}


INIT = "connection_init"
SUBSCRIBE = {"type": "subscribe", "id": "1"}


@pytest.mark.parametrize(
    ("case", "message", "code"),
    [
        ("null", b"null", 4400),
        ("a string", b'"ping"', 4400),
        ("a number", b"1", 4400),
        ("an array", b"[]", 4400),
        ("no JSON", b"{", 4400),
        ("deep", b'{"payload":' * 5_000 + b"1" + b"}" * 5_000, 4400),
        ("no type", {}, 4400),
        ("type a number", {"type": 1}, 4400),
        ("the old protocol", {"type": "start", "id": "1", "payload": {"query": WHO}}, 4400),
        ("what only servers say", {"type": "next", "id": "1", "payload": {}}, 4400),
        ("ping payload", {"type": "ping", "payload": "x"}, 4400),
        ("pong payload", {"type": "pong", "payload": []}, 4400),
        ("no id", {"type": "subscribe", "payload": {"query": WHO}}, 4400),
        ("empty id", {"type": "subscribe", "id": "", "payload": {"query": WHO}}, 4400),
        ("id a number", {"type": "subscribe", "id": 1, "payload": {"query": WHO}}, 4400),
        ("no payload", SUBSCRIBE, 4400),
        ("null payload", {**SUBSCRIBE, "payload": None}, 4400),
        ("payload a string", {**SUBSCRIBE, "payload": WHO}, 4400),
        ("no query", {**SUBSCRIBE, "payload": {}}, 4400),
        ("null query", {**SUBSCRIBE, "payload": {"query": None}}, 4400),
        ("query a number", {**SUBSCRIBE, "payload": {"query": 1}}, 4400),
        ("name a number", {**SUBSCRIBE, "payload": {"query": WHO, "operationName": 1}}, 4400),
        ("variables a string", {**SUBSCRIBE, "payload": {"query": WHO, "variables": "{}"}}, 4400),
        ("variables an array", {**SUBSCRIBE, "payload": {"query": WHO, "variables": []}}, 4400),
        ("extensions an array", {**SUBSCRIBE, "payload": {"query": WHO, "extensions": []}}, 4400),
        ("complete without id", {"type": "complete"}, 4400),
        ("complete of an object", {"type": "complete", "id": {}}, 4400),
        ("a second beginning", {"type": INIT}, 4429),
        ("too big", b'"' + b"x" * 1_100_000 + b'"', 1009),
    ],
)
async def test_what_the_protocol_does_not_know_ends_the_socket(
    api: Api, case: str, message: Any, code: int
) -> None:
    sent = message if isinstance(message, bytes) else orjson.dumps(message)
    async with api.talking() as socket:
        await socket.connection.send(sent.decode())
        assert (await socket.end())[0] == code, case


async def test_the_token_is_found_however_its_name_is_written(api: Api) -> None:
    async with api.socket() as socket:
        await socket.init(Authorization=f"Bearer {api.token}")


async def test_a_refused_socket_says_whole_what_it_needs(api: Api) -> None:
    async with api.socket() as socket:
        await socket.say(type=INIT, payload={"authorization": "Bearer rk_x"})
        code, reason = await socket.end()
    assert (code, reason[-21:]) == (4403, "a token that is good.")


async def test_bytes_are_no_messages(api: Api) -> None:
    async with api.talking() as socket:
        await socket.connection.send(b'{"type":"ping"}')
        assert await socket.end() == (4400, "Messages are text.")


@pytest.mark.parametrize(
    ("case", "message", "code"),
    [
        ("subscribing first", {**SUBSCRIBE, "payload": {"query": WHO}}, 4401),
        ("no token", {"type": INIT}, 4403),
        ("no token, but a payload", {"type": INIT, "payload": {}}, 4403),
        ("an unknown token", {"type": INIT, "payload": {"authorization": "Bearer rk_x"}}, 4403),
        ("payload a string", {"type": INIT, "payload": "x"}, 4400),
        ("authorization a number", {"type": INIT, "payload": {"authorization": 1}}, 4400),
        ("a language we do not speak", {"type": INIT, "payload": {"locale": "FR"}}, 4400),
        ("a language that is an object", {"type": INIT, "payload": {"locale": {}}}, 4400),
    ],
)
async def test_nobody_comes_in_otherwise(api: Api, case: str, message: Any, code: int) -> None:
    async with api.socket() as socket:
        await socket.say(**message)
        assert (await socket.end())[0] == code, case


async def test_who_never_begins_is_sent_away(impatient: Api) -> None:
    async with impatient.socket() as socket:
        await socket.say(type="ping")
        assert await socket.end() == (4408, "Connection initialisation timeout")


async def test_an_id_in_use_ends_the_socket(api: Api) -> None:
    async with api.talking() as socket:
        await socket.subscribe("長" * 60, FOLLOW)
        await socket.frame()
        await socket.subscribe("長" * 60, FOLLOW)
        code, reason = await socket.end()
        assert code == 4409
        assert reason.startswith("Subscriber for 長長")


async def test_a_socket_carries_so_many_operations(api: Api) -> None:
    async with api.talking() as socket:
        for n in range(MOST_OPERATIONS):
            await socket.subscribe(f"{n}", FOLLOW)
            await socket.frame()
        await socket.subscribe("one more", FOLLOW)
        error = await socket.hear()
        assert error["id"] == "one more"
        assert error["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        await socket.say(type="complete", id="0")
        await socket.subscribe("one more", WHO)
        assert (await socket.hear())["type"] == "next"


@pytest.mark.parametrize("protocols", [("graphql-ws",), ("",)])
async def test_no_other_protocol_is_spoken(api: Api, protocols: tuple[str, ...]) -> None:
    async with api.socket(*(protocols if protocols[0] else ("x",))) as socket:
        assert await socket.end() == (4406, "Subprotocol not acceptable")


async def test_ours_is_chosen_whatever_stands_first(api: Api) -> None:
    async with api.socket("graphql-ws", PROTOCOL) as socket:
        assert socket.connection.subprotocol == PROTOCOL


@pytest.mark.parametrize("origin", [ORIGIN, None])
async def test_pages_of_allowed_origins_may_connect(api: Api, origin: str | None) -> None:
    async with api.talking(origin=origin) as socket:
        await socket.subscribe("1", WHO)
        assert await socket.frame() == {"locale": "EN"}


async def test_our_own_page_may_connect(api: Api) -> None:
    async with api.talking(origin=f"https://{api.address}"):
        pass


async def test_a_page_under_our_name_that_came_unencrypted_may_not(api: Api) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with api.socket(origin=f"http://{api.address}"):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://["])
async def test_other_pages_may_not(api: Api, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with api.socket(origin=origin):
            pass
    assert refused.value.response.status_code == 403


def test_rights_are_looked_at_twice_within_five_seconds() -> None:
    assert 2 * LOOK_SECONDS < 5


async def test_a_revoked_token_ends_its_sockets(api: Api, db: Database, account: UUID) -> None:
    other = Api(api.http, api.address, await a_token(db, account, Role.STAFF))
    async with api.talking() as socket, other.talking() as stays:
        await socket.subscribe("1", FOLLOW)
        await socket.frame()
        await revoke(db, account, api.token)
        code, _ = await socket.end()
        assert code == 4403
        await stays.subscribe("1", WHO)
        assert await stays.frame() == {"locale": "EN"}


async def test_a_quiet_socket_is_pinged(impatient: Api) -> None:
    async with impatient.talking() as socket:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert orjson.loads(await socket.connection.recv()) == {"type": "ping"}


@pytest.mark.parametrize(
    ("case", "patience", "pings"),
    [
        ("takes nothing for too long", Patience(send=0.1), 0),
        ("takes less than is said", Patience(send=60), MOST_WAITING + 1),
    ],
)
async def test_who_reads_too_slowly_is_told_to_resume(
    settings: Settings, api: Api, case: str, patience: Patience, pings: int
) -> None:
    app = create_app(settings, patience)
    async with app.router.lifespan_context(app):
        closed = await told_to_one_who_reads_nothing(app, api.token, pings)
    assert (closed["code"], "after your last cursor" in closed["reason"]) == (1013, True), case


async def told_to_one_who_reads_nothing(app: ASGIApp, token: str, pings: int) -> Message:
    """How the server ends a socket whose client says all this and takes nothing."""
    said = asyncio.Queue[Message]()
    said.put_nowait({"type": "websocket.connect"})
    for text in [b'{"type":"connection_init"}'] + [b'{"type":"ping"}'] * pings:
        said.put_nowait({"type": "websocket.receive", "text": text.decode()})
    closed: list[Message] = []

    async def take(message: Message) -> None:
        if message["type"] == "websocket.send":
            await asyncio.Event().wait()
        closed.append(message)

    headers = [(b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": headers,
        "subprotocols": [PROTOCOL],
    }
    async with asyncio.timeout(PATIENCE_SECONDS):
        await app(scope, said.get, take)
    return closed[-1]
