"""How late a mall is, as its page says."""

from datetime import UTC, datetime, timedelta

from domain.store.database import Database
from tests.api.conftest import Asker
from tests.factories import a_listing, a_row, a_shop

LATE = "{ shops { name syncLatency { p50Seconds p95Seconds p99Seconds zeroP95Seconds } } }"
T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_the_newest_numbers_that_a_mall_showed(asker: Asker, db: Database) -> None:
    async with db.transaction(asker.account) as tx:
        shop, _ = await a_shop(tx, "Tea"), await a_shop(tx, "New")
        listing = await a_listing(tx, shop, "tea")
        for nth in range(1, 102):
            await a_row(
                tx, "pushes", listing_id=listing, shop_id=shop, call_id=listing, generation=nth, epoch=1,
                mode="ABSOLUTE", quantity=nth % 2, state="APPLIED", waiting_at=T0,
                applied_at=T0 + timedelta(seconds=nth),
            )  # fmt: skip
        never = {"listing_id": listing, "shop_id": shop, "call_id": listing, "generation": 200}
        await a_row(
            tx, "pushes", **never, epoch=1, mode="ABSOLUTE", quantity=1, state="REFUSED", waiting_at=T0,
        )  # fmt: skip

    shops = (await asker.ask(LATE))["shops"]

    assert shops == [
        {
            "name": "Tea",
            "syncLatency": {
                "p50Seconds": 51,
                "p95Seconds": 96,
                "p99Seconds": 100,
                "zeroP95Seconds": 95.1,
            },
        },
        {
            "name": "New",
            "syncLatency": {
                "p50Seconds": None,
                "p95Seconds": None,
                "p99Seconds": None,
                "zeroP95Seconds": None,
            },
        },
    ]


WAITING = "{ shops { name syncLatency { oldestPendingSeconds } pending { oldestAt } } }"


async def test_how_long_the_oldest_has_waited_by_now(asker: Asker, db: Database) -> None:
    now = datetime.now(UTC)
    async with db.transaction(asker.account) as tx:
        busy, _ = await a_shop(tx, "Busy"), await a_shop(tx, "Idle")
        for nth, (wanted, seconds) in enumerate(((2, 90), (2, 30), (1, 900))):
            waits = {
                "wanted": wanted,
                "claimed": 1,
                "done": 1,
                "waiting_since": now - timedelta(seconds=seconds),
            }
            await a_listing(tx, busy, f"tea-{nth}", sync=waits)

    at_work, idle = (await asker.ask(WAITING))["shops"]

    assert idle["syncLatency"] == {"oldestPendingSeconds": None}
    late = at_work["syncLatency"]["oldestPendingSeconds"]
    by_now = (datetime.now(UTC) - now).total_seconds() + 90
    assert 90 <= late <= by_now
    assert datetime.fromisoformat(at_work["pending"]["oldestAt"]) == now - timedelta(seconds=90)
