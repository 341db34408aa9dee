"""What somebody does at a mall, or about one: the story, the mishaps and the page all reach for these."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.stock import AdjustReason
from domain.services import readings, shops, stock, sync_errors
from domain.services.shops import ShopChange
from domain.services.stock import Adjustment, NewTotal
from domain.store import products
from domain.store.database import Tx
from renkei.demo.seeding import form_of, now
from renkei.demo.stage import Stage
from renkei.demo.stalls import NAMES, ref_at

LEVEL_9 = 9


async def renew(stage: Stage, kind: MallKind) -> None:
    """A person gets new credentials from the mall, enters them, and clears the error."""
    shop_id = stage.shop_id(kind)
    told = await stage.stalls[kind].renew()
    change = ShopChange(credentials=form_of(kind, told))

    async def enter(tx: Tx) -> None:
        await shops.update(tx, stage.merchant.vault, SYSTEM, shop_id, change)

    await stage.merchant.tx(enter)
    stage.screen.say(f"{NAMES[kind]}: new credentials entered, the error cleared")
    await clear_halts(stage)


async def clear_halts(stage: Stage) -> None:
    """As a person does who has put right what halted a shop: its connection is tested, and it catches up."""
    halting = [
        each.id
        for each in await stage.errors()
        if each.level == LEVEL_9 and each.resolved_at is None
    ]

    async def work(tx: Tx) -> None:
        await sync_errors.clear(tx, SYSTEM, halting, now=now())

    if halting:
        await stage.merchant.tx(work)


async def type_in(stage: Stage, kind: MallKind, code: str, quantity: int) -> None:
    """Into the mall's own screen, past Renkei."""
    await stage.stalls[kind].edit(ref_at(kind, code), quantity)
    stage.shoppers.compared.typed(kind, code, quantity)


async def look_at_mall(stage: Stage, kind: MallKind, code: str) -> None:
    """Renkei is asked to read what the mall shows of this product."""
    ref, shop_id = ref_at(kind, code), stage.shop_id(kind)
    listings = (await stage.books()).listings
    ids = [each.id for each in listings if (each.shop_id, each.ref) == (shop_id, ref)]

    async def work(tx: Tx) -> None:
        await readings.ask(tx, SYSTEM, ids, now=now())

    await stage.merchant.tx(work)


async def receive(stage: Stage, units: Mapping[str, int]) -> None:
    """Goods come in."""
    arrived = {code: count for code, count in units.items() if count}
    if not arrived:
        return

    async def work(tx: Tx) -> None:
        ids = await products.by_code(tx, arrived)
        items = [Adjustment(ids[code], count) for code, count in arrived.items()]
        await stock.adjust_totals(tx, SYSTEM, items, reason=AdjustReason.RECEIVED, now=now())

    await stage.merchant.tx(work)
    stage.shoppers.compared.arrived(arrived)


async def fill_up(stage: Stage, codes: Iterable[str]) -> None:
    """A delivery: as much of each of these as a full shelf holds."""
    totals = stage.shoppers.compared.here.totals
    short = {code: stage.full[code] - totals.get(code, 0) for code in codes}
    units = {code: count for code, count in short.items() if count > 0}
    await receive(stage, units)
    if units:
        stage.screen.say(f"goods arrive: {sum(units.values()):,} units")


async def count(stage: Stage, code: str, total: int) -> None:
    """A person counts the shelf and enters what there is."""

    async def work(tx: Tx) -> None:
        ids: Mapping[str, UUID] = await products.by_code(tx, [code])
        await stock.set_totals(tx, SYSTEM, [NewTotal(ids[code], total)], now=now())

    await stage.merchant.tx(work)
    stage.shoppers.compared.counted(code, total)
