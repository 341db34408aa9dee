"""Walking one window of a shop's orders, page by page, until the list stands still."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from domain.model.errors import MallRefused, MallUnavailable
from domain.model.malls import Mall, OrderPage
from domain.model.order_readings import LastRead, Recall, nothing_known
from domain.services import polling
from domain.services.polling import Poll
from domain.store import order_readings
from workers.context import Context
from workers.deadlines import answered_within
from workers.throttle import PATIENCE, waiting_for

PAGE_SECONDS = 60
WALKS = 3

LATER_PAGE = timedelta(minutes=5)
"""A walk that has begun waits so long for a place. At a mall that answers a page every three minutes (Amazon's order
list), one that gave up as soon as others do would begin anew with its first page, for ever."""

Take = Callable[[Poll, OrderPage, OrderPage], Awaitable[None]]
"""Stores a page: the poll whose window it is of, the page, and the walk's first page."""


def recalling(ctx: Context, account_id: UUID, shop_id: UUID) -> Recall:
    """What the store knows of the shop's orders."""

    async def recall(numbers: Sequence[str]) -> Mapping[str, LastRead]:
        if not numbers:
            return {}
        async with ctx.db.transaction(account_id) as tx:
            return await order_readings.last(tx, shop_id, numbers)

    return recall


async def walk(mall: Mall, poll: Poll, take: Take, recall: Recall = nothing_known) -> None:
    """Where the mall refuses so long a window, half of it: what is left follows at once.

    Raises MallError, and what `take` raises.
    """
    try:
        await _walk_until_steady(mall, poll, take, recall)
    except MallRefused:
        narrower = polling.narrower(poll)
        if narrower is None:
            raise
        await walk(mall, narrower, take, recall)


async def _walk_until_steady(mall: Mall, poll: Poll, take: Take, recall: Recall) -> None:
    for _ in range(WALKS):
        if await _walk(mall, poll, take, recall):
            return
    raise MallUnavailable("The order list kept changing while it was being read.")


async def _walk(mall: Mall, poll: Poll, take: Take, recall: Recall) -> bool:
    """False when the mall's total changed on the way: a page may have slipped, so it is walked again."""
    pages = mall.orders_placed(poll.window, recall)
    first: OrderPage | None = None
    while True:
        page = await _next(pages, LATER_PAGE if first else PATIENCE)
        if page is None:
            raise MallUnavailable("The order list ended before its last page.")
        first = first or page
        if page.total != first.total:
            return False
        await take(poll, page, first)
        if page.last:
            return True


async def _next(pages: AsyncIterator[OrderPage], patience: timedelta) -> OrderPage | None:
    seconds = PAGE_SECONDS + patience.total_seconds()
    with waiting_for(patience):
        async with answered_within(seconds, "No page of orders"):
            return await anext(pages, None)
