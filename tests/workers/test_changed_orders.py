"""Orders that are changed at the mall after they were placed: raised, cut, with a line more, with a line less, cancelled in
part or whole, before we saw them or after they were shipped. All at once, at every mall that lets its stores do so."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.services import shops
from domain.services.shops import ShopChange
from domain.store.database import Database
from domain.store.stock import unbalanced
from tests.workers.town import Stall, Town, at_work, eventually, named, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)
SHIPPED = {RAKUTEN: "500", YAHOO: "5"}
GIVES_BACK = {RAKUTEN: True, YAHOO: False, AMAZON: True}
"""What is cancelled or cut, to our totals."""

HELD = 100

Lines = Mapping[str, int]
"""Product code to units."""


@dataclass(frozen=True, slots=True)
class Case:
    """An order of `placed`, changed once it was seen here. `unseen`: before. `takes`: units of each product that it holds
    in the end at a shop whose cancels give back; `ever`: at one whose cancels do not."""

    name: str
    placed: Lines
    added: Lines = field(default_factory=dict)
    cut: Lines = field(default_factory=dict)
    unseen: bool = False
    shipped: bool = False
    cancelled: bool = False
    takes: Lines = field(default_factory=dict)
    ever: Lines = field(default_factory=dict)


CASES = (
    Case("raised", {"A": 2}, added={"A": 1}, takes={"A": 3}, ever={"A": 3}),
    Case("cut", {"B": 3}, cut={"B": 2}, takes={"B": 1}, ever={"B": 3}),
    Case("a line more", {"C": 1}, added={"D": 2}, takes={"C": 1, "D": 2}, ever={"C": 1, "D": 2}),
    Case("a line less", {"E": 1, "F": 2}, cut={"F": 2}, takes={"E": 1}, ever={"E": 1, "F": 2}),
    Case("cancelled", {"G": 2}, cancelled=True, ever={"G": 2}),
    Case("cancelled before it was seen", {"H": 2}, unseen=True, cancelled=True),
    Case("cut before it was seen", {"I": 3}, cut={"I": 1}, unseen=True, takes={"I": 2}, ever={"I": 2}),
    Case("raised, then cancelled", {"J": 1}, added={"J": 1}, cancelled=True, ever={"J": 1}),
    Case("cancelled after it was shipped", {"K": 2}, shipped=True, cancelled=True, ever={"K": 2}),
)  # fmt: skip
CODES = tuple("ABCDEFGHIJK")


def here_cases(kind: MallKind) -> list[Case]:
    """Amazon takes nothing back as a cancel once it is shipped, and its stores add nothing to orders."""
    return [case for case in CASES if kind in SHIPPED or not (case.shipped or case.added)]


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, *KINDS, one_in="1") as made:
        await made.has(**dict.fromkeys(CODES, HELD))
        await made.starts()
        yield made


async def gives_back(here: Town, stall: Stall) -> None:
    change = ShopChange(cancel_policy=CancelPolicy.RESTORE)
    await here.db.run(
        here.account_id, lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, stall.id, change)
    )


async def placed(stall: Stall, kind: MallKind, case: Case) -> str:
    lines = [named(ref_at(kind, code)) | {"quantity": units} for code, units in case.placed.items()]
    return str((await stall.asks("POST", "purchase", lines=lines))["number"])


async def changed(stall: Stall, kind: MallKind, case: Case, number: str) -> None:
    for path, lines in (("add", case.added), ("cut", case.cut)):
        for code, units in lines.items():
            await stall.asks("POST", path, number=number, by=units, **named(ref_at(kind, code)))
    if case.shipped:
        await stall.asks("POST", "status", number=number, status=SHIPPED[kind])
    if case.cancelled and not case.shipped:
        await stall.asks("POST", "cancel", number=number)


Orders = dict[tuple[MallKind, str], Case]
"""By mall and number."""


async def all_known(here: Town, orders: Orders, status: str = "HOLDS") -> None:
    wanted = {number for _, number in orders}

    async def so() -> bool:
        found = await here.query("SELECT number FROM orders WHERE status = :status", status=status)
        return wanted <= {each.number for each in found}

    await eventually(so)


def left(orders: Orders) -> dict[str, int]:
    """What is there when nothing is changed any more."""
    units = dict.fromkeys(CODES, HELD)
    for (kind, _), case in orders.items():
        for code, taken in (case.takes if GIVES_BACK[kind] else case.ever).items():
            units[code] -= taken
    return units


async def test_every_mall_and_the_total_end_as_the_orders_stand(here: Town) -> None:
    for kind, stall in here.stalls.items():
        if GIVES_BACK[kind]:
            await gives_back(here, stall)
    early: Orders = {}
    late: Orders = {}
    for kind, stall in here.stalls.items():
        for case in here_cases(kind):
            orders = early if case.unseen else late
            orders[kind, await placed(stall, kind, case)] = case
    for (kind, number), case in early.items():
        await changed(here.stalls[kind], kind, case, number)

    async with at_work(here.ctx):
        await all_known(here, late)
        for (kind, number), case in late.items():
            await changed(here.stalls[kind], kind, case, number)
        shipped = {key: case for key, case in late.items() if case.shipped}
        await all_known(here, shipped, "SHIPPED")
        for kind, number in shipped:
            await here.stalls[kind].asks("POST", "cancel", number=number)

        for code, units in left(early | late).items():
            await here.settled(code, units)
    assert {code: await here.total(code) for code in CODES} == left(early | late)
    async with here.db.transaction(here.account_id) as tx:
        assert await unbalanced(tx) == []
