"""Two malls as they are, and our side of them kept by the model alone, for histories of any kind.

A mall's counter falls at the purchase and shows the order later; an absolute write replaces the counter,
sales that nobody saw included; answers get lost, and what they answered is done late; time stamps are cut to seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from domain.model import base as bases
from domain.model import orders
from domain.model.base import Base, CounterChange
from domain.model.diff import Assessment, ListingFacts, assess
from domain.model.malls import (
    ItemRef,
    MallOrder,
    MallOrderLine,
    MallTime,
    OrderStatus,
    StockReading,
)
from domain.model.orders import CancelPolicy, Effect, Fact
from domain.model.reflect import PushState
from domain.model.stock import quantity_to_show, sellable

PRODUCT = UUID(int=1)
REF = ItemRef("mug")
RESOLUTIONS = {REF: ((PRODUCT, 1),)}
SECOND = timedelta(seconds=1)
SURE = timedelta()
GRACE = timedelta(minutes=5)
LATE_LANDING = 5 * SECOND
START = datetime(2026, 4, 1, 12, tzinfo=UTC)
STOCK = 6

Move = Callable[[Base, CounterChange, bool | None], Base]
Unanswered = Callable[[Base, MallTime, datetime], Base]


class Do(Enum):
    SELL = auto()
    RAISE = auto()
    CUT = auto()
    CANCEL = auto()
    ASK_ORDERS = auto()
    TAKE_ORDERS = auto()
    TAKE_ORDERS_OF_NOW = auto()
    SEND = auto()
    LAND = auto()
    ANSWER = auto()
    SETTLE = auto()
    LOSE = auto()
    LAND_LATE = auto()
    ASK_STOCK = auto()
    TAKE_STOCK = auto()
    TAKE_STOCK_OF_NOW = auto()
    RECEIVE_GOODS = auto()


Step = tuple[Do, int, int, int]
"""What happens, at which mall (0 or 1), with which number, after how many milliseconds."""


@dataclass
class Purchase:
    number: str
    placed_at: datetime
    updated_at: datetime
    listed_at: datetime
    units: int
    status: OrderStatus = OrderStatus.HOLDS

    def as_told(self) -> MallOrder:
        lines = (MallOrderLine(REF, self.units),)
        return MallOrder(self.number, cut(self.placed_at), self.status, lines, cut(self.updated_at))


def cut(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


@dataclass
class SimMall:
    counter: int
    restocks: bool
    purchases: list[Purchase] = field(default_factory=list)

    def sell(self, now: datetime, units: int, listed_after: timedelta) -> None:
        sold = min(units, self.counter)
        if sold:
            self.counter -= sold
            number = str(len(self.purchases))
            self.purchases.append(Purchase(number, now, now, now + listed_after, sold))

    def change(self, now: datetime, by: int) -> None:
        """A cut whose unit does not come back shows nowhere unless it is seen: not played."""
        order = self._held()
        if order is None or by > self.counter or order.units + by < 1:
            return
        if by > 0 or self.restocks:
            self.counter -= by
            order.units += by
            order.updated_at = now

    def cancel(self, now: datetime) -> None:
        order = self._held()
        if order is not None:
            self.counter += order.units if self.restocks else 0
            order.status, order.updated_at = OrderStatus.RELEASED, now

    def shown(self, now: datetime) -> list[MallOrder]:
        return [p.as_told() for p in self.purchases if p.listed_at <= now]

    def _held(self) -> Purchase | None:
        held = [p for p in self.purchases if p.status is OrderStatus.HOLDS]
        return held[len(held) // 2] if held else None


@dataclass
class Attempt:
    quantity: int
    generation: int
    sent_at: datetime
    landed: bool = False
    answered_at: datetime | None = None


@dataclass(eq=False)
class OurSide:
    """The listing's narrow row, and what is under way. `astray`: writes without an answer that may still be done, until
    then."""

    base: Base
    wanted: int = 0
    done: int = 0
    failures: int = 0
    waiting_since: datetime | None = None
    last_outcome: PushState | None = None
    attempt: Attempt | None = None
    astray: list[tuple[int, datetime]] = field(default_factory=list)
    asked_orders: tuple[datetime, list[MallOrder]] | None = None
    asked_stock: tuple[datetime, int] | None = None
    facts: dict[str, Fact] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)


class World:
    """`restocks_known`: whether we know what each mall does with cancelled units."""

    def __init__(
        self,
        policy: CancelPolicy = CancelPolicy.IGNORE,
        restocks: bool = True,
        restocks_known: bool = True,
        move: Move = bases.after_change,
        unanswered: Unanswered = bases.unanswered,
    ) -> None:
        self.now = START
        self.policy, self.move, self.unanswered = policy, move, unanswered
        self.restocks = restocks if restocks_known else None
        self.total = self.counted = STOCK
        self.seen_holding: dict[tuple[int, str], int] = {}
        self.malls = [SimMall(STOCK, restocks) for _ in range(2)]
        written = MallTime(START - 2 * SECOND, START - SECOND)
        self.sides = [OurSide(bases.after_write(Base(), STOCK, written)) for _ in range(2)]

    @property
    def expected(self) -> int:
        return quantity_to_show(sellable(self.total, 0), None, None)

    def play(self, history: list[Step]) -> None:
        for do, which, number, wait in history:
            self.now += timedelta(milliseconds=wait)
            self._step(do, self.malls[which], self.sides[which], number)

    def settle(self) -> None:
        """Whatever is under way ends, and every order is seen."""
        for do in (Do.LAND_LATE, Do.LAND, Do.ANSWER, Do.SETTLE, Do.TAKE_STOCK, Do.TAKE_ORDERS):
            self.play([(do, 0, 0, 1), (do, 1, 0, 1)])
        self.now += timedelta(hours=1)
        self.play([(do, n, 0, 500) for n in (0, 1) for do in (Do.ASK_ORDERS, Do.TAKE_ORDERS)])

    def push_all(self) -> None:
        for _ in range(3):
            self.now += 3 * SECOND
            for which, side in enumerate(self.sides):
                if side.wanted > side.done:
                    self.play(
                        [(do, which, 0, 10) for do in (Do.SEND, Do.LAND, Do.ANSWER, Do.SETTLE)]
                    )

    def assess(self, which: int) -> Assessment:
        """As it would be long after."""
        return assess(self._facts(self.sides[which]), self.now + timedelta(days=1))

    def true_total(self) -> int:
        """What a person who saw every order go by would count."""
        if self.policy is CancelPolicy.IGNORE:
            return self.counted - sum(self.seen_holding.values())
        purchases = [p for mall in self.malls for p in mall.purchases]
        return self.counted - sum(p.units for p in purchases if p.status is OrderStatus.HOLDS)

    def hidden_errors(self) -> list[int]:
        """Malls that show a wrong number which is neither a difference nor an unknown base."""
        return [which for which in (0, 1) if self._wrong_unseen(which)]

    def _wrong_unseen(self, which: int) -> bool:
        seen = self.assess(which)
        shown = seen.difference is not None or seen.unknown_base
        return self.malls[which].counter != self.expected and not shown

    def _facts(self, side: OurSide) -> ListingFacts:
        return ListingFacts(
            expected=self.expected,
            base=side.base,
            wanted=side.wanted,
            done=side.done,
            attempts_failed=side.failures,
            waiting_since=side.waiting_since,
            grace=GRACE,
            last_outcome=side.last_outcome,
        )

    def _step(self, do: Do, mall: SimMall, side: OurSide, number: int) -> None:
        match do:
            case Do.SELL:
                mall.sell(self.now, number, timedelta(seconds=2 * (number - 1)))
            case Do.RAISE:
                mall.change(self.now, number)
            case Do.CUT:
                mall.change(self.now, -number)
            case Do.CANCEL:
                mall.cancel(self.now)
            case Do.RECEIVE_GOODS:
                self._move_total(number)
            case Do.ASK_ORDERS | Do.TAKE_ORDERS | Do.TAKE_ORDERS_OF_NOW:
                self._orders(do, mall, side)
            case Do.ASK_STOCK | Do.TAKE_STOCK | Do.TAKE_STOCK_OF_NOW:
                self._stock(do, mall, side)
            case Do.LAND_LATE:
                self._land_late(mall, side)
            case _:
                self._push(do, mall, side)
        self._mark()

    def _orders(self, do: Do, mall: SimMall, side: OurSide) -> None:
        if do is Do.ASK_ORDERS:
            side.asked_orders = side.asked_orders or (self.now, mall.shown(self.now))
        elif side.asked_orders is not None:
            observed_at, answer = side.asked_orders
            side.asked_orders = None
            told = mall.shown(self.now) if do is Do.TAKE_ORDERS_OF_NOW else answer
            for order in told:
                self._take_in(side, order, observed_at)

    def _take_in(self, side: OurSide, order: MallOrder, observed_at: datetime) -> None:
        self._note(side, order)
        known, seen = side.facts.get(order.number), orders.observed(order, observed_at)
        sold = orders.sale_time(order, SECOND, SURE)
        changes = orders.counter_changes(known, seen, sold, answered_at=self.now)
        for change in changes.get(REF, ()):
            side.base = self.move(side.base, change, self.restocks)
        side.facts[order.number] = orders.merged(known, seen)
        units = orders.wanted(side.facts[order.number], RESOLUTIONS, self.policy)[PRODUCT]
        effect, delta = orders.next_effect(side.effects.get(order.number, Effect()), units)
        side.effects[order.number] = effect
        self.total += delta

    def _note(self, side: OurSide, order: MallOrder) -> None:
        if order.status is OrderStatus.HOLDS:
            key = self.sides.index(side), order.number
            self.seen_holding[key] = max(order.lines[0].quantity, self.seen_holding.get(key, 0))

    def _stock(self, do: Do, mall: SimMall, side: OurSide) -> None:
        if do is Do.ASK_STOCK:
            side.asked_stock = side.asked_stock or (self.now, mall.counter)
        elif side.asked_stock is not None:
            asked_at, answer = side.asked_stock
            side.asked_stock = None
            read = mall.counter if do is Do.TAKE_STOCK_OF_NOW else answer
            reading = StockReading(REF, MallTime(asked_at, self.now), quantity=read)
            side.base = bases.after_reading(side.base, reading)

    def _push(self, do: Do, mall: SimMall, side: OurSide) -> None:
        attempt = side.attempt
        if do is Do.SEND:
            if attempt is None and side.wanted > side.done:
                side.attempt = Attempt(self.expected, side.wanted, self.now)
                side.last_outcome = PushState.SENT
        elif attempt is None:
            return
        elif do is Do.LAND and not attempt.landed:
            mall.counter, attempt.landed = attempt.quantity, True
        elif do is Do.ANSWER and attempt.landed and attempt.answered_at is None:
            attempt.answered_at = self.now
        elif do is Do.SETTLE and attempt.answered_at is not None:
            self._settle(side, attempt, attempt.answered_at)
        elif do is Do.LOSE:
            self._lose(side, attempt)

    def _settle(self, side: OurSide, attempt: Attempt, answered_at: datetime) -> None:
        written = MallTime(attempt.sent_at, answered_at)
        side.base = bases.after_write(side.base, attempt.quantity, written)
        side.done, side.failures, side.attempt = attempt.generation, 0, None
        side.waiting_since, side.last_outcome = None, PushState.APPLIED

    def _lose(self, side: OurSide, attempt: Attempt) -> None:
        lands_by = self.now + LATE_LANDING
        if not attempt.landed:
            side.astray.append((attempt.quantity, lands_by))
        written = MallTime(attempt.sent_at, self.now)
        side.base = self.unanswered(side.base, written, lands_by)
        side.failures, side.attempt = side.failures + 1, None
        side.last_outcome = PushState.UNKNOWN

    def _land_late(self, mall: SimMall, side: OurSide) -> None:
        for quantity, lands_by in side.astray:
            if self.now <= lands_by:
                mall.counter = quantity
        side.astray.clear()

    def _move_total(self, units: int) -> None:
        self.total += units
        self.counted += units

    def _mark(self) -> None:
        """A listing is marked once: when what it shows, or is being sent, is not what it should show."""
        for side in self.sides:
            shows = side.attempt.quantity if side.attempt else side.base.quantity
            claimed = side.attempt.generation if side.attempt else side.done
            if shows != self.expected and side.wanted == claimed:
                side.wanted += 1
                side.waiting_since = side.waiting_since or self.now


def naive(base: Base, change: CounterChange, restocks: bool | None) -> Base:
    """The rule that does not hold: the selling shop's base always moves with the order."""
    if base.quantity is None:
        return base
    units = change.units if change.units > 0 or restocks else 0
    return replace(base, quantity=base.quantity - units)


def hasty(base: Base, written: MallTime, _: datetime) -> Base:
    """The rule that does not hold: a write without an answer is over when we give it up."""
    return bases.unanswered(base, written, written.latest)
