"""Renkei's own workers in virtual time: the same work, bells and sweeps, and hands that take them up.

Two things are done otherwise than in workers/clock.py, neither of which a mall or a shopper could tell:

* A sweep runs in the first whole second after something has happened or fallen due, not in every second of a fortnight.
* Of an order poll that would find nothing while nothing waits, only what it writes is written, when it is next needed: until
  when orders are known. `every_poll` asks the malls each time, and comes to the same numbers (a test holds it to that).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from benchmarks.oversell.merchant import Merchant
from benchmarks.oversell.shoppers import Shoppers
from domain.model.bells import Bell
from domain.model.mall_specs import MALL_SPECS
from domain.model.order_polls import SOONEST
from domain.store import dispatch
from domain.store import shops as shop_rows
from workers.context import Context
from workers.hands import Hands
from workers.import_orders import fetch_orders
from workers.works import WORK, Work

DUE_AT_MOST = 500
ORDERS = "ORDERS"
REFLECT = "REFLECT"
LOOK_AGAIN = 60.0
"""Virtual seconds between two looks at whether everything is over."""

PULSE = text(
    """
    SELECT s.id, s.next_order_poll_at,
        (SELECT count(*) FROM orders o WHERE o.account_id = s.account_id AND o.shop_id = s.id) AS known,
        EXISTS (SELECT FROM listing_sync l WHERE l.account_id = s.account_id AND l.shop_id = s.id
            AND (l.wanted > l.done OR l.believed_source IS NOT NULL AND NOT l.asked)) AS moves,
        EXISTS (SELECT FROM pushes p WHERE p.account_id = s.account_id AND p.shop_id = s.id
            AND p.state IN ('ACCEPTED', 'APPLIED') AND p.read_back_at IS NOT NULL) AS unread,
        least(
            (SELECT min(l.next_try_at) FROM listing_sync l
                WHERE l.account_id = s.account_id AND l.shop_id = s.id AND l.wanted > l.done AND l.next_try_at > :now),
            (SELECT min(p.read_back_at) FROM pushes p WHERE p.account_id = s.account_id AND p.shop_id = s.id
                AND p.state IN ('ACCEPTED', 'APPLIED') AND p.read_back_at > :now),
            CASE WHEN s.paused_until > :now THEN s.paused_until END,
            CASE WHEN s.next_probe_at > :now THEN s.next_probe_at END) AS due_at
    FROM shops s WHERE s.account_id = :account ORDER BY s.id
    """
)


@dataclass(slots=True)
class Pulse:
    """How one shop stands. `moves`: a number waits, or the mall was read otherwise than we knew. `unread`: a number is to be
    read back. `due_at`: when the rows next ask for something."""

    next_poll_at: datetime
    known: int
    moves: bool
    unread: bool
    due_at: datetime | None


class EngineFailed(Exception):
    """Our own code raised what it should not: see the cause."""


class Bells:
    """Keeps domain.store.database.Ringer: rings the hands of this one process at once."""

    def __init__(self) -> None:
        self.answer: Callable[[Bell], None] | None = None

    async def __call__(self, account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
        for bell in bells:
            if self.answer is not None:
                self.answer(bell)


@dataclass(slots=True)
class Engine:
    """`polls`: how often each shop is asked for orders, in seconds; all of them first when they are switched on."""

    ctx: Context
    merchant: Merchant
    shoppers: Shoppers
    polls: Mapping[str, int]
    every_poll: bool = False
    _failures: list[Exception] = field(default_factory=list)
    _pulses: dict[UUID, Pulse] = field(default_factory=dict)
    _polled: dict[UUID, datetime] = field(default_factory=dict)
    _something: asyncio.Event = field(default_factory=asyncio.Event)
    _again: dict[UUID, asyncio.Event] = field(default_factory=dict)

    async def work(self, bells: Bells, over: Callable[[], bool]) -> None:
        """Until it is over and nothing moves any more."""
        async with Hands(self.ctx, self._work()) as hands, asyncio.TaskGroup() as loops:
            self._again = {shop_id: asyncio.Event() for shop_id in self.merchant.shops.values()}
            bells.answer = lambda bell: self._answer(hands, bell)
            await self.merchant.starts()
            tasks = [loops.create_task(self._sweep(hands))]
            tasks += [loops.create_task(self._poll(name)) for name in self.merchant.shops]
            await self._quiet(over)
            for task in tasks:
                task.cancel()

    def _work(self) -> Mapping[str, Work]:
        return {name: self._followed(name, work) for name, work in WORK.items()}

    def _followed(self, name: str, work: Work) -> Work:
        """What any work leaves behind is looked for by a sweep."""

        async def done(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
            if name == REFLECT:
                await self._note_poll(shop_id)
            await self._watched(work(ctx, account_id, shop_id))
            self._something.set()

        return done

    async def _watched(self, work: Awaitable[None]) -> None:
        """A failure of ours, which hands would leave to the next look, is no part of the comparison."""
        try:
            await work
        except Exception as error:
            self._failures.append(error)
            raise

    def _answer(self, hands: Hands, bell: Bell) -> None:
        self._something.set()
        if bell.work == ORDERS:
            self._again[bell.place_id].set()
        else:
            hands.take_up(bell.account_id, bell.place_id, bell.work, again=True)

    async def _sweep(self, hands: Hands) -> None:
        clock = self.merchant.clock
        while True:
            await self._wait(self._something, self._next_due())
            await clock.until(math.floor(clock.seconds) + 1)
            self._something.clear()
            due = await dispatch.due(self.ctx.db, at=self.ctx.now(), at_most=DUE_AT_MOST)
            for each in sorted(due, key=lambda due: (due.shop_id, due.work)):
                if each.work != ORDERS:
                    hands.take_up(each.account_id, each.shop_id, each.work)
            await self._feel()

    def _next_due(self) -> float | None:
        due = [pulse.due_at for pulse in self._pulses.values() if pulse.due_at is not None]
        return (min(due) - self.merchant.clock.start).total_seconds() if due else None

    async def _wait(self, event: asyncio.Event, until: float | None) -> None:
        """Until it happens, or the second `until` has come."""
        if until is None:
            await event.wait()
            return
        seconds = max(0.0, until - self.merchant.clock.seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)

    async def _poll(self, name: str) -> None:
        """One shop's polls, at its interval, or when it is next allowed."""
        shop_id, again = self.merchant.shops[name], self._again[self.merchant.shops[name]]
        clock = self.merchant.clock
        at = clock.seconds
        while True:
            await self._wait(again, at)
            at = at if again.is_set() else at + self.polls[name]
            again.clear()
            if not self._would_tell(name, shop_id):
                self._polled[shop_id] = self.ctx.now()
                continue
            self._polled.pop(shop_id, None)
            await self._watched(fetch_orders(self.ctx, self.merchant.account_id, shop_id))
            self._something.set()
            await self._feel()
            at = max(at, self._allowed(name, shop_id), clock.seconds)

    def _allowed(self, name: str, shop_id: UUID) -> float:
        """After a refusal: when the shop may be asked again. Else at once: which moment of its interval is a shop's own hangs
        on its id, which is another in each run."""
        again_at = self._pulses[shop_id].next_poll_at
        seconds = (again_at - self.merchant.clock.start).total_seconds()
        longest = (1 + SOONEST) * self.polls[name]
        return seconds if seconds - self.merchant.clock.seconds > longest else 0.0

    def _would_tell(self, name: str, shop_id: UUID) -> bool:
        """Is there an order that we do not know, or does something wait for orders?"""
        pulse = self._pulses.get(shop_id)
        if pulse is None or self.every_poll:
            return True
        return pulse.moves or self.shoppers.placed[name] > pulse.known

    async def _note_poll(self, shop_id: UUID) -> None:
        """The last poll told nothing: until then orders are known all the same."""
        at = self._polled.pop(shop_id, None)
        if at is None:
            return
        lag = MALL_SPECS[self.merchant.malls[shop_id]].capabilities.order_lag
        async with self.ctx.db.transaction(self.merchant.account_id) as tx:
            await shop_rows.change(tx, shop_id, watermark=at - lag, orders_seen_at=at)

    async def _feel(self) -> None:
        async with self.ctx.db.transaction(self.merchant.account_id) as tx:
            parameters = {"account": tx.account_id, "now": self.ctx.now()}
            for row in await tx.execute(PULSE, parameters):
                self._pulses[row.id] = Pulse(
                    row.next_order_poll_at, row.known, row.moves, row.unread, row.due_at
                )

    async def _quiet(self, over: Callable[[], bool]) -> None:
        """Raises EngineFailed at the first failure of our own code."""
        while not (over() and self._is_quiet()):
            await asyncio.sleep(LOOK_AGAIN)
            if self._failures:
                raise EngineFailed from self._failures[0]
            if over():
                await self._feel()

    def _is_quiet(self) -> bool:
        by_name = {name: self._pulses[shop_id] for name, shop_id in self.merchant.shops.items()}
        return all(
            self.shoppers.placed[name] == pulse.known and not pulse.moves and not pulse.unread
            for name, pulse in by_name.items()
        )
