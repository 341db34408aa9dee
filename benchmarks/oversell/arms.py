"""Both arms of the comparison, each alone with its own malls in its own virtual time."""

import asyncio
import itertools
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from benchmarks.oversell.engine import Bells, Engine
from benchmarks.oversell.limits import Buckets, NoLimits, VirtualThrottle, throttles
from benchmarks.oversell.malls import Malls, open_malls
from benchmarks.oversell.merchant import Merchant, open_merchant
from benchmarks.oversell.peer import RUN_EVERY, Peer
from benchmarks.oversell.peer import Shop as PeerShop
from benchmarks.oversell.scene import DAY, SHARES, Scene
from benchmarks.oversell.score import Delays, Score, score
from benchmarks.oversell.shoppers import Shoppers
from benchmarks.oversell.virtual import Clock, OneAtATime, VirtualLoop, in_virtual_time
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind, ShopConfig
from domain.services.credentials import Vault
from domain.store import audit as books
from integrations import registry
from integrations.sandbox.amazon.listings import APPLY_DELAY
from renkei.demo.audit import audit
from renkei.demo.stalls import PLACES
from workers.context import Context
from workers.context import Malls as Connected

JAPAN = timezone(timedelta(hours=9))
KEY = bytes(range(32))
LANDING = {MallKind.AMAZON: APPLY_DELAY}
"""Seconds from a number's acceptance to the counter."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`limits`: those of the malls' sheets hold. `poll_seconds`: how often Renkei asks a shop for orders, where the mall's
    limits let it. `every_poll`: see engine.py."""

    limits: bool
    poll_seconds: int = 60
    every_poll: bool = False

    @property
    def name(self) -> str:
        return "limits of the sheets" if self.limits else "no limits"

    def poll(self, kind: MallKind) -> int:
        """A list that may be read once in three minutes is read no more often."""
        per_second = PLACES[kind].lists_per_second if self.limits else 1.0
        return max(self.poll_seconds, math.ceil(1 / min(1.0, per_second)))

    @property
    def polls(self) -> Mapping[str, int]:
        return {name: self.poll(kind) for name, (kind, _) in SHARES.items()}

    @property
    def delays(self) -> Delays:
        """Nobody who polls so often knows of a sale before it is in the mall's list, plus one poll."""
        kinds = {name: kind for name, (kind, _) in SHARES.items()}
        return Delays(
            {name: _visible_after(kind) + self.poll(kind) for name, kind in kinds.items()},
            {name: LANDING.get(kind, 0.0) for name, kind in kinds.items()},
        )


def _visible_after(kind: MallKind) -> float:
    lag = MALL_SPECS[kind].capabilities.order_lag.total_seconds()
    return max(PLACES[kind].delays["order_delay"], lag)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`findings`: what is not as it should be at the end: a counter, a ledger, an order. `lasted`: virtual time from the last
    purchase until nothing moved."""

    score: Score
    findings: tuple[str, ...]
    calls: int
    lasted: timedelta


def begin(scene: Scene) -> datetime:
    """Virtual time begins today, so that the partitions of logs are there, at the scene's time of the day in Japan."""
    midnight = datetime.now(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC) + timedelta(seconds=scene.begins)


def run_renkei(scene: Scene, terms: Terms, database_url: str) -> Outcome:
    """On an empty migrated database, as the role that serves."""
    return in_virtual_time(lambda loop: _renkei(loop, scene, terms, database_url))


def run_peer(scene: Scene, terms: Terms) -> Outcome:
    return in_virtual_time(lambda loop: _peer(loop, scene, terms))


