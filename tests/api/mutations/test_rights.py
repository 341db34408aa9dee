"""Every mutation, without its right and with another account's ids: refused, and nothing moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import get_named_type

from api.execution import Engine
from api.schema import schema
from api.selection import required
from domain.model.jobs import JobKind
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.model.schedules import Weekday
from domain.model.sets import SetPart
from domain.model.sync_errors import SyncErrorKind
from domain.services import accounts, groups, schedules, sets, sync_errors
from domain.services.schedules import Plan
from domain.store import jobs
from domain.store.database import Database
from tests.api.mutations.desk import Desk, Held
from tests.domain.services.rows import NOW, OWNER
from tests.factories import an_account

MUTATION = schema()._schema.mutation_type
assert MUTATION is not None
FIELDS = MUTATION.fields


@dataclass(frozen=True)
class World:
    """What the neighbour holds, by global ids; and who asks for it."""

    neighbour: Desk
    asking: Desk
    held: Held
    shop: str
    set: str
    group: str
    error: str
    job: str
    user: str
    token: str
    schedule: str


@pytest.fixture(scope="module")
async def world(engine: Engine, db: Database) -> World:
    neighbour = await Desk.opened(engine, db, await an_account(db))
    asking = await Desk.opened(engine, db, await an_account(db))
    shop = await neighbour.a_shop()
    held = await neighbour.a_product(shop, "CUP", total=7)
    async with db.transaction(neighbour.account) as tx:
        part = [SetPart(held.product_id, 1)]
        made = await sets.save_set(tx, OWNER, None, code="BOX", parts=part, now=NOW)
        group = await groups.save_group(tx, OWNER, None, name="Cups", reserve=1, now=NOW)
        error = await sync_errors.report(
            tx, SyncErrorKind.ITEM_REFUSED, shop_id=shop, shop_name="Tea", now=NOW
        )
        job = await jobs.create(tx, JobKind.REFLECT, total=1, actor=OWNER)
        held_rights = frozenset(Permission)
        plan = Plan("03:30", [Weekday.MON], True)
        schedule = await schedules.save_schedule(tx, OWNER, None, shop, plan, now=NOW)
        token = await accounts.issue_token(tx, OWNER, held_rights, "Tills", role=Role.STAFF)
    return World(
        neighbour,
        asking,
        held,
        neighbour.id("Shop", shop),
        neighbour.id("Product", made.id),
        neighbour.id("ProductGroup", group.id),
        neighbour.id("SyncError", error),
        neighbour.id("Job", job),
        neighbour.id("User", neighbour.user_id),
        neighbour.id("ApiToken", token.id),
        neighbour.id("FullSyncSchedule", schedule),
    )


FOREIGN: Mapping[str, Callable[[World], dict[str, Any]]] = {
    "setStock": lambda w: {"items": [{"productId": w.held.product, "total": 1}]},
    "adjustStock": lambda w: {
        "items": [{"productId": w.held.product, "change": 1}],
        "reason": "FOUND",
    },
    "countStock": lambda w: {
        "items": [{"productId": w.held.product, "counted": 1}],
        "countedAt": "2026-11-20T00:00:00Z",
        "basis": "FREE",
    },
    "reflect": lambda w: {"products": {"ids": [w.held.product]}},
    "startFullSync": lambda w: {"shopIds": [w.shop]},
    "cancelJob": lambda w: {"jobId": w.job},
    "linkListings": lambda w: {"pairs": [{"listingId": w.held.listing, "productId": w.set}]},
    "unlinkListings": lambda w: {"listings": {"ids": [w.held.listing]}},
    "setListingLimits": lambda w: {"listings": {"ids": [w.held.listing]}, "maximum": 1},
    "setListingSync": lambda w: {"listings": {"ids": [w.held.listing]}, "sync": False},
    "deleteListings": lambda w: {"listings": {"ids": [w.held.listing]}},
    "saveProduct": lambda w: {"id": w.held.product, "name": "Ours"},
    "deleteProducts": lambda w: {"products": {"ids": [w.held.product]}, "withListings": True},
    "saveSetItem": lambda w: {
        "code": "NEW",
        "parts": [{"productId": w.held.product, "count": 1}],
    },
    "deleteSetItems": lambda w: {"productIds": [w.set]},
    "saveProductGroup": lambda w: {"id": w.group, "name": "Ours", "reserve": 0},
    "setListingFields": lambda w: {
        "listings": {"ids": [w.held.listing]},
        "fields": [{"key": "restock_date", "value": None}],
    },
    "attachListings": lambda w: {"shopId": w.shop, "products": {"ids": [w.held.product]}},
    "saveFullSyncSchedule": lambda w: {
        "shopId": w.shop,
        "at": "03:30",
        "weekdays": ["MON"],
        "enabled": True,
    },
    "deleteFullSyncSchedule": lambda w: {"id": w.schedule},
    "saveCodeMappings": lambda w: {
        "shopId": w.shop,
        "save": [{"mallCode": "A", "productCode": "B"}],
    },
    "setShopsInUse": lambda w: {"shopIds": [w.shop]},
    "disconnectShop": lambda w: {"id": w.shop, "deleteListings": True},
    "updateAccount": lambda w: {"baseShopId": w.shop},
    "saveUser": lambda w: {"id": w.user, "name": "Ours", "invite": True},
    "createApiToken": lambda w: {"name": "Ours", "role": "OWNER"},
    "revokeApiTokens": lambda w: {"ids": [w.token]},
    "fetchInitialOrders": lambda w: {"shopIds": [w.shop], "since": "2026-11-19T00:00:00Z"},
    "readMallStock": lambda w: {"listings": {"ids": [w.held.listing]}},
    "resolveDifferences": lambda w: {"listings": {"ids": [w.held.listing]}, "take": "OURS_WINS"},
    "clearErrors": lambda w: {"errors": {"ids": [w.error]}},
    "connectShop": lambda w: {"mall": "RAKUTEN", "name": "Ours", "credentials": []},
    "updateShop": lambda w: {"id": w.shop, "name": "Ours"},
    "startShopConsent": lambda w: {
        "shopId": w.shop,
        "returnUrl": "https://admin.example.com/shops",
    },
    "testConnection": lambda w: {"shopId": w.shop},
    "startSync": lambda w: {"shopIds": [w.shop]},
    "stopSync": lambda w: {"shopIds": [w.shop]},
}
"""An input of each that names what is the neighbour's."""

