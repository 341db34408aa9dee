"""Everything is denied unless something says otherwise: every field of a root and every kind of node, walked from the

schema, so that what is new is walked by itself.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID

import orjson
import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type
from sqlalchemy import text

from api.nodes import global_id
from api.selection import required
from domain.model.actors import SYSTEM
from domain.model.jobs import JobKind
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services import accounts
from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.database import Database
from domain.store.reads import NODES
from tests.api.oracle import KEYED_BY_LISTING, TABLE_OF
from tests.api.transport.conftest import a_token
from tests.api.transport.market import CODES, Market, a_market
from tests.api.transport.serving import Api
from tests.api.walking import SCHEMA, Step, Written, roots
from tests.factories import a_product, an_account

ROOTS = {str(step): step for step in roots()}
ASKED = {name: step for name, step in ROOTS.items() if step.kind != "subscription"}
FOLLOWED = {name: step for name, step in ROOTS.items() if step.kind == "subscription"}
CALLERS: Mapping[str, frozenset[Permission]] = {
    **{f"scope {each.value}": frozenset({each}) for each in Permission},
    **{f"role {each.value}": PERMISSIONS[each] for each in Role},
}
NODE = SCHEMA.type_map["Node"]
assert isinstance(NODE, GraphQLInterfaceType)
KINDS = {each.name for each in SCHEMA.get_possible_types(NODE)}


A_GROUP = "INSERT INTO product_groups (account_id, name, reserve) VALUES (:account, '穀類', 1)"
A_PUSHED_NUMBER = """
INSERT INTO mall_update_logs (account_id, shop_id, listing_id, push_id, after, state)
SELECT account_id, shop_id, id, uuidv7(), 1, 'APPLIED' FROM listings LIMIT 1
"""


@pytest.fixture(scope="module")
async def market(db: Database, settings: Settings) -> Market:
    """With at least one row of every kind of node."""
    found = await a_market(db, await an_account(db), Vault(settings.secret_key))
    async with db.transaction(found.account) as tx:
        for kind in JobKind:
            insert = text("INSERT INTO jobs (account_id, kind) VALUES (:account, :kind)")
            await tx.execute(insert, {"account": found.account, "kind": kind.value})
        for insert in (A_GROUP, A_PUSHED_NUMBER):
            await tx.execute(text(insert), {"account": found.account})
    return found


@pytest.fixture(scope="module")
async def held(market: Market, db: Database) -> dict[str, list[str]]:
    """Every row of the market that might be a node, by the kind its id names."""
    ids: dict[str, list[str]] = {}
    async with db.transaction(market.account) as tx:
        for model, table in TABLE_OF.items():
            key = "listing_id" if model in KEYED_BY_LISTING else "id"
            rows = await tx.execute(text(f"SELECT {key} FROM {table}"))
            ids[model] = [global_id(model, row_id) for row_id in rows.scalars()]
    return ids


@pytest.fixture
async def at(api: Api, db: Database, market: Market) -> Any:
    """An API with the token of the market's owner."""
    return Api(api.http, api.address, await a_token(db, market.account, Role.OWNER))


async def scoped(db: Database, account: UUID, *scopes: Permission) -> str:
    async with db.transaction(account) as tx:
        return await accounts.create_token(tx, "取引先", scopes=scopes, actor=SYSTEM)


def errors_of(body: Any) -> list[str]:
    return [error["extensions"]["code"] for error in body.get("errors", ())]


async def sent(api: Api, written: Written) -> Any:
    return (await api.post({"query": written.source, "variables": written.variables})).json()


# ── without a token ──


@pytest.mark.parametrize("name", ASKED)
async def test_nobody_is_answered_over_http(api: Api, name: str) -> None:
    written = Written(ASKED[name])
    answer = await api.post(
        {"query": written.source, "variables": written.variables}, authorization=""
    )
    assert answer.status_code == 401
    assert set(answer.json()) == {"errors"}
    assert errors_of(answer.json()) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("name", ROOTS)
