"""Life after the replay, for as long as somebody looks: an order every two seconds, now and then something goes wrong, and
goods arrive when somebody finds a shelf empty."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle

from domain.model.malls import MallKind
from domain.model.shops import ShopState
from renkei.demo import hands
from renkei.demo.baskets import Baskets
from renkei.demo.stage import Stage
from renkei.demo.stalls import NAMES, ControlFailed
from renkei.example_shop.orders import RetailOrder

SHOPPER_EVERY = 2.0
TROUBLE_EVERY = 40.0
TROUBLE_LASTS = 10.0
LOOKED_AT_AFTER = 4.0
ARRIVES_TIMES = 2
TYPED_MORE = 5


async def trickle(stage: Stage, baskets: Baskets) -> None:
    """Until cancelled; what the sandbox does not take while it is being started again is left out."""
    async with asyncio.TaskGroup() as together:
        together.create_task(_orders(stage, baskets))
        together.create_task(_troubles(stage))


async def _orders(stage: Stage, baskets: Baskets) -> None:
    """From where the replay's slice ends in the file, as far as they ask for what is on show."""
    shown = {each.code for each in stage.rows if not each.parts}
    orders = of_these(baskets.later, shown) or of_these(baskets.orders, shown)
    for number, order in enumerate(cycle(orders)):
        await asyncio.sleep(SHOPPER_EVERY)
        with suppress(ControlFailed):
            missing = await stage.shoppers.act(replace(order, number=f"{order.number}-{number}"))
            await _arrive(stage, missing)


def of_these(orders: Iterable[RetailOrder], codes: Collection[str]) -> Sequence[RetailOrder]:
    """The lines of these products, of the orders that have any."""
    cut = (
        replace(order, lines=tuple(line for line in order.lines if line.code in codes))
        for order in orders
    )
    return [order for order in cut if order.lines]


async def _arrive(stage: Stage, missing: Counter[str]) -> None:
    """What was missing comes in, more of it than was asked for, and what has been sold already without being there."""
    totals = stage.shoppers.compared.here.totals
    units = {
        code: count * ARRIVES_TIMES + max(0, -totals.get(code, 0))
        for code, count in missing.items()
        if count
    }
    if units:
        await hands.receive(stage, units)
        stage.screen.say(f"goods arrive: {sum(units.values()):,} units")


async def _troubles(stage: Stage) -> None:
    for kind, trouble in cycle(TROUBLES):
        await asyncio.sleep(TROUBLE_EVERY)
        with suppress(ControlFailed):
            if await _runs(stage, kind):
                await trouble(stage, kind)


async def _runs(stage: Stage, kind: MallKind) -> bool:
    """Nobody has put it to another trouble already."""
    states = {shop.mall: shop.state for shop in await stage.shops()}
    faults = (await stage.stalls[kind].look([stage.rows[0].code])).faults
    return states[kind] == ShopState.RUNNING and not faults


async def _closes(stage: Stage, kind: MallKind) -> None:
    stage.screen.say(f"{NAMES[kind]} closes for maintenance")
    await stage.stalls[kind].fault("maintenance")
    await asyncio.sleep(TROUBLE_LASTS)
    await stage.stalls[kind].lift("maintenance")
    stage.screen.say(f"{NAMES[kind]} has opened again")


async def _expires(stage: Stage, kind: MallKind) -> None:
    stage.screen.say(f"{NAMES[kind]}: the key has expired")
    await stage.stalls[kind].fault("expired")
    await asyncio.sleep(TROUBLE_LASTS)
    if (await stage.stalls[kind].look([stage.rows[0].code])).faults:
        await hands.renew(stage, kind)


async def _is_typed_over(stage: Stage, kind: MallKind) -> None:
    code = stage.rows[-1].code
    quantity = (await stage.stalls[kind].look([code])).numbers[code] + TYPED_MORE
    stage.screen.say(f"somebody types {quantity} into {NAMES[kind]}'s own screen")
    await hands.type_in(stage, kind, code, quantity)
    await asyncio.sleep(LOOKED_AT_AFTER)
    await hands.look_at_mall(stage, kind, code)


Trouble = Callable[[Stage, MallKind], Awaitable[None]]
TROUBLES: Sequence[tuple[MallKind, Trouble]] = (
    (MallKind.YAHOO_SHOPPING, _closes),
    (MallKind.AMAZON, _is_typed_over),
    (MallKind.RAKUTEN, _expires),
)
