"""Rakuten Ichiba. Stock by manageNumber and variantId in batches of 400, all or nothing; orders by time placed.

Rates are those of the mall's fact sheet, §2, §3 and §6; where it has none, one call a second. Rakuten keeps stock of
codes it does not know and answers 204 for them (§2): a typing error in a code shows only
by comparing with `listings`.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from domain.model.clocks import Now, own_time
from domain.model.errors import MallRefused
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    Bucket,
    CheckOutcome,
    CheckPart,
    CheckPartKey,
    ItemRef,
    MallKind,
    MallListing,
    MallOrder,
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
from integrations.checks import checked, clock_part, within_limit
from integrations.connections import Http
from integrations.http import MallAnswer, MallClient, reading
from integrations.jst import read_time

from .answers import classify
from .catalogue import FIRST, page_of, search_params, with_quantities
from .orders import ORDERS_PER_PAGE, Found, detail_body, found, search_body, told
from .stock import applied, classify_upsert, get_body, readings, upsert_body

STOCK_WRITE = Bucket("rakuten.stock.write", rate=1)
STOCK_READ = Bucket("rakuten.stock.read", rate=5)
ORDERS = Bucket("rakuten.orders", rate=1)
ITEMS = Bucket("rakuten.items", rate=1)
LICENSE = Bucket("rakuten.license", rate=1)

ORDER_HEADERS = {"content-type": "application/json; charset=utf-8"}
NO_SUCH_ITEM = ItemRef("renkei-connection-check", "renkei-connection-check")
AN_HOUR = timedelta(hours=1)


class Rakuten:
    feeds = None

    def __init__(
        self,
        config: ShopConfig,
        http: Http,
        throttle: Throttle,
        save: SaveCredentials,
        now: Now = own_time,
    ) -> None:
        """`save` is not called: a license key is renewed by a person, in RMS."""
        spec = MALL_SPECS[MallKind.RAKUTEN]
        settings = spec.settings_with_defaults(config.settings)
        self.capabilities = spec.capabilities
        self.write_buckets: tuple[Bucket, ...] = (STOCK_WRITE,)
        self._client = MallClient(http, throttle, now)
        self._base_url = settings["base_url"].rstrip("/")
        self._license_key = config.credentials.get("license_key", "")
        self._headers = authorization(config.credentials)

    async def push_stock(self, pushes: Sequence[StockPush]) -> list[PushResult]:
        """All or nothing: a refusal of one entry raises MallRefused that names it, and none was applied."""
        within_limit(pushes, self.capabilities.max_pushes_per_call)
        if not pushes:
            return []
        answer = await self._client.send(
            "POST",
            f"{self._base_url}/es/2.0/inventories/bulk-upsert",
            buckets=self.write_buckets,
            classify=partial(classify_upsert, pushes=pushes),
            headers=self._headers,
            json=upsert_body(pushes),
        )
        return applied(answer, pushes)

    async def read_stock(self, refs: Sequence[ItemRef]) -> list[StockReading]:
        within_limit(refs, self.capabilities.max_reads_per_call)
        if not refs:
            return []
        answer = await self._client.send(
            "POST",
            f"{self._base_url}/es/2.0/inventories/bulk-get",
            buckets=(STOCK_READ,),
            classify=classify,
            safe=True,
            headers=self._headers,
            json=get_body(refs),
        )
        return readings(answer, refs)

    async def orders_placed(
        self, window: OrderWindow, recall: Recall = nothing_known
    ) -> AsyncIterator[OrderPage]:
        """By order time, whatever their status; each page is one search and one reading of details."""
        for page in count(1):
            answer = await self._order_call("searchOrder", search_body(window, page))
            hits = found(answer.response, page)
            orders, unreadable = await self._orders(hits.numbers)
            yield OrderPage(orders, answer.at.earliest, hits.total, hits.last, unreadable)
            if hits.last:
                return

    async def orders_by_number(self, numbers: Sequence[str]) -> OrderPage:
        within_limit(numbers, ORDERS_PER_PAGE)
        if not numbers:
            return OrderPage((), self._client.now(), total=0, last=True)
        answer = await self._order_call("getOrder", detail_body(numbers))
        orders, unreadable = told(answer.response, numbers)
        return OrderPage(orders, answer.at.earliest, len(numbers), True, unreadable)

    async def listings(self) -> AsyncIterator[Sequence[MallListing]]:
        cursor: str | None = FIRST
        while cursor is not None:
            answer = await self._items(search_params(cursor))
            page = page_of(answer.response, cursor)
            yield await self._with_quantities(page.listings)
            cursor = page.cursor

    async def test_connection(self) -> list[CheckPart]:
        credentials, expires_at = await checked(CheckPartKey.CREDENTIALS, self._expiry())
        stock, read = await checked(CheckPartKey.STOCK_READ, self.read_stock([NO_SUCH_ITEM]))
        orders, _ = await checked(CheckPartKey.ORDERS, self._recent_orders())
        catalogue, _ = await checked(
            CheckPartKey.CATALOGUE, self._items(search_params(FIRST, hits=1))
        )
        return [
            replace(credentials, expires_at=expires_at),
            CheckPart(CheckPartKey.CONSENT, CheckOutcome.NOT_NEEDED),
            stock,
            orders,
            catalogue,
            clock_part(read[0].at if read else None, self._client.now()),
        ]

    async def exchange_code(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        raise MallRefused("Rakuten has no consent page: enter the license key.")

    async def _orders(
        self, numbers: Sequence[str]
    ) -> tuple[tuple[MallOrder, ...], Mapping[str, str]]:
        if not numbers:
            return (), {}
        answer = await self._order_call("getOrder", detail_body(numbers))
        return told(answer.response, numbers)

    async def _recent_orders(self) -> Found:
        now = self._client.now()
        answer = await self._order_call(
            "searchOrder", search_body(OrderWindow(now - AN_HOUR, now), 1)
        )
        return found(answer.response, page=1)

    async def _order_call(self, name: str, body: Mapping[str, object]) -> MallAnswer:
        return await self._client.send(
            "POST",
            f"{self._base_url}/es/2.0/order/{name}/",
            buckets=(ORDERS,),
            classify=classify,
            safe=True,
            headers=self._headers | ORDER_HEADERS,
            content=json.dumps(body).encode(),
        )

    async def _items(self, params: Mapping[str, str]) -> MallAnswer:
        return await self._client.send(
            "GET",
            f"{self._base_url}/es/2.0/items/search",
            buckets=(ITEMS,),
            classify=classify,
            headers=self._headers,
            params=params,
        )

    async def _with_quantities(self, listings: Sequence[MallListing]) -> list[MallListing]:
        complete: list[MallListing] = []
        for start in range(0, len(listings), self.capabilities.max_reads_per_call):
            part = listings[start : start + self.capabilities.max_reads_per_call]
            complete += with_quantities(part, await self.read_stock([each.ref for each in part]))
        return complete

    async def _expiry(self) -> datetime:
        """Until when the license key lives; Rakuten names no zone and means Japan's (§1)."""
        answer = await self._client.send(
            "GET",
            f"{self._base_url}/es/1.0/license-management/license-key/expiry-date",
            buckets=(LICENSE,),
            classify=classify,
            headers=self._headers,
            params={"licenseKey": self._license_key},
        )
        with reading(answer.response):
            return read_time(answer.response.json()["expiryDate"])


def authorization(credentials: Mapping[str, str]) -> dict[str, str]:
    pair = f"{credentials.get('service_secret', '')}:{credentials.get('license_key', '')}"
    return {"authorization": f"ESA {b64encode(pair.encode()).decode()}"}
