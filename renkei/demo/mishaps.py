"""What goes wrong on the way, at fixed shares of the replay so that each happens in every run.

Each is switched on at a mall, met by Renkei (its error opens), mended where somebody has to, and over once its error is
closed. The times between are kept as spells: orders that met one are told apart when latency is summed up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.model.malls import MallKind
from domain.model.sync_errors import SyncErrorKind
from domain.store.audit import AuditedError
from renkei.demo import hands
from renkei.demo.latency import Spell
from renkei.demo.seeding import now
from renkei.demo.stage import Stage
from renkei.demo.stalls import NAMES, ref_at
from renkei.example_shop.catalogue import RetailProduct

MET_WITHIN = 30.0
MENDED_WITHIN = 90.0

Mend = Callable[[Stage, "Mishap"], Awaitable[None]]


async def lift(stage: Stage, mishap: "Mishap") -> None:
    await stage.stalls[mishap.mall].lift(mishap.fault)


async def renew(stage: Stage, mishap: "Mishap") -> None:
    await hands.renew(stage, mishap.mall)


@dataclass(frozen=True, slots=True)
class Mishap:
    """`begin` and `end` are shares of the replay; `end`: not mended before. `more`: what the fault is told beside."""

    mall: MallKind
    fault: str
    begin: float
    end: float
    says: str
    mends: str
    opens: frozenset[SyncErrorKind]
    more: Mapping[str, object] = field(default_factory=dict)
    mend: Mend = lift


def mishaps(catalogue: Sequence[RetailProduct]) -> Sequence[Mishap]:
    some = catalogue[::3]
    return (
        Mishap(
            MallKind.AMAZON,
            "throttle",
            0.10,
            0.15,
            "Amazon.co.jp says: too many requests",
            "Amazon.co.jp takes requests again",
            frozenset({SyncErrorKind.THROTTLED}),
            {"on": ["stock"], "calls": 3},
        ),
        Mishap(
            MallKind.YAHOO_SHOPPING,
            "no_answer",
            0.20,
            0.25,
            "Yahoo! Shopping writes a batch and never answers",
            "Yahoo! Shopping answers again",
            frozenset({SyncErrorKind.UNREACHABLE}),
            {"on": ["writes"], "calls": 1},
        ),
        Mishap(
            MallKind.RAKUTEN,
            "maintenance",
            0.30,
            0.42,
            "Rakuten Ichiba closes for maintenance",
            "Rakuten Ichiba has opened again",
            frozenset({SyncErrorKind.MAINTENANCE}),
        ),
        Mishap(
            MallKind.YAHOO_SHOPPING,
            "partial",
            0.50,
            0.55,
            "Yahoo! Shopping refuses some items of its batches",
            "Yahoo! Shopping takes every item again",
            frozenset({SyncErrorKind.ITEM_REFUSED}),
            {"items": [ref_at(MallKind.YAHOO_SHOPPING, each.code).item_code for each in some]},
        ),
        Mishap(
            MallKind.RAKUTEN,
            "expired",
            0.60,
            0.72,
            "Rakuten Ichiba: the licence key has expired",
            "Rakuten Ichiba knows the new key",
            frozenset({SyncErrorKind.CREDENTIALS_EXPIRED, SyncErrorKind.CREDENTIALS_REFUSED}),
            mend=renew,
        ),
    )


async def play(stage: Stage, mishap: Mishap) -> None:
    """From its beginning to its end. Says so when nothing met it."""
    await stage.reaches_share(mishap.begin)
    since = now()
    stage.screen.say(mishap.says)
    await stage.stalls[mishap.mall].fault(mishap.fault, **mishap.more)
    met = await stage.until(lambda: _met(stage, mishap, since), MET_WITHIN)
    if not met:
        stage.screen.say(f"{NAMES[mishap.mall]}: nothing met that in {MET_WITHIN:.0f} s")
    await stage.reaches_share(mishap.end)
    await mishap.mend(stage, mishap)
    stage.screen.say(mishap.mends)
    await stage.until(lambda: _over(stage, mishap), MENDED_WITHIN)
    stage.spells.append(Spell(since, now()))


async def play_all(stage: Stage, every: Sequence[Mishap]) -> None:
    await asyncio.gather(*(play(stage, mishap) for mishap in every))


async def _met(stage: Stage, mishap: Mishap, since: datetime) -> bool:
    return any(
        _is_of(each, mishap, stage) and (each.first_at >= since or each.resolved_at is None)
        for each in await stage.errors()
    )


async def _over(stage: Stage, mishap: Mishap) -> bool:
    return not any(
        _is_of(each, mishap, stage) and each.resolved_at is None for each in await stage.errors()
    )


def _is_of(error: AuditedError, mishap: Mishap, stage: Stage) -> bool:
    return error.shop_id == stage.shop_id(mishap.mall) and error.kind in mishap.opens
