"""Life after the replay, for as long as somebody looks: an order every two seconds, now and then something goes wrong, and
goods arrive when somebody finds a shelf empty."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle

from domain.model.malls import MallKind
from domain.model.shops import ShopState
from renkei.demo import captions, hands
from renkei.demo.baskets import Baskets
from renkei.demo.stage import Stage
from renkei.demo.stalls import ControlFailed
from renkei.example_shop.orders import RetailOrder

SHOPPER_EVERY = 2.0
TROUBLE_EVERY = 40.0
TROUBLE_LASTS = 10.0
LOOKED_AT_AFTER = 4.0
READ_FOR = 8.0
TYPED_MORE = 5


async def trickle(stage: Stage, baskets: Baskets) -> None:
    """Until cancelled; what the sandbox does not take while it is being started again is left out."""
    async with asyncio.TaskGroup() as together:
        together.create_task(_orders(stage, baskets))
        together.create_task(_troubles(stage))


async def _orders(stage: Stage, baskets: Baskets) -> None:
    """From where the replay's slice ends in the file, as far as they ask for what is on show. Who finds too little of
    something makes it arrive."""
    shown = {each.code for each in stage.rows if not each.parts}
    orders = of_these(baskets.later, shown) or of_these(baskets.orders, shown)
    for number, order in enumerate(cycle(orders)):
        await asyncio.sleep(SHOPPER_EVERY)
        with suppress(ControlFailed):
            missing = await stage.shoppers.act(replace(order, number=f"{order.number}-{number}"))
            await hands.fill_up(stage, +missing)


def of_these(orders: Iterable[RetailOrder], codes: Collection[str]) -> Sequence[RetailOrder]:
    """The lines of these products, of the orders that have any."""
    cut = (
        replace(order, lines=tuple(line for line in order.lines if line.code in codes))
        for order in orders
    )
    return [order for order in cut if order.lines]


async def _troubles(stage: Stage) -> None:
    for kind, trouble in cycle(TROUBLES):
        await asyncio.sleep(TROUBLE_EVERY)
        with suppress(ControlFailed):
            if await _runs(stage, kind):
                await trouble(stage, kind)
                await asyncio.sleep(READ_FOR)
                stage.caption = captions.TRICKLE


async def _runs(stage: Stage, kind: MallKind) -> bool:
    """Nobody has put it to another trouble already."""
    states = {shop.mall: shop.state for shop in await stage.shops()}
    faults = (await stage.stalls[kind].look([stage.rows[0].code])).faults
    return states[kind] == ShopState.RUNNING and not faults


async def _closes(stage: Stage, kind: MallKind) -> None:
    stage.happens(captions.closes(kind))
    await stage.stalls[kind].fault("maintenance")
    await asyncio.sleep(TROUBLE_LASTS)
    await stage.stalls[kind].lift("maintenance")
    stage.happens(captions.opens(kind))


async def _expires(stage: Stage, kind: MallKind) -> None:
    stage.happens(captions.expires(kind))
    await stage.stalls[kind].fault("expired")
    await asyncio.sleep(TROUBLE_LASTS)
    if (await stage.stalls[kind].look([stage.rows[0].code])).faults:
        stage.happens(captions.renewed(kind))
        await hands.renew(stage, kind)


async def _is_typed_over(stage: Stage, kind: MallKind) -> None:
    code = stage.rows[-1].code
    quantity = (await stage.stalls[kind].look([code])).numbers[code] + TYPED_MORE
    stage.happens(captions.typed_over(kind, quantity))
    await hands.type_in(stage, kind, code, quantity)
    await asyncio.sleep(LOOKED_AT_AFTER)
    await hands.look_at_mall(stage, kind, code)


Trouble = Callable[[Stage, MallKind], Awaitable[None]]
TROUBLES: Sequence[tuple[MallKind, Trouble]] = (
    (MallKind.YAHOO_SHOPPING, _closes),
    (MallKind.AMAZON, _is_typed_over),
    (MallKind.RAKUTEN, _expires),
)
