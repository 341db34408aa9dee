"""Amazon.co.jp. One SKU a write, or up to 25,000 in a feed; queued, and seen only by reading back; 20 SKUs a reading;
orders by the time of their last change; the catalogue by report.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus

from domain.model.clocks import Now, own_time
from domain.model.errors import MallMalformed
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    Bucket,
    CheckPart,
    ItemRef,
    MallKind,
    MallListing,
    OrderPage,
    OrderWindow,
    PushResult,
    SaveCredentials,
    ShopConfig,
    StockPush,
    StockReading,
    Throttle,
)
from domain.model.order_readings import Recall, nothing_known
from integrations.checks import within_limit
from integrations.connections import Http
from integrations.http import MallAnswer, MallClient

from . import checks, listings, orders, stock
from .auth import Login
from .calls import SellingPartnerApi
from .feeds import ListingsFeeds
from .limits import GET_LISTING, GET_ORDER, PATCH_LISTING, SEARCH_LISTINGS, SEARCH_ORDERS
from .reports import Reports

SPEC = MALL_SPECS[MallKind.AMAZON]


class Amazon:
    def __init__(
        self,
        config: ShopConfig,
        http: Http,
        throttle: Throttle,
        save: SaveCredentials,
        now: Now = own_time,
    ) -> None:
        settings = SPEC.settings_with_defaults(config.settings)
        speed = float(settings["speed"])
        client = MallClient(http, throttle, now)
        self.capabilities = SPEC.capabilities
        self.write_buckets: tuple[Bucket, ...] = (PATCH_LISTING,)
        self._now = now
        self._seller_id = settings.get("seller_id", "")
        self._marketplace_id = settings["marketplace_id"]
        self._login = Login(client, settings["auth_url"], config.credentials, save)
        self._api = SellingPartnerApi(client, settings["base_url"], self._login)
        self._reports = Reports(self._api, client, self._marketplace_id, speed)
        self.feeds = ListingsFeeds(self._api, client, self._seller_id, self._marketplace_id)

    async def push_stock(self, pushes: Sequence[StockPush]) -> list[PushResult]:
        within_limit(pushes, self.capabilities.max_pushes_per_call)
        return [await self._push(push) for push in pushes]

    async def read_stock(self, refs: Sequence[ItemRef]) -> list[StockReading]:
        """A comma parts the SKUs of a search: where one of them holds a comma, each is asked for by itself."""
        within_limit(refs, self.capabilities.max_reads_per_call)
        if len(refs) > 1 and not any("," in ref.item_code for ref in refs):
            return await self._read_together(refs)
        return [await self._read(ref) for ref in refs]

    async def orders_placed(
        self, window: OrderWindow, recall: Recall = nothing_known
    ) -> AsyncIterator[OrderPage]:
        """Orders changed in the window, whatever their status; the same token twice ends the walk in MallMalformed."""
        params = orders.changed_in(window, self._marketplace_id)
        tokens: set[str] = set()
        while True:
            answer = await self._api.call("GET", orders.ORDERS_PATH, SEARCH_ORDERS, params=params)
            page, token = orders.page_of(answer)
            if token in tokens:
                raise MallMalformed("Amazon names a page of orders that was already read.")
            yield page
            if token is None:
                return
            tokens.add(token)
            params = params | {"paginationToken": token}

    async def orders_by_number(self, numbers: Sequence[str]) -> OrderPage:
        """One call an order. `unreadable` names those that Amazon does not know or does not show."""
        within_limit(numbers, orders.PAGE_SIZE)
        if not numbers:
            return OrderPage((), self._now(), total=0, last=True)
        answers = {number: await self._order(number) for number in dict.fromkeys(numbers)}
        return orders.page_of_each(answers)

    async def listings(self) -> AsyncIterator[Sequence[MallListing]]:
        """None where the catalogue is empty. A report of many megabytes is read beside the loop, not in it."""
        batches = listings.batches(await self._reports.fetch(listings.REPORT_TYPE))
        while batch := await asyncio.to_thread(next, batches, None):
            yield batch

    async def test_connection(self) -> list[CheckPart]:
        return await checks.tested(
            self._api, self._login, self._seller_id, self._marketplace_id, self._now
        )

    async def exchange_code(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        return await self._login.exchange(code, redirect_uri)

    async def _push(self, push: StockPush) -> PushResult:
        answer = await self._api.call(
            "PATCH",
            stock.listing_path(self._seller_id, push.ref),
            PATCH_LISTING,
            params={"marketplaceIds": self._marketplace_id, "issueLocale": stock.LOCALE},
            json=stock.patch_of(push),
            accept=stock.REFUSALS,
        )
        return stock.result_of(push.ref, answer)

    async def _read(self, ref: ItemRef) -> StockReading:
        answer = await self._api.call(
            "GET",
            stock.listing_path(self._seller_id, ref),
            GET_LISTING,
            params={"marketplaceIds": self._marketplace_id, "includedData": stock.INCLUDED},
            accept=(HTTPStatus.NOT_FOUND,),
        )
        return stock.reading_of(ref, answer)

    async def _read_together(self, refs: Sequence[ItemRef]) -> list[StockReading]:
        answer = await self._api.call(
            "GET",
            stock.listings_path(self._seller_id),
            SEARCH_LISTINGS,
            params={
                "marketplaceIds": self._marketplace_id,
                "identifiersType": "SKU",
                "identifiers": ",".join(ref.item_code for ref in refs),
                "includedData": stock.INCLUDED,
                "pageSize": str(self.capabilities.max_reads_per_call),
            },
        )
        return stock.readings_of(refs, answer)

    async def _order(self, number: str) -> MallAnswer:
        return await self._api.call(
            "GET",
            orders.order_path(number),
            GET_ORDER,
            params={"includedData": orders.INCLUDED},
            accept=orders.REFUSALS,
        )
