"""Yahoo! Shopping. Stock by code and sub-code in batches of 1,000; orders by id, one a call.

Rates are those of the mall's fact sheet, §6: about one call a second for each address, 50,000 calls a day for each
application. Yahoo keeps numbers of codes it does not know and calls them applied (§2); `read_stock` tells.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from domain.model.clocks import Now, own_time
from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallRefused,
    MallUnavailable,
)
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import (
    Bucket,
    BucketScope,
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
from integrations.checks import checked, clock_part, not_tested, within_limit
from integrations.connections import Http
from integrations.http import Classify, MallAnswer, MallClient

from .answers import ACCESS_ENDED, FILE_NOT_READY, classify, classify_write
from .auth import Login, Signature
from .catalogue import STOCK_FILE, listings_in
from .orders import PLACED, PUBLISHED, Entry, info_body, list_body, listed, sorted_out, told
from .splits import Part, told_as
from .stock import get_form, readings, results, set_form

PATH = "/ShoppingWebService/V1"
DAY = Bucket("yahoo.day", rate=10, burst=10, scope=BucketScope.APPLICATION, per_day=50_000)
APIS = ("setStock", "getStock", "orderList", "orderInfo", "downloadRequest", "downloadSubmit")
BUCKETS: Mapping[str, Bucket] = {
    api: Bucket(f"yahoo.{api}", rate=1, scope=BucketScope.APPLICATION) for api in APIS
}
MOST_NUMBERS = 100
ORDERS_PER_PAGE = 10
FILE_LOOKS = 120
SECONDS_BETWEEN_LOOKS = 5
OF_THE_ORDER = "od9"
XML = {"content-type": "application/xml; charset=utf-8"}
NO_SUCH_ITEM = ItemRef("renkei-connection-check")
AN_HOUR = timedelta(hours=1)


class YahooShopping:
    feeds = None

    def __init__(
        self,
        config: ShopConfig,
        http: Http,
        throttle: Throttle,
        save: SaveCredentials,
        now: Now = own_time,
    ) -> None:
        spec = MALL_SPECS[MallKind.YAHOO_SHOPPING]
        settings = spec.settings_with_defaults(config.settings)
        self.capabilities = spec.capabilities
        self.write_buckets: tuple[Bucket, ...] = (BUCKETS["setStock"], DAY)
        self._speed = float(settings["speed"])
        self._client = MallClient(http, throttle, now)
        self._base_url = settings["base_url"].rstrip("/") + PATH
        self._seller_id = settings.get("seller_id", "")
        self._login = Login(self._client, settings["auth_url"], config.credentials, save)
        self._signature = Signature(self._seller_id, config.credentials, now)

    async def push_stock(self, pushes: Sequence[StockPush]) -> list[PushResult]:
        """allow_overdraft travels when every push of the call brings it: Yahoo takes it for all codes or for none."""
        within_limit(pushes, self.capabilities.max_pushes_per_call)
        if not pushes:
            return []
        form = set_form(self._seller_id, pushes)
        try:
            answer = await self._call("setStock", data=form, classify=classify_write, safe=False)
        except MallRefused as refused:
            if len(pushes) == 1:
                refused.item_ref = str(pushes[0].ref)
            raise
        return results(answer, pushes)

    async def read_stock(self, refs: Sequence[ItemRef]) -> list[StockReading]:
        within_limit(refs, self.capabilities.max_reads_per_call)
        if not refs:
            return []
        answer = await self._call("getStock", data=get_form(self._seller_id, refs))
        return readings(answer, refs)

    async def orders_placed(
        self, window: OrderWindow, recall: Recall = nothing_known
    ) -> AsyncIterator[OrderPage]:
        """Placed or published in the window, whatever their status; the list first, then one call for each order that is
        new or was updated since it was read."""
        entries, observed_at = await self._found(window)
        last_read = await recall(list(entries))
        unread, unchanged = sorted_out(entries, last_read, observed_at)
        for start in range(0, max(len(unread), 1), ORDERS_PER_PAGE):
            page = await self.orders_by_number(unread[start : start + ORDERS_PER_PAGE])
            yield replace(
                page,
                observed_at=observed_at,
                total=len(entries),
                last=start + ORDERS_PER_PAGE >= len(unread),
                unchanged=() if start else unchanged,
            )

    async def orders_by_number(self, numbers: Sequence[str]) -> OrderPage:
        """One call for each; what cannot be read is named, and does not keep the others back."""
        within_limit(numbers, MOST_NUMBERS)
        orders: dict[str, MallOrder] = {}
        unreadable: dict[str, str] = {}
        parts: dict[str, tuple[Part, datetime]] = {}

        async def read(number: str) -> Part:
            """One call for each, however many of its family are asked for."""
            if number not in parts:
                parts[number] = await self._part(number)
            return parts[number][0]

        for number in numbers:
            try:
                orders |= {order.number: order for order in await told_as(number, read)}
            except (MallMalformed, MallRefused) as error:
                unreadable[number] = why_unreadable(error)
        observed_at = min((at for _, at in parts.values()), default=self._client.now())
        found = tuple(sorted(orders.values(), key=lambda order: order.placed_at))
        return OrderPage(found, observed_at, len(numbers), True, unreadable)

    async def _part(self, number: str) -> tuple[Part, datetime]:
        """One order's own detail, and the mall's time when it was asked for."""
        answer = await self._order_call("orderInfo", info_body(self._seller_id, number))
        return told(answer.response), answer.at.earliest

    async def listings(self) -> AsyncIterator[Sequence[MallListing]]:
        form = {"seller_id": self._seller_id, "type": STOCK_FILE}
        await self._call("downloadRequest", data=form)
        answer = await self._file(form)
        for page in listings_in(answer.response):
            yield page

    async def test_connection(self) -> list[CheckPart]:
        consent, _ = await checked(CheckPartKey.CONSENT, self._login.tokens.current())
        if consent.error is not None:
            return without_token(consent)
        stock, read = await checked(CheckPartKey.STOCK_READ, self.read_stock([NO_SUCH_ITEM]))
        orders, answer = await checked(CheckPartKey.ORDERS, self._recent_orders())
        return [
            self._credentials_part(answer),
            consent,
            stock,
            orders,
            *not_tested(CheckPartKey.CATALOGUE),
            clock_part(read[0].at if read else None, self._client.now()),
        ]

    async def exchange_code(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        return await self._login.exchange(code, redirect_uri)

    def _credentials_part(self, answer: MallAnswer | None) -> CheckPart:
        """The client was accepted when the token was given; the public key shows on an order call only."""
        if answer is None and self._signature.in_use:
            return CheckPart(CheckPartKey.CREDENTIALS, CheckOutcome.NOT_TESTED)
        if answer is not None and self._signature.refused_by(answer.response):
            error = MallLockedOut("Yahoo does not accept the public key: renew it.")
            return CheckPart(CheckPartKey.CREDENTIALS, CheckOutcome.NG, error.message, error=error)
        return CheckPart(CheckPartKey.CREDENTIALS, CheckOutcome.OK)

    async def _found(self, window: OrderWindow) -> tuple[dict[str, Entry], datetime]:
        """The window's orders as the list has them, and the mall's time when they were asked for."""
        found: dict[str, Entry] = {}
        asked: list[datetime] = []
        for clock in (PLACED, PUBLISHED):
            read, total = 0, 1
            while read < total:
                body = list_body(self._seller_id, window, clock, start=read + 1)
                answer = await self._order_call("orderList", body)
                part, total = listed(answer.response, read)
                asked.append(answer.at.earliest)
                found |= part
                read += len(part)
        return found, asked[0]

    async def _recent_orders(self) -> MallAnswer:
        now = self._client.now()
        body = list_body(self._seller_id, OrderWindow(now - AN_HOUR, now), PLACED, start=1)
        answer = await self._order_call("orderList", body)
        listed(answer.response, 0)
        return answer

    async def _file(self, params: Mapping[str, str]) -> MallAnswer:
        for _ in range(FILE_LOOKS):
            try:
                return await self._call("downloadSubmit", method="GET", params=params)
            except MallUnavailable as error:
                if error.mall_code != FILE_NOT_READY:
                    raise
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS / self._speed)
        raise MallUnavailable(
            "Yahoo has not made the stock file in time.", mall_code=FILE_NOT_READY
        )

    async def _order_call(self, api: str, body: bytes) -> MallAnswer:
        return await self._call(api, headers=XML | self._signature.headers(), content=body)

    async def _call(
        self,
        api: str,
        *,
        method: str = "POST",
        classify: Classify = classify,
        safe: bool = True,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
    ) -> MallAnswer:
        """A call refused only for its access token was not carried out: it is made once more with a new one."""
        send = partial(
            self._client.send,
            method,
            f"{self._base_url}/{api}",
            buckets=(BUCKETS[api], DAY),
            classify=classify,
            safe=safe,
            params=params,
            content=content,
            data=data,
        )
        token = await self._login.tokens.current()
        try:
            return await send(headers=bearer(token, headers))
        except MallLockedOut as error:
            if error.mall_code != ACCESS_ENDED:
                raise
            token = await self._login.tokens.current(refused=token)
        return await send(headers=bearer(token, headers))


def bearer(token: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    return {**(headers or {}), "authorization": f"Bearer {token}"}


def why_unreadable(error: MallError) -> str:
    """Raises the error itself when it is not about the one order."""
    if isinstance(error, MallRefused) and not error.mall_code.startswith(OF_THE_ORDER):
        raise error
    return f"{error.mall_code} {error.mall_message}".strip() or error.message


def without_token(consent: CheckPart) -> list[CheckPart]:
    """What is known when Yahoo gave no access token: whether it was the consent, the client, or neither."""
    untested = not_tested(
        CheckPartKey.STOCK_READ, CheckPartKey.ORDERS, CheckPartKey.CATALOGUE, CheckPartKey.CLOCK
    )
    if not isinstance(consent.error, MallLockedOut):
        return [*not_tested(CheckPartKey.CREDENTIALS), consent, *untested]
    if consent.error.consent:
        return [CheckPart(CheckPartKey.CREDENTIALS, CheckOutcome.OK), consent, *untested]
    credentials = replace(consent, key=CheckPartKey.CREDENTIALS)
    return [credentials, *not_tested(CheckPartKey.CONSENT), *untested]
