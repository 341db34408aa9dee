"""Is the database there, and is it the one we were written for?"""

import asyncio

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from domain.model.errors import DomainError
from domain.store.migrate import check_version

ANSWER_SECONDS = 2.0


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
