"""One transaction of one account, what it announces, and whom it rings once it has committed.

A transaction begins with its account in one round trip, takes the account's event numbers as its last statement, and
rings only after the commit (DESIGN §2.9, §2.11, §2.13). Serialization failures, deadlocks and lock time-outs are retried
by `Database.run`, so its work must be safe to call again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from domain.model.bells import Bell
from domain.model.errors import DomainError
from domain.store import event_log, statements
from domain.store.event_log import Event as Event
from domain.store.outages import Outage, sqlstate
from domain.store.statements import Driver, Parameters, Rows

Answer = TypeVar("Answer")
SERVER_SETTINGS = {
    "application_name": "renkei",
    "lock_timeout": "2s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    # No disk that turns is meant: rows are looked up by their keys, however few there were when it was planned.
    "random_page_cost": "1.1",
    "jit": "off",
}
HURRIED = "SET LOCAL synchronous_commit = off; COMMIT"
RETRIED = frozenset({"40P01", "40001", "55P03"})
ATTEMPTS = 4


class RoleMayBypass(DomainError):
    """The login could read every account's rows: nothing is served with it."""

    code = "ROLE_MAY_BYPASS"


class Ringer(Protocol):
    """Told after a commit. It must not raise: a bell that is lost costs a poll, never a fact."""

    async def __call__(self, account_id: UUID, news: bool, bells: Sequence[Bell]) -> None: ...


async def silence(account_id: UUID, news: bool, bells: Sequence[Bell]) -> None:
    """Rings nobody: the clock's sweep finds what waits."""


class Tx:
    """What a service is handed. Collects events and bells; only the edge that opened it commits.

    `job_id`: the job that it does a part of.
    """

    def __init__(self, connection: AsyncConnection, driver: Driver, account_id: UUID) -> None:
        self.connection = connection
        self._driver = driver
        self.account_id = account_id
        self.job_id: UUID | None = None
        self.events: list[Event] = []
        self.bells: dict[Bell, None] = {}
        self.hurries = False

    async def execute(self, statement: TextClause, parameters: Parameters = None) -> Rows:
        return await statements.rows(self._driver, statement, parameters)

    async def scalar(self, statement: TextClause, parameters: Parameters = None) -> Any:
        """The first value of the first row; None without rows."""
        return (await self.execute(statement, parameters)).scalar()

    async def changed(self, statement: TextClause, parameters: Parameters = None) -> int:
        """How many rows the statement wrote."""
        return await statements.changed(self._driver, statement, parameters)

    async def planned(self, sql: str, values: Sequence[Any]) -> Any:
        """One value, by the driver alone: statements that were planned have nothing left to compile."""
        return await self._driver.fetchval(sql, *values)

    def may_be_lost(self) -> None:
        """Its commit need not wait for the disk, unless it tells of events, which have their numbers: see haste.py."""
        self.hurries = True

    def emit(self, *events: Event) -> None:
        self.events.extend(events)

    def ring(self, place_id: UUID, work: str) -> None:
        """`place_id`: a shop, or a job."""
        self.bells[Bell(self.account_id, place_id, work)] = None


class Database:
    def __init__(self, engine: AsyncEngine, ringer: Ringer = silence) -> None:
        self._engine = engine
        self._ringer = ringer
        self.outage = Outage()

    @classmethod
    def at(cls, url: str, ringer: Ringer = silence, *, pool_size: int = 10) -> "Database":
        engine = create_async_engine(
            url,
            isolation_level="AUTOCOMMIT",  # BEGIN, COMMIT and ROLLBACK are sent by this module
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            hide_parameters=True,
            json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
            json_deserializer=orjson.loads,
            connect_args={"server_settings": SERVER_SETTINGS},
        )
        return cls(engine, ringer)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Outside any account: leases of the clock, rate buckets, and the functions of dispatching."""
        async with self._connected() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, account_id: UUID) -> AsyncIterator[Tx]:
        """Commits when the block ends, rolls back when it raises; then rings."""
        async with self._connected() as connection:
            try:
                driver = await self._begin(connection, account_id)
                tx = Tx(connection, driver, account_id)
                yield tx
                await event_log.append(tx.execute, account_id, tx.events)
                await driver.execute(HURRIED if tx.hurries and not tx.events else "COMMIT")
            except BaseException as error:
                await _roll_back(connection, error)
                raise
        await self._ringer(account_id, bool(tx.events), list(tx.bells))

    async def run(self, account_id: UUID, work: Callable[[Tx], Awaitable[Answer]]) -> Answer:
        """Like `transaction`, and tries again what the database asks to be tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.transaction(account_id) as tx:
                    return await work(tx)
            except (DBAPIError, asyncpg.PostgresError) as error:
                if attempt == ATTEMPTS or sqlstate(error) not in RETRIED:
                    raise
                await asyncio.sleep(0.01 * 2**attempt)
        raise AssertionError("the loop returns or raises")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Tells when nobody answers, and when somebody does again."""
        there = False
        try:
            async with self._engine.connect() as connection:
                there = True
                yield connection
        except OSError as error:
            if not there:
                self.outage.begun(error)
            raise
        self.outage.over()

    async def _begin(self, connection: AsyncConnection, account_id: UUID) -> Driver:
        """On a new connection where the pooled one's server has gone meanwhile. Asked for its driver once: SQLAlchemy's way
        there takes as long as a short statement's own."""
        driver = await _driver(connection)
        if driver.is_closed():
            await connection.invalidate()
            driver = await _driver(connection)
        try:
            await driver.execute(f"BEGIN; SET LOCAL renkei.account = '{account_id}'")
        except OSError as error:
            self.outage.begun(error)
            raise
        return driver

    async def check_role(self) -> None:
        """Raises RoleMayBypass for a login that row-level security would not hold."""
        async with self._engine.connect() as connection:
            role = await connection.scalar(text(BYPASSING_ROLE))
        if role is not None:
            raise RoleMayBypass(
                f"RENKEI_DATABASE_URL connects as {role}, which row-level security does not hold. Use a login that is "
                "a plain member of renkei_app: CREATE ROLE renkei LOGIN PASSWORD '…' IN ROLE renkei_app;"
            )


BYPASSING_ROLE = """
SELECT session_user::text FROM pg_roles WHERE rolname = session_user AND (rolsuper OR rolbypassrls
    OR pg_has_role(session_user, 'renkei_owner', 'MEMBER') OR pg_has_role(session_user, 'renkei_dispatch', 'MEMBER'))
"""


async def _driver(connection: AsyncConnection) -> Driver:
    raw = await connection.get_raw_connection()
    driver: Driver | None = raw.driver_connection
    assert driver is not None
    return driver


async def _roll_back(connection: AsyncConnection, error: BaseException) -> None:
    """A cancelled statement leaves its connection in doubt, as does whatever fails in rolling back: that one is closed,
    and the server rolls back."""
    if isinstance(error, Exception):
        try:
            await (await _driver(connection)).execute("ROLLBACK")
        except Exception:
            await connection.invalidate()
    else:
        await connection.invalidate()
