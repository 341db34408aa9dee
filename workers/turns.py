"""A turn at a shop: what is taken is given back, wherever whoever took it fails or is cut off.

A lease that nobody gives back keeps everybody waiting until it ends. So taking it is not cut off half-way, when nobody
could tell whether it was taken; nor is giving it back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from time import monotonic
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog

from domain.model.errors import MallError
from domain.services.polling import TurnLost
from domain.store.database import Tx
from workers.context import Context

Taken = TypeVar("Taken")
Taken_co = TypeVar("Taken_co", covariant=True)
Taken_contra = TypeVar("Taken_contra", contravariant=True)
Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class Begin(Protocol[Taken_co]):
    """What there is to do now, taken; None where it is another's, or there is nothing."""

    async def __call__(self, tx: Tx, shop_id: UUID, /, *, now: datetime) -> Taken_co | None: ...


class End(Protocol[Taken_contra]):
    """Whoever took it is at it no more; or could not do it, through a fault of ours."""

    async def __call__(self, tx: Tx, taken: Taken_contra, /, *, now: datetime) -> object: ...


class Fail(Protocol[Taken_contra]):
    """The mall did not do what it was asked."""

    async def __call__(
        self, tx: Tx, taken: Taken_contra, error: MallError, /, *, now: datetime
    ) -> object: ...


@asynccontextmanager
async def turn(
    ctx: Context,
    account_id: UUID,
    shop_id: UUID,
    begin: Begin[Taken],
    end: End[Taken],
    *,
    failed: Fail[Taken] | None = None,
    stumbled: End[Taken] | None = None,
    is_over: Callable[[Taken], bool] = lambda _: False,
) -> AsyncIterator[Taken | None]:
    """Each step is a transaction of its own. A MallError goes to `failed`, a lost turn into the log, and neither any further;
    any other failure is raised once `stumbled` was told of it. `is_over`: it was given back under way."""

    async def give_back(taken: Taken) -> None:
        if is_over(taken):
            return
        await ctx.db.run(account_id, lambda tx: end(tx, taken, now=ctx.now()))

    take = ctx.db.run(account_id, lambda tx: begin(tx, shop_id, now=ctx.now()))
    taken = await _taken(take, give_back)
    if taken is None:
        yield None
        return
    try:
        try:
            yield taken
        except MallError as error:
            if failed is None:
                raise
            await _tell(ctx, account_id, failed, taken, error)
    except TurnLost:
        log.warning("turn_lost", account=str(account_id), shop=str(shop_id))
    except Exception:
        if stumbled is not None:
            await ctx.db.run(account_id, lambda tx: stumbled(tx, taken, now=ctx.now()))
        raise
    finally:
        await uncut(give_back(taken))


async def again_and_again(seconds: float, step: Callable[[], Awaitable[bool]]) -> None:
    """Until a step says that there is no more, or so many seconds are over."""
    until = monotonic() + seconds
    while monotonic() < until and await step():
        pass


async def uncut(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What it answers or raises. Whoever waits may be cut off, which is raised once the work has ended."""
    going = asyncio.create_task(work)
    try:
        return await asyncio.shield(going)
    except asyncio.CancelledError:
        await _outcome(going)
        raise


async def _tell(
    ctx: Context, account_id: UUID, failed: Fail[Taken], taken: Taken, error: MallError
) -> None:
    await ctx.db.run(account_id, lambda tx: failed(tx, taken, error, now=ctx.now()))


async def _taken(
    take: Coroutine[Any, Any, Taken | None],
    give_back: Callable[[Taken], Coroutine[Any, Any, None]],
) -> Taken | None:
    going = asyncio.create_task(take)
    try:
        return await asyncio.shield(going)
    except asyncio.CancelledError:
        taken = await _outcome(going)
        if taken is not None:
            await uncut(give_back(taken))
        raise


async def _outcome(going: "asyncio.Task[Answer]") -> Answer | None:
    """Once it has ended, however often whoever waits is cut off; None where it failed."""
    while not going.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({going})
    return None if going.cancelled() or going.exception() else going.result()
