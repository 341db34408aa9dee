"""Whose pages may come with a cookie, which browsers send without being asked."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


class Origins:
    """Those of a setting, and our own. Who is no browser names none."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def allow(self, connection: HTTPConnection, *, named: bool = False) -> bool:
        """`named`: only where an origin is named at all."""
        origin = connection.headers.get("origin")
        if origin is None:
            return not named
        return origin in self._allowed or self._is_own(origin, connection)

    def _is_own(self, origin: str, connection: HTTPConnection) -> bool:
        try:
            return urlsplit(origin).netloc == connection.headers.get("host")
        except ValueError:
            return False
