"""Every operation of examples/operations, as a screen sends it: over HTTP and WebSocket, against a merchant's own data."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import FieldNode, OperationDefinitionNode, OperationType, parse

from api.cost import objects_in
from api.nodes import global_id, read_id
from api.schema import schema
from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.services import bulk
from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.database import Database, Tx
from tests.api.statements import of_work, statements
from tests.api.transport.conftest import ORIGIN
from tests.api.transport.market import CODES, Market, a_market
from tests.api.transport.serving import Api

FOLDER = Path(__file__).parents[3] / "examples" / "operations"
SOURCES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.graphql"))}
RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
MOST_STATEMENTS = 3

Variables = dict[str, Any]
Asked = Callable[[Market], Variables]

QUERIES: Mapping[str, Asked] = {
    "app_frame": lambda m: {},
    "grid": lambda m: {
        "orderBy": {"field": "SELLABLE", "direction": "DESC"},
        "shopIds": list(m.shops.values()),
        "count": True,
        "images": True,
    },
    "unlinked_listings": lambda m: {
        "filter": {"links": ["UNLINKED"], "shopIds": [m.shops[AMAZON]]}
    },
    "differences": lambda m: {"filter": {"shopIds": [m.shops[RAKUTEN]]}, "kind": "FROM_TOTAL"},
    "error_area": lambda m: {"filter": {"states": ["OPEN", "RESOLVED"]}},
    "running_jobs": lambda m: {},
    "job": lambda m: {"id": m.job},
    "sets": lambda m: {"filter": {"text": "詰め合わせ"}},
    "shop_form": lambda m: {"locale": "JA"},
    "shop_page": lambda m: {"id": m.shops[YAHOO]},
    "logs": lambda m: {"filter": {"shopIds": [m.shops[RAKUTEN]]}},
    "orders": lambda m: {"filter": {"states": ["UNLINKED"]}},
    "product_page": lambda m: {"code": CODES[0]},
    "people": lambda m: {},
    "partner_stock": lambda m: {"codes": [CODES[0], "GIFT-S", "food-001", "?"]},
    "stock_then": lambda m: {"code": CODES[0], "time": "2030-01-01T00:00:00Z", "by": "EFFECTIVE"},
    "order_followed": lambda m: {"id": m.order},
    "pending_pushes": lambda m: {"shopIds": list(m.shops.values())},
    "oversold": lambda m: {"open": True},
    "sync_runs": lambda m: {"shopIds": list(m.shops.values())},
    "common_settings": lambda m: {},
    "mall_fields": lambda m: {"filter": {"shopIds": [m.shops[AMAZON]]}},
    "code_mappings": lambda m: {"shopIds": [m.shops[AMAZON]], "text": "food"},
    "explain": lambda m: {"id": m.listing(RAKUTEN, 0), "locale": "JA"},
}


def kind_of(source: str) -> OperationType:
    [operation] = [
        each for each in parse(source).definitions if isinstance(each, OperationDefinitionNode)
    ]
    return operation.operation


def root_of(source: str) -> str:
    """The only field at the root of the operation."""
    [operation] = [
        each for each in parse(source).definitions if isinstance(each, OperationDefinitionNode)
    ]
    [field] = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return field.name.value


@pytest.fixture(scope="session")
def vault(settings: Settings) -> Vault:
    return Vault(settings.secret_key)


@pytest.fixture
async def market(db: Database, account: UUID, vault: Vault) -> Market:
    return await a_market(db, account, vault)


def rows_of(value: Any) -> int:
    """Edges, at any depth."""
    if isinstance(value, dict):
        return len(value.get("edges", ())) + sum(map(rows_of, value.values()))
    return sum(map(rows_of, value)) if isinstance(value, list) else 0


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_is_one_statement_however_long_its_pages(
    api: Api, market: Market, name: str
) -> None:
    """Beside it only the look at who asks; once, that the token is used, and a slice of its budget."""
    await api.ask("{ viewer { locale } }")
    sizes = [{"first": 1}, {"first": 100}] if "$first" in SOURCES[name] else [{}]
    rows = []
    for size in sizes:
        with statements() as sent:
            data = await api.ask(SOURCES[name], **QUERIES[name](market), **size)
        assert sum(each.startswith("SELECT convert_to(") for each in of_work(sent)) == 1
        assert len(of_work(sent)) <= MOST_STATEMENTS
        assert None not in data.values()
        rows.append(rows_of(data))
    assert rows == sorted(set(rows))


def objects_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(objects_of, value.values()))
    return sum(map(objects_of, value)) if isinstance(value, list) else 0


async def test_what_is_paid_for_is_what_came(api: Api, market: Market) -> None:
    """Objects are counted in the bytes of an answer, however PostgreSQL writes them; pages are never underrated."""
    for name, asked in QUERIES.items():
        answer = await api.post({"query": SOURCES[name], "variables": asked(market)})
        cost = answer.json()["extensions"]["cost"]
        of_cost = objects_of(answer.json()["extensions"])
        came = objects_of(answer.json()["data"]) - 1
        assert objects_in(answer.content) - of_cost == came, name
        assert max(1, came) <= cost["actualQueryCost"] <= 2 * cost["requestedQueryCost"], name


async def test_the_grid_finds_what_its_filter_says(api: Api, market: Market) -> None:
    wanted = {"text": "玄穀，ｆｏｏｄ", "listing": {"shopIds": [market.shops[RAKUTEN]]}}
    data = await api.ask(SOURCES["grid"], filter=wanted, count=True)

    nodes = [edge["node"] for edge in data["products"]["edges"]]
    assert data["products"]["totalCount"] == len(nodes) > 0
    assert all("玄穀" in node["name"] for node in nodes)


async def test_an_order_of_what_belongs_to_nothing_took_what_the_rest_of_it_says(
    api: Api, market: Market
) -> None:
    data = await api.ask(SOURCES["orders"], filter={"states": ["UNLINKED"]}, first=1)

    [edge] = data["orders"]["edges"]
    linked, unlinked = edge["node"]["lines"]
    assert (linked["state"], [each["change"] for each in linked["movements"]]) == ("APPLIED", [-1])
    assert (unlinked["state"], unlinked["product"], unlinked["movements"]) == ("UNLINKED", None, [])


def an_answer(data: Any) -> Any:
    """The payload of a mutation in which everything is done."""
    [payload] = data.values()
    assert payload["userErrors"] == []
    for result in payload.get("results", ()):
        assert result["userErrors"] == []
    return payload


MUTATIONS: Mapping[str, Asked] = {
    "save_totals": lambda m: {
        "items": [{"productId": m.product(nth), "total": 50 + nth} for nth in range(3)]
    },
    "adjust_totals": lambda m: {
        "items": [{"productId": m.product(3), "change": 5}],
        "reason": "RECEIVED",
        "note": "入荷 5",
        "reflect": False,
    },
    "count_stock": lambda m: {
        "items": [{"productId": m.product(nth), "counted": 10} for nth in range(3)],
        "countedAt": datetime.now(UTC).isoformat(),
        "basis": "ON_SHELF",
    },
    "reflect": lambda m: {"products": {"ids": [m.product(0), m.set]}},
    "start_full_sync": lambda m: {"shopIds": [m.shops[AMAZON]]},
    "cancel_job": lambda m: {"jobId": m.job},
    "link": lambda m: {
        "pairs": [{"listingId": m.listing(AMAZON, 25), "productId": m.product(25)}],
        "reflect": True,
    },
    "unlink": lambda m: {"listings": {"ids": [m.listing(RAKUTEN, 4)]}},
    "set_sync": lambda m: {"listings": {"ids": [m.listing(RAKUTEN, 5)]}, "sync": False},
    "set_limits": lambda m: {
        "listings": {"ids": [m.listing(RAKUTEN, 6)]},
        "minimum": 1,
        "maximum": 3,
    },
    "save_set": lambda m: {
        "productId": m.set,
        "parts": [{"productId": m.product(nth), "count": nth} for nth in (1, 2)],
    },
    "delete_products": lambda m: {"products": {"ids": [m.product(9)]}, "withListings": True},
    "delete_listings": lambda m: {"listings": {"ids": [m.listing(AMAZON, 26)]}},
    "connect_shop": lambda m: {
        "mall": "RAKUTEN",
        "name": "楽天二号店",
        "credentials": [
            {"key": "service_secret", "value": "SP-2"},
            {"key": "license_key", "value": "SL-2"},
        ],
    },
    "update_shop": lambda m: {
        "id": m.shops[RAKUTEN],
        "credentials": [{"key": "license_key", "value": "SL-3"}],
    },
    "test_connection": lambda m: {"shopId": m.shops[AMAZON]},
    "start_consent": lambda m: {"shopId": m.shops[YAHOO], "returnUrl": f"{ORIGIN}/shops"},
    "stop_sync": lambda m: {"shopIds": [m.shops[AMAZON]], "parts": ["REFLECT"]},
    "start_sync": lambda m: {"shopIds": [m.shops[AMAZON]]},
    "fetch_initial_orders": lambda m: {
        "shopIds": [m.shops[RAKUTEN], m.shops[AMAZON]],
        "since": (datetime.now(UTC) - timedelta(days=30)).isoformat(),
    },
    "read_mall_stock": lambda m: {"listings": {"ids": [m.listing(RAKUTEN, 7)]}},
    "resolve_differences": lambda m: {
        "listings": {"ids": [m.listing(RAKUTEN, 7)]},
        "take": "OURS_WINS",
    },
    "clear_errors": lambda m: {"errors": {"filter": {}}},
    "save_product": lambda m: {"code": "NEW-1", "name": "新商品", "reserve": 1},
    "delete_sets": lambda m: {"productIds": [m.set]},
    "save_group": lambda m: {
        "name": "穀類",
        "reserve": 1,
        "addProducts": {"ids": [m.product(nth) for nth in (10, 11)]},
    },
    "save_user": lambda m: {"name": "舞", "email": "mai@example.com", "role": "STAFF"},
    "create_token": lambda m: {"name": "倉庫", "scopes": ["READ", "STOCK_WRITE"]},
    "revoke_tokens": lambda m: {"ids": [m.token]},
    "save_common_settings": lambda m: {
        "name": "食品の店",
        "baseShopId": m.shops[RAKUTEN],
        "reflectEdits": "AT_ONCE",
        "confirmToZero": 10,
    },
    "set_listing_fields": lambda m: {
        "listings": {"ids": [m.listing(AMAZON, 2)]},
        "fields": [
            {"key": "lead_time_to_ship_max_days", "value": "3"},
            {"key": "restock_date", "value": None, "owner": "MALL"},
        ],
    },
    "attach_listings": lambda m: {
        "shopId": m.shops[AMAZON],
        "products": {"ids": [m.set]},
    },
    "save_full_sync": lambda m: {
        "shopId": m.shops[AMAZON],
        "at": "04:00",
        "weekdays": ["MON", "THU"],
        "enabled": True,
    },
    "delete_full_sync": lambda m: {"id": m.schedule},
    "set_shops_in_use": lambda m: {"shopIds": [m.shops[RAKUTEN]]},
    "disconnect_shop": lambda m: {"id": m.shops[AMAZON], "deleteListings": False},
    "save_code_mappings": lambda m: {
        "shopId": m.shops[AMAZON],
        "save": [{"mallCode": CODES[25], "productCode": CODES[1]}],
    },
}


BEFORE = {"start_sync": "stop_sync"}
"""What must be done first, so that there is something to do."""

NEWEST_LINE = """
{ operationLogs(first: 1) { edges { node { id actor { __typename ... on ApiToken { name } } } } } }
"""


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_mutation_does_what_it_says_and_answers_what_changed(
    api: Api, market: Market, name: str
) -> None:
    if (first := BEFORE.get(name)) is not None:
        an_answer(await api.ask(SOURCES[first], input=MUTATIONS[first](market)))
    [before] = (await api.ask(NEWEST_LINE))["operationLogs"]["edges"]

    payload = an_answer(await api.ask(SOURCES[name], input=MUTATIONS[name](market)))

    answered = {key: value for key, value in payload.items() if key != "userErrors"}
    assert any(answered.values())
    [line] = (await api.ask(NEWEST_LINE))["operationLogs"]["edges"]
    assert line["node"]["actor"] == {"__typename": "ApiToken", "name": "画面"}
    assert line["node"]["id"] != before["node"]["id"]


def test_every_mutation_has_an_example_whose_line_in_the_log_names_who_sent_it() -> None:
    mutation = schema()._schema.mutation_type
    assert mutation is not None
    shown = {root_of(SOURCES[name]) for name in MUTATIONS}
    assert shown == set(mutation.fields)


async def test_a_change_is_looked_at_by_as_many_statements_however_much_it_is(
    api: Api, market: Market
) -> None:
    counts = []
    await api.ask(SOURCES["preview_reflect"], input={"start": {}})
    for most in (1, 20):
        ids = [market.product(nth) for nth in range(most)]
        with statements() as sent:
            data = await api.ask(SOURCES["preview_reflect"], input={"products": {"ids": ids}})
        looked = data["previewReflect"]
        counts.append((looked["listings"] >= most, looked["sample"] != [], len(of_work(sent))))

    assert counts[0] == counts[1]
    assert counts[0][:2] == (True, True)
    assert counts[0][2] <= MOST_STATEMENTS + 5


async def test_what_was_looked_at_is_let_through(api: Api, market: Market) -> None:
    stopped = {"shopIds": [market.shops[AMAZON]], "parts": ["ORDERS"]}
    an_answer(await api.ask(SOURCES["stop_sync"], input=stopped))
    asked = {"products": {"ids": [market.product(0)]}}
    looked = (await api.ask(SOURCES["preview_reflect"], input=asked))["previewReflect"]
    refused = (await api.ask(SOURCES["reflect"], input=asked))["reflect"]
    token = {"confirmationToken": looked["confirmationToken"]}
    done = an_answer(await api.ask(SOURCES["reflect"], input=asked | token))

    assert [each["code"] for each in refused["userErrors"]] == ["CONFIRMATION_NEEDED"]
    assert refused["preview"]["confirmationNeeded"] is looked["confirmationNeeded"] is True
    assert done["job"]["progress"]["total"] == looked["listings"]


async def test_clearing_everything_hides_level_8_and_tests_the_halted_shop(
    api: Api, market: Market
) -> None:
    payload = an_answer(await api.ask(SOURCES["clear_errors"], input={"errors": {"filter": {}}}))

    assert {each["state"] for each in payload["cleared"]} == {"CLEARED"}
    assert [each["shop"] for each in payload["checks"]] == [
        {"id": market.shops[YAHOO], "state": "HALTED"}
    ]


async def test_the_grid_is_followed_from_where_it_was_read(api: Api, market: Market) -> None:
    cursor = (await api.ask(SOURCES["grid"], first=2))["eventCursor"]
    rows = {"productIds": [market.product(0)]}
    edit = {"items": [{"productId": market.product(nth), "total": 99} for nth in (0, 1)]}
    an_answer(await api.ask(SOURCES["save_totals"], input=edit | {"reflect": False}))

    async with api.talking() as socket:
        await socket.subscribe("1", SOURCES["grid_live"], filter=rows, after=cursor)
        frame = await socket.frame()

    followed = {event["listing"]["product"]["id"] for event in frame["events"]}
    assert followed == {market.product(0)}
    assert {event["listing"]["product"]["total"] for event in frame["events"]} == {99}
    assert frame["reload"] is False


async def test_errors_are_followed_as_they_are_cleared(api: Api, market: Market) -> None:
    async with api.talking() as socket:
        await socket.subscribe("1", SOURCES["errors_live"])
        assert (await socket.frame())["events"] == []
        cleared = await api.ask(SOURCES["clear_errors"], input={"errors": {"ids": [market.error]}})
        [event] = (await socket.frame())["events"]

    assert event["change"] == "CLEARED"
    [error] = an_answer(cleared)["cleared"]
    assert {key: event["error"][key] for key in error} == error


async def test_stock_is_followed_by_partners_and_screens_as_totals_are_saved(
    api: Api, market: Market
) -> None:
    begun = (await api.ask(SOURCES["partner_changes"]))["stockChanges"]
    assert (begun["reload"], begun["hasMore"], len(begun["entries"])) == (True, False, 32)
    edit = {"items": [{"productId": market.product(0), "total": 99}], "reflect": False}
    an_answer(await api.ask(SOURCES["save_totals"], input=edit))

    polled = (await api.ask(SOURCES["partner_changes"], after=begun["cursor"]))["stockChanges"]
    told = {each["code"]: each["sellable"] for each in polled["entries"]}
    async with api.talking() as socket:
        await socket.subscribe("1", SOURCES["stock_live"], after=begun["cursor"])
        frame = await socket.frame()

    assert told == {each["product"]["code"]: each["sellable"] for each in frame["events"]}
    assert told[CODES[0]] == 99
    assert {each["cause"] for each in frame["events"]} == {"SET_BY_HAND"}


async def test_a_job_is_followed_from_where_the_list_was_read(api: Api, market: Market) -> None:
    cursor = (await api.ask(SOURCES["running_jobs"]))["eventCursor"]
    asked = {"products": {"ids": [market.product(2)]}}
    answer = an_answer(await api.ask(SOURCES["reflect"], input=asked))

    async with api.talking() as socket:
        followed = [answer["job"]["id"]]
        await socket.subscribe("1", SOURCES["jobs_live"], ids=followed, after=cursor)
        [event] = (await socket.frame())["events"]
        await socket.subscribe("2", SOURCES["jobs_live"], ids=[market.job], after=cursor)
        assert (await socket.frame())["events"] == []

    assert (event["job"]["__typename"], event["job"]["id"]) == ("ReflectJob", followed[0])
    assert sum(each["waiting"] + each["held"] for each in event["job"]["shops"]) > 0


async def test_a_bulk_change_is_followed_to_its_end(api: Api, market: Market) -> None:
    """A few targets do, where a screen would name many."""
    gone = uuid4()
    targets = [read_id(market.listing(RAKUTEN, 7)).id, gone]
    cursor = (await api.ask(SOURCES["running_jobs"]))["eventCursor"]

    async def begin(tx: Tx) -> UUID:
        wanted = {"on": False, "reflect": None}
        return await bulk.begin(tx, SYSTEM, "SET_SYNC", targets, wanted, now=datetime.now(UTC))

    job_id = await market.db.run(market.account, begin)
    await market.db.run(market.account, lambda tx: bulk.do_part(tx, job_id, now=datetime.now(UTC)))
    async with api.talking() as socket:
        followed = [global_id("Job", job_id)]
        await socket.subscribe("1", SOURCES["jobs_live"], ids=followed, after=cursor)
        events = (await socket.frame())["events"]

    job = events[-1]["job"]
    assert (job["__typename"], job["state"], job["action"]) == ("BulkChange", "DONE", "SET_SYNC")
    assert (job["progress"]["total"], job["progress"]["failed"]) == (2, 1)
    [edge] = job["failures"]["edges"]
    assert edge["node"] == {
        "target": None,
        "userErrors": [{"message": "There is no such listing."}],
    }


async def test_shops_are_followed_as_they_are_switched(api: Api, market: Market) -> None:
    cursor = (await api.ask(SOURCES["grid"], first=1))["eventCursor"]
    stop = {"shopIds": [market.shops[AMAZON], market.shops[RAKUTEN]], "parts": ["REFLECT"]}
    an_answer(await api.ask(SOURCES["stop_sync"], input=stop))

    async with api.talking() as socket:
        only = [market.shops[AMAZON]]
        await socket.subscribe("1", SOURCES["shops_live"], shopIds=only, after=cursor)
        [event] = (await socket.frame())["events"]

    assert event["shop"]["id"] == market.shops[AMAZON]
    assert event["shop"]["reflectRunning"] is False


def test_every_operation_is_run_by_one_of_these_stories() -> None:
    kinds = {name: kind_of(source) for name, source in SOURCES.items()}
    run = {
        OperationType.QUERY: {*QUERIES, "partner_changes", "preview_reflect"},
        OperationType.MUTATION: set(MUTATIONS),
        OperationType.SUBSCRIPTION: {
            "grid_live",
            "errors_live",
            "stock_live",
            "jobs_live",
            "shops_live",
        },
    }
    for kind, names in run.items():
        assert {name for name, each in kinds.items() if each is kind} == names
