"""The database's clock, as a process reads it that has a clock of its own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from domain.store.clock import DatabaseClock
from domain.store.database import Database

A_MOMENT = timedelta(seconds=2)


@dataclass
class Own:
    """A host's clock that says what it is set to."""

    reads: float = 0.0

    def __call__(self) -> float:
        return self.reads


@pytest.mark.parametrize("reads", [0.0, 1_000_000.0, -600.0])
async def test_what_a_host_s_own_clock_reads_says_nothing(db: Database, reads: float) -> None:
    own = Own(reads)
    clock = DatabaseClock(db, own)
    await clock.measure()

    async with db.connection() as connection:
        told: datetime = await connection.scalar(text("SELECT clock_timestamp()"))

    assert abs(clock.now() - told) < A_MOMENT
    assert clock.now().tzinfo is UTC


async def test_between_measurements_it_goes_as_the_host_s_own_does(db: Database) -> None:
    own = Own()
    clock = DatabaseClock(db, own)
    await clock.measure()
    before = clock.now()

    own.reads += 90

    assert clock.now() - before == timedelta(seconds=90)


async def test_it_stands_still_until_the_time_it_told_has_come(db: Database) -> None:
    own = Own()
    clock = DatabaseClock(db, own)
    await clock.measure()
    own.reads += 20
    too_fast = clock.now()

    await clock.measure()

    assert clock.now() == too_fast
    own.reads += 30
    assert too_fast < clock.now() < too_fast + timedelta(seconds=20)


async def test_a_database_that_went_far_back_is_followed(db: Database) -> None:
    own = Own()
    clock = DatabaseClock(db, own)
    await clock.measure()
    own.reads += 600
    of_before = clock.now()

    await clock.measure()

    assert clock.now() < of_before - timedelta(seconds=590)
