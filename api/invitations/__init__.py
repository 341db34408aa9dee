"""招待 The page on which an invited person chooses a password, for accounts whose frontend has none of its own.

The invitation stands behind # in its address: it never leaves the browser but in the one request that uses it up.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from api.auth import locale_of
from domain.model.locales import Locale
from domain.model.passwords import LEAST, MOST

SCRIPT = Path(__file__).with_name("page.js")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "vary": "Accept-Language",
}

TEXTS: Mapping[Locale, Mapping[str, str]] = MappingProxyType(
    {
        Locale.JA: {
            "title": "パスワードの設定",
            "password": f"新しいパスワード（{LEAST}文字以上{MOST}文字以内）",
            "save": "設定する",
            "done": "設定しました。{email} でサインインできます。",
            "failed": "通信できませんでした。もう一度お試しください。",
        },
        Locale.EN: {
            "title": "Choose a password",
            "password": f"New password ({LEAST} to {MOST} characters)",
            "save": "Save",
            "done": "Saved. You can sign in as {email}.",
            "failed": "The server could not be reached. Try again.",
        },
    }
)


def routes() -> list[Route]:
    return [Route("/auth/invitation", _page), Route("/auth/invitation.js", _script)]


async def _page(request: Request) -> Response:
    locale = locale_of(request.headers.get("accept-language"))
    words = {name: escape(text) for name, text in TEXTS[locale].items()}
    words["lang"] = locale.value.lower()
    return HTMLResponse(
        '<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>{title}</title>'
        '<script src="/auth/invitation.js" defer></script><h1>{title}</h1>'
        '<form method="post" data-done="{done}" data-failed="{failed}"><label>{password}<br>'
        '<input name="password" type="password" autocomplete="new-password" required></label> '
        "<button>{save}</button></form><output></output></html>".format_map(words),
        headers=HEADERS,
    )


async def _script(request: Request) -> Response:
    return FileResponse(SCRIPT, headers={"cache-control": "no-cache"})
