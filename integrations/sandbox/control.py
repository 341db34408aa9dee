"""The sandbox's own JSON API under /_control: what merchants, shoppers and mishaps do at the malls.

It belongs to no mall. Every body names `mall` and `seller`; refusals answer {"error": {"code", "message"}}.

    POST   shops     {credentials?, settings?}                 → 201 {mall, seller, credentials, settings}
    POST   settings  {settings}                                → changes some of the shop's settings
    PUT    items     {items: [{item_code, variant_code?, name?, quantity?, attributes?}]} no quantity: the counter stays
    POST   stock     {item_code, variant_code?, quantity}        the merchant edits a number by hand
    POST   look      {items: [{item_code, variant_code?}]}     → items: what the mall would sell of each now; faults: kinds
    POST   purchase  {lines: [{item_code, variant_code?, quantity}], status?, details?} → 201 {number}; 409 SOLD_OUT with
                                                                 `item_code`, `variant_code` and `left` of the line
    POST   status    {number, status}                            the order moves on, in the mall's own words
    POST   cancel    {number, restock?, reason?}               `restock` overrides the item's setting
    POST   cut       {number, item_code, variant_code?, by}
    POST   add       {number, item_code, variant_code?, by}      the store adds units to the order; 409 SOLD_OUT
    POST   split     {number, item_code, variant_code?, by}      → 201 {parent, child}; units move to an order of their own
    POST   faults    {kind, on?, calls?, items?, seconds?, code?} → 201 {number}; kinds: see faults.py
    DELETE faults    {kind?}                                   → {lifted}
    POST   renew     {credentials?}                            → {credentials}; lifts the fault "expired"
    POST   expire    {}                                          access tokens given out so far die
    GET    state     ?mall=&seller=                            → items, orders, requests, writes, faults
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from integrations.sandbox.core import Core, Mall, Refused, read_body
from integrations.sandbox.faults import Fault, FaultKind
from integrations.sandbox.ledger import (
    Item,
    ItemKey,
    NewItem,
    Order,
    Shop,
    SoldOut,
    StockWrite,
    Unknown,
)

BAD_REQUEST = "BAD_REQUEST"


class Bad(Exception):
    """The body is not what the route takes; the message says what it should be."""


class Closed(Exception):
    """The order is cancelled: no mall opens it again."""


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object whose fields are read by type."""

    fields: Mapping[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        return str(self._of(str, name, default, "text"))

    def number(self, name: str, default: int | None = None) -> int:
        return int(self._of(int, name, default, "a whole number"))

    def seconds(self, name: str) -> float:
        return float(self._of((int, float), name, 0, "a number of seconds"))

    def flag(self, name: str) -> bool | None:
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise Bad(f"`{name}` must be true or false.")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        return dict(self._of(dict, name, {}, "an object"))

    def texts(self, name: str) -> frozenset[str]:
        values = self._of(list, name, [], "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise Bad(f"`{name}` must be a list of texts.")
        return frozenset(values)

    def bodies(self, name: str) -> list["Body"]:
        values = self._of(list, name, None, "a list of objects")
        if not values or not all(isinstance(value, dict) for value in values):
            raise Bad(f"`{name}` must be a list of at least one object.")
        return [Body(value) for value in values]

    def _of(self, kind: Any, name: str, default: Any, words: str) -> Any:
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Bad(f"`{name}` must be {words}.")
        return value


@dataclass(frozen=True, slots=True)
class At:
    """Where a request of the control API works."""

    core: Core
    mall: Mall
    seller: str
    body: Body

    @property
    def shop(self) -> Shop:
        return self.core.ledger.shop(self.mall.name, self.seller)

    def key_in(self, body: Body) -> ItemKey:
        return self.mall.fold(body.text("item_code"), body.text("variant_code", ""))


def add_shop(at: At) -> Response:
    credentials = at.mall.credentials(at.seller, at.body.mapping("credentials"))
    shop = Shop(at.mall.name, at.seller, credentials, at.body.mapping("settings"))
    return JSONResponse(asdict(at.core.ledger.save_shop(shop)), 201)


def change_settings(at: At) -> Response:
    settings = {**at.shop.settings, **at.body.mapping("settings")}
    at.core.ledger.save_shop(replace(at.shop, settings=settings))
    return JSONResponse({"settings": settings})


def put_items(at: At) -> Response:
    bodies = {at.key_in(body): body for body in at.body.bodies("items")}
    counted = at.core.ledger.found(at.shop, bodies)
    items = [_new_item(key, body, counted.get(key)) for key, body in bodies.items()]
    at.core.ledger.put_items(at.shop, items)
    return JSONResponse({"items": len(items)})


def edit_stock(at: At) -> Response:
    key = at.key_in(at.body)
    if at.core.ledger.item(at.shop, key) is None:
        raise Unknown(f"There is no item {':'.join(key)!r}.")
    write = StockWrite(key, at.body.number("quantity"))
    at.core.ledger.write(at.shop, [write], source="merchant")
    return JSONResponse({"quantity": write.quantity})


def look(at: At) -> Response:
    """Of items that there are; the others are left out."""
    found = at.core.ledger.found(at.shop, [at.key_in(body) for body in at.body.bodies("items")])
    return JSONResponse(
        {
            "items": [
                {"item_code": key[0], "variant_code": key[1], "quantity": item.quantity}
                for key, item in found.items()
            ],
            "faults": sorted({fault.kind.value for fault in at.core.faults.of(at.shop.key)}),
        }
    )


def purchase(at: At) -> Response:
    lines = [(at.key_in(line), line.number("quantity")) for line in at.body.bodies("lines")]
    if any(quantity < 1 for _, quantity in lines):
        raise Bad("`quantity` must be at least 1.")
    now = at.core.clock.now()
    order = at.core.ledger.place(
        at.shop,
        lines,
        at.mall,
        number=lambda sequence: at.mall.order_number(at.seller, sequence, now),
        status=at.body.text("status", at.mall.first_status),
        visible_at=now + _order_delay(at),
        details=at.body.mapping("details"),
    )
    return JSONResponse(_order_shown(order), 201)


def move_on(at: At) -> Response:
    order = at.core.ledger.order(at.shop, at.body.text("number"))
    if not order.open:
        raise Closed(f"The order {order.number} is cancelled.")
    moved = replace(order, status=at.body.text("status"), updated_at=at.core.clock.now())
    at.core.ledger.save_order(at.shop, moved)
    return JSONResponse(_order_shown(moved))


def cancel(at: At) -> Response:
    order = at.core.ledger.order(at.shop, at.body.text("number"))
    if not order.open:
        raise Closed(f"The order {order.number} is cancelled.")
    restock, reason = at.body.flag("restock"), at.body.text("reason", "")
    cancelled = at.mall.cancel(at.core, at.shop, order, restock=restock, reason=reason)
    return JSONResponse(_order_shown(cancelled))


def cut(at: At) -> Response:
    order, key, units = _part_of_order(at)
    cut_order = at.core.ledger.release(at.shop, order, key, units, restock=at.mall.restocks)
    return JSONResponse(_order_shown(cut_order))


def add(at: At) -> Response:
    order, units = at.core.ledger.order(at.shop, at.body.text("number")), at.body.number("by")
    if not order.open:
        raise Closed(f"The order {order.number} is cancelled.")
    if units < 1:
        raise Bad("`by` must be at least 1.")
    grown = at.core.ledger.add(at.shop, order, at.key_in(at.body), units, at.mall)
    return JSONResponse(_order_shown(grown))


def split(at: At) -> Response:
    order, key, units = _part_of_order(at)

    def number(sequence: int) -> str:
        return at.mall.order_number(at.seller, sequence, at.core.clock.now())

    parent, child = at.core.ledger.split(at.shop, order, key, units, number)
    return JSONResponse({"parent": _order_shown(parent), "child": _order_shown(child)}, 201)


def add_fault(at: At) -> Response:
    fault = Fault(
        _kind(at.body.text("kind")),
        at.body.texts("on"),
        at.body.number("calls") if "calls" in at.body.fields else None,
        at.body.texts("items"),
        at.body.seconds("seconds"),
        at.body.text("code", ""),
    )
    return JSONResponse(_fault_shown(at.core.faults.add(at.shop.key, fault)), 201)


def lift_faults(at: At) -> Response:
    kind = at.body.text("kind", "")
    lifted = at.core.faults.lift(at.shop.key, _kind(kind) if kind else None)
    return JSONResponse({"lifted": lifted})


def renew(at: At) -> Response:
    credentials = at.mall.renewed(at.core, at.shop, at.body.mapping("credentials"))
    at.core.ledger.save_shop(replace(at.shop, credentials=credentials))
    at.core.faults.lift(at.shop.key, FaultKind.EXPIRED)
    return JSONResponse({"credentials": credentials})


def expire(at: At) -> Response:
    at.mall.expire(at.core, at.shop)
    return JSONResponse({})


def state(at: At) -> Response:
    ledger, shop = at.core.ledger, at.shop
    return JSONResponse(
        {
            "items": [_item_shown(item) for item in ledger.items(shop)],
            "orders": [_order_shown(order) for order in ledger.orders(shop, hidden=True)],
            "requests": at.core.requests_of(shop),
            "writes": [
                asdict(written) | {"at": written.at.isoformat()} for written in ledger.written(shop)
            ],
            "faults": [_fault_shown(fault) for fault in at.core.faults.of(shop.key)],
            "settings": dict(shop.settings),
        }
    )


ROUTES: tuple[tuple[str, str, Callable[[At], Response]], ...] = (
    ("POST", "/shops", add_shop),
    ("POST", "/settings", change_settings),
    ("PUT", "/items", put_items),
    ("POST", "/stock", edit_stock),
    ("POST", "/look", look),
    ("POST", "/purchase", purchase),
    ("POST", "/status", move_on),
    ("POST", "/cancel", cancel),
    ("POST", "/cut", cut),
    ("POST", "/add", add),
    ("POST", "/split", split),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", lift_faults),
    ("POST", "/renew", renew),
    ("POST", "/expire", expire),
    ("GET", "/state", state),
)


def routes(core: Core) -> list[BaseRoute]:
    return [
        Mount(
            "/_control",
            routes=[
                Route(path, _endpoint(core, handler), methods=[method])
                for method, path, handler in ROUTES
            ],
        )
    ]


def _endpoint(
    core: Core, handler: Callable[[At], Response]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return handler(_at(core, Body(await _fields(request))))
        except Bad as error:
            return _error(400, BAD_REQUEST, error)
        except Unknown as error:
            return _error(404, "NOT_FOUND", error)
        except SoldOut as error:
            return _sold_out(error)
        except Closed as error:
            return _error(409, "CLOSED", error)
        except Refused as refused:
            return refused.response

    return answer


async def _fields(request: Request) -> dict[str, Any]:
    """The query's fields with the body's over them."""
    raw = await read_body(request)
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise Bad(f"The body must be JSON: {error}") from error
    if not isinstance(body, dict):
        raise Bad("The body must be a JSON object.")
    return dict(request.query_params) | body


def _at(core: Core, body: Body) -> At:
    name = body.text("mall")
    if name not in core.malls:
        raise Bad(f"`mall` must be one of {', '.join(core.malls)}.")
    return At(core, core.malls[name], body.text("seller"), body)


def _part_of_order(at: At) -> tuple[Order, ItemKey, int]:
    """An order, one of its items, and how many units of it: at least one, at most all that are left."""
    order = at.core.ledger.order(at.shop, at.body.text("number"))
    key, units = at.key_in(at.body), at.body.number("by")
    left = [line.quantity for line in order.lines if line.key == key]
    if not left or not 1 <= units <= max(left):
        raise Bad("The order must hold the item, and `by` be 1 to the units left of it.")
    return order, key, units


def _order_delay(at: At) -> timedelta:
    """The mall's own, or the fault's: that is real time at any speed, as with all that is late or slow by a fault."""
    late = at.core.faults.meet(at.shop.key, FaultKind.LATE_ORDERS, frozenset({"orders"}))
    if late is not None:
        return timedelta(seconds=late.seconds)
    return at.core.clock.delay(float(at.shop.settings.get("order_delay", 0)))


def _kind(name: str) -> FaultKind:
    try:
        return FaultKind(name)
    except ValueError as error:
        raise Bad(f"`kind` must be one of {', '.join(FaultKind)}.") from error


def _new_item(key: ItemKey, body: Body, before: Item | None) -> NewItem:
    quantity = body.number("quantity", before.quantity if before else 0)
    return NewItem(*key, body.text("name", ""), quantity, body.mapping("attributes"))


def _item_shown(item: Item) -> dict[str, Any]:
    times = {"created_at": item.created_at.isoformat(), "updated_at": item.updated_at.isoformat()}
    return asdict(item) | times


def _order_shown(order: Order) -> dict[str, Any]:
    names = ("placed_at", "visible_at", "updated_at")
    return asdict(order) | {name: getattr(order, name).isoformat() for name in names}


def _fault_shown(fault: Fault) -> dict[str, Any]:
    return asdict(fault) | {"on": sorted(fault.on), "items": sorted(fault.items)}


def _sold_out(error: SoldOut) -> Response:
    item = {"item_code": error.key[0], "variant_code": error.key[1], "left": error.left}
    return _error(409, "SOLD_OUT", error, **item)


def _error(status: int, code: str, error: Exception, **facts: object) -> Response:
    return JSONResponse({"error": {"code": code, "message": str(error), **facts}}, status)
