"""Life after the replay: a shopper every few seconds, and goods that arrive when somebody finds a shelf empty."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import cycle

from domain.model.actors import SYSTEM
from domain.model.stock import AdjustReason
from domain.services import stock
from domain.services.stock import Adjustment
from domain.store.database import Tx
from renkei.demo.baskets import Baskets
from renkei.demo.seeding import now
from renkei.demo.stage import Stage
from renkei.example_shop.orders import RetailOrder

SHOPPER_EVERY = 3.0
ARRIVES_TIMES = 2


async def trickle(stage: Stage, baskets: Baskets) -> None:
    """Until cancelled. Orders come from where the replay's slice ends in the file."""
    sold_here = {each.code for each in baskets.catalogue if not each.parts}
    for order in cycle(baskets.later or baskets.orders):
        await asyncio.sleep(SHOPPER_EVERY)
        wish = _of_ours(order, sold_here)
        if wish is not None:
            refused = await stage.shoppers.act(wish)
            await _arrive(stage, refused)


def _of_ours(order: RetailOrder, sold_here: Collection[str]) -> RetailOrder | None:
    """The lines of what the demo sells; None where there are none."""
    lines = tuple(line for line in order.lines if line.code in sold_here)
    return replace(order, lines=lines) if lines else None


async def _arrive(stage: Stage, missing: Counter[str]) -> None:
    """What was missing comes in, more of it than was asked for."""
    if not missing:
        return
    ids = {each.code: each.id for each in (await stage.books()).products}
    arrived = [
        Adjustment(ids[code], units * ARRIVES_TIMES) for code, units in missing.items() if units
    ]

    async def work(tx: Tx) -> None:
        await stock.adjust_totals(tx, SYSTEM, arrived, reason=AdjustReason.RECEIVED, now=now())

    await stage.merchant.tx(work)
    stage.screen.say(f"goods arrive: {sum(each.change for each in arrived):,} units")
