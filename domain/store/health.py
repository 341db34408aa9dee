"""Is the database there, and is it the one we were written for?"""

import asyncio

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.model.errors import DomainError
from domain.store.database import sqlstate
from domain.store.migrate import check_version

ANSWER_SECONDS = 2.0

GONE = ("08", "53", "57P")
"""Classes of SQLSTATE: connection lost, no room left, shutting down."""


async def trouble(url: str) -> str | None:
    """Why nothing can be served from this database now; None when all is well."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await check_version(url)
    except DomainError as error:
        return error.message
    except TimeoutError:
        return f"The database did not answer in {ANSWER_SECONDS:.0f} s."
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError):
        return "The database cannot be reached."
    return None


def out_of_reach(error: BaseException) -> bool:
    """Not what was asked is the matter, but that nobody is there to answer it: worth another try."""
    if isinstance(error, (PoolTimeout, OSError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, asyncpg.InterfaceError):
        return True
    return (sqlstate(error) or "").startswith(GONE)
