"""Who asks: everything is denied to whom no living token names."""

import re
from collections.abc import Iterator

from api.context import Viewer
from api.errors import Code, Refused, refused
from domain.model.locales import Locale
from domain.services.callers import Authenticated, authenticate
from domain.store.database import Database

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,500}) *", re.IGNORECASE)
LANGUAGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([0-9.]{1,5}))?\s*")
HOW = (
    "Send a token in the header `Authorization: Bearer <token>` (on a socket also as `authorization` in the payload of "
    "connection_init). An owner of the account makes tokens."
)
REALM = 'Bearer realm="renkei"'


class Gate:
    """Lets in who holds a token that lives."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def viewer(self, authorization: str | None, languages: str | None) -> Viewer:
        """Raises Refused: no token, or one that does not live."""
        token = bearer(authorization)
        authenticated = await authenticate(self._db, token)
        if authenticated is None:
            raise _unauthenticated(
                "This token is unknown, revoked or expired. " + HOW,
                f'{REALM}, error="invalid_token"',
            )
        return viewer_of(authenticated, locale_of(languages))


def viewer_of(authenticated: Authenticated, locale: Locale) -> Viewer:
    return Viewer(authenticated.account_id, authenticated.permissions, locale, authenticated.actor)


def bearer(authorization: str | None) -> str:
    """The token of the header. Raises Refused."""
    found = BEARER.fullmatch(authorization or "")
    if found is None:
        raise _unauthenticated("Who are you? " + HOW, REALM)
    return found[1]


def locale_of(languages: str | None) -> Locale:
    """The better liked of our languages in an Accept-Language header; Japanese when it names neither."""
    ranked = sorted(_ranked(languages or ""), key=lambda found: -found[0])
    return next((locale for weight, locale in ranked if weight > 0), Locale.JA)


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


def _unauthenticated(message: str, challenge: str) -> Refused:
    return refused(Code.UNAUTHENTICATED, message, 401, WWW_Authenticate=challenge)
