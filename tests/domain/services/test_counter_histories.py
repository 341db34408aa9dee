"""No history of one counter ends in a wrong number: sales, cancels, writes, looks and mishaps in any order, at any moment.

When all is quiet, and nothing of what is known says otherwise, the mall shows what it should; the total is what a person
would have counted, and no sale was taken for an edit.
"""

import random
from uuid import UUID

import pytest

from domain.store.database import Database
from tests.domain.services.counter import a_world, steps_of
from tests.domain.services.rows import rows
from tests.domain.services.story import totals

SCENES = 20
SEEDS = (*range(6), 7, 29, 101)
"""The last three go wrong where the selling shop's base follows every order, whenever it was placed."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_history_ends_with_the_right_number(db: Database, account: UUID, seed: int):
    dice = random.Random(seed)
    async with db.transaction(account) as tx:
        world = await a_world(tx, dice)

        await world.plays(steps_of(dice, SCENES))
        await world.rests()

        assert await world.is_quiet(), await world.shown()
        total = world.true_total()
        assert (await totals(tx))["TEA"] == total
        assert world.counter == max(0, total)
        taken = "SELECT delta FROM stock_movements WHERE cause = 'MALL_EDIT_TAKEN'"
        assert await rows(tx, taken) == []
