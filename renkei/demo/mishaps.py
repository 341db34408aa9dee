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
from renkei.demo.captions import Caption, at, closes, expires, opens, renewed
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
    says: Caption
    mends: Caption
    opens: frozenset[SyncErrorKind]
    more: Mapping[str, object] = field(default_factory=dict)
    mend: Mend = lift


def mishaps(catalogue: Sequence[RetailProduct]) -> Sequence[Mishap]:
    some = catalogue[::3]
    rakuten, yahoo, amazon = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
    return (
        Mishap(
            amazon,
            "throttle",
            0.10,
            0.15,
            at(
                amazon,
                "{mall} says: too many requests.",
                "{mall}から「リクエスト過多」と返されました。",
            ),
            at(amazon, "{mall} takes requests again.", "{mall}がリクエストを再び受け付けます。"),
            frozenset({SyncErrorKind.THROTTLED}),
            {"on": ["stock"], "calls": 3},
        ),
        Mishap(
            yahoo,
            "no_answer",
            0.20,
            0.25,
            at(
                yahoo,
                "{mall} writes a batch and never answers: what it shows is unknown, so it is read.",
                "{mall}が書き込みに応答しません。表示が不明なため、読み取って確かめます。",
            ),
            at(yahoo, "{mall} answers again.", "{mall}が再び応答します。"),
            frozenset({SyncErrorKind.UNREACHABLE}),
            {"on": ["writes"], "calls": 1},
        ),
        Mishap(
            rakuten,
            "maintenance",
            0.30,
            0.42,
            closes(rakuten),
            opens(rakuten),
            frozenset({SyncErrorKind.MAINTENANCE}),
        ),
        Mishap(
            yahoo,
            "partial",
            0.50,
            0.55,
            at(
                yahoo,
                "{mall} refuses some items of its batches: the other items go through.",
                "{mall}が一部の商品を拒否します。他の商品は反映されます。",
            ),
            at(yahoo, "{mall} takes every item again.", "{mall}が全商品を再び受け付けます。"),
            frozenset({SyncErrorKind.ITEM_REFUSED}),
            {"items": [ref_at(yahoo, each.code).item_code for each in some]},
        ),
        Mishap(
            rakuten,
            "expired",
            0.60,
            0.72,
            expires(rakuten),
            renewed(rakuten),
            frozenset({SyncErrorKind.CREDENTIALS_EXPIRED, SyncErrorKind.CREDENTIALS_REFUSED}),
            mend=renew,
        ),
    )


async def play(stage: Stage, mishap: Mishap) -> None:
    """From its beginning to its end. Says so when nothing met it."""
    await stage.reaches_share(mishap.begin)
    since = now()
    stage.happens(mishap.says)
    await stage.stalls[mishap.mall].fault(mishap.fault, **mishap.more)
    met = await stage.until(lambda: _met(stage, mishap, since), MET_WITHIN)
    if not met:
        stage.screen.say(f"{NAMES[mishap.mall]}: nothing met that in {MET_WITHIN:.0f} s")
    await stage.reaches_share(mishap.end)
    await mishap.mend(stage, mishap)
    stage.happens(mishap.mends)
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
