"""Walking one window of a shop's orders, page by page, until the list stands still."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from domain.model.errors import MallOutcomeUnknown, MallRefused, MallUnavailable
from domain.model.malls import Mall, OrderPage
from domain.services import polling
from domain.services.polling import Poll

PAGE_SECONDS = 60
WALKS = 3

Take = Callable[[Poll, OrderPage, OrderPage], Awaitable[None]]
"""Stores a page: the poll whose window it is of, the page, and the walk's first page."""


async def walk(mall: Mall, poll: Poll, take: Take) -> None:
    """Where the mall refuses so long a window, half of it: what is left follows at once.

    Raises MallError, and what `take` raises.
    """
    try:
        await _walk_until_steady(mall, poll, take)
    except MallRefused:
        narrower = polling.narrower(poll)
        if narrower is None:
            raise
        await walk(mall, narrower, take)


async def _walk_until_steady(mall: Mall, poll: Poll, take: Take) -> None:
    for _ in range(WALKS):
        if await _walk(mall, poll, take):
            return
    raise MallUnavailable("The order list kept changing while it was being read.")


async def _walk(mall: Mall, poll: Poll, take: Take) -> bool:
    """False when the mall's total changed on the way: a page may have slipped, so it is walked again."""
    pages = mall.orders_placed(poll.window)
    first: OrderPage | None = None
    while True:
        page = await _next(pages)
        if page is None:
            raise MallUnavailable("The order list ended before its last page.")
        first = first or page
        if page.total != first.total:
            return False
        await take(poll, page, first)
        if page.last:
            return True


async def _next(pages: AsyncIterator[OrderPage]) -> OrderPage | None:
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await anext(pages, None)
    except TimeoutError as error:
        raise MallOutcomeUnknown(f"No page of orders within {PAGE_SECONDS} s.") from error
