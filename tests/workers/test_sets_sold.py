"""Sets: once an order is committed, no mall is sent a number of a set that its parts do not allow any more.

Random sales of parts and sets at two malls. What each set's parts allowed is noted after every order; every number that
went out later, by the mall's own book of writes, is held to it. And sets that share parts, sold at both malls within one
poll, beside somebody who looks at all numbers again and again: no moment shows one that the parts do not allow.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.sets import SetPart
from domain.services import sets
from domain.store.database import Database, Tx
from tests.workers.town import Town, at_work, eventually, named, now, product_ids, ref_at, town

KINDS = (MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING)
STOCK = {"CUP": 24, "TEA": 15}
SETS: Mapping[str, Mapping[str, int]] = {"PAIR": {"CUP": 2}, "BOX": {"CUP": 1, "TEA": 2}}
SALES = 12


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the parts of each set allowed from then on, by the database's clock."""

    since: datetime
    sets: Mapping[str, int]


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Parts and sets of them at two malls, and a worker that goes by its clock alone."""
    async with town(db, malls, *KINDS) as made:
        await made.has(**STOCK)
        await made.db.run(made.account_id, _save_sets)
        await _list_sets(made)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def _save_sets(tx: Tx) -> None:
    ids = await product_ids(tx, list(STOCK))
    for code, parts in SETS.items():
        made_of = [SetPart(ids[part], count) for part, count in parts.items()]
        await sets.save_set(tx, SYSTEM, None, code=code, parts=made_of, now=now())


async def _list_sets(here: Town) -> None:
    """At both malls, where they show what the parts allow."""
    allowed = _allowed(STOCK)
    for kind, stall in here.stalls.items():
        items = [
            named(ref_at(kind, code)) | {"name": code, "quantity": units}
            for code, units in allowed.items()
        ]
        await stall.asks("PUT", "items", items=items)
        await here.db.run(here.account_id, lambda tx, kind=kind: here._import(tx, kind, allowed))


def _allowed(totals: Mapping[str, int]) -> dict[str, int]:
    return {
        code: max(0, min(totals[part] // count for part, count in parts.items()))
        for code, parts in SETS.items()
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_mall_is_sent_more_sets_than_the_parts_allow(here: Town, seed: int) -> None:
    dice = random.Random(seed)
    history = [Allowed(await _clock(here), _allowed(STOCK))]
    totals = dict(STOCK)
    for _ in range(SALES):
        kind, code = dice.choice(KINDS), dice.choice([*STOCK, *SETS])
        units = dice.randint(1, 2)
        if await here.stalls[kind].shows(ref_at(kind, code)) < units:
            continue
        await here.stalls[kind].sells(ref_at(kind, code), units)
        for part, count in SETS.get(code, {code: 1}).items():
            totals[part] -= units * count
        await eventually(lambda wanted=dict(totals): _are(here, wanted))
        history.append(Allowed(await _clock(here), _allowed(totals)))

    for code, units in _allowed(totals).items():
        await here.settled(code, units)
    for code in SETS:
        for kind in KINDS:
            assert await _sent(here, kind, code, history) == []
            _only_falls(await _written(here, kind, code))


async def _clock(here: Town) -> datetime:
    at: datetime = await here.scalar("SELECT clock_timestamp()")
    return at


async def _are(here: Town, totals: Mapping[str, int]) -> bool:
    found = await here.query("SELECT code, total FROM products WHERE kind = 'SINGLE'")
    return {each.code: each.total for each in found} == totals


async def _sent(
    here: Town, kind: MallKind, code: str, history: Sequence[Allowed]
) -> list[tuple[datetime, int, int]]:
    """(when, number, what was allowed) of each number that was too high."""
    found = await here.query(
        "SELECT p.sent_at, p.quantity FROM pushes p JOIN listings l ON l.id = p.listing_id"
        " WHERE l.shop_id = :shop AND l.item_code = :item ORDER BY p.id",
        shop=here.stalls[kind].id,
        item=ref_at(kind, code).item_code,
    )
    return [
        (each.sent_at, each.quantity, allowed)
        for each in found
        for allowed in [_allowed_at(history, each.sent_at)[code]]
        if each.quantity > allowed
    ]


def _allowed_at(history: Sequence[Allowed], at: datetime) -> Mapping[str, int]:
    """After the last order that was committed before then; before the first one whatever there was."""
    known = [each.sets for each in history if each.since < at]
    return known[-1] if known else history[0].sets


async def _written(here: Town, kind: MallKind, code: str) -> list[int]:
    """What our writes left on the mall's counter, in the mall's own book."""
    told = (await here.stalls[kind].asks("GET", "state"))["writes"]
    ref = named(ref_at(kind, code))
    return [int(each["quantity"]) for each in told if ref.items() <= each.items()]


def _only_falls(written: Sequence[int]) -> None:
    """Parts were only sold: a number that rises was sent after a lower one, and is too high."""
    assert all(later <= sooner for sooner, later in pairwise(written)), written


WRONG = """
WITH allowed AS (
    SELECT sp.set_id, greatest(0, min(floor(p.total::float / sp.count)))::int AS units
    FROM set_parts sp JOIN products p ON p.id = sp.part_id GROUP BY sp.set_id)
SELECT l.item_code, y.expected, p.quantity AS sent, a.units AS allowed
FROM allowed a JOIN links k ON k.product_id = a.set_id JOIN listings l ON l.id = k.listing_id
JOIN listing_sync y ON y.listing_id = l.id LEFT JOIN pushes p ON p.id = y.push_id AND y.claimed = y.wanted
WHERE y.expected <> a.units OR p.quantity > a.units
"""
"""Sets whose numbers are not what their parts allow, in one moment: the number to show, and the newest that is being sent."""


@dataclass
class Watching:
    looks: int = 0
    wrong: list[tuple[object, ...]] = field(default_factory=list)

    async def look(self, here: Town) -> None:
        while True:
            self.wrong += [tuple(row) for row in await here.query(WRONG)]
            self.looks += 1
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Bought:
    kind: MallKind
    code: str
    units: int


RAKUTEN, YAHOO = KINDS
AT_ONCE = (
    Bought(RAKUTEN, "PAIR", 3), Bought(RAKUTEN, "BOX", 2), Bought(RAKUTEN, "CUP", 1),
    Bought(YAHOO, "PAIR", 2), Bought(YAHOO, "BOX", 3), Bought(YAHOO, "TEA", 1),
)  # fmt: skip
BEYOND = (Bought(RAKUTEN, "BOX", 2), Bought(YAHOO, "BOX", 2))
"""Two boxes are left then, and each mall shows both."""


async def test_sets_that_share_parts_and_are_sold_at_both_malls_at_once(here: Town) -> None:
    watching, totals = Watching(), dict(STOCK)
    watcher = asyncio.create_task(watching.look(here))
    for wave in (AT_ONCE, BEYOND):
        await asyncio.gather(
            *(
                here.stalls[each.kind].sells(ref_at(each.kind, each.code), each.units)
                for each in wave
            )
        )
        for each in wave:
            for part, count in SETS.get(each.code, {each.code: 1}).items():
                totals[part] -= each.units * count
        for code, units in _allowed(totals).items():
            await here.settled(code, units)

    watcher.cancel()
    assert totals == {"CUP": 4, "TEA": -4}
    assert await _are(here, totals)
    assert (watching.wrong, watching.looks > 20) == ([], True)
    for code in SETS:
        for kind in KINDS:
            _only_falls(await _written(here, kind, code))
