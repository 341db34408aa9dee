"""A process spends from a purse, puts back what it did not need, and pays what it owes."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from api.budgets import BELIEVED_SECONDS, FRESH_SECONDS, Allowance, Budgets
from api.context import Viewer
from api.cost import Price
from api.errors import Refused, code_of
from api.plan import Answer
from domain.model.actors import Actor, ActorKind
from domain.model.locales import Locale
from domain.store.database import Database
from tests.api.statements import statements

ALLOWANCE = Allowance(maximum=500, budget=1_000, restored=1)
SLICE = 50
NOTHING = Answer(b'{"data":{}}')


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def viewer() -> Viewer:
    actor = Actor(ActorKind.TOKEN, "画面", uuid4())
    return Viewer(UUID(int=1), frozenset(), Locale.EN, actor)


@pytest.fixture
def budgets(db: Database, clock: Clock) -> Budgets:
    return Budgets(db, ALLOWANCE, clock)


def answer(objects: int) -> Answer:
    return Answer(b'{"data":{"l":[' + b'{"a":1}' * objects + b"]}}")


async def in_the_bucket(db: Database, viewer: Viewer) -> float:
    read = text("SELECT tokens FROM rate_buckets WHERE key LIKE '%' || :actor")
    async with db.connection() as connection:
        return float(await connection.scalar(read, {"actor": str(viewer.actor.id)}))


async def test_a_slice_is_spent_without_a_statement(
    db: Database, budgets: Budgets, viewer: Viewer
) -> None:
    with statements() as sent:
        for _ in range(1 + SLICE):
            await budgets.charge(viewer, Price(objects=1))
    assert len(sent) == 1
    assert await in_the_bucket(db, viewer) == pytest.approx(1_000 - 1 - SLICE, abs=1)


async def test_what_was_not_spent_is_put_back_when_the_caller_comes_again(
    db: Database, budgets: Budgets, viewer: Viewer, clock: Clock
) -> None:
    await budgets.charge(viewer, Price(objects=1))
    clock.now += FRESH_SECONDS
    await budgets.charge(viewer, Price(objects=1))
    assert await in_the_bucket(db, viewer) == pytest.approx(1_000 - 2 - SLICE, abs=1)


async def test_what_did_not_come_is_spent_by_the_next(budgets: Budgets, viewer: Viewer) -> None:
    bill = await budgets.charge(viewer, Price(objects=400))
    bill.settled(NOTHING)
    with statements() as sent:
        await budgets.charge(viewer, Price(objects=400))
    assert sent == []


async def test_what_could_not_begin_is_given_back_but_for_a_point(
    budgets: Budgets, viewer: Viewer
) -> None:
    refused = Answer(b'{"errors":[{"message":"no"}]}', executed=False)
    bill = await budgets.charge(viewer, Price(objects=400))
    assert bill.settled(refused) is refused
    assert budgets.status(bill.purse)["currentlyAvailable"] == 999


async def test_what_was_dearer_than_was_thought_is_owed(
    db: Database, budgets: Budgets, viewer: Viewer, clock: Clock
) -> None:
    bill = await budgets.charge(viewer, Price(objects=5))
    bill.settled(answer(900))
    assert budgets.status(bill.purse)["currentlyAvailable"] == 100
    with pytest.raises(Refused) as refused:
        await budgets.charge(viewer, Price(objects=200))
    assert (code_of(refused.value.errors[0]), refused.value.headers) == (
        "THROTTLED",
        {"Retry-After": "100"},
    )
    clock.now += BELIEVED_SECONDS
    with pytest.raises(Refused):
        await budgets.charge(viewer, Price(objects=200))
    assert await in_the_bucket(db, viewer) == pytest.approx(100, abs=1)


async def test_two_processes_spend_one_budget(
    db: Database, budgets: Budgets, viewer: Viewer, clock: Clock
) -> None:
    other = Budgets(db, ALLOWANCE, clock)
    for each in (budgets, other):
        await each.charge(viewer, Price(objects=450))
    with pytest.raises(Refused):
        await other.charge(viewer, Price(objects=450))


def test_more_than_the_maximum_is_never_begun(budgets: Budgets) -> None:
    budgets.check(Price(objects=500))
    with pytest.raises(Refused) as refused:
        budgets.check(Price(objects=501))
    assert refused.value.errors[0].extensions == {
        "code": "TOO_EXPENSIVE",
        "params": {"cost": 501, "maximum": 500},
    }
