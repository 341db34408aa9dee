"""What happens when: drawn from a seed before anything begins, so that the same seed brings the same again."""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from types import MappingProxyType

from benchmarks.chaos.kinds import ONLY_IN_LONG, SPURIOUS, WEIGHTS, Kind
from benchmarks.chaos.wares import Wares
from domain.model.malls import MallKind

SHORTEST_OF_LONG = 120.0
"""Seconds from which on a run has time for what takes a lease's length."""

LEASE_OVER = 36.0
LAST_ACT = 0.95
"""The share of the run after which the merchant does nothing more."""


Told = tuple[tuple[str, object], ...]
"""What the fault is told beside, by name."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault. `at`: seconds from the beginning; `place`: which shop, worker or API process; `lasts`: seconds until it
    is lifted or mended, 0 where it ends by itself."""

    at: float
    kind: Kind
    place: int
    lasts: float = 0.0
    told: Told = ()


@dataclass(frozen=True, slots=True)
class Act:
    """The merchant changes one product's total: by `change` when that is set, else to `total`."""

    at: float
    code: str
    change: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it: `seconds` long, at so many shops, workers and API processes."""

    faults: int
    seconds: float
    shops: Sequence[MallKind]
    workers: int
    apis: int

    @property
    def long(self) -> bool:
        return self.seconds >= SHORTEST_OF_LONG


@dataclass(frozen=True, slots=True)
class Schedule:
    strikes: Sequence[Strike]
    acts: Sequence[Act]
    skews: Sequence[float]
    """By how many seconds the workers' own clocks are off, one after the other as they are started."""

    @property
    def digest(self) -> str:
        """The same for the same schedule."""
        told = repr((list(map(astuple, self.strikes)), list(map(astuple, self.acts)), self.skews))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def scheduled(seed: int, size: Size, wares: Wares) -> Schedule:
    """Every kind once where there are faults enough, the rest by weight, at any time of the run."""
    dice = random.Random(f"chaos {seed}")  # noqa: S311
    kinds = _kinds(dice, size)
    times = sorted(dice.uniform(0, size.seconds) for _ in kinds)
    strikes = [_strike(dice, at, kind, size, wares) for at, kind in zip(times, kinds, strict=True)]
    return Schedule(strikes, _acts(dice, size, wares), [dice.uniform(-600, 600) for _ in range(97)])


def _kinds(dice: random.Random, size: Size) -> list[Kind]:
    possible = [kind for kind in Kind if size.long or kind not in ONLY_IN_LONG]
    once = dice.sample(possible, min(len(possible), size.faults))
    weights = [WEIGHTS[kind] for kind in possible]
    kinds = once + dice.choices(possible, weights, k=size.faults - len(once))
    dice.shuffle(kinds)
    return kinds


def _acts(dice: random.Random, size: Size, wares: Wares) -> list[Act]:
    """Two a second: goods come in and go out; products that nobody orders are set to new totals."""
    count = int(size.seconds * 2)
    times = sorted(dice.uniform(0, size.seconds * LAST_ACT) for _ in range(count))
    return [_act(dice, at, wares) for at in times]


def _act(dice: random.Random, at: float, wares: Wares) -> Act:
    if dice.random() < 0.3:
        return Act(at, dice.choice(wares.quiet), None, dice.randint(0, 50))
    return Act(at, dice.choice(wares.counted), dice.randint(-2, 6), None)


def _strike(dice: random.Random, at: float, kind: Kind, size: Size, wares: Wares) -> Strike:
    draw = DRAWN.get(kind, _plain)
    return draw(_Draw(dice, at, kind, size, wares))


@dataclass(frozen=True, slots=True)
class _Draw:
    dice: random.Random
    at: float
    kind: Kind
    size: Size
    wares: Wares

    @property
    def shop(self) -> int:
        return self.dice.randrange(len(self.size.shops))

    def strike(self, place: int, lasts: float = 0.0, **told: object) -> Strike:
        return Strike(self.at, self.kind, place, lasts, tuple(sorted(told.items())))


def _plain(draw: _Draw) -> Strike:
    return draw.strike(draw.shop)


