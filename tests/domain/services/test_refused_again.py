"""A number that its mall refused is tried again, and no other waits for what becomes of it."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.errors import MallRefused
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW
from tests.domain.services.story import a_shop, counted, in_stock
from tests.domain.services.turns import SOON, answers, claimed, fails, lease_of, numbers, sent

HOUR = timedelta(hours=1)
REFUSED = MallRefused("?")


async def two_were_refused(tx: Tx) -> Shop:
    """Each by itself; a third and a fourth stand as they should."""
    shop = await a_shop(tx)
    await in_stock(tx, shop, TEA=5, CUP=5, MUG=5, POT=5)
    for code in ("TEA", "CUP"):
        await counted(tx, NOW, **{code: 7})
        await fails(tx, await sent(tx, shop), REFUSED)
    return shop


async def goes_out(tx: Tx, shop: Shop) -> list[list[int]]:
    """The numbers of each call, all of which the mall takes."""
    calls = []
    while batch := await claimed(tx, shop, await lease_of(tx, shop), at=SOON + HOUR):
        calls.append(sorted(numbers(batch)))
        await answers(tx, batch, at=SOON + HOUR)
    return calls


@pytest.mark.parametrize(
    ("case", "totals", "calls"),
    [
        ("others are more urgent", {"MUG": 0, "POT": 4}, [[0, 4], [7, 7]]),
        ("others came later", {"MUG": 8, "POT": 9}, [[7, 7], [8, 9]]),
        ("one of those refused is sold out", {"TEA": 0, "POT": 4}, [[0, 7], [4]]),
        ("nothing else waits", {}, [[7, 7]]),
    ],
)
async def test_it_goes_out_with_its_like(
    db: Database, account: UUID, case: str, totals: dict[str, int], calls: list[list[int]]
):
    async with db.transaction(account) as tx:
        shop = await two_were_refused(tx)
        await counted(tx, SOON, **totals)

        assert await goes_out(tx, shop) == calls, case
