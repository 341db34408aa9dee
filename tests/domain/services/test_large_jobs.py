"""How many jobs with targets an account has at a time; what is over, the system's own, and parts of jobs are not counted."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from domain.model.actors import SYSTEM, Actor
from domain.model.errors import DomainError
from domain.model.jobs import AT_ONCE, JobKind, JobState
from domain.model.locales import Locale
from domain.model.messages import message
from domain.services import bulk, readings, reflect_jobs
from domain.services.large_jobs import MOST_OPEN, open_job
from domain.store import jobs, sync
from domain.store.database import Database, Tx
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import a_shop, in_stock

Begin = Callable[[Tx], Awaitable[UUID]]


async def opened(tx: Tx, actor: Actor = OWNER) -> UUID:
    asked = {"action": "DELETE_LISTINGS", "target": "LISTING", "arguments": {}}
    return await open_job(tx, actor, JobKind.BULK_CHANGE, [uuid4()], input=asked)


async def filled(tx: Tx) -> list[UUID]:
    return [await opened(tx) for _ in range(MOST_OPEN)]


async def count(tx: Tx) -> int:
    found: int = (await row(tx, "SELECT count(*) AS n FROM jobs"))["n"]
    return found


async def changes(tx: Tx) -> UUID:
    return await bulk.begin(tx, OWNER, "DELETE_LISTINGS", [uuid4()], now=NOW)


async def reads(tx: Tx) -> UUID:
    [first, *_] = await rows(tx, "SELECT id FROM listings")
    return await readings.ask(tx, OWNER, [first["id"]], now=NOW)


async def reflects(tx: Tx) -> UUID:
    found = await rows(tx, "SELECT id FROM listings")
    return await reflect_jobs.ask(tx, OWNER, [each["id"] for each in found], now=NOW)


@pytest.mark.parametrize("begin", [changes, reads, reflects])
async def test_one_more_is_refused_whatever_it_does(db: Database, account: UUID, begin: Begin):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, **{f"P{nth:03}": 1 for nth in range(AT_ONCE + 1)})
        await filled(tx)

        with pytest.raises(DomainError) as refused:
            await begin(tx)

        assert await count(tx) == MOST_OPEN
    error = refused.value
    assert (error.code, error.params) == ("TOO_MANY", {"most": 20, "running": 20})
    assert message(error, Locale.EN) == (
        "20 large jobs are not over yet, and there are 20 at most: wait, or cancel one."
    )
    assert message(error, Locale.JA) == (
        "終わっていない一括処理は20件までです（現在20件）。終わるまで待つか、どれかを取り消してください。"
    )


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
async def test_one_that_is_over_makes_room(db: Database, account: UUID, state: JobState):
    async with db.transaction(account) as tx:
        first, *_ = await filled(tx)
        await jobs.finish(tx, first, state, {}, at=NOW)

        await opened(tx)
        with pytest.raises(DomainError):
            await opened(tx)


async def test_what_the_system_begins_is_neither_counted_nor_refused(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        for _ in range(MOST_OPEN):
            await opened(tx, SYSTEM)
        await filled(tx)

        await opened(tx, SYSTEM)

        assert await count(tx) == 2 * MOST_OPEN + 1


async def test_what_a_job_begins_within_itself_is_neither_counted_nor_refused(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        first, *_ = await filled(tx)
    async with db.transaction(account) as tx:
        tx.job_id = first
        await opened(tx)
    async with db.transaction(account) as tx:
        await jobs.finish(tx, first, JobState.DONE, {}, at=NOW)
        await opened(tx)

        assert await count(tx) == MOST_OPEN + 2


async def test_a_few_listings_are_sent_however_many_large_jobs_there_are(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=5)
        await filled(tx)

        await reflect_jobs.ask(tx, OWNER, await sync.listings_of_shops(tx, [shop.id]), now=NOW)

        assert await count(tx) == MOST_OPEN + 1


async def test_ananother_accounts_jobs_are_its_own(
    db: Database, account: UUID, another_account: UUID
):
    async with db.transaction(another_account) as tx:
        await filled(tx)

    async with db.transaction(account) as tx:
        await opened(tx)

        assert await count(tx) == 1