async def _renkei(loop: VirtualLoop, scene: Scene, terms: Terms, database_url: str) -> Outcome:
    clock, bells, vault = Clock(loop, begin(scene)), Bells(), Vault(KEY)
    db = OneAtATime.at(database_url, bells, pool_size=1)
    async with open_malls(clock, scene.held, limits=terms.limits) as malls:
        merchant = await open_merchant(db, vault, clock, malls.stands, scene.held, terms.polls)
        connected = Connected(
            db, vault, malls.http, clock.now, throttles(clock.now, limits=terms.limits)
        )
        ctx = Context(db, connected, vault, f"oversell-{secrets.token_hex(4)}", clock.now)
        shoppers = Shoppers(clock, malls.stands)
        engine = Engine(ctx, merchant, shoppers, terms.polls, every_poll=terms.every_poll)
        shopping = asyncio.create_task(shoppers.shop(scene.wishes))
        collecting = asyncio.create_task(_collect(clock, malls, scene))
        await engine.work(bells, shopping.done)
        await shopping
        outcome = await _outcome(clock, malls, shoppers, scene, terms)
        findings = await _findings(merchant, malls)
        collecting.cancel()
    await db.close()
    return replace(outcome, findings=findings)


async def _peer(loop: VirtualLoop, scene: Scene, terms: Terms) -> Outcome:
    clock = Clock(loop, begin(scene))
    async with open_malls(clock, scene.held, limits=terms.limits) as malls:
        shoppers = Shoppers(clock, malls.stands)
        buckets = Buckets(clock.now)
        shops = {name: _peer_shop(clock, malls, name, buckets, scene, terms) for name in SHARES}
        peer = Peer(clock, shops, dict(scene.held), shoppers, idle=not terms.every_poll)
        shopping = asyncio.create_task(shoppers.shop(scene.wishes))
        collecting = asyncio.create_task(_collect(clock, malls, scene))
        await peer.work(shopping.done)
        await shopping
        await asyncio.sleep(RUN_EVERY)
        outcome = await _outcome(clock, malls, shoppers, scene, terms)
        findings = await _miscounted(peer, malls)
        collecting.cancel()
    return replace(outcome, findings=findings)


def _peer_shop(
    clock: Clock, malls: Malls, name: str, buckets: Buckets, scene: Scene, terms: Terms
) -> PeerShop:
    stand = malls.stands[name]
    throttle = VirtualThrottle(buckets, name, name) if terms.limits else NoLimits()
    config = ShopConfig(stand.kind, stand.credentials, stand.settings)

    async def save(_: Mapping[str, str]) -> None:
        """A consent outlives the fortnight."""

    mall = registry.connect(config, malls.http, throttle, save, clock.now)
    return PeerShop(stand, mall, clock.now(), dict(scene.held))


async def _collect(clock: Clock, malls: Malls, scene: Scene) -> None:
    """Each midnight what was written by day: the malls' books keep only so much of it."""
    for day in itertools.count(1):
        await clock.until(day * DAY - scene.begins)
        for stand in malls.stands.values():
            await stand.collect()


async def _outcome(
    clock: Clock, malls: Malls, shoppers: Shoppers, scene: Scene, terms: Terms
) -> Outcome:
    for stand in malls.stands.values():
        await stand.collect()
    result = score(
        scene,
        shoppers.sales,
        [write for stand in malls.stands.values() for write in stand.written],
        start=clock.start,
        turned_away=shoppers.turned_away,
        delays=terms.delays,
    )
    lasted = timedelta(seconds=round(clock.seconds - scene.wishes[-1].at))
    return Outcome(result, (), await _calls(malls), lasted)


async def _calls(malls: Malls) -> int:
    states = [await stand.ask("GET", "state") for stand in malls.stands.values()]
    return sum(sum(state["requests"].values()) for state in states)


async def _findings(merchant: Merchant, malls: Malls) -> tuple[str, ...]:
    """Every counter, ledger and order, the malls themselves asked."""
    theirs = [await malls.stands[name].books(id) for name, id in merchant.shops.items()]
    async with merchant.db.transaction(merchant.account_id) as tx:
        found = audit(theirs, await books.books(tx))
    return tuple(f"{finding.kind.value}: {finding.text}" for finding in found.findings)


async def _miscounted(peer: Peer, malls: Malls) -> tuple[str, ...]:
    """Counters that do not show what the peer's totals say, however it came."""
    shown = {
        (name, code): number
        for name, stand in malls.stands.items()
        for code, number in (await stand.counters()).items()
    }
    return tuple(
        f"{name} shows {number} of {code}, and should show {max(peer.totals[code], 0)}."
        for (name, code), number in shown.items()
        if number != max(peer.totals[code], 0)
    )
