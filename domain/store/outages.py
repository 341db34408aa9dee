"""A database that is away: told once when it goes and once when it is back, however many ask for it meanwhile."""

from dataclasses import dataclass
from time import monotonic
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

GONE = ("08", "53", "57P")
"""Classes of SQLSTATE: connection lost, no room left, shutting down."""

log = structlog.get_logger(__name__)


def sqlstate(error: BaseException) -> str | None:
    """The five characters by which PostgreSQL names a failure, through SQLAlchemy's wrapping."""
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlstate", None)


def out_of_reach(error: BaseException) -> bool:
    """Not what was asked is the matter, but that nobody is there to answer it: worth another try.

    asyncpg loses its way (InternalClientError) where a server says goodbye to a connection as it is asked something.
    """
    if isinstance(error, (PoolTimeout, OSError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True
    return (sqlstate(error) or "").startswith(GONE)


@dataclass(slots=True)
class Outage:
    """Of one database, as this process finds it. `_since`: seconds of this host's clock; None: it is there."""

    _since: float | None = None

    def begun(self, error: BaseException) -> None:
        """Nobody answers: that is told, unless it was."""
        if self._since is None:
            self._since = monotonic()
            log.warning("database_away", error=f"{type(error).__name__}: {error}")

    def over(self) -> None:
        """It has answered."""
        if self._since is not None:
            log.warning("database_back", away_seconds=round(monotonic() - self._since, 1))
            self._since = None

    def failed(self, event: str, error: Exception, **facts: object) -> None:
        """What goes round has failed, and goes on: with its traceback, unless it is the database that is away."""
        if self._is_cause_of(error):
            self.begun(error)
        else:
            log.error(event, exc_info=error, **facts)

    def _is_cause_of(self, error: Exception) -> bool:
        """While it is there, only a connection that broke says that it went: files fail with an OSError too."""
        of_connection = not isinstance(error, OSError) or isinstance(error, ConnectionError)
        return out_of_reach(error) and (of_connection or self._since is not None)
