"""Where a mall sends the seller's browser back after consent: keeps the code, and sends the browser on."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.auth import locale_of
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.malls import MallKind
from domain.services.consents import consent_returned
from domain.services.credentials import Vault
from domain.store.database import Database

CODE_NAMES = ("code", "spapi_oauth_code")
"""How the malls call what they return with: OAuth's own name, and Amazon's."""

POLICY = "default-src 'none'; frame-ancestors 'none'"

log = structlog.get_logger(__name__)

TEXTS: Mapping[Locale, tuple[str, str]] = MappingProxyType(
    {
        Locale.JA: (
            "モールとの連携を確認できませんでした",
            "この認可は無効か、すでに使われたか、開始から10分以上が経過しています。"
            "店舗の設定画面に戻り、もう一度やり直してください。",
        ),
        Locale.EN: (
            "The mall's consent could not be taken",
            "It is not known here, was used already, or was begun more than 10 minutes ago. "
            "Go back to the shop's settings and start it again.",
        ),
    }
)


def route(
    db: Database, vault: Vault, allowed_origins: Collection[str], now: Callable[[], datetime]
) -> Route:
    """GET /connect/{mall}: answers a redirect to an allowed origin, or a page that says what to do."""

    async def come_back(request: Request) -> Response:
        given = request.query_params
        code = next((given[name] for name in CODE_NAMES if given.get(name)), None)
        try:
            MallKind(request.path_params["mall"].upper())
            url = await consent_returned(db, vault, given.get("state", ""), code, now=now())
        except (DomainError, ValueError) as error:
            log.info("consent_refused", reason=type(error).__name__)
            return _page(request)
        return _redirect(url) if origin_of(url) in allowed_origins else _page(request)

    return Route("/connect/{mall}", come_back)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _redirect(url: str) -> Response:
    """The address we were called at holds the code: nobody further is told it."""
    headers = {"referrer-policy": "no-referrer", "cache-control": "no-store"}
    return RedirectResponse(url, 303, headers)


def _page(request: Request) -> Response:
    locale = locale_of(request.headers.get("accept-language"))
    title, text = (escape(each) for each in TEXTS[locale])
    return HTMLResponse(
        f'<!doctype html><html lang="{locale.value.lower()}"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{text}</p></html>",
        400,
        {
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
        },
    )
