"""Looks at the account again and again, and tells the screen what has changed."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain.model.malls import MallKind
from domain.model.shops import ShopState
from domain.store import audit
from domain.store.audit import AuditedError
from domain.store.shops import Shop
from renkei.demo.latency import by_answers, percentile
from renkei.demo.screen import CellView, RowView, ShopView, View
from renkei.demo.stage import Stage
from renkei.demo.stalls import NAMES, ControlFailed

LOOK_EVERY = 1.0
LATELY = timedelta(seconds=15)


@dataclass(slots=True)
class ErrorNews:
    """What opened and closed since the first look: what had gone wrong before is no news, that it ends still is."""

    _seen: dict[UUID, bool] | None = None
    """Is it open, by id."""

    def of(self, errors: Sequence[AuditedError], malls: Mapping[UUID, MallKind]) -> list[str]:
        before, self._seen = self._seen, {each.id: each.resolved_at is None for each in errors}
        if before is None:
            return []
        return [line for each in errors for line in _news(each, before.get(each.id), malls)]


@dataclass(slots=True)
class Watch:
    stage: Stage
    _states: dict[UUID, str] = field(default_factory=dict)
    _errors: ErrorNews = field(default_factory=ErrorNews)

    async def look_on(self) -> None:
        """Until cancelled. A sandbox that is being started again is looked at once it is there."""
        while True:
            with suppress(ControlFailed):
                await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        stage = self.stage
        shops, errors = await stage.shops(), await stage.errors()
        self._tell_states(shops)
        for line in self._errors.of(errors, {shop.id: shop.mall for shop in shops}):
            stage.screen.say(line)
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
            rows=await self._rows(shops),
            missing=stage.shoppers.compared.missing,
        )

    async def _rows(self, shops: Sequence[Shop]) -> Sequence[RowView]:
        stage, codes = self.stage, [each.code for each in self.stage.rows]
        looks = {kind: await stall.look(codes) for kind, stall in stage.stalls.items()}
        ours = await self._ours()
        return [
            RowView(
                each.name,
                {
                    shop.mall: CellView(
                        looks[shop.mall].numbers.get(each.code),
                        ours.get((shop.id, stage.row_ids[each.code])),
                        _state(shop) != ShopState.RUNNING,
                    )
                    for shop in shops
                },
            )
            for each in stage.rows
        ]

    async def _ours(self) -> Mapping[tuple[UUID, UUID], int | None]:
        merchant = self.stage.merchant
        async with merchant.db.transaction(merchant.account_id) as tx:
            return await audit.to_show(tx, self.stage.row_ids.values())

    async def _waiting(self) -> Counter[UUID]:
        merchant = self.stage.merchant
        async with merchant.db.transaction(merchant.account_id) as tx:
            return Counter(await audit.waiting_by_shop(tx))

    def _tell_states(self, shops: Sequence[Shop]) -> None:
        for shop in shops:
            before, state = self._states.get(shop.id), _state(shop)
            self._states[shop.id] = state
            if before not in (None, state):
                self.stage.screen.say(f"{NAMES[shop.mall]}: {before} → {state}")


def _news(
    error: AuditedError, was_open: bool | None, malls: Mapping[UUID, MallKind]
) -> Iterator[str]:
    """`was_open` None: it was not there."""
    where = NAMES[malls[error.shop_id]] if error.shop_id else "account"
    if was_open is None:
        yield f"error opened: {where} {error.kind} (level {error.level})"
    if error.resolved_at is not None and was_open is not False:
        often = "once" if error.count == 1 else f"{error.count} times"
        yield f"error closed: {where} {error.kind}, seen {often}"


def _state(shop: Shop) -> str:
    if shop.state == ShopState.RUNNING and shop.maintenance:
        return ShopState.MAINTENANCE.value
    return shop.state
