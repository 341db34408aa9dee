"""Whether a shop is cut off because its mall failed, as its page says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.store import shops
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.factories import a_shop

BREAKERS = "{ shops { name breaker { state failedCalls until } } }"


async def test_a_shop_is_cut_off_until_it_is_tried(asker: Asker, db: Database) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    states: dict[str, dict[str, Any]] = {
        "Well": {"failed_calls": 0},
        "Told to wait": {"failed_calls": 2, "paused_until": later},
        "Cut off": {"failed_calls": 3, "paused_until": later},
        "Tried": {"failed_calls": 4, "paused_until": later - timedelta(hours=2)},
    }
    async with db.transaction(asker.account) as tx:
        for name, state in states.items():
            await shops.change(tx, await a_shop(tx, name), **state)

    told = {each["name"]: each["breaker"] for each in (await asker.ask(BREAKERS))["shops"]}

    until = told["Cut off"].pop("until")
    assert datetime.fromisoformat(until) == later
    assert told == {
        "Well": {"state": "CLOSED", "failedCalls": 0, "until": None},
        "Told to wait": {"state": "CLOSED", "failedCalls": 2, "until": None},
        "Cut off": {"state": "OPEN", "failedCalls": 3},
        "Tried": {"state": "HALF_OPEN", "failedCalls": 4, "until": None},
    }