def _with_tokens(draw: _Draw) -> Strike:
    """At a shop whose mall gives out access tokens."""
    places = [n for n, kind in enumerate(draw.size.shops) if kind is not MallKind.RAKUTEN]
    return draw.strike(draw.dice.choice(places))


def _few_calls(draw: _Draw) -> Strike:
    return draw.strike(draw.shop, calls=draw.dice.randint(1, 4))


def _slow(draw: _Draw) -> Strike:
    calls, seconds = draw.dice.randint(1, 3), round(draw.dice.uniform(0.3, 3), 2)
    return draw.strike(draw.shop, calls=calls, seconds=seconds)


def _late(draw: _Draw) -> Strike:
    calls, seconds = draw.dice.randint(1, 5), round(draw.dice.uniform(0.5, 4), 2)
    return draw.strike(draw.shop, calls=calls, seconds=seconds)


def _one_call(draw: _Draw) -> Strike:
    return draw.strike(draw.shop, calls=1)


def _for_a_while(draw: _Draw) -> Strike:
    return draw.strike(draw.shop, draw.dice.uniform(1, 5))


def _spurious(draw: _Draw) -> Strike:
    shop = draw.shop
    code = draw.dice.choice(SPURIOUS[draw.size.shops[shop]])
    return draw.strike(shop, calls=draw.dice.randint(1, 3), code=code)


def _some_items(draw: _Draw) -> Strike:
    codes = tuple(draw.dice.sample(draw.wares.codes, 4))
    return draw.strike(draw.shop, calls=draw.dice.randint(1, 3), codes=codes)


def _edited(draw: _Draw) -> Strike:
    code, quantity = draw.dice.choice(draw.wares.codes), draw.dice.randint(0, 30)
    return draw.strike(draw.shop, code=code, quantity=quantity)


def _a_worker(draw: _Draw) -> Strike:
    return draw.strike(draw.dice.randrange(draw.size.workers), draw.dice.uniform(0, 3))


def _a_pause(draw: _Draw) -> Strike:
    """One in three is longer than any lease."""
    long = draw.size.long and draw.dice.random() < 0.34
    lasts = LEASE_OVER if long else draw.dice.uniform(0.5, 4)
    return draw.strike(draw.dice.randrange(draw.size.workers), lasts)


def _an_api(draw: _Draw) -> Strike:
    return draw.strike(draw.dice.randrange(draw.size.apis), draw.dice.uniform(0, 3))


def _an_engine(draw: _Draw) -> Strike:
    return draw.strike(0, draw.dice.uniform(0, 2))


def _a_loss(draw: _Draw) -> Strike:
    return draw.strike(0, draw.dice.uniform(3, 15))


def _a_request(draw: _Draw) -> Strike:
    code, change = draw.dice.choice(draw.wares.counted), draw.dice.randint(1, 3)
    return draw.strike(0, code=code, change=change)


DRAWN: Mapping[Kind, Callable[[_Draw], Strike]] = MappingProxyType(
    {
        Kind.THROTTLE: _few_calls,
        Kind.MAINTENANCE: _for_a_while,
        Kind.EXPIRED: _for_a_while,
        Kind.TOKENS_EXPIRED: _with_tokens,
        Kind.SPURIOUS: _spurious,
        Kind.PARTIAL: _some_items,
        Kind.NOT_APPLIED: _few_calls,
        Kind.NO_ANSWER: _one_call,
        Kind.CUT: _few_calls,
        Kind.SLOW: _slow,
        Kind.MALFORMED: _few_calls,
        Kind.LATE_ORDERS: _late,
        Kind.EDITED: _edited,
        Kind.WORKER_KILLED: _a_worker,
        Kind.WORKER_PAUSED: _a_pause,
        Kind.WORKER_SKEWED: _a_worker,
        Kind.API_KILLED: _an_api,
        Kind.VALKEY_KILLED: _an_engine,
        Kind.DATABASE_RESTARTED: _an_engine,
        Kind.DATABASE_CRASHED: _an_engine,
        Kind.REQUEST_AGAIN: _a_request,
        Kind.RESTORED: _a_loss,
    }
)
