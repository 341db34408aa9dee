"""A mall's counter of one listing, and our services at work on it, on a clock that the story alone moves.

The mall lowers its counter at the purchase and lists the order later, does what it is sent now, later or never, tells it
now, later or never, and shows its own newest number a while after; its clock may stand some seconds apart from ours.
"""

import random
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.model.errors import MallError, MallOutcomeUnknown, MallThrottled, MallUnavailable
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    Capabilities,
    ItemRef,
    MallKind,
    MallOrder,
    MallOrderLine,
    MallTime,
    OrderPage,
    OrderStatus,
    PushOutcome,
    PushResult,
    StockReading,
    WriteMode,
)
from domain.model.orders import CancelPolicy
from domain.model.shops import DriftPolicy
from domain.model.stock import AdjustReason
from domain.services import drift, polling, reading_back, reflect, reflect_jobs, settling, stock
from domain.services.polling import Poll
from domain.services.reflect import Batch
from domain.store import leases, pushes, shops, sync
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.pushes import Attempt, Unread
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    everywhere_right,
    imported,
    in_stock,
    product_ids,
    shop_of,
    take,
)

TEA = ItemRef("tea")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DEADLINE = 15 * SECOND
LEASE = 30 * SECOND
SKEWS = (0, 0, 0.7, -0.7, 4)
HOLDS, RELEASED = OrderStatus.HOLDS, OrderStatus.RELEASED
RESTS = [70 * SECOND] * 3 + [6 * MINUTE] * 6 + [65 * MINUTE] * 6
"""Between the turns of a worker that is well, until all is quiet."""


def cut(moment: datetime) -> datetime:
    """As malls write it."""
    return moment.replace(microsecond=0)


@dataclass
class Purchase:
    number: str
    units: int
    placed_at: datetime
    listed_at: datetime
    updated_at: datetime
    restocks: bool | None
    status: OrderStatus = HOLDS

    def told(self) -> MallOrder:
        line = MallOrderLine(TEA, self.units, "1", False, self.restocks)
        updated_at = cut(self.updated_at)
        return MallOrder(self.number, cut(self.placed_at), self.status, (line,), updated_at)


@dataclass
class Call:
    """A number on its way. `made_at`: when the mall did it; `shown`: what it showed then."""

    batch: Batch
    begun_at: datetime
    made_at: datetime | None = None
    shown: int | None = None


@dataclass
class Question:
    """A list of orders, or what the counter reads, asked for by `poll` or `unread`; the answer as of `made_at`."""

    begun_at: datetime
    poll: Poll | None = None
    unread: Sequence[Unread] = ()
    made_at: datetime | None = None
    orders: tuple[MallOrder, ...] = ()
    quantity: int = 0