NAMING_NOTHING = {"connectShop", "createApiToken"}


def document(name: str) -> str:
    kind = FIELDS[name].args["input"].type
    items = (
        "results { userErrors { code } }"
        if name in ("setStock", "adjustStock", "countStock")
        else ""
    )
    return f"mutation M($input: {kind}) {{ {name}(input: $input) {{ {items} userErrors {{ code }} }} }}"


async def moved(world: World) -> tuple[Any, Any]:
    return await world.neighbour.everything(), await world.asking.everything()


def test_every_mutation_needs_a_right_that_a_viewer_has_not_and_stands_here():
    for field in FIELDS.values():
        assert required(MUTATION, field) not in {None, *PERMISSIONS[Role.VIEWER]}
    assert set(FIELDS) == set(FOREIGN)


@pytest.mark.parametrize("name", FOREIGN)
async def test_without_its_right_a_mutation_is_forbidden(world: World, name: str):
    needed = required(MUTATION, FIELDS[name])
    all_but_that = world.neighbour.having(*(set(Permission) - {needed}))
    before = await moved(world)

    answer = await all_but_that.answer(document(name), input=FOREIGN[name](world))

    assert answer["data"] == {name: None}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert await moved(world) == before


SENDING = [
    name
    for name, field in FIELDS.items()
    if "reflect" in get_named_type(field.args["input"].type).fields
]
"""Those that may also send what they change."""


@pytest.mark.parametrize("name", SENDING)
async def test_what_is_changed_is_sent_by_those_alone_who_may_send(world: World, name: str):
    desk = world.neighbour.having(*(set(Permission) - {Permission.REFLECT}))
    asked = FOREIGN[name](world)
    before = await moved(world)

    answer = await desk.answer(document(name), input=asked | {"reflect": True})

    assert answer["data"] == {name: None}
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "params": {"permission": "REFLECT"}}
    assert await moved(world) == before


SEEN = """mutation M($input: SetStockInput!) { setStock(input: $input) { ...Seen } }
fragment Seen on SetStockPayload { results { product { id ... on Product { FIELD } } } }"""


async def test_nodes_in_a_payload_are_shown_to_those_alone_who_may_read(world: World):
    desk = world.neighbour.having(Permission.STOCK_WRITE)
    asked = {"items": [{"productId": world.held.product, "total": 9}]}
    before = await moved(world)

    answer = await desk.answer(SEEN.replace("FIELD", "code"), input=asked)

    assert answer["data"] == {"setStock": None}
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "FORBIDDEN", "params": {"permission": "READ"}}
    assert await moved(world) == before


async def test_a_nodes_id_tells_nothing(world: World):
    desk = world.neighbour.having(Permission.STOCK_WRITE)
    asked = {"items": [{"productId": world.held.product, "total": 7}]}

    data = await desk.execute(SEEN.replace("FIELD", "__typename"), input=asked)

    shown = {"id": world.held.product, "__typename": "Product"}
    assert data["setStock"] == {"results": [{"product": shown}]}


async def test_who_may_change_people_sees_what_became_of_them(world: World):
    desk = world.neighbour.having(Permission.USERS)
    document = "mutation M($input: RevokeApiTokensInput!) { revokeApiTokens(input: $input) { apiTokens { name } } }"

    data = await desk.execute(document, input={"ids": []})

    assert data["revokeApiTokens"] == {"apiTokens": []}


async def test_what_is_not_to_be_sent_needs_no_right_to_send(world: World):
    desk = world.neighbour.having(Permission.STOCK_WRITE)
    item = {"productId": world.held.product, "total": 7}

    data = await desk.execute(document("setStock"), input={"items": [item], "reflect": False})

    assert data["setStock"]["userErrors"] == []


@pytest.mark.parametrize("name", sorted(FOREIGN.keys() - NAMING_NOTHING))
async def test_what_is_anothers_is_not_found(world: World, name: str):
    before = await moved(world)

    data = await world.asking.execute(document(name), input=FOREIGN[name](world))

    [each] = data[name].get("results", [data[name]])
    assert {error["code"] for error in each["userErrors"]} == {"NOT_FOUND"}
    assert await moved(world) == before


async def test_a_group_takes_in_no_product_of_another_account(world: World):
    before = await moved(world)

    data = await world.asking.execute(
        document("saveProductGroup"),
        input={"name": "Mine", "reserve": 1, "addProducts": {"ids": [world.held.product]}},
    )

    assert data["saveProductGroup"] == {"userErrors": [{"code": "NOT_FOUND"}]}
    assert await moved(world) == before


async def test_a_product_joins_no_group_of_another_account(world: World):
    before = await moved(world)

    data = await world.asking.execute(
        document("saveProduct"), input={"code": "MINE", "groupId": world.group}
    )

    assert data["saveProduct"] == {"userErrors": [{"code": "NOT_FOUND"}]}
    assert await moved(world) == before
