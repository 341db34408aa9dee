"""Whatever is asked, the plan answers what graphql-core answers over plain rows: values, order of keys, errors."""

import asyncio
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.strategies import DataObject, data, sampled_from

from api.plan import Planner
from api.schema import print_sdl
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.api.operations import Author, Operation
from tests.api.oracle import TABLE_OF, Oracle, Row, global_id, lane_then_age
from tests.api.town import a_town, rows_of

VIEWERS = (PERMISSIONS[Role.OWNER], PERMISSIONS[Role.VIEWER], frozenset({Permission.STOCK_READ}))
EXAMPLES = int(os.environ.get("RENKEI_EXAMPLES", "150"))
"""The same ones each time; other ones, as many as are asked for, with RENKEI_EXAMPLES set."""


@pytest.fixture(scope="session")
async def town(db: Database, planner: Planner) -> tuple[Asker, Oracle]:
    account = await a_town(db)
    await a_town(db)
    rows = await rows_of(db, account)
    oracle = Oracle(print_sdl(), rows, account, VIEWERS[0], Locale.EN)
    return Asker(db, planner, account), oracle


async def test_plan_and_oracle_agree(town: tuple[Asker, Oracle]) -> None:
    asker, oracle = town
    ids = {kind: [global_id(row) for row in oracle.rows(kind)] for kind in TABLE_OF}
    cursors = cursors_of(oracle)
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="RENKEI_EXAMPLES" not in os.environ,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
        database=None,
    )
    @given(data(), sampled_from(VIEWERS), sampled_from(Locale))
    def agree(draw: DataObject, permissions: frozenset[Permission], locale: Locale) -> None:
        operation = Author(draw, asker.planner.schema, ids, cursors).write(depth=4)
        assume(validate(asker.planner.schema, parse(operation.source)) == [])
        asker.permissions = oracle.permissions = permissions
        asker.locale = oracle.locale = locale
        answered = asyncio.run_coroutine_threadsafe(
            asker.answer(operation.source, **operation.variables), loop
        ).result(20)
        assert "data" in answered, (operation, answered)
        assert seen(answered) == expected(oracle, operation), operation

    await asyncio.to_thread(agree)


def expected(oracle: Oracle, operation: Operation) -> tuple[str, list[Any]]:
    result = oracle.answer(parse(operation.source), operation.variables)
    errors = [(each.path, (each.extensions or {})["code"]) for each in result.errors or ()]
    return json.dumps(result.data, ensure_ascii=False), sorted(errors, key=repr)


def seen(answer: Mapping[str, Any]) -> tuple[str, list[Any]]:
    errors = [(each["path"], each["extensions"]["code"]) for each in answer.get("errors", ())]
    return json.dumps(without_keys(answer["data"]), ensure_ascii=False), sorted(errors, key=repr)


def without_keys(value: Any) -> Any:
    """Cursors by the row they name: how a sort key is written is the list's own affair."""
    if isinstance(value, dict):
        return {key: without_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_keys(each) for each in value]
    try:
        _, _, row_id = json.loads(b64decode(value, validate=True))
    except (TypeError, ValueError):
        return value
    return f"cursor {row_id}"


def cursors_of(oracle: Oracle) -> Mapping[str, list[str]]:
    """Good ones for lists in their usual order."""
    newest = (
        "Link",
        "StockMovement",
        "OperationLog",
        "SalesLog",
        "MallUpdateLog",
        "SyncError",
        "SyncRun",
        "OversellIncident",
        "Job",
    )
    made = {
        TABLE_OF[kind]: [cursor("NEWEST", row, kind) for row in oracle.rows(kind)]
        for kind in newest
    }
    by_code = [cursor("CODE_ASC", row, "", row["code"]) for row in oracle.rows("Product")]
    return {
        "products": by_code,
        "setItems": by_code,
        "listings": [cursor("OLDEST", row, "Listing") for row in oracle.rows("Listing")],
        "affected": [cursor("OLDEST", row, "Listing") for row in oracle.rows("Listing")],
        "links": made["links"],
        "codeMappings": [cursor("OLDEST", row, "") for row in oracle.rows("CodeMapping")],
        "stockMovements": made["stock_movements"],
        "movements": made["stock_movements"],
        "operationLogs": made["operation_logs"],
        "salesLogs": made["sales_logs"],
        "mallUpdateLogs": made["mall_update_logs"],
        "syncErrors": made["sync_errors"],
        "syncRuns": made["sync_runs"],
        "oversellIncidents": made["oversell_incidents"],
        "jobs": made["jobs"],
        "pendingPushes": [
            cursor("LANE", row, "", lane_then_age(row)) for row in oracle.rows("Push")
        ],
    }


def cursor(order: str, row: Row, kind: str, key: str = "") -> str:
    row_id = str(row["id"] if "id" in row else row["listing_id"])
    return b64encode(json.dumps([order, key or row_id, row_id]).encode()).decode()