@dataclass
class World:
    """`restocks`: what the mall says of a cancel; None: nothing, and it gives the units back."""

    tx: Tx
    dice: random.Random
    shop: Shop
    other: Shop
    counter: int
    restocks: bool | None
    skew: timedelta
    now: datetime = NOW
    call: Call | None = None
    fetch: Question | None = None
    look: Question | None = None
    purchases: list[Purchase] = field(default_factory=list)
    late: list[tuple[datetime, Attempt]] = field(default_factory=list)
    unshown: list[tuple[datetime, int]] = field(default_factory=list)
    seen_holding: dict[str, int] = field(default_factory=dict)
    free_at: datetime = NOW
    total: int = 0
    """As a person would count who saw every order of other shops, and all that came in."""

    @property
    def mall(self) -> Capabilities:
        return MALL_SPECS[self.shop.mall].capabilities

    @property
    def mall_now(self) -> datetime:
        return self.now + self.skew

    def passes(self, time: timedelta) -> None:
        """What was to be done late is done on the way."""
        self.now += time
        due = [each for each in self.late if each[0] <= self.now]
        self.late = [each for each in self.late if each[0] > self.now]
        for _, attempt in sorted(due, key=lambda each: each[0]):
            self._write(attempt)

    def true_total(self) -> int:
        if self.shop.cancel_policy == CancelPolicy.IGNORE:
            return self.total - sum(self.seen_holding.values())
        return self.total - sum(each.units for each in self.purchases if each.status is HOLDS)

    def sell(self) -> None:
        units = min(self.dice.randint(1, 3), self.counter)
        if units:
            self.counter -= units
            late = self.dice.choice([0 * SECOND, 0 * SECOND, 2 * SECOND, 10 * SECOND, 4 * MINUTE])
            listed = self.mall_now + late
            number = f"o{len(self.purchases)}"
            self.purchases.append(
                Purchase(number, units, self.mall_now, listed, listed, self.restocks)
            )

    def cancel(self) -> None:
        held = [each for each in self.purchases if each.status is HOLDS]
        if held:
            one = self.dice.choice(held)
            one.status, one.updated_at = RELEASED, max(self.mall_now, one.listed_at)
            self.counter += 0 if self.restocks is False else one.units

    async def sell_elsewhere(self) -> None:
        units = self.dice.randint(1, 4)
        self.total -= units
        number = f"e{self.total}-{self.now.timestamp()}"
        sold = an_order(number, ("tea", units), placed_at=cut(self.now))
        await take(self.tx, self.other, sold, at=self.now)

    async def goods_come(self) -> None:
        units = self.dice.randint(1, 6)
        self.total += units
        item = stock.Adjustment((await product_ids(self.tx))["TEA"], units)
        reason = next(iter(AdjustReason))
        await stock.adjust_totals(
            self.tx, OWNER, [item], reason=reason, allow_negative=True, reflect=True, now=self.now
        )

    async def somebody_asks(self) -> None:
        ids = await sync.listings_of_shops(self.tx, [self.shop.id])
        sweeps = self.dice.random() < 0.5
        await reflect_jobs.ask(self.tx, OWNER, ids, sweeps=sweeps, now=self.now)

    async def claim(self) -> None:
        """A new turn, which first says what became of one that was lost."""
        if self.call is not None or self.now < self.free_at:
            return
        shop = await shop_of(self.tx, self.shop.id)
        epoch = await leases.take(self.tx, shop.id, LeaseKind.REFLECT, "test", LEASE)
        assert epoch is not None
        await reflect.recover(self.tx, shop, epoch, now=self.now)
        if shop.paused_until is None or shop.paused_until <= self.now:
            batch = await reflect.claim(self.tx, shop, epoch, at_most=10, now=self.now)
            self.call = Call(batch, self.now) if batch else None

    def mall_does(self) -> None:
        call = self.call
        if call is None or call.made_at or self.now - call.begun_at > DEADLINE:
            return
        call.made_at, (attempt,) = self.now, call.batch.attempts
        if self.mall.answers_applied:
            call.shown = self._write(attempt)
        else:
            wait = self.dice.choice([0 * SECOND, SECOND, 30 * SECOND, self.mall.usual_delay])
            self._later(self.now + wait, attempt)
            self.passes(0 * SECOND)

    def _later(self, at: datetime, attempt: Attempt) -> None:
        """What was queued before lands before."""
        self.late.append((max([at, *(each[0] for each in self.late)]), attempt))

    def _write(self, attempt: Attempt) -> int:
        absolute = attempt.mode is WriteMode.ABSOLUTE
        quantity = attempt.quantity if absolute else max(0, self.counter + attempt.number)
        self.unshown.append((self.now, quantity - self.counter))
        self.counter = quantity
        return quantity

    async def settle(self) -> None:
        call = self.call
        if call is None or call.made_at is None:
            return
        if self.now - call.begun_at > DEADLINE:
            await self.lose()
            return
        self.call = None
        outcome = PushOutcome.APPLIED if self.mall.answers_applied else PushOutcome.ACCEPTED
        shown = call.shown if self.shop.mall is MallKind.YAHOO_SHOPPING else None
        at = self._as_answered(call.made_at, call.begun_at)
        await settling.settle(
            self.tx, call.batch, [PushResult(TEA, outcome, at, shown)], now=self.now
        )

    def _as_answered(self, made_at: datetime, begun_at: datetime) -> MallTime:
        """By the answer's own date, which is a whole second."""
        made = cut(made_at + self.skew)
        return MallTime(made - (self.now - begun_at), made + SECOND)

    async def lose(self) -> None:
        """Nobody waits for the answer any more; what was not done may still be."""
        call, self.call = self.call, None
        if call is not None:
            self._may_land(call)
            error = MallOutcomeUnknown("?")
            await settling.settle(self.tx, call.batch, error, now=self.now)

    async def fail(self) -> None:
        if self.call is None or self.call.made_at:
            return
        call, self.call = self.call, None
        errors: list[MallError] = [
            MallThrottled("?", retry_after=5 * SECOND),
            MallUnavailable("?", maintenance=True),
            MallUnavailable("?"),
        ]
        await settling.settle(self.tx, call.batch, self.dice.choice(errors), now=self.now)

    def die(self) -> None:
        """The next worker comes when the lease is over."""
        call, self.call = self.call, None
        if call is not None:
            self.free_at = call.begun_at + LEASE + SECOND
            self._may_land(call)

    def _may_land(self, call: Call) -> None:
        if call.made_at is None and self.dice.random() < 0.5:
            given_up_at = min(self.now, call.begun_at + 25 * SECOND)
            after = self.dice.choice([SECOND, 20 * SECOND, 55 * SECOND])
            self.late.append((given_up_at + after, call.batch.attempts[0]))
            self.passes(0 * SECOND)

    async def ask_orders(self) -> None:
        if self.fetch is None:
            poll = await polling.begin(self.tx, self.shop.id, "test", now=self.now)
            self.fetch = Question(self.now, poll) if poll else None

    def mall_lists(self) -> None:
        if self.fetch is None or self.fetch.made_at or self.fetch.poll is None:
            return
        window = self.fetch.poll.window

        def is_in(*moments: datetime) -> bool:
            return any(window.since <= each < window.until for each in moments)

        self.fetch.made_at = self.now
        self.fetch.orders = tuple(
            each.told()
            for each in self.purchases
            if each.listed_at <= self.mall_now
            and is_in(each.placed_at, each.listed_at, each.updated_at)
        )

    async def take_orders(self) -> None:
        fetch = self.fetch
        if fetch is None or fetch.made_at is None or fetch.poll is None:
            return
        self.fetch = None
        page = self._page(fetch.orders, fetch.made_at, fetch.begun_at)
        await polling.took(self.tx, fetch.poll, page, page, now=self.now)
        await self._reread(fetch.poll)
        await drift.decide(self.tx, self.shop.id, now=self.now)
        await polling.end(self.tx, fetch.poll, now=self.now)

    async def _reread(self, poll: Poll) -> None:
        shop = await shop_of(self.tx, self.shop.id)
        numbers = await polling.to_reread(self.tx, shop, now=self.now)
        if numbers is None:
            return
        begun_at, told = self.now, [p.told() for p in self.purchases if p.number in numbers]
        self.passes(self.dice.choice([0.01, 0.2, 1.2]) * SECOND)
        page = self._page(tuple(told), begun_at, begun_at) if numbers else None
        await polling.reread(self.tx, poll, page, asked=numbers, now=self.now)

    def _page(
        self, told: tuple[MallOrder, ...], made_at: datetime, begun_at: datetime
    ) -> OrderPage:
        for each in told:
            if each.status is HOLDS:
                self.seen_holding[each.number] = each.lines[0].quantity
        return OrderPage(told, self._as_answered(made_at, begun_at).earliest, len(told), True)

    async def ask_stock(self) -> None:
        if self.look is None:
            unread = await pushes.unread(self.tx, self.shop.id, now=self.now, at_most=10)
            self.look = Question(self.now, unread=unread) if unread else None

    def mall_shows(self) -> None:
        """Our own newest number may not be on its page yet."""
        if self.look is not None and self.look.made_at is None:
            stale = self.dice.choice([0 * SECOND, 0 * SECOND, self.mall.usual_delay])
            hidden = sum(by for at, by in self.unshown if self.now - at < stale)
            self.look.made_at, self.look.quantity = self.now, max(0, self.counter - hidden)

    async def take_stock(self) -> None:
        look = self.look
        if look is None or look.made_at is None:
            return
        self.look = None
        at = self._as_answered(look.made_at, look.begun_at)
        told = [StockReading(TEA, at, quantity=look.quantity)]
        shop = await shop_of(self.tx, self.shop.id)
        await reading_back.read_back(self.tx, shop, look.unread, told, now=self.now)

    async def plays(self, steps: Sequence[str]) -> None:
        for name in steps:
            done = getattr(self, name)()
            if isinstance(done, Awaitable):
                await done
            self.passes(self.dice.choice(WAITS) * SECOND)

    async def rests(self) -> None:
        """Whatever is under way ends, and a worker that is well does what there is to do."""
        for nth, rest in enumerate(RESTS):
            for step in A_GOOD_TURN:
                self.passes(SECOND / 20)
                done = getattr(self, step)()
                if isinstance(done, Awaitable):
                    await done
            if nth >= 4 and await self.is_quiet():
                return
            self.passes(rest)

    async def is_quiet(self) -> bool:
        found = await self.shown()
        later = self.now + timedelta(hours=3)
        unread = await pushes.unread(self.tx, self.shop.id, now=later, at_most=1)
        under_way = unread or self.late or found["push_state"] == "ACCEPTED"
        return not (found["waits"] or found["difference"] or under_way)

    async def shown(self) -> dict[str, Any]:
        return await row(
            self.tx,
            "SELECT wanted > done AS waits, difference, push_state FROM listing_sync WHERE shop_id = :shop",
            shop=self.shop.id,
        )


