"""Whose pages may come with a cookie, which browsers send without being asked."""

from collections.abc import Collection

from starlette.requests import HTTPConnection

from api.encryption import is_encrypted


class Origins:
    """Those of a setting, and our own. Who is no browser names none. `public_url`: where browsers reach us."""

    def __init__(self, allowed: Collection[str], public_url: str) -> None:
        self._allowed = frozenset(allowed)
        self._public_url = public_url

    def allow(self, connection: HTTPConnection, *, named: bool = False) -> bool:
        """`named`: only where an origin is named at all."""
        origin = connection.headers.get("origin")
        if origin is None:
            return not named
        return origin in self._allowed or origin == self._own(connection)

    def _own(self, connection: HTTPConnection) -> str:
        """Scheme and all: what came unencrypted may have been changed on its way, and is no page of ours."""
        scheme = "https" if is_encrypted(connection, self._public_url) else "http"
        return f"{scheme}://{connection.headers.get('host', '')}"
