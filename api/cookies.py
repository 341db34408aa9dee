"""The cookie of a session: kept from scripts, from other sites' requests, and from unencrypted ways where there are others."""

from datetime import datetime

from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.encryption import is_encrypted

NAME = "renkei"


class SessionCookie:
    """`public_url`: where browsers reach us."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def read(self, connection: HTTPConnection) -> str | None:
        return connection.cookies.get(self._name(connection))

    def give(
        self, response: Response, connection: HTTPConnection, token: str, until: datetime
    ) -> None:
        self._set(response, connection, token, expires=until)

    def take(self, response: Response, connection: HTTPConnection) -> None:
        self._set(response, connection, "", expires=0)

    def _set(
        self,
        response: Response,
        connection: HTTPConnection,
        value: str,
        expires: datetime | int,
    ) -> None:
        response.set_cookie(
            self._name(connection),
            value,
            expires=expires,
            path="/",
            secure=is_encrypted(connection, self._public_url),
            httponly=True,
            samesite="lax",
        )

    def _name(self, connection: HTTPConnection) -> str:
        """`__Host-`: taken by browsers from us alone, and never over an unencrypted way."""
        return f"__Host-{NAME}" if is_encrypted(connection, self._public_url) else NAME
