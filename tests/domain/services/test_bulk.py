"""Changes of more targets than are changed at once: part by part, each target once, whoever dies meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.jobs import JobKind
from domain.model.malls import MallTime, PushOutcome, PushResult
from domain.model.sets import SetPart
from domain.services import bulk, groups, reflect, reflect_jobs, sets, settling
from domain.services.bulk import LONGEST_WAIT, MOST_STUMBLES, TARGETS_AT_ONCE, PartRefused
from domain.store import dispatch, job_targets, jobs, sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    a_shop,
    an_order,
    in_stock,
    product_ids,
    someone_waits,
    take,
    totals,
)
from tests.domain.services.turns import SOON, lease_of

MANY = 2 * TARGETS_AT_ONCE + 50
CODES = [f"T{number:03}" for number in range(MANY)]


@pytest.fixture
async def shop(db: Database, account: UUID) -> Shop:
    """With listings enough for three parts."""

    async def work(tx: Tx) -> Shop:
        shop = await a_shop(tx)
        await in_stock(tx, shop, **dict.fromkeys(CODES, 9))
        return shop

    return await db.run(account, work)


async def listing_ids(tx: Tx) -> list[UUID]:
    found = await rows(tx, "SELECT id FROM listings WHERE account_id = :account ORDER BY id")
    return [each["id"] for each in found]


async def begun(
    db: Database, account: UUID, action: str, arguments: Mapping[str, Any], *targets: UUID
) -> UUID:
    async def work(tx: Tx) -> UUID:
        ids = targets or await listing_ids(tx)
        return await bulk.begin(tx, OWNER, action, ids, arguments, now=NOW)

    return await db.run(account, work)


async def limits(db: Database, account: UUID) -> UUID:
    """A job that sets the maximum of every listing."""
    return await begun(db, account, "SET_LIMITS", {"maximum": 3, "reflect": None})


async def part(db: Database, account: UUID, job_id: UUID) -> bool:
    return await db.run(account, lambda tx: bulk.do_part(tx, job_id, now=NOW))


async def finish(db: Database, account: UUID, job_id: UUID) -> None:
    while await part(db, account, job_id):
        pass


async def job(db: Database, account: UUID, job_id: UUID) -> tuple[str, int, int, int]:
    """State, total, how many are done, how many of those refused."""
    async with db.transaction(account) as tx:
        found = await row(
            tx, "SELECT state, total, done, failed FROM jobs WHERE id = :job", job=job_id
        )
    return found["state"], found["total"], found["done"], found["failed"]


async def changed(db: Database, account: UUID) -> dict[int, int]:
    """How many listings were changed how often, and have the limit by that."""
    async with db.transaction(account) as tx:
        found = await rows(
            tx,
            "SELECT version - 1 AS times, count(*) AS many FROM listings"
            " WHERE account_id = :account AND (version = 1) = (maximum IS NULL) GROUP BY 1",
        )
    return {each["times"]: each["many"] for each in found}


async def is_due(db: Database, job_id: UUID) -> bool:
    found = await dispatch.jobs_due(db, at=NOW, at_most=100_000)
    return job_id in [each for _, each in found]


class TestParts:
    async def test_a_job_is_done_part_by_part_and_each_part_is_told(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await limits(db, account)
        seen = []
        more = True
        while more:
            more = await part(db, account, job_id)
            seen.append((await job(db, account, job_id), await is_due(db, job_id)))

        assert seen == [
            (("RUNNING", MANY, TARGETS_AT_ONCE, 0), True),
            (("RUNNING", MANY, 2 * TARGETS_AT_ONCE, 0), True),
            (("DONE", MANY, MANY, 0), False),
        ]
        assert await changed(db, account) == {1: MANY}
        async with db.transaction(account) as tx:
            told = await rows(
                tx,
                "SELECT payload FROM events WHERE kind = 'JOB' AND node_id = :job ORDER BY seq",
                job=job_id,
            )
        assert [each["payload"]["done"] for each in told] == [0, 200, 400, MANY]

    async def test_its_lines_in_the_operation_log_name_the_job(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await limits(db, account)
        await finish(db, account, job_id)

        async with db.transaction(account) as tx:
            [found] = await rows(
                tx,
                "SELECT action, actor ->> 'name' AS who, count(DISTINCT target_id) AS many FROM operation_logs"
                " WHERE job_id = :job GROUP BY 1, 2",
                job=job_id,
            )
        assert found == {"action": "SET_LIMITS", "who": "Hanako", "many": MANY}

    async def test_a_job_that_edits_sends_what_differs_without_a_reflect_of_its_own(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await begun(db, account, "SET_LIMITS", {"maximum": 3, "reflect": True})
        await finish(db, account, job_id)

        async with db.transaction(account) as tx:
            waiting = await row(tx, "SELECT count(*) AS many FROM listing_sync WHERE wanted > done")
            kinds = await rows(tx, "SELECT kind FROM jobs WHERE account_id = :account")
        assert waiting == {"many": MANY}
        assert kinds == [{"kind": "BULK_CHANGE"}]

    async def test_a_worker_that_died_leaves_nothing_half_done(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await limits(db, account)
        await part(db, account, job_id)
        with pytest.raises(ConnectionError):
            await self._dies_in_the_next(db, account, job_id)
        assert await job(db, account, job_id) == ("RUNNING", MANY, TARGETS_AT_ONCE, 0)

        await finish(db, account, job_id)

        assert await job(db, account, job_id) == ("DONE", MANY, MANY, 0)
        assert await changed(db, account) == {1: MANY}

    async def _dies_in_the_next(self, db: Database, account: UUID, job_id: UUID) -> None:
        async with db.transaction(account) as tx:
            await bulk.do_part(tx, job_id, now=NOW)
            raise ConnectionError

    async def test_two_workers_never_have_a_turn_of_one_job_together(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await limits(db, account)
        async with db.transaction(account) as tx:
            assert await bulk.do_part(tx, job_id, now=NOW)
            other = await part(db, account, job_id)
        await finish(db, account, job_id)

        assert other is False
        assert await changed(db, account) == {1: MANY}

    async def test_workers_that_go_at_one_job_together_do_each_target_once(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await limits(db, account)

        async def worker() -> None:
            while (await job(db, account, job_id))[0] != "DONE":
                await part(db, account, job_id)

        await asyncio.gather(*(worker() for _ in range(4)))

        assert await job(db, account, job_id) == ("DONE", MANY, MANY, 0)
        assert await changed(db, account) == {1: MANY}


class TestRefusals:
    async def refused(self, db: Database, account: UUID, job_id: UUID) -> list[tuple[UUID, str]]:
        async with db.transaction(account) as tx:
            found = await rows(
                tx,
                "SELECT target_id, errors -> 0 ->> 'code' AS code FROM job_targets"
                " WHERE job_id = :job AND outcome = 'REFUSED' ORDER BY place",
                job=job_id,
            )
        return [(each["target_id"], each["code"]) for each in found]

    async def test_what_is_gone_by_then_is_refused_and_the_rest_is_done(
        self, db: Database, account: UUID, shop: Shop
    ):
        job_id = await limits(db, account)
        async with db.transaction(account) as tx:
            gone = [each for at, each in enumerate(await listing_ids(tx)) if at in (3, MANY - 1)]
            await rows(
                tx,
                "UPDATE listings SET deleted_at = now() WHERE account_id = :account AND id = ANY (:gone) RETURNING 1",
                gone=gone,
            )
        await finish(db, account, job_id)

        assert await job(db, account, job_id) == ("DONE", MANY, MANY, 2)
        assert await self.refused(db, account, job_id) == [(each, "NOT_FOUND") for each in gone]

    async def test_what_the_rules_refuse_altogether_is_refused_part_by_part(
        self, db: Database, account: UUID, shop: Shop
    ):
        async with db.transaction(account) as tx:
            ids = sorted((await product_ids(tx)).values())
        nowhere = {"group": str(uuid4()), "joins": True, "reflect": None}
        job_id = await begun(db, account, "MOVE_TO_GROUP", nowhere, *ids)

        for _ in range(3):
            with pytest.raises(PartRefused) as refused:
                await part(db, account, job_id)
            for _ in range(2):
                await db.run(
                    account, lambda tx, r=refused: bulk.refuse(tx, job_id, r.value, now=NOW)
                )

        assert await job(db, account, job_id) == ("DONE", MANY, MANY, MANY)
        assert await self.refused(db, account, job_id) == [(each, "NOT_FOUND") for each in ids]

    async def test_sets_are_deleted_before_what_they_are_made_of(
        self, db: Database, account: UUID, shop: Shop
    ):
        async with db.transaction(account) as tx:
            known = await product_ids(tx)
            parts = [SetPart(known[code], 1) for code in CODES[:2]]
            made = await sets.save_set(tx, OWNER, None, code="BOX", parts=parts, now=NOW)
        job_id = await begun(
            db, account, "DELETE_PRODUCTS", {"with_listings": True}, *known.values(), made.id
        )
        await finish(db, account, job_id)

        assert await job(db, account, job_id) == ("DONE", MANY + 1, MANY + 1, 0)
        async with db.transaction(account) as tx:
            assert await totals(tx) == {}


class TestStumbling:
    """A part that fails through no fault of its targets."""

    async def broken(self, db: Database, account: UUID) -> UUID:
        async def work(tx: Tx) -> UUID:
            job_id = await jobs.create(
                tx,
                JobKind.BULK_CHANGE,
                total=1,
                input={"action": "OF_ANOTHER_VERSION"},
                actor=OWNER,
                due_at=NOW,
            )
            await job_targets.add(tx, job_id, [uuid4()])
            return job_id

        return await db.run(account, work)

    async def test_is_done_again_ever_more_rarely_and_in_the_end_given_up(
        self, db: Database, account: UUID
    ):
        job_id = await self.broken(db, account)
        now, waits = NOW, []
        for _ in range(MOST_STUMBLES):
            with pytest.raises(KeyError):
                await db.run(account, lambda tx, at=now: bulk.do_part(tx, job_id, now=at))
            await db.run(account, lambda tx, at=now: bulk.stumbled(tx, job_id, now=at))
            async with db.transaction(account) as tx:
                found = await row(tx, "SELECT due_at FROM jobs WHERE id = :job", job=job_id)
            waits.append(found["due_at"] and (found["due_at"] - now).total_seconds())
            now = found["due_at"]

        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, None]
        assert await job(db, account, job_id) == ("FAILED", 1, 0, 0)

    async def test_what_was_called_off_is_tried_for_ever(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            job_id = await jobs.create(tx, JobKind.REFLECT, total=1, actor=OWNER)
            await jobs.cancel(tx, job_id, at=NOW, due_at=NOW)
        now = NOW
        for _ in range(60):
            await db.run(account, lambda tx, at=now: bulk.stumbled(tx, job_id, now=at))
            now += LONGEST_WAIT

        async with db.transaction(account) as tx:
            found = await row(tx, "SELECT state, due_at FROM jobs WHERE id = :job", job=job_id)
        assert found == {"state": "CANCELLED", "due_at": now}

    async def test_before_its_time_it_is_nobodys_turn(self, db: Database, account: UUID):
        job_id = await self.broken(db, account)
        await db.run(account, lambda tx: bulk.stumbled(tx, job_id, now=NOW))

        assert await part(db, account, job_id) is False
        assert await is_due(db, job_id) is False


class TestGroups:
    async def test_products_join_a_group_and_leave_it(
        self, db: Database, account: UUID, shop: Shop
    ):
        async with db.transaction(account) as tx:
            group = await groups.save_group(tx, OWNER, None, name="Cups", reserve=2, now=NOW)
            ids = sorted((await product_ids(tx)).values())
        seen = []
        for joins in (True, False):
            moving = {"group": str(group.id), "joins": joins, "reflect": False}
            await finish(db, account, await begun(db, account, "MOVE_TO_GROUP", moving, *ids))
            async with db.transaction(account) as tx:
                seen.append(
                    await row(
                        tx,
                        "SELECT count(*) FILTER (WHERE s.expected = 7) AS less,"
                        " count(*) FILTER (WHERE p.group_id IS NOT NULL) AS within FROM products p"
                        " JOIN links k ON k.product_id = p.id JOIN listing_sync s ON s.listing_id = k.listing_id"
                        " WHERE p.account_id = :account",
                    )
                )

        assert seen == [{"less": MANY, "within": MANY}, {"less": 0, "within": 0}]


class TestReflects:
    async def test_a_large_reflect_is_asked_for_part_by_part_and_knows_its_total(
        self, db: Database, account: UUID, shop: Shop
    ):
        async def asks(tx: Tx) -> UUID:
            return await reflect_jobs.ask(tx, OWNER, await listing_ids(tx), now=NOW)

        job_id = await db.run(account, asks)
        before = await job(db, account, job_id)
        await part(db, account, job_id)
        async with db.transaction(account) as tx:
            waiting = await row(tx, "SELECT count(*) AS many FROM listing_sync WHERE wanted > done")
        await finish(db, account, job_id)
        await self.all_sent(db, account, shop)

        assert before == ("WAITING", MANY, 0, 0)
        assert waiting == {"many": TARGETS_AT_ONCE}
        assert await job(db, account, job_id) == ("DONE", MANY, MANY, 0)

    async def all_sent(self, db: Database, account: UUID, shop: Shop) -> None:
        async with db.transaction(account) as tx:
            epoch = await lease_of(tx, shop)
            batch = await reflect.claim(tx, shop, epoch, at_most=1000, now=SOON)
            assert batch is not None
            at = MallTime(SOON, SOON)
            results = [PushResult(each.ref, PushOutcome.APPLIED, at) for each in batch.attempts]
            await settling.settle(tx, batch, results, now=SOON)

    async def test_who_settles_and_counts_into_a_job_never_waits_for_whoever_does_its_next_part(
        self, db: Database, account: UUID, shop: Shop
    ):
        """As settling does: listings first, then the job that asked for one of them."""

        async def asks(tx: Tx) -> UUID:
            return await reflect_jobs.ask(tx, OWNER, await listing_ids(tx), now=NOW)

        async def works() -> bool:
            async with db.transaction(account) as tx:
                return await bulk.do_part(tx, job_id, now=NOW)

        job_id = await db.run(account, asks)
        async with asyncio.TaskGroup() as tasks, db.transaction(account) as tx:
            await sync.lock(tx, (await listing_ids(tx))[5:6])
            part = tasks.create_task(works())
            await someone_waits(db)
            await jobs.progress(tx, job_id, done=1, failed=0)

        assert part.result() is True
        assert await job(db, account, job_id) == ("RUNNING", MANY, 1, 0)

    async def test_nobody_deadlocks_beside_orders_claims_and_settling(
        self, db: Database, account: UUID, shop: Shop
    ):
        """Not retried here: a deadlock would be seen."""

        async def asks(tx: Tx) -> list[UUID]:
            ids = await listing_ids(tx)
            asked = await reflect_jobs.ask(tx, OWNER, ids, now=NOW)
            limited = {"maximum": 5, "reflect": True}
            return [asked, await bulk.begin(tx, OWNER, "SET_LIMITS", ids[::-1], limited, now=NOW)]

        made = await db.run(account, asks)
        over = asyncio.Event()

        async def works(job_id: UUID) -> None:
            while await once(lambda tx: bulk.do_part(tx, job_id, now=NOW)):
                pass

        async def sells() -> None:
            number = 0
            while not over.is_set():
                number += 1
                refs = [CODES[(number * 7 + each * 31) % MANY].lower() for each in range(9)]
                order = an_order(f"N-{number}", *((ref, 1) for ref in dict.fromkeys(refs)))
                await once(lambda tx, order=order: take(tx, shop, order))

        async def sends() -> None:
            epoch = await once(lambda tx: lease_of(tx, shop))
            while not over.is_set():
                batch = await once(lambda tx: reflect.claim(tx, shop, epoch, at_most=50, now=SOON))
                if batch is None:
                    await asyncio.sleep(0)
                    continue
                at = MallTime(SOON, SOON)
                done = [PushResult(each.ref, PushOutcome.APPLIED, at) for each in batch.attempts]
                await once(lambda tx, b=batch, d=done: settling.settle(tx, b, d, now=SOON))

        async def once(work: Callable[[Tx], Awaitable[Any]]) -> Any:
            async with db.transaction(account) as tx:
                return await work(tx)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sells())
            tasks.create_task(sends())
            await asyncio.gather(*map(works, made))
            over.set()

        assert (await job(db, account, made[1]))[:3] == ("DONE", MANY, MANY)
        assert (await job(db, account, made[0]))[1] == MANY
