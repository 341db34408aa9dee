"""Who asks: everything is denied to whom no living token names.

A token comes in the header Authorization, on a socket also in connection_init. A browser may have its session's in a
cookie: that counts only from pages of allowed origins, and on a socket only where the page is named.
"""

import re
from collections.abc import Iterator

from starlette.requests import HTTPConnection

from api.context import Viewer
from api.cookies import SessionCookie
from api.errors import Code, Refused, refused
from api.origins import Origins
from domain.model.locales import Locale
from domain.services.callers import Authenticated, authenticate
from domain.store.database import Database

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,500}) *", re.IGNORECASE)
LANGUAGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([0-9.]{1,5}))?\s*")
HOW = (
    "Send a token in the header `Authorization: Bearer <token>` (on a socket also as `authorization` in the payload of "
    "connection_init), or sign in at /auth/sign-in. An owner of the account makes tokens and invites people."
)
REALM = 'Bearer realm="renkei"'


class Gate:
    """Lets in who holds a token that lives."""

    def __init__(self, db: Database, origins: Origins, cookie: SessionCookie) -> None:
        self._db = db
        self._origins = origins
        self._cookie = cookie

    def token(self, connection: HTTPConnection, authorization: str | None = None) -> str:
        """The one that a request or a socket comes with; `authorization` goes before its headers. Raises Refused."""
        given = authorization or connection.headers.get("authorization")
        cookie = None if given else self._cookie.read(connection)
        if cookie is None:
            return bearer(given)
        self.check_origin(connection)
        return cookie

    def check_origin(self, connection: HTTPConnection) -> None:
        """Raises Refused: a page of another origin, or on a socket of none that is named."""
        if not self._origins.allow(connection, named=connection.scope["type"] == "websocket"):
            raise refused(
                Code.ORIGIN_NOT_ALLOWED,
                "Pages of this origin may not sign in here, nor come with a cookie: name it in RENKEI_ALLOWED_ORIGINS.",
                403,
            )

    async def caller(self, token: str) -> Authenticated:
        """Raises Refused: it does not live."""
        authenticated = await authenticate(self._db, token)
        if authenticated is None:
            raise unauthenticated(
                "This token is unknown, revoked or expired. " + HOW,
                f'{REALM}, error="invalid_token"',
            )
        return authenticated

    async def viewer(self, token: str, languages: str | None) -> Viewer:
        """Raises Refused: it does not live."""
        caller = await self.caller(token)
        locale = locale_of(languages, caller.locale or Locale.JA)
        return Viewer(caller.account_id, caller.permissions, locale, caller.actor)


def bearer(authorization: str | None) -> str:
    """The token of the header. Raises Refused."""
    found = BEARER.fullmatch(authorization or "")
    if found is None:
        raise unauthenticated("Who are you? " + HOW, REALM)
    return found[1]


def locale_of(languages: str | None, otherwise: Locale = Locale.JA) -> Locale:
    """The better liked of our languages in an Accept-Language header; `otherwise` when it names neither."""
    ranked = sorted(_ranked(languages or ""), key=lambda found: -found[0])
    return next((locale for weight, locale in ranked if weight > 0), otherwise)


def _ranked(languages: str) -> Iterator[tuple[float, Locale]]:
    for part in languages[:1000].split(","):
        found = LANGUAGE.fullmatch(part)
        if found and found[1].upper() in Locale.__members__:
            yield _weight(found[2]), Locale(found[1].upper())


def _weight(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0


def unauthenticated(message: str, challenge: str) -> Refused:
    return refused(Code.UNAUTHENTICATED, message, 401, WWW_Authenticate=challenge)
