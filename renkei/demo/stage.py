"""What the parts of the demo share while it runs: the merchant, the malls, the shoppers, the screen."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.malls import MallKind
from domain.model.shops import ShopState
from domain.store import audit
from domain.store import shops as shop_rows
from domain.store.audit import AuditedError, Books, Reach, Unsettled
from domain.store.shops import Shop
from renkei.demo.books import MallBooks, read_state
from renkei.demo.captions import Caption
from renkei.demo.latency import OrderAt, Spell
from renkei.demo.replay import Shoppers
from renkei.demo.screen import Screen
from renkei.demo.seeding import Merchant, now
from renkei.demo.stalls import Stall
from renkei.example_shop.catalogue import RetailProduct

LOOK_AGAIN = 0.25


@dataclass(slots=True)
class Stage:
    """`rows`: the products on show, `row_ids` by their codes; `full`: what their shelves hold when full, those of their
    parts too. `steps`: how many the replay has. `spells`: when something was made to go wrong. `caption`: what the demo
    shows at this moment."""

    merchant: Merchant
    stalls: Mapping[MallKind, Stall]
    shoppers: Shoppers
    screen: Screen
    rows: Sequence[RetailProduct]
    row_ids: Mapping[str, UUID]
    steps: int
    full: Mapping[str, int] = field(default_factory=dict)
    spells: list[Spell] = field(default_factory=list)
    caption: Caption | None = None

    @property
    def progress(self) -> float:
        """The share of the replay that is done."""
        return self.shoppers.done / self.steps if self.steps else 1.0

    async def until(
        self,
        condition: Callable[[], Awaitable[bool]],
        within: float = float("inf"),
        every: float = LOOK_AGAIN,
    ) -> bool:
        """Looks again until it is so; False when it is not in time."""
        clock = asyncio.get_running_loop()
        end = clock.time() + within
        while not await condition():
            if clock.time() >= end:
                return False
            await asyncio.sleep(every)
        return True

    def say(self, caption: Caption) -> None:
        """On the page and on the screen."""
        self.caption = caption
        self.screen.caption(caption.en)

    def happens(self, caption: Caption) -> None:
        """As `say`, and kept among what has happened."""
        self.caption = caption
        self.screen.say(caption.en)

    async def reaches_share(self, share: float) -> None:
        async def so() -> bool:
            return self.progress >= share

        await self.until(so)

    async def shops(self) -> Sequence[Shop]:
        async with self.merchant.db.transaction(self.merchant.account_id) as tx:
            return await shop_rows.every(tx)

    async def errors(self) -> Sequence[AuditedError]:
        async with self.merchant.db.transaction(self.merchant.account_id) as tx:
            return await audit.errors(tx)

    async def unsettled(self) -> Unsettled:
        async with self.merchant.db.transaction(self.merchant.account_id) as tx:
            return await audit.unsettled(tx)

    async def books(self) -> Books:
        async with self.merchant.db.transaction(self.merchant.account_id) as tx:
            return await audit.books(tx)

    async def reaches(self, since: timedelta) -> Sequence[Reach]:
        async with self.merchant.db.transaction(self.merchant.account_id) as tx:
            return await audit.reaches(tx, since=since, now=now())

    async def malls(self) -> Sequence[MallBooks]:
        """What each mall says of itself, asked now."""
        states = {kind: await stall.state() for kind, stall in self.stalls.items()}
        return [read_state(self.shop_id(kind), state) for kind, state in states.items()]

    def shop_id(self, kind: MallKind) -> UUID:
        return self.merchant.shops[kind]

    def visible(self) -> dict[OrderAt, datetime]:
        """When each order entered its mall's list, as its shopper was told."""
        return {
            (self.shop_id(kind), number): at
            for (kind, number), at in self.shoppers.visible_at.items()
        }

    async def all_run(self) -> bool:
        return all(shop.state == ShopState.RUNNING for shop in await self.shops())
