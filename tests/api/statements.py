"""What is sent to PostgreSQL, whoever sends it: the driver alone, or SQLAlchemy over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Engine, event


@contextmanager
def statements() -> Iterator[list[str]]:
    """In their order, while the block runs; BEGIN and COMMIT among them."""
    sent: list[str] = []
    fetchval, execute = asyncpg.Connection.fetchval, asyncpg.Connection.execute
    fetch = asyncpg.Connection.fetch

    async def noted_fetch(self: Any, query: str, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return await fetch(self, query, *args, **options)

    async def noted_fetchval(self: Any, query: str, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return await fetchval(self, query, *args, **options)

    async def noted_execute(self: Any, query: str, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return await execute(self, query, *args, **options)

    def noted_cursor(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", noted_cursor)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncpg.Connection, "fetch", noted_fetch)
            patch.setattr(asyncpg.Connection, "fetchval", noted_fetchval)
            patch.setattr(asyncpg.Connection, "execute", noted_execute)
            yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", noted_cursor)


def of_work(sent: list[str]) -> list[str]:
    """Without what opens and ends transactions."""
    return [each for each in sent if not each.startswith(("BEGIN", "COMMIT"))]
