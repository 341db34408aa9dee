"""Token buckets that all workers share: places are reserved in order, and nothing is taken for too long a wait."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from domain.store import rates
from domain.store.database import Database
from domain.store.rates import TooLong

PATIENCE = timedelta(seconds=10)


async def _reserve(db: Database, key: str, **limits: Any) -> float:
    given = {"rate": 0.5, "burst": 2, "per_day": None, "today": "2026-11-22", "patience": PATIENCE}
    return (await rates.reserve(db, key, **(given | limits))).total_seconds()


@pytest.fixture
def key() -> str:
    return f"mall.write:{secrets.token_hex(6)}"


async def test_a_burst_goes_at_once_and_then_each_waits_its_turn(db: Database, key: str) -> None:
    waits = [await _reserve(db, key) for _ in range(5)]

    assert waits[:2] == [0, 0]
    assert waits[2:] == [
        pytest.approx(2, abs=0.2),
        pytest.approx(4, abs=0.2),
        pytest.approx(6, abs=0.2),
    ]


async def test_callers_at_once_get_places_one_behind_another(db: Database, key: str) -> None:
    waits = sorted(await asyncio.gather(*(_reserve(db, key, burst=1) for _ in range(5))))

    assert waits == [pytest.approx(place * 2, abs=0.3) for place in range(5)]


async def test_nothing_is_taken_for_a_wait_that_is_too_long(db: Database, key: str) -> None:
    for _ in range(2):
        await _reserve(db, key, burst=1, patience=timedelta(seconds=2.5))

    for _ in range(3):
        with pytest.raises(TooLong) as refused:
            await _reserve(db, key, burst=1, patience=timedelta(seconds=2.5))
        assert refused.value.wait.total_seconds() == pytest.approx(2, abs=0.5)


async def test_a_mall_that_said_wait_is_left_alone(db: Database, key: str) -> None:
    await rates.block(db, key, timedelta(seconds=30))

    with pytest.raises(TooLong) as refused:
        await _reserve(db, key)
    assert refused.value.wait.total_seconds() == pytest.approx(30, abs=1)


async def test_a_days_calls_are_counted_and_begin_anew(db: Database, key: str) -> None:
    fast: dict[str, Any] = {"rate": 1000.0, "burst": 1000, "per_day": 2}
    assert [await _reserve(db, key, **fast) for _ in range(2)] == [0, 0]

    with pytest.raises(TooLong):
        await _reserve(db, key, **fast)
    assert await _reserve(db, key, **fast, today="2026-11-23") == 0


async def test_a_bucket_that_is_full_again_is_forgotten(db: Database, key: str) -> None:
    """One that is blocked is kept, as is one that was drawn from lately."""
    kept = [f"{key}.blocked", f"{key}.used"]
    for each in (key, *kept):
        await _reserve(db, each)
    await rates.block(db, kept[0], timedelta(hours=1))
    async with db.connection() as connection:
        long_ago = (
            "UPDATE rate_buckets SET updated_at = now() - interval '3 days' WHERE key = ANY (:keys)"
        )
        await connection.execute(text(long_ago), {"keys": [key, kept[0]]})

    await rates.forget(db, before=datetime.now(UTC) - timedelta(days=2), at_most=1_000)

    async with db.connection() as connection:
        found = await connection.execute(
            text("SELECT key FROM rate_buckets WHERE starts_with(key, :key) ORDER BY key"),
            {"key": key},
        )
    assert list(found.scalars()) == kept
