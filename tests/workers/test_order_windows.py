"""Walking a window page by page at a mall that lets a page be asked for every three minutes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.model.errors import MallThrottled
from domain.model.malls import Bucket, Mall, MallKind, OrderPage, OrderWindow
from domain.services.polling import Poll
from domain.store.shops import Shop
from integrations.malls.amazon.limits import SEARCH_ORDERS
from tests.integrations.recorded import OpenThrottle, Recorded, payload
from workers import order_windows
from workers.throttle import patience

AT = datetime(2026, 2, 1, tzinfo=UTC)
TOKEN = {"access_token": "Atza|1", "token_type": "bearer", "expires_in": 3600}


@dataclass
class Slow(OpenThrottle):
    """Of Amazon's order list `left` calls are left; whoever waits for the next one gets it, on a clock of its own."""

    left: int = 0
    waited: timedelta = timedelta(0)

    async def take(self, *buckets: Bucket) -> None:
        for bucket in buckets:
            if bucket is SEARCH_ORDERS:
                self._take(timedelta(seconds=1 / bucket.rate))

    def _take(self, gap: timedelta) -> None:
        if self.left:
            self.left -= 1
        elif gap > patience():
            raise MallThrottled("Slow.", retry_after=gap, by_us=True)
        else:
            self.waited += gap


def amazon(throttle: Slow, pages: int) -> Mall:
    """An order list of so many pages."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/o2/token":
            return httpx.Response(200, json=TOKEN)
        return page(int(request.url.params.get("paginationToken", 1)))

    def page(nth: int) -> httpx.Response:
        document = json.loads(payload("amazon/orders_last_page.json").content)
        document["pagination"] = {"nextToken": str(nth + 1)} if nth < pages else {}
        return httpx.Response(200, json=document)

    recorded = Recorded(answer, throttle=throttle)
    settings = {"seller_id": "A1EXAMPLE", "base_url": "http://mall", "auth_url": "http://mall"}
    credentials = {"client_id": "1", "client_secret": "2", "refresh_token": "3"}
    return recorded.mall(MallKind.AMAZON, credentials, settings)


async def walked(throttle: Slow, pages: int) -> int:
    """How many pages came."""
    window = OrderWindow(AT - timedelta(hours=1), AT)
    shop = Shop(*[None] * len(Shop.__slots__))  # type: ignore[arg-type]  # nothing is asked of it
    taken: list[OrderPage] = []

    async def take(poll: Poll, page: OrderPage, first: OrderPage) -> None:
        taken.append(page)

    await order_windows.walk(amazon(throttle, pages), Poll(shop, 1, window, AT, "test"), take)
    return len(taken)


async def test_a_walk_that_has_begun_waits_for_its_further_pages() -> None:
    """Else it would begin anew with the first, which takes what there was for the second: for ever."""
    throttle = Slow(left=1)

    assert await walked(throttle, pages=3) == 3
    assert throttle.waited == 2 * timedelta(seconds=1 / SEARCH_ORDERS.rate)


async def test_one_that_has_not_keeps_no_turn() -> None:
    with pytest.raises(MallThrottled):
        await walked(Slow(left=0), pages=1)
