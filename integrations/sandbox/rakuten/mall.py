"""Rakuten's rules, keys and refusals (fact sheet §1, §6, §8)."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zlib import crc32

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from integrations.sandbox.clock import Clock
from integrations.sandbox.core import Call, Core, Mall, Refused
from integrations.sandbox.ledger import ItemKey, Shop

JST = timezone(timedelta(hours=9))
KEY_LIFE = timedelta(days=90)
GATEWAY_ERRORS = {
    "ES01-01": (401, "Un-Authorised"),
    "ES04-01": (400, "Bad Request"),
    "ES04-03": (415, "Unsupported Media Type"),
}
MAINTENANCE_PAGE = """<!DOCTYPE html>
<html lang="ja"><head><title>メンテナンス中</title></head>
<body><h1>ただいまメンテナンス中です</h1></body></html>"""


class Rakuten(Mall):
    name = "rakuten"
    first_status = "100"
    cancelled_status = "900"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def identify(self, core: Core, request: Request, body: bytes) -> Shop:
        secret, key = _esa(request.headers.get("authorization", ""))
        shop = core.ledger.shop_with(self.name, service_secret=secret, license_key=key)
        if shop is None or _moment(shop, "license_expires_at") < core.clock.now():
            raise Refused(unauthorised())
        if _moment(shop, "active_from") > core.clock.now():
            raise Refused(gateway_error("ES04-01"))
        return shop

    def throttled(self, call: Call) -> Response:
        return PlainTextResponse("Too Many Requests", 429)

    def maintenance(self, call: Call) -> Response:
        return HTMLResponse(MAINTENANCE_PAGE, 503)

    def expired(self, call: Call) -> Response:
        return unauthorised()

    def spurious(self, call: Call, code: str) -> Response:
        """Gateway codes in the gateway's shape; an order API code rides on a 200; others are a 500."""
        if code in GATEWAY_ERRORS:
            return gateway_error(code)
        if code == "GA0001":
            return unauthorised()
        if code.startswith("ORDER_EXT_API"):
            return JSONResponse({"MessageModelList": [message("ERROR", code, "System error")]})
        return errors(500, (code or "GE0001", "System error", ""))

    def credentials(self, seller: str, given: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        made_up = {
            "service_secret": f"SP{shop_id(seller)}_{secrets.token_urlsafe(12)}",
            "license_key": _license_key(seller),
            "license_expires_at": _expiry(now).isoformat(),
            "active_from": now.isoformat(),
        }
        return {**made_up, **given}

    def renewed(self, core: Core, shop: Shop, given: Mapping[str, Any]) -> dict[str, Any]:
        now, delay = core.clock.now(), float(shop.settings.get("activation_delay", 0))
        key = {
            "license_key": _license_key(shop.seller),
            "license_expires_at": _expiry(now).isoformat(),
            "active_from": core.clock.after(delay).isoformat(),
        }
        return {**shop.credentials, **key, **given}

    def expire(self, core: Core, shop: Shop) -> None:
        raise Refused(
            JSONResponse(
                {"error": {"code": "BAD_REQUEST", "message": "Rakuten has no access tokens."}}, 400
            )
        )

    def fold(self, item_code: str, variant_code: str) -> ItemKey:
        """manageNumber is folded to lower case, variantId kept (§2)."""
        return (item_code.lower(), variant_code)

    def order_number(self, seller: str, sequence: int, at: datetime) -> str:
        return f"{shop_id(seller)}-{at.astimezone(JST):%Y%m%d}-{sequence:010d}"


def switched_on(call: Call) -> None:
    """Raises Refused (ES04-01) when the merchant has not switched on this API function."""
    if call.operation.area in call.shop.settings.get("disabled_apis", []):
        raise Refused(gateway_error("ES04-01"))


def unauthorised() -> Response:
    return errors(401, ("GA0001", "Un-Authorised", ""))


def gateway_error(code: str) -> Response:
    status, words = GATEWAY_ERRORS[code]
    return JSONResponse({"Results": {"errorCode": code, "message": words}}, status)


def errors(status: int, *found: tuple[str, str, str]) -> Response:
    """Each: code, message, propertyPath ("" for none)."""
    return JSONResponse({"errors": [_error(*error) for error in found]}, status)


def message(kind: str, code: str, words: str) -> dict[str, str]:
    """One of the order API's MessageModelList."""
    return {"messageType": kind, "messageCode": code, "message": words}


def shown_time(moment: datetime) -> str:
    """ISO 8601 with +09:00, whole seconds."""
    return moment.astimezone(JST).replace(microsecond=0).isoformat()


def shop_id(seller: str) -> str:
    """Rakuten's six-digit shop number: the seller where it is one, else one made of it."""
    return seller if seller.isdigit() else f"{crc32(seller.encode()) % 900_000 + 100_000}"


def _error(code: str, words: str, path: str) -> dict[str, Any]:
    located = {"metadata": {"propertyPath": path}} if path else {}
    return {"code": code, "message": words} | located


def _esa(header: str) -> tuple[str, str]:
    """Service secret and licence key. Raises Refused."""
    scheme, _, packed = header.partition(" ")
    try:
        secret, _, key = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(unauthorised()) from error
    if scheme != "ESA":
        raise Refused(unauthorised())
    return secret, key


def _license_key(seller: str) -> str:
    return f"SL{shop_id(seller)}_{secrets.token_urlsafe(12)}"


def _expiry(now: datetime) -> datetime:
    """The last second of the ninetieth day, Japanese time."""
    last_day = (now + KEY_LIFE).astimezone(JST)
    return last_day.replace(hour=23, minute=59, second=59, microsecond=0)


def _moment(shop: Shop, name: str) -> datetime:
    return datetime.fromisoformat(shop.credentials[name])
