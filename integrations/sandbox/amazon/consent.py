"""The page on which a seller lets an application in, and the codes it gives (amazon sheet §1).

`/amazon-auth/apps/authorize/consent` stands for Seller Central. Instead of a sign-in, the page has one button for each
seller of the application. It leads back to `redirect_uri` (or the shop's setting of that name) with `state`,
`selling_partner_id` and `spapi_oauth_code`, which is good once and for five minutes (website authorization workflow,
developer-docs.amazon.com).
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon.wire import NAME
from integrations.sandbox.core import Core, Refused, read_body
from integrations.sandbox.ledger import Shop

CODES = "consent_code"
CODE_LIVES = timedelta(minutes=5)
UNKNOWN_APPLICATION = "MD1000: application_id が見つかりません / unknown application_id"
UNKNOWN_ADDRESS = "MD5101: redirect_uri が登録されていません / redirect_uri is not registered"
PAGE = """<!doctype html>
<html lang="ja"><meta charset="utf-8"><title>Amazon (sandbox)</title>
<h1>アプリケーションの承認 / Authorize the application</h1>
<p>{application} が、あなたの出品用アカウントの商品・在庫・注文の情報を利用することを承認しますか。<br>
Do you authorize {application} to use the listings, stock and orders of your seller account?</p>
{buttons}
</html>"""
BUTTON = """<form method="post"><button name="selling_partner_id" value="{seller}">
{seller} として承認する / Authorize as {seller}</button></form>"""


@dataclass(frozen=True, slots=True)
class Consent:
    """The page and its button, over one core."""

    core: Core

    def routes(self) -> list[BaseRoute]:
        path = "/apps/authorize/consent"
        return [
            Route(path, self.show, methods=["GET"]),
            Route(path, self.give, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        shops = self._sellers(request)
        if not shops:
            return HTMLResponse(UNKNOWN_APPLICATION, 400)
        buttons = "\n".join(BUTTON.format(seller=escape(shop.seller)) for shop in shops)
        application = escape(request.query_params["application_id"])
        return HTMLResponse(PAGE.format(application=application, buttons=buttons))

    async def give(self, request: Request) -> Response:
        try:
            fields = parse_qs((await read_body(request)).decode("utf-8", "replace"))
        except Refused as refused:
            return refused.response
        for shop in self._sellers(request):
            if [shop.seller] == fields.get("selling_partner_id"):
                return self._back(request, shop)
        return HTMLResponse(UNKNOWN_APPLICATION, 400)

    def _sellers(self, request: Request) -> list[Shop]:
        application = request.query_params.get("application_id")
        shops = self.core.ledger.shops(NAME)
        return [shop for shop in shops if shop.credentials["application_id"] == application]

    def _back(self, request: Request, shop: Shop) -> Response:
        uri = request.query_params.get("redirect_uri") or str(shop.settings.get("redirect_uri", ""))
        if urlsplit(uri).scheme not in ("http", "https"):
            return HTMLResponse(UNKNOWN_ADDRESS, 400)
        given = {
            "state": request.query_params.get("state", ""),
            "selling_partner_id": shop.seller,
            "spapi_oauth_code": new_code(self.core, shop, uri),
        }
        return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{urlencode(given)}", 302)


def new_code(core: Core, shop: Shop, redirect_uri: str) -> str:
    """The seller's earlier codes die."""
    code = secrets.token_urlsafe(16)
    until = (core.clock.now() + CODE_LIVES).timestamp()
    kept = {"seller": shop.seller, "redirect_uri": redirect_uri, "until": until}
    core.ledger.drop_records(NAME, CODES, shop.seller)
    core.ledger.put_record(NAME, CODES, code, kept, shop.seller)
    return code


def living_code(core: Core, code: str) -> dict[str, Any] | None:
    """The seller and the redirect_uri it was given for; None when it is dead, spent or unknown."""
    kept = core.ledger.record(NAME, CODES, code)
    if kept is None or kept["until"] <= core.clock.now().timestamp():
        return None
    return kept


def spend(core: Core, code: str) -> None:
    core.ledger.drop_record(NAME, CODES, code)
