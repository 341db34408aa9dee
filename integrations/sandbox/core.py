"""What every simulated mall stands on, and how a mall's module uses it.

A mall is one module. It exports a subclass of `Mall` and `routes(core) -> list[BaseRoute]`:

    class Kaede(Mall):                     # the mall's rules and how it says no
        name = "kaede"                     # its key in the ledger and the control API
        def identify(self, core, request, body): ...   # the Shop whose credentials the request carries

    SET = Operation("setStock", "stock", writes=True, limits=(Limit("setStock", rate=1),))

    async def set_stock(call: Call) -> Response: ...

    def routes(core: Core) -> list[BaseRoute]:
        kaede = core.malls["kaede"]
        return [Mount("/kaede", [Route("/stock", endpoint(core, kaede, SET, set_stock), methods=["POST"])])]

and app.py lists both. `endpoint` wraps a handler so that limits and faults hold around it, in this order:
the body is read, `identify` finds the shop (or raises `Refused` with the mall's own answer), the call is counted,
then maintenance, throttle (fault or limit), expired and spurious are answered in the mall's words, then the handler
runs (or is put off, and never answers), then its answer is slowed, cut, halved or never sent. A handler may raise `Refused(response)` anywhere.

Inside a handler:

* `call.shop` (credentials, settings), `call.request`, `call.body`, `call.ledger`, `call.core.clock`
* `call.refuses(key)`: the fault "partial" names this item: answer it as the mall refuses one item, do not write it.
* `call.write([StockWrite(key, 5)])`: accepted numbers. The fault "not applied" makes it do nothing. The counter
  changes at once and is *shown* after the shop's setting `display_delay` (seconds at speed 1);
  `apply_delay=` seconds holds the counter itself back (accepted, applied later).
* `call.ledger.item(shop, key).shown` is what reads answer; `.quantity` is the counter, never shown by a mall.
* `call.ledger.orders(shop)` are the orders the mall's list shows by now.
* `call.ledger.put_record/record/records/drop_record(mall, kind, key)`: whatever else the mall remembers, on disk too.
* Limits of another key than the seller's, or drawn inside a handler: `call.core.limits.take(key, Limit(...))`.

A token endpoint is an operation of area "auth" whose `identify` is given to `endpoint`; it asks
`core.faults.holds(shop.key, FaultKind.EXPIRED)` itself. A consent page is a plain Starlette endpoint that looks the
shop up with `core.ledger.shop_with(mall, client_id=...)`.

Shop settings every mall knows: `display_delay`, `order_delay` (seconds until an order is in the order list; both at
speed 1) and `limits` (false lifts this shop's limits).
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from integrations.sandbox.answers import CutShort, NeverAnswered, half
from integrations.sandbox.clock import Clock
from integrations.sandbox.faults import WRITES, Fault, FaultKind, Faults
from integrations.sandbox.ledger import Item, ItemKey, Ledger, Order, Shop, StockWrite
from integrations.sandbox.limits import Limit, Limits

UNITS_OF_ALL = 10**9
MAX_BODY = 20 * 1024 * 1024


class Refused(Exception):
    """The mall's answer to a call that goes no further."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a mall's API. `area`: stock, orders, catalogue or auth. Each call draws from every limit."""

    name: str
    area: str
    writes: bool = False
    limits: tuple[Limit, ...] = ()

    @property
    def tags(self) -> frozenset[str]:
        """What the `on` of a fault may name."""
        return frozenset({self.name, self.area} | ({WRITES} if self.writes else set()))


class Mall(ABC):
    """A mall's rules about its own stock and orders, and how it says no."""

    name: str
    first_status: str
    cancelled_status: str

    @abstractmethod
    def identify(self, core: "Core", request: Request, body: bytes) -> Shop:
        """The shop whose credentials the request carries. Raises Refused with the mall's answer."""

    @abstractmethod
    def throttled(self, call: "Call") -> Response: ...

    @abstractmethod
    def maintenance(self, call: "Call") -> Response: ...

    @abstractmethod
    def expired(self, call: "Call") -> Response: ...

    @abstractmethod
    def spurious(self, call: "Call", code: str) -> Response:
        """The error that the mall documents under this code."""

    @abstractmethod
    def credentials(self, seller: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """A new shop's credentials: those given, the rest made up."""

    @abstractmethod
    def renewed(self, core: "Core", shop: Shop, given: Mapping[str, Any]) -> dict[str, Any]:
        """New credentials, valid now; the old ones are dead."""

    @abstractmethod
    def expire(self, core: "Core", shop: Shop) -> None:
        """Short-lived access tokens given out so far die. Nothing where the mall has none."""

    def fold(self, item_code: str, variant_code: str) -> ItemKey:
        """The codes as the mall keeps them."""
        return (item_code, variant_code)

    def order_number(self, seller: str, sequence: int, at: datetime) -> str:
        return f"{seller}-{sequence}"

    def lowers(self, item: Item) -> bool:
        """Whether a sale lowers the counter."""
        return not item.attributes.get("unlimited", False)

    def oversells(self, item: Item) -> bool:
        """Whether the mall sells below zero."""
        return bool(item.attributes.get("overdraft", False))

    def restocks(self, item: Item) -> bool:
        """Whether a cancel puts units back on the counter."""
        return bool(item.attributes.get("restock_on_cancel", False))

    def sells(self, item: Item) -> bool:
        """Whether the mall sells the item at all, whatever its counter."""
        return True

    def cancel(
        self, core: "Core", shop: Shop, order: Order, *, restock: bool | None, reason: str
    ) -> Order:
        """Cancels: status and open flag; units go back where `restock`, or else the item's setting, says so.

        The lines keep their quantities. `reason` is kept among the order's details as `cancel_reason`.
        """

        def gives_back(item: Item) -> bool:
            return self.restocks(item) if restock is None else restock

        released = core.ledger.release(shop, order, None, UNITS_OF_ALL, restock=gives_back)
        lines = zip(released.lines, order.lines, strict=True)
        cancelled = replace(
            released,
            status=self.cancelled_status,
            open=False,
            details={**order.details, "cancel_reason": reason},
            lines=tuple(replace(after, quantity=before.quantity) for after, before in lines),
        )
        core.ledger.save_order(shop, cancelled)
        return cancelled


@dataclass(slots=True)
class Core:
    """All malls of one sandbox: their books, limits, faults and counts of requests."""

    ledger: Ledger
    clock: Clock
    malls: Mapping[str, Mall]
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(init=False)
    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _put_off: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.limits = Limits(self.clock)

    def do_later(self, seconds: float, work: Callable[[], Awaitable[Response]]) -> None:
        """What nobody waits for any more is done all the same."""

        async def later() -> None:
            await asyncio.sleep(seconds)
            with suppress(Refused):
                await work()

        task = asyncio.create_task(later())
        self._put_off.add(task)
        task.add_done_callback(self._put_off.discard)

    async def close(self) -> None:
        """What is still put off is never done."""
        tasks = list(self._put_off)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.ledger.close()

    def count(self, shop: Shop, operation: str) -> None:
        self.requests[(*shop.key, operation)] += 1

    def requests_of(self, shop: Shop) -> dict[str, int]:
        """By operation."""
        return {name: n for (*key, name), n in self.requests.items() if tuple(key) == shop.key}


@dataclass(slots=True)
class Call:
    """One request of one shop."""

    core: Core
    shop: Shop
    operation: Operation
    request: Request
    body: bytes
    _partial: Fault | None = None
    _asked_partial: bool = False

    @property
    def ledger(self) -> Ledger:
        return self.core.ledger

    @property
    def now(self) -> datetime:
        return self.core.clock.now()

    def meet(self, kind: FaultKind) -> Fault | None:
        return self.core.faults.meet(self.shop.key, kind, self.operation.tags)

    def refuses(self, key: ItemKey) -> bool:
        """Whether a partial failure names this item: as `code`, or as `code:variant`."""
        return self.refusal(key) is not None

    def refusal(self, key: ItemKey) -> Fault | None:
        """The partial failure that names this item; its `code`, if any, is the error to answer."""
        if not self._asked_partial:
            self._partial, self._asked_partial = self.meet(FaultKind.PARTIAL), True
        if self._partial is None or self._partial.items.isdisjoint((key[0], ":".join(key))):
            return None
        return self._partial

    def write(self, writes: Sequence[StockWrite], *, apply_delay: float = 0.0) -> None:
        """Books accepted numbers; see the module."""
        if self.meet(FaultKind.NOT_APPLIED):
            return
        self.ledger.write(
            self.shop,
            writes,
            source=self.operation.name,
            show_at=self.core.clock.after(float(self.shop.settings.get("display_delay", 0))),
            apply_at=self.core.clock.after(apply_delay) if apply_delay else None,
        )


Handler = Callable[[Call], Awaitable[Response]]
Identify = Callable[[Core, Request, bytes], Shop]


def endpoint(
    core: Core,
    mall: Mall,
    operation: Operation,
    handler: Handler,
    identify: Identify | None = None,
) -> Callable[[Request], Awaitable[Response]]:
    """A Starlette endpoint for an operation, with limits and faults held around the handler.

    `identify` finds the shop where the call carries other credentials than the mall's usual ones (token endpoints).
    """
    find_shop = identify or mall.identify

    async def answer(request: Request) -> Response:
        try:
            body = await read_body(request)
            shop = find_shop(core, request, body)
            call = Call(core, shop, operation, request, body)
            core.count(shop, operation.name)
            return await _held(call, mall, handler)
        except Refused as refused:
            return refused.response
        except ClientDisconnect:
            return NeverAnswered()

    return answer


async def read_body(request: Request) -> bytes:
    """Raises Refused (413) beyond MAX_BODY."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise Refused(Response("Payload Too Large", 413))
        parts.append(part)
    return b"".join(parts)


async def _held(call: Call, mall: Mall, handler: Handler) -> Response:
    refusal = _refusal(call, mall)
    if refusal is not None:
        return refusal
    if late := call.meet(FaultKind.LATE):
        call.core.do_later(late.seconds, lambda: handler(call))
        return NeverAnswered()
    response = await handler(call)
    if slow := call.meet(FaultKind.SLOW):
        await asyncio.sleep(slow.seconds)
    return _mangled(call, response)


def _refusal(call: Call, mall: Mall) -> Response | None:
    if call.meet(FaultKind.MAINTENANCE):
        return mall.maintenance(call)
    if call.meet(FaultKind.THROTTLE) or not _within_limits(call):
        return mall.throttled(call)
    if call.meet(FaultKind.EXPIRED):
        return mall.expired(call)
    if spurious := call.meet(FaultKind.SPURIOUS):
        return mall.spurious(call, spurious.code)
    return None


def _within_limits(call: Call) -> bool:
    if not call.shop.settings.get("limits", True):
        return True
    return all(call.core.limits.take(call.shop.key, limit) for limit in call.operation.limits)


def _mangled(call: Call, response: Response) -> Response:
    if call.meet(FaultKind.NO_ANSWER):
        return NeverAnswered()
    if call.meet(FaultKind.CUT):
        return CutShort()
    return half(response) if call.meet(FaultKind.MALFORMED) else response
