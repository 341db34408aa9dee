"""Budgets that all processes share: what is needed and a slice is drawn, or nothing; what is left is put back."""

import asyncio
import secrets
from typing import Any

import pytest
from sqlalchemy import text

from domain.store import budgets
from domain.store.budgets import Drawn
from domain.store.database import Database

SOON = pytest.approx


@pytest.fixture
def key() -> str:
    return f"cost:{secrets.token_hex(6)}"


async def _draw(db: Database, key: str, need: float, **given: Any) -> Drawn:
    limits = {"extra": 0, "returned": 0, "budget": 100, "restored": 1}
    return await budgets.draw(db, key, need=need, **(limits | given))


async def _after(db: Database, key: str, seconds: float) -> None:
    later = text(
        "UPDATE rate_buckets SET updated_at = updated_at - make_interval(secs => :s) WHERE key = :key"
    )
    async with db.connection() as connection:
        await connection.execute(later, {"s": seconds, "key": key})


async def test_a_bucket_begins_full_and_is_drawn_from_until_it_holds_too_little(
    db: Database, key: str
) -> None:
    assert await _draw(db, key, 60) == Drawn(60, 40)
    assert await _draw(db, key, 60) == Drawn(0, SOON(40, abs=1))
    assert await _draw(db, key, 40) == Drawn(40, SOON(0, abs=1))


async def test_it_fills_with_time_and_never_over_its_brim(db: Database, key: str) -> None:
    await _draw(db, key, 100)
    await _after(db, key, 30)
    assert await _draw(db, key, 10) == Drawn(10, SOON(20, abs=1))
    await _after(db, key, 3_000)
    assert await _draw(db, key, 10) == Drawn(10, 90)


async def test_a_slice_is_drawn_too_and_a_smaller_one_the_emptier_it_is(
    db: Database, key: str
) -> None:
    assert await _draw(db, key, 10, extra=20) == Drawn(30, 70)
    assert await _draw(db, key, 10, extra=20) == Drawn(SOON(25, abs=1), SOON(45, abs=1))


async def test_what_is_returned_is_there_again_and_a_debt_is_not(db: Database, key: str) -> None:
    await _draw(db, key, 80)
    assert await _draw(db, key, 50, returned=40) == Drawn(50, SOON(10, abs=1))
    assert await _draw(db, key, 5, returned=-30) == Drawn(0, SOON(-20, abs=1))
    assert await _draw(db, key, 5, returned=500) == Drawn(5, 95)


async def test_who_draws_at_once_gets_no_more_than_there_is(db: Database, key: str) -> None:
    drawn = await asyncio.gather(*(_draw(db, key, 30) for _ in range(5)))
    assert sorted(each.points for each in drawn) == [0, 0, SOON(30), SOON(30), SOON(30)]
