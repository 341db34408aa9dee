"""Yahoo! ID連携 v2: the consent page and the token endpoint (fact sheet §1).

Access tokens live an hour, the consent four weeks; refreshing does not lengthen it. A code is good once, for ten minutes.
"""

import base64
import binascii
import html
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from integrations.sandbox.core import Call, Core, Refused, read_body
from integrations.sandbox.faults import FaultKind
from integrations.sandbox.ledger import Shop
from integrations.sandbox.yahoo.mall import TOKENS, consent, life, save_consent

MALL = "yahoo"
CODE = "code"
CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(weeks=4)
ASKED = ("response_type", "client_id", "redirect_uri", "scope", "state")
PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>Yahoo! JAPAN (sandbox)</title></head>
<body><h1>アクセスの許可 / Consent</h1>
<p>このアプリケーションにストアへのアクセスを許可しますか。<br>
Do you allow this application to work on your store?</p>
<form method="post">{fields}{buttons}</form></body></html>"""
BUTTON = '<p><button name="seller" value="{seller}">{seller}: 同意する / Agree</button></p>'
FIELD = '<input type="hidden" name="{name}" value="{value}">'


class Consent:
    """The page on which the store's owner agrees; one button a store of the application."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def page(self, request: Request) -> Response:
        asked = request.query_params
        shops = self._shops(asked)
        if not shops:
            return _unknown_application()
        fields = [FIELD.format(name=n, value=html.escape(asked.get(n, ""))) for n in ASKED]
        buttons = [BUTTON.format(seller=html.escape(shop.seller)) for shop in shops]
        return HTMLResponse(PAGE.format(fields="".join(fields), buttons="".join(buttons)))

    async def agree(self, request: Request) -> Response:
        """Sends the browser back with a code and the state it came with."""
        agreed = {**request.query_params, **form(await read_body(request))}
        sellers = [shop.seller for shop in self._shops(agreed)]
        if agreed.get("seller", "") not in sellers:
            return _unknown_application()
        back = {"code": self._code(agreed), "state": agreed.get("state", "")}
        return RedirectResponse(_with(agreed["redirect_uri"], back), 302)

    def _shops(self, asked: Mapping[str, str]) -> list[Shop]:
        if asked.get("response_type") != "code" or not asked.get("redirect_uri"):
            return []
        shops = self._core.ledger.shops(MALL)
        return [shop for shop in shops if shop.credentials["client_id"] == asked.get("client_id")]

    def _code(self, agreed: Mapping[str, str]) -> str:
        code = secrets.token_urlsafe(12)
        names = ("seller", "redirect_uri")
        body = {name: agreed[name] for name in names} | {"at": self._core.clock.now().isoformat()}
        self._core.ledger.put_record(MALL, CODE, code, body, agreed["seller"])
        return code


def client(core: Core, request: Request, body: bytes) -> Shop:
    """The shop that a token request is for: by its code or refresh token, and the application's own credentials."""
    asked = form(body)
    shop = _granted(core, asked)
    if shop is None:
        raise Refused(refused(400, "invalid_grant"))
    if _basic(request) != (shop.credentials["client_id"], shop.credentials["client_secret"]):
        raise Refused(refused(401, "invalid_client"))
    return shop


async def token(call: Call) -> Response:
    """Changes a code or a refresh token into an access token."""
    shop = call.shop
    if call.core.faults.holds(shop.key, FaultKind.EXPIRED):
        return refused(400, "invalid_grant")
    asked = form(call.body)
    if asked["grant_type"] == "authorization_code":
        call.ledger.drop_record(MALL, CODE, asked["code"])
        shop = save_consent(call.core, shop, consent(call.now))
        return JSONResponse(_tokens(call, shop) | {"refresh_token": _refresh_token(shop)})
    if _moment(shop.credentials["consented_at"]) + life(shop, "refresh_life", REFRESH_LIFE) <= (
        call.now
    ):
        return refused(400, "invalid_grant")
    return JSONResponse(_refreshed(call, shop))


def form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def refused(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason, "error_description": reason.replace("_", " ")}, status)


def _granted(core: Core, asked: Mapping[str, str]) -> Shop | None:
    if asked.get("grant_type") == "refresh_token" and asked.get("refresh_token"):
        return core.ledger.shop_with(MALL, refresh_token=asked["refresh_token"])
    if asked.get("grant_type") != "authorization_code":
        raise Refused(refused(400, "unsupported_grant_type"))
    given = core.ledger.record(MALL, CODE, asked.get("code", ""))
    if given is None or given["redirect_uri"] != asked.get("redirect_uri"):
        return None
    if _moment(given["at"]) + CODE_LIFE <= core.clock.now():
        return None
    return core.ledger.shop(MALL, given["seller"])


def _refreshed(call: Call, shop: Shop) -> dict[str, str | int]:
    """No new refresh token comes back, unless the shop's setting `rotate_refresh` says so."""
    if not shop.settings.get("rotate_refresh", False):
        return _tokens(call, shop)
    shop = save_consent(call.core, shop, {"refresh_token": secrets.token_urlsafe(32)})
    return _tokens(call, shop) | {"refresh_token": _refresh_token(shop)}


def _tokens(call: Call, shop: Shop) -> dict[str, str | int]:
    token, lives = secrets.token_urlsafe(32), life(shop, "access_life", ACCESS_LIFE)
    known = {
        "seller": shop.seller,
        "consented_at": shop.credentials["consented_at"],
        "expires_at": (call.now + lives).isoformat(),
    }
    call.ledger.put_record(MALL, TOKENS, token, known, shop.seller)
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(lives.total_seconds()),
    }


def _refresh_token(shop: Shop) -> str:
    return str(shop.credentials["refresh_token"])


def _basic(request: Request) -> tuple[str, str]:
    _, _, packed = request.headers.get("authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return client_id, secret


def _with(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _unknown_application() -> Response:
    return HTMLResponse("<h1>invalid_request</h1>", 400)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