async def test_nobody_is_answered_over_a_socket(api: Api, name: str) -> None:
    written = Written(ROOTS[name])
    async with api.socket() as socket:
        await socket.subscribe("1", written.source, **written.variables)
        assert (await socket.end())[0] == 4401
    async with api.socket() as socket:
        await socket.say(type="connection_init")
        await socket.subscribe("1", written.source, **written.variables)
        assert (await socket.end())[0] == 4403


# ── with one right alone, and with those of each role ──


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_caller_may_do_what_the_table_of_roles_says_and_nothing_else(
    api: Api, db: Database, caller: str
) -> None:
    """In an account of their own, over a socket, which carries every kind of operation."""
    may = CALLERS[caller]
    account = await an_account(db)
    here = Api(api.http, api.address, await scoped(db, account, *may))
    refused = {name async for name in refusals(here)}
    assert refused == {name for name, step in ROOTS.items() if step.needs not in may}


async def refusals(api: Api) -> AsyncIterator[str]:
    """The fields that this token is refused."""
    async with api.talking() as socket:
        for name, step in ROOTS.items():
            written = Written(step)
            await socket.subscribe(name, written.source, **written.variables)
            if is_forbidden(step, await first_word(socket)):
                yield name
            await socket.say(type="complete", id=name)


@pytest.mark.parametrize("name", ASKED)
async def test_over_http_the_smallest_scope_reads_stock_and_nothing_else(
    api: Api, db: Database, account: UUID, name: str
) -> None:
    step = ASKED[name]
    partner = Api(api.http, api.address, await scoped(db, account, Permission.STOCK_READ))
    refused = is_forbidden(step, await sent(partner, Written(step)))
    assert refused == (step.needs is not Permission.STOCK_READ)


async def first_word(socket: Any) -> Any:
    """The first answer of an operation; what an earlier one still said is let go."""
    message = await socket.hear()
    while message["type"] == "complete":
        message = await socket.hear()
    return message["payload"] if message["type"] == "next" else {"errors": message["payload"]}


def is_forbidden(step: Step, answer: Any) -> bool:
    if "FORBIDDEN" not in errors_of(answer):
        return False
    [error] = answer["errors"]
    assert error["extensions"]["params"] == {"permission": step.needs.value}
    assert answer.get("data") in (None, {step.name: None})
    return True


def test_a_partner_who_reads_stock_reaches_no_node_from_there() -> None:
    """What a caller may reach is checked at the root: below it, all is shown."""
    reached: set[str] = set()
    waiting = [step.definition for step in ROOTS.values() if step.needs is Permission.STOCK_READ]
    assert waiting
    while waiting:
        kind = get_named_type(waiting.pop().type)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and kind.name not in reached:
            reached.add(kind.name)
            waiting += kind.fields.values()
    assert reached & {*KINDS, "Node"} == set()


def guarded_below_the_roots() -> Iterator[tuple[str, str, Permission]]:
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind.name not in (
            "Query",
            "Mutation",
            "Subscription",
        ):
            for name, definition in kind.fields.items():
                if "strawberry-definition" in definition.extensions:
                    needs = required(kind, definition)
                    if needs is not None:
                        yield kind.name, name, needs


@pytest.mark.parametrize(("kind", "name", "needs"), list(guarded_below_the_roots()))
async def test_what_is_guarded_further_down_is_refused_there(
    at: Api, db: Database, market: Market, held: Any, kind: str, name: str, needs: Permission
) -> None:
    all_but_that = await scoped(db, market.account, *(set(Permission) - {needs}))
    one = await a_node(at, held, kind)
    source = "query Q($id: ID!) { node(id: $id) { ... on %s { id seen: %s %s } } }"
    below = Written(Step("query", name, SCHEMA.type_map[kind].fields[name], needs))  # type: ignore[attr-defined]
    selection = below.source.partition(name)[2].removesuffix("}")
    body = {"query": source % (kind, name, selection), "variables": {"id": one}}

    answer = (await Api(at.http, at.address, all_but_that).post(body)).json()

    assert answer["data"] == {"node": {"id": one, "seen": None}}
    assert errors_of(answer) == ["FORBIDDEN"]


