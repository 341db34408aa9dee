"""Numbers on their way in one document, as the page of their shop says it."""

from datetime import UTC, datetime

from domain.store.database import Database
from tests.api.conftest import Asker
from tests.factories import a_row, a_shop

FEEDS = "{ shops { name feed { items sentAt looks } } }"
SENT_AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
FEED = {"epoch": 1, "items": 1_200, "looks": 3, "sent_at": SENT_AT}


async def test_a_shop_shows_the_feed_that_is_under_way(asker: Asker, db: Database) -> None:
    async with db.transaction(asker.account) as tx:
        under_way, over = await a_shop(tx, "Under way"), await a_shop(tx, "Over")
        await a_shop(tx, "None")
        await a_row(tx, "feeds", shop_id=under_way, state="ACCEPTED", **FEED)
        await a_row(tx, "feeds", shop_id=over, state="DONE", ended_at=SENT_AT, **FEED)

    told = {each["name"]: each["feed"] for each in (await asker.ask(FEEDS))["shops"]}

    assert datetime.fromisoformat(told["Under way"].pop("sentAt")) == SENT_AT
    assert told == {"Under way": {"items": 1_200, "looks": 3}, "Over": None, "None": None}