WAITS = (0, 0.001, 0.05, 0.2, 0.2, 0.5, 0.999, 1, 1.2, 1.7, 2.5, 2.5, 4, 9, 31, 61, 301)
A_GOOD_TURN = (
    "lose", "mall_lists", "take_orders", "mall_shows", "take_stock",
    "ask_orders", "mall_lists", "take_orders", "claim", "mall_does", "settle", "ask_stock", "mall_shows", "take_stock",
)  # fmt: skip
SCENES: Sequence[tuple[tuple[str, ...], int]] = (
    (("claim", "mall_does", "settle"), 8),
    (("claim", "mall_does", "lose"), 1),
    (("claim", "lose"), 1),
    (("claim", "fail"), 1),
    (("claim", "mall_does", "die"), 1),
    (("claim", "die"), 1),
    (("ask_orders", "mall_lists", "take_orders"), 7),
    (("ask_stock", "mall_shows", "take_stock"), 4),
    (("sell",), 6),
    (("cancel",), 3),
    (("sell", "cancel"), 1),
    (("sell_elsewhere",), 5),
    (("goods_come",), 3),
    (("somebody_asks",), 1),
)


def steps_of(dice: random.Random, scenes: int) -> list[str]:
    """Scenes that begin one after the other and run into each other, three at most at a time."""
    those, weights = zip(*SCENES, strict=True)
    waiting = [list(each) for each in dice.choices(those, weights, k=scenes)]
    under_way: list[list[str]] = []
    steps: list[str] = []
    while waiting or under_way:
        if waiting and (not under_way or (len(under_way) < 3 and dice.random() < 0.5)):
            under_way.append(waiting.pop(0))
        one = dice.choice(under_way)
        steps.append(one.pop(0))
        under_way = [each for each in under_way if each]
    return steps


async def a_world(tx: Tx, dice: random.Random) -> World:
    """A shop at any mall, under any policy, whose counter reads what it should, beside another of the same product."""
    kind, skew, total = dice.choice(list(MallKind)), dice.choice(SKEWS) * SECOND, dice.randint(0, 8)
    shop = await a_shop(
        tx,
        mall=kind,
        orders_running=True,
        drift_policy=dice.choice(list(DriftPolicy)).value,
        cancel_policy=dice.choice(list(CancelPolicy)).value,
        settings={
            "read_back_one_in": dice.choice(["1", "3", "9999"]),
            "relative_writes": dice.choice(["true", "false"]),
        },
    )
    other = await a_shop(tx, "Other", cancel_policy=CancelPolicy.RESTORE.value)
    await in_stock(tx, shop, TEA=total)
    await imported(tx, other, a_listing("TEA"), create_products=False)
    await everywhere_right(tx, NOW - 5 * MINUTE)
    await shops.change(tx, shop.id, watermark=NOW + skew, orders_seen_at=NOW)
    shop, restocks = await shop_of(tx, shop.id), dice.choice([True, False, None])
    return World(tx, dice, shop, other, total, restocks, skew, total=total)
