"""What the API writes down is dated by the database's clock, however this host's own is set."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from api.app import create_app
from api.nodes import global_id
from domain.settings import Settings
from domain.store.database import Database
from tests.api.transport.serving import Api
from tests.factories import a_row

TEN_MINUTES = 600.0
RECEIVED = """
mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { results { movement { at effectiveAt } } } }
"""


async def test_a_server_ten_minutes_off_dates_what_it_does_like_any_other(
    settings: Settings, api: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        tea = await a_row(tx, "products", code="TEA", name="Tea")

    async with api.elsewhere(create_app(settings, own=lambda: time.time() + TEN_MINUTES)) as here:
        items = [{"productId": global_id("Product", tea), "change": 1}]
        told = await here.ask(RECEIVED, input={"items": items, "reason": "RECEIVED"})

    [result] = told["adjustStock"]["results"]
    for name in ("at", "effectiveAt"):
        at = datetime.fromisoformat(result["movement"][name])
        assert abs(at - datetime.now(UTC)) < timedelta(minutes=1), name
