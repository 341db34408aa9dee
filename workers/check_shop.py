"""Testing a shop's way to its mall, part by part; then catching up where a halted shop comes back."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from domain.model.errors import MallError, MallLockedOut, MallRefused
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey
from domain.model.shops import ShopState
from domain.services import checks, consents, shops
from domain.services.shops import ShopGone
from domain.store import jobs, leases
from domain.store import shops as shop_rows
from domain.store.database import Tx
from domain.store.jobs import Check
from domain.store.leases import LeaseKind
from domain.store.shops import Shop
from workers.beating import BEAT_SECONDS, beating
from workers.context import Context
from workers.deadlines import answered_within
from workers.import_orders import fetch_orders
from workers.turns import turn

CONSENT = "consent"
TEST_SECONDS = 45
LEASE = timedelta(seconds=20)
TRY_AGAIN = timedelta(seconds=5)


async def check_shop(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """The tests that wait, then orders from the watermark where the shop is catching up. Another tester's shop is left
    alone."""

    async def begin(tx: Tx, shop_id: UUID, *, now: datetime) -> int | None:
        if await shop_rows.get(tx, shop_id) is None:
            return None
        return await leases.take(tx, shop_id, LeaseKind.CHECK, ctx.holder, LEASE)

    async def end(tx: Tx, epoch: int, *, now: datetime) -> None:
        await leases.give_back(tx, shop_id, LeaseKind.CHECK, ctx.holder, epoch)

    async with turn(ctx, account_id, shop_id, begin, end) as epoch:
        if epoch is None:
            return

        async def go_on() -> None:
            async with ctx.db.transaction(account_id) as tx:
                await leases.renew(tx, shop_id, LeaseKind.CHECK, ctx.holder, epoch, LEASE)

        async with beating(BEAT_SECONDS, ctx.db.outage, go_on):
            with suppress(ShopGone):
                await _checked(ctx, account_id, shop_id)


async def _checked(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Raises ShopGone for a shop that is disconnected meanwhile."""
    waiting = await _taken_up(ctx, account_id, shop_id)
    for answered in _by_test(waiting):
        await _check(ctx, account_id, shop_id, answered)
    await _catch_up(ctx, account_id, shop_id)


def _by_test(waiting: Sequence[Check]) -> list[Sequence[Check]]:
    """However often somebody asked, the mall is asked once: only what brings a consent changes what it would say."""
    alone = [[check] for check in waiting if CONSENT in check.input]
    others = [check for check in waiting if CONSENT not in check.input]
    return [*alone, others] if others else [*alone]


async def _taken_up(ctx: Context, account_id: UUID, shop_id: UUID) -> Sequence[Check]:
    async def work(tx: Tx) -> Sequence[Check]:
        shop = await shops.known(tx, shop_id)
        waiting = await jobs.lock_checks(tx, shop_id, at=ctx.now())
        if waiting:
            await jobs.start(tx, [check.id for check in waiting], at=ctx.now())
            await checks.probe(tx, shop)
        return waiting

    return await ctx.db.run(account_id, work)


async def _check(ctx: Context, account_id: UUID, shop_id: UUID, answered: Sequence[Check]) -> None:
    """Tested is what the shop has by then: a consent brings it new tokens."""
    shop = await _as_it_is(ctx, account_id, shop_id)
    parts = await _exchanged(ctx, account_id, shop, answered[0])
    if not parts:
        shop = await _as_it_is(ctx, account_id, shop_id)
        parts = await _tested(ctx, account_id, shop)

    async def work(tx: Tx) -> None:
        for check in answered:
            await checks.probed(tx, shop, parts, check, now=ctx.now())

    await ctx.db.run(account_id, work)


async def _as_it_is(ctx: Context, account_id: UUID, shop_id: UUID) -> Shop:
    async with ctx.db.transaction(account_id) as tx:
        return await shops.known(tx, shop_id)


async def _exchanged(
    ctx: Context, account_id: UUID, shop: Shop, check: Check
) -> Sequence[CheckPart]:
    """Changes a consent code into tokens first, where one came back; what is wrong with that, if anything."""
    if CONSENT not in check.input:
        return []
    consent_id = UUID(check.input[CONSENT])
    async with ctx.db.transaction(account_id) as tx:
        code = await consents.take_code(tx, ctx.vault, consent_id)
    if code is None:
        return []
    try:
        async with answered_within(TEST_SECONDS):
            mall = await ctx.malls.of(account_id, shop)
            given = await mall.exchange_code(code.code, code.redirect_uri)
    except (MallRefused, MallLockedOut) as error:
        async with ctx.db.transaction(account_id) as tx:
            await consents.refused(tx, consent_id)
        return [_not_good(error, CheckPartKey.CONSENT)]
    except MallError as error:
        return [_not_good(error, CheckPartKey.CONSENT)]
    async with ctx.db.transaction(account_id) as tx:
        await consents.exchanged(tx, ctx.vault, consent_id, given, now=ctx.now())
    return []


async def _tested(ctx: Context, account_id: UUID, shop: Shop) -> Sequence[CheckPart]:
    try:
        async with answered_within(TEST_SECONDS):
            mall = await ctx.malls.of(account_id, shop)
            return await mall.test_connection()
    except MallError as error:
        return [_not_good(error, CheckPartKey.CREDENTIALS)]


def _not_good(error: MallError, key: CheckPartKey) -> CheckPart:
    return CheckPart(key, CheckOutcome.NG, error.message, error=error)


async def _catch_up(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """Zeros went out as soon as the shop came back; the rest waits until its orders are complete again."""
    shop = await _as_it_is(ctx, account_id, shop_id)
    if shop.state != ShopState.CATCHING_UP:
        return
    await fetch_orders(ctx, account_id, shop_id)

    async def work(tx: Tx) -> None:
        now = await shops.known(tx, shop_id)
        if now.state != ShopState.CATCHING_UP:
            return
        if await shops.may_run(tx, now, now=ctx.now()):
            await shops.caught_up(tx, now, now=ctx.now())
        else:
            again = max(ctx.now() + TRY_AGAIN, now.next_order_poll_at)
            await shop_rows.change(tx, shop_id, next_probe_at=again)

    await ctx.db.run(account_id, work)
