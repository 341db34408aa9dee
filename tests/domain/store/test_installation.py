"""Which database this is: whoever comes first notes it, and of those who notice another one, one acts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.services import accounts
from domain.services.installation import SEEN_EVERY, look
from domain.store import dispatch, installation, rates
from domain.store.database import Database
from renkei.database import APP
from renkei.engines.postgres import Postgres
from tests.databases import scratch
from tests.domain.services.rows import NOW
from tests.domain.services.story import a_shop, shop_of

LOSS = timedelta(minutes=15)
OTHERS = ["system_identifier = 'another'", "timeline = 77"]


@pytest.fixture
async def own(database: Postgres) -> AsyncIterator[Database]:
    """A database with one account, which nobody has looked at yet."""
    async with scratch(database) as made:
        db = Database.at(made.url(user=APP))
        await accounts.create_account(db, "TEA", "Tea House")
        yield db
        await db.close()


async def noted(db: Database, change: str) -> None:
    """The row says something else."""
    async with db.connection() as connection:
        await connection.execute(text(f"UPDATE installation SET {change}"))


async def marked(db: Database) -> int:
    return len(await dispatch.resyncs_due(db, at_most=10))


async def test_the_first_look_notes_it_and_marks_nobody(own: Database):
    assert (await installation.look(own)).seen_at is None

    await look(own, None, loss=LOSS)

    here = await installation.look(own)
    assert here.seen_at is not None
    assert (here.moved, await marked(own)) == (False, 0)


@pytest.mark.parametrize("change", OTHERS)
async def test_another_one_marks_every_account_from_before_it_was_seen_last(
    own: Database, change: str
):
    await look(own, None, loss=LOSS)
    await noted(own, f"{change}, seen_at = now() - interval '1 day'")
    seen = (await installation.look(own)).seen_at
    assert seen is not None

    await look(own, None, loss=LOSS)

    assert (await marked(own), (await installation.look(own)).moved) == (1, False)
    async with own.transaction((await dispatch.resyncs_due(own, at_most=1))[0]) as tx:
        assert await tx.scalar(text("SELECT resync_from FROM accounts")) == seen - LOSS


@pytest.mark.parametrize("change", OTHERS)
async def test_a_session_that_knows_its_server_is_told_all_the_same(own: Database, change: str):
    moved = text("SELECT renkei_moved()")
    await look(own, None, loss=LOSS)

    async with own.connection() as session:
        before = [await session.scalar(moved) for _ in range(2)]
        await noted(own, change)
        after = await session.scalar(moved)

    assert (before, after) == ([False, False], True)


async def restored(own: Database) -> None:
    await look(own, None, loss=LOSS)
    await noted(own, OTHERS[0])
    await look(own, None, loss=LOSS)


async def said_so(own: Database) -> None:
    await installation.resync_all(own, NOW)


@pytest.mark.parametrize("happens", [restored, said_so])
async def test_of_each_limit_one_call_is_believed_to_be_free(
    own: Database, happens: Callable[[Database], Awaitable[None]]
):
    """Those that were made since the backup nobody knows of."""
    await reserve(own)

    await happens(own)

    waits = [await reserve(own) for _ in range(2)]
    assert waits[0] == timedelta(0)
    assert timedelta(seconds=900) < waits[1] <= timedelta(seconds=1_000)


async def reserve(own: Database) -> timedelta:
    """Of a limit of one call in a thousand seconds, twenty of them at once: how long to wait for it."""
    hour = timedelta(hours=1)
    return await rates.reserve(
        own, "orders", rate=0.001, burst=20, per_day=None, today="2026-11-22", patience=hour
    )


async def test_one_of_many_acts(own: Database):
    await look(own, None, loss=LOSS)
    await noted(own, OTHERS[1])

    told = await asyncio.gather(
        *(installation.notice(own, before=None, loss=LOSS) for _ in range(5))
    )

    assert [each.accounts for each in told if each is not None] == [1]


async def test_what_was_seen_later_than_the_database_says_was_lost(own: Database):
    """The same files, from an earlier time: only who saw them later notices, and who comes after does not."""
    await look(own, None, loss=LOSS)
    remembered = await look(own, None, loss=LOSS)
    assert remembered is not None
    await noted(own, "seen_at = now() - interval '1 hour'")

    await look(own, None, loss=LOSS)
    assert await marked(own) == 0
    await noted(own, "seen_at = now() - interval '1 hour'")
    first = await look(own, remembered, loss=LOSS)
    assert await marked(own) == 1

    assert await installation.notice(own, before=remembered, loss=LOSS) is None
    assert first == remembered


async def test_it_is_seen_again_now_and_then(own: Database):
    await look(own, None, loss=LOSS)
    await noted(own, f"seen_at = now() - interval '{SEEN_EVERY.total_seconds()} s'")
    before = (await installation.look(own)).seen_at

    await look(own, before, loss=LOSS)

    after = (await installation.look(own)).seen_at
    assert before is not None
    assert after is not None
    assert after - before >= SEEN_EVERY
    assert await marked(own) == 0


async def test_nothing_goes_out_before_it_is_noticed(own: Database):
    account = await accounts.create_account(own, "MUG", "Mug House")
    await look(own, None, loss=LOSS)
    async with own.transaction(account) as tx:
        shop = await a_shop(tx, orders_running=True, watermark=NOW, next_order_poll_at=NOW)
    assert [each.work for each in await dispatch.due(own, at=NOW, at_most=10)] == ["ORDERS"]

    await noted(own, OTHERS[1])

    assert await dispatch.due(own, at=NOW, at_most=10) == []
    async with own.transaction(account) as tx:
        after = await shop_of(tx, shop.id)
    assert (shop.stands_still, after.stands_still) == (False, True)
    assert (after.reflects, after.fetches_orders) == (False, False)
