"""Looks at the account again and again, and tells the screen what has changed."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain.model.malls import MallKind
from domain.model.shops import ShopState
from domain.store import audit
from domain.store.audit import AuditedError
from domain.store.shops import Shop
from renkei.demo.latency import by_answers, percentile
from renkei.demo.screen import ShopView, View
from renkei.demo.stage import Stage

LOOK_EVERY = 1.0
LATELY = timedelta(seconds=15)


@dataclass(slots=True)
class Watch:
    stage: Stage
    _states: dict[UUID, str] = field(default_factory=dict)
    _open: set[UUID] = field(default_factory=set)
    _known: set[UUID] = field(default_factory=set)

    async def look_on(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        stage = self.stage
        shops, errors = await stage.shops(), await stage.errors()
        self._tell_states(shops)
        self._tell_errors(errors, {shop.id: shop.mall for shop in shops})
        stage.screen.show(await self._view(shops, errors))

    async def _view(self, shops: Sequence[Shop], errors: Sequence[AuditedError]) -> View:
        stage = self.stage
        lately = by_answers(stage.visible(), await stage.reaches(LATELY))
        waiting = await self._waiting()
        return View(
            progress=stage.progress,
            shops={
                shop.mall: ShopView(shop.name, _state(shop), waiting[shop.id]) for shop in shops
            },
            tallies=stage.shoppers.tallies,
            unsettled=await stage.unsettled(),
            errors_opened=len(errors),
            errors_open=sum(each.resolved_at is None for each in errors),
            median=percentile(lately, 50),
            p95=percentile(lately, 95),
        )

    async def _waiting(self) -> Counter[UUID]:
        merchant = self.stage.merchant
        async with merchant.db.transaction(merchant.account_id) as tx:
            return Counter(await audit.waiting_by_shop(tx))

    def _tell_states(self, shops: Sequence[Shop]) -> None:
        for shop in shops:
            before, state = self._states.get(shop.id), _state(shop)
            self._states[shop.id] = state
            if before not in (None, state):
                self.stage.screen.say(f"{shop.mall.value}: {before} → {state}")

    def _tell_errors(self, errors: Sequence[AuditedError], malls: dict[UUID, MallKind]) -> None:
        for each in errors:
            where = malls[each.shop_id].value if each.shop_id else "account"
            if each.id not in self._known:
                self._known.add(each.id)
                self._open.add(each.id)
                self.stage.screen.say(f"error opened: {where} {each.kind} (level {each.level})")
            if each.resolved_at is not None and each.id in self._open:
                self._open.remove(each.id)
                self.stage.screen.say(f"error closed: {where} {each.kind}, seen {each.count} times")


def _state(shop: Shop) -> str:
    if shop.state == ShopState.RUNNING and shop.maintenance:
        return ShopState.MAINTENANCE.value
    return shop.state