# ── nodes ──


NAMED = "query Q($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { __typename id } }"


async def kinds_of(api: Api, ids: list[str]) -> dict[str, str]:
    """Concrete type to one id of it."""
    found: dict[str, str] = {}
    for begin in range(0, len(ids), 100):
        asked = {"ids": ids[begin : begin + 100]}
        data = await api.ask(
            "query Q($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", **asked
        )
        found |= {each["__typename"]: each["id"] for each in data["nodes"] if each}
    return found


async def a_node(api: Api, held: Mapping[str, list[str]], kind: str) -> str:
    ids = held.get(kind) or [each for some in held.values() for each in some]
    return (await kinds_of(api, ids))[kind]


async def test_every_kind_of_node_is_anothers_or_nobodys_to_others(
    at: Api, api: Api, db: Database, market: Market, held: Mapping[str, list[str]]
) -> None:
    """`api`: the owner of another account. By HTTP and socket, `node` and `nodes`."""
    assert set(TABLE_OF) == set(NODES)
    found: dict[str, str] = {}
    for ids in held.values():
        found |= await kinds_of(at, ids)
    assert set(found) == KINDS, "the market needs a row of each kind"
    partner = Api(at.http, at.address, await scoped(db, market.account, Permission.STOCK_READ))

    for kind, one in found.items():
        own = await at.ask(NAMED, id=one)
        assert own == {
            "node": {"__typename": kind, "id": one},
            "nodes": [{"__typename": kind, "id": one}],
        }
        for stranger, expected in ((api, []), (partner, ["FORBIDDEN", "FORBIDDEN"])):
            answer = (await stranger.post({"query": NAMED, "variables": {"id": one}})).json()
            nothing = {"node": None, "nodes": None if expected else [None]}
            assert (answer["data"], errors_of(answer)) == (nothing, expected), kind
            async with stranger.talking() as socket:
                await socket.subscribe("1", NAMED, id=one)
                said = (await socket.hear())["payload"]
                assert (said["data"], errors_of(said)) == (nothing, expected), kind


# ── with another account's token ──


@pytest.fixture
async def neighbour(api: Api, db: Database, account: UUID) -> Api:
    """The owner of an account that has one product, of a code that the market has too."""
    async with db.transaction(account) as tx:
        await a_product(tx, CODES[0], total=1)
    return api


@pytest.mark.parametrize("name", [name for name, step in ROOTS.items() if step.kind == "query"])
@pytest.mark.parametrize("naming", [False, True])
async def test_a_neighbour_sees_nothing_of_the_market(
    neighbour: Api, market: Market, held: Mapping[str, list[str]], name: str, naming: bool
) -> None:
    """Asked for everything, and for everything that hangs on the market's own ids."""
    theirs = {kind: ids[0] for kind, ids in held.items() if ids} if naming else {}
    written = Written(ROOTS[name], depth=2, ids=theirs)

    answer = await sent(neighbour, written)

    shown = orjson.dumps(answer.get("data")).decode()
    assert "data" in answer, answer
    assert [each for ids in held.values() for each in ids if each in shown] == []


@pytest.mark.parametrize("name", FOLLOWED)
async def test_a_neighbour_follows_nothing_of_the_market(
    neighbour: Api, market: Market, held: Mapping[str, list[str]], name: str
) -> None:
    """From the beginning of what is kept, with the market's own ids and without."""
    theirs = {kind: ids[0] for kind, ids in held.items() if ids}
    async with neighbour.talking() as socket:
        for ids in ({}, theirs):
            written = Written(FOLLOWED[name], depth=3, ids=ids)
            await socket.subscribe(f"{len(ids)}", written.source, **written.variables)
            frame = await socket.frame()
            assert frame["events"] == []
