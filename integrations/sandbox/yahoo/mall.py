"""Yahoo's rules, tokens and refusals (fact sheet §1, §6, §8)."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from integrations.sandbox.clock import Clock
from integrations.sandbox.core import Call, Core, Mall, Refused
from integrations.sandbox.ledger import Item, NewItem, Order, Shop
from integrations.sandbox.yahoo import errors, signature

CALLS_A_DAY = 50_000
TOKENS = "access_token"
STOCK_OUT = "stock_out"


class Yahoo(Mall):
    name = "yahoo"
    first_status = "2"
    cancelled_status = "4"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def identify(self, core: Core, request: Request, body: bytes) -> Shop:
        """Counts the application's calls of the day before anything else."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = core.ledger.record(self.name, TOKENS, token)
        if scheme != "Bearer" or known is None:
            raise Refused(errors.bad_token("invalid_token", "invalid token"))
        shop = core.ledger.shop(self.name, known["seller"])
        application = (self.name, shop.credentials["client_id"])
        per_day = int(shop.settings.get("calls_a_day", CALLS_A_DAY))
        within = core.limits.take_of_day(application, per_day)
        if not within and shop.settings.get("limits", True):
            raise Refused(errors.forbidden())
        if datetime.fromisoformat(known["expires_at"]) <= core.clock.now():
            raise Refused(errors.bad_token("invalid_token", "expired token"))
        return shop

    def throttled(self, call: Call) -> Response:
        return errors.forbidden()

    def maintenance(self, call: Call) -> Response:
        return errors.by_code("ed-00002")

    def expired(self, call: Call) -> Response:
        return errors.bad_token("invalid_token", "expired token")

    def spurious(self, call: Call, code: str) -> Response:
        return errors.by_code(code)

    def credentials(self, seller: str, given: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        application = {
            "client_id": f"dj00aiZp{secrets.token_hex(8)}",
            "client_secret": secrets.token_hex(20),
        }
        keys = {} if "public_key" in given else signature.new_key_pair(now)
        return {**application, **consent(now), **keys, **given}

    def renewed(self, core: Core, shop: Shop, given: Mapping[str, Any]) -> dict[str, Any]:
        self.expire(core, shop)
        now = core.clock.now()
        return {**shop.credentials, **consent(now), **signature.new_key_pair(now), **given}

    def expire(self, core: Core, shop: Shop) -> None:
        """The access tokens given out stay known, as expired ones."""
        now = core.clock.now().isoformat()
        for token, known in core.ledger.records(self.name, TOKENS, shop.seller).items():
            expired = known | {"expires_at": now}
            core.ledger.put_record(self.name, TOKENS, token, expired, shop.seller)

    def order_number(self, seller: str, sequence: int, at: datetime) -> str:
        return f"{seller}-{10_000_000 + sequence}"

    def restocks(self, item: Item) -> bool:
        return bool(item.attributes.get("keep_stock", False))

    def sells(self, item: Item) -> bool:
        """A closed item (stock-close) stays sold out whatever its quantity (§8)."""
        return not (item.attributes.get("stock_close") or item.attributes.get("ghost"))

    def cancel(
        self, core: Core, shop: Shop, order: Order, *, restock: bool | None, reason: str
    ) -> Order:
        """A cancel because the item is out of stock closes it (§8)."""
        cancelled = super().cancel(core, shop, order, restock=restock, reason=reason)
        if reason == STOCK_OUT:
            core.ledger.put_items(shop, _closed(core, shop, order))
        return cancelled


def consent(now: datetime) -> dict[str, str]:
    """A fresh consent of the store: its refresh token, and when the session began."""
    return {"refresh_token": secrets.token_urlsafe(32), "consented_at": now.isoformat()}


def life(shop: Shop, name: str, default: timedelta) -> timedelta:
    """A life time of the shop's settings, in seconds of real time."""
    return timedelta(seconds=float(shop.settings.get(name, default.total_seconds())))


def save_consent(core: Core, shop: Shop, granted: Mapping[str, str]) -> Shop:
    return core.ledger.save_shop(replace(shop, credentials={**shop.credentials, **granted}))


def _closed(core: Core, shop: Shop, order: Order) -> list[NewItem]:
    items = core.ledger.found(shop, {line.key for line in order.lines}).values()
    return [
        NewItem(*item.key, item.name, item.quantity, {**item.attributes, "stock_close": True})
        for item in items
    ]
