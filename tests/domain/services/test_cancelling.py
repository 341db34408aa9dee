"""Jobs called off: what is done stays, and the rest is not begun."""

from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.jobs import JobKind, JobState
from domain.services import bulk, cancelling, reflect_jobs, stock
from domain.services.cancelling import WITHDRAWN_AT_ONCE
from domain.services.stock import NewTotal
from domain.store import jobs, sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import (
    Shown,
    a_shop,
    an_order,
    in_stock,
    meanwhile,
    product_ids,
    shown,
    take,
)
from tests.domain.services.turns import answers, claimed, lease_of, sent


async def tea_at(tx: Tx, total: int = 5) -> Shop:
    shop = await a_shop(tx)
    await in_stock(tx, shop, TEA=total)
    return shop


async def asked(tx: Tx, shop: Shop) -> UUID:
    listing_ids = await sync.listings_of_shops(tx, [shop.id])
    return await reflect_jobs.ask(tx, OWNER, listing_ids, now=NOW)


async def sets_tea(tx: Tx, total: int) -> None:
    """An edit that is not sent by itself."""
    tea = (await product_ids(tx))["TEA"]
    await stock.set_totals(tx, OWNER, [NewTotal(tea, total)], reflect=False, now=NOW)


async def cancel(tx: Tx, job_id: UUID) -> None:
    await cancelling.cancel(tx, OWNER, job_id, now=NOW)


async def state(tx: Tx, job_id: UUID) -> tuple[str, int]:
    found = await row(tx, "SELECT state, done FROM jobs WHERE id = :job", job=job_id)
    return found["state"], found["done"]


async def outcomes(tx: Tx, job_id: UUID) -> list[str | None]:
    found = await rows(
        tx, "SELECT outcome FROM job_listings WHERE job_id = :job ORDER BY listing_id", job=job_id
    )
    return [each["outcome"] for each in found]


def standing(tea: Shown) -> tuple[int | None, bool, bool, str | None]:
    """What it should show, whether a push waits, whether an edit waits to be reflected, and why it differs."""
    return tea.expected, tea.waits, tea.edited, tea.difference


class TestAReflect:
    async def test_a_listing_that_only_the_reflect_would_have_sent_is_at_rest_again(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            before = await shown(tx, shop, "tea")
            job_id = await asked(tx, shop)
            await cancel(tx, job_id)

            assert await shown(tx, shop, "tea") == before
            assert await state(tx, job_id) == ("CANCELLED", 0)
            assert await outcomes(tx, job_id) == ["CANCELLED"]
            assert await claimed(tx, shop, await lease_of(tx, shop)) is None

    async def test_an_edit_that_waited_to_be_reflected_waits_again(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            await sets_tea(tx, 3)
            before = await shown(tx, shop, "tea")
            await cancel(tx, await asked(tx, shop))

            assert await shown(tx, shop, "tea") == before
            assert standing(before) == (3, False, True, "EDIT_NOT_REFLECTED")

    async def test_an_edit_that_came_since_waits_to_be_reflected(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            job_id = await asked(tx, shop)
            await sets_tea(tx, 3)
            await cancel(tx, job_id)

            tea = await shown(tx, shop, "tea")
            assert standing(tea) == (3, False, True, "EDIT_NOT_REFLECTED")

    @pytest.mark.parametrize("order_first", [True, False])
    async def test_what_an_order_changed_goes_out_all_the_same(
        self, db: Database, account: UUID, order_first: bool
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            elsewhere = await a_shop(tx, "Elsewhere")
            await in_stock(tx, elsewhere, TEA=5)
            sold = an_order("N-1", ("tea", 2))
            if order_first:
                await take(tx, elsewhere, sold)
            job_id = await asked(tx, shop)
            if not order_first:
                await take(tx, elsewhere, sold)
            await cancel(tx, job_id)

            tea = await shown(tx, shop, "tea")
            assert (tea.expected, tea.waits, tea.edited) == (3, True, False)
            assert await outcomes(tx, job_id) == ["CANCELLED"]

    @pytest.mark.parametrize("first", [0, 1])
    async def test_what_two_reflects_asked_for_goes_out_until_both_are_called_off(
        self, db: Database, account: UUID, first: int
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            await sets_tea(tx, 3)
            both = [await asked(tx, shop), await asked(tx, shop)]
            await cancel(tx, both[first])
            between = await shown(tx, shop, "tea")
            await cancel(tx, both[1 - first])

            assert (between.waits, between.edited) == (True, False)
            tea = await shown(tx, shop, "tea")
            assert standing(tea) == (3, False, True, "EDIT_NOT_REFLECTED")

    async def test_two_reflects_called_off_leave_no_edit_where_there_was_none(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            before = await shown(tx, shop, "tea")
            first, second = await asked(tx, shop), await asked(tx, shop)
            await cancel(tx, second)
            await cancel(tx, first)

            assert await shown(tx, shop, "tea") == before

    async def test_what_was_sent_has_its_outcome_and_is_counted(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            job_id = await asked(tx, shop)
            batch = await sent(tx, shop)
            await cancel(tx, job_id)
            between = await outcomes(tx, job_id)
            await answers(tx, batch)

            assert between == [None]
            assert await outcomes(tx, job_id) == ["APPLIED"]
            assert await state(tx, job_id) == ("CANCELLED", 1)

    async def test_what_was_asked_for_while_an_earlier_number_is_under_way_is_not_sent_after_it(
        self, db: Database, account: UUID
    ):
        async with db.transaction(account) as tx:
            shop = await tea_at(tx)
            await asked(tx, shop)
            batch = await sent(tx, shop)
            await sets_tea(tx, 3)
            second = await asked(tx, shop)
            await cancel(tx, second)
            await answers(tx, batch)

            tea = await shown(tx, shop, "tea")
            assert standing(tea) == (3, False, True, "EDIT_NOT_REFLECTED")
            assert await outcomes(tx, second) == ["CANCELLED"]

    async def test_a_large_one_is_withdrawn_by_a_worker_and_asks_for_no_more(
        self, db: Database, account: UUID
    ):
        many = 3 * WITHDRAWN_AT_ONCE + 20

        async def asks(tx: Tx) -> UUID:
            shop = await a_shop(tx)
            await in_stock(tx, shop, **{f"T{number:04}": 1 for number in range(many)})
            return await asked(tx, shop)

        async def waits(tx: Tx) -> int:
            return int((await row(tx, WAITS))["many"])

        job_id = await db.run(account, asks)
        for _ in range(3):
            await db.run(account, lambda tx: bulk.do_part(tx, job_id, now=NOW))
        await db.run(account, lambda tx: cancel(tx, job_id))
        seen = [await db.run(account, waits)]
        while await db.run(account, lambda tx: bulk.do_part(tx, job_id, now=NOW)):
            seen.append(await db.run(account, waits))

        assert seen == [2 * WITHDRAWN_AT_ONCE, WITHDRAWN_AT_ONCE, 0]
        async with db.transaction(account) as tx:
            assert await outcomes(tx, job_id) == ["CANCELLED"] * 3 * WITHDRAWN_AT_ONCE
            assert await state(tx, job_id) == ("CANCELLED", 0)


WAITS = "SELECT count(*) AS many FROM listing_sync WHERE account_id = :account AND wanted > done"


class TestABulkChange:
    async def test_what_is_done_stays_and_the_rest_is_not_begun(self, db: Database, account: UUID):
        many = bulk.TARGETS_AT_ONCE + 7

        async def begins(tx: Tx) -> UUID:
            shop = await a_shop(tx)
            await in_stock(tx, shop, **{f"T{number:04}": 1 for number in range(many)})
            ids = await sync.listings_of_shops(tx, [shop.id])
            wanted = {"maximum": 3, "reflect": None}
            return await bulk.begin(tx, OWNER, "SET_LIMITS", ids, wanted, now=NOW)

        job_id = await db.run(account, begins)
        await db.run(account, lambda tx: bulk.do_part(tx, job_id, now=NOW))
        await db.run(account, lambda tx: cancel(tx, job_id))
        after = await db.run(account, lambda tx: bulk.do_part(tx, job_id, now=NOW))

        assert after is False
        async with db.transaction(account) as tx:
            assert await state(tx, job_id) == ("CANCELLED", bulk.TARGETS_AT_ONCE)
            limited = await row(
                tx,
                "SELECT count(*) AS many FROM listings WHERE account_id = :account AND maximum = 3",
            )
            assert limited == {"many": bulk.TARGETS_AT_ONCE}
            assert (await operations(tx))[-1] == "CANCEL_JOB"

    async def test_a_part_that_is_being_done_is_finished_first(self, db: Database, account: UUID):
        async def begins(tx: Tx) -> UUID:
            shop = await tea_at(tx)
            ids = await sync.listings_of_shops(tx, [shop.id])
            return await bulk.begin(tx, OWNER, "SET_SYNC", ids, {"on": False}, now=NOW)

        job_id = await db.run(account, begins)
        await meanwhile(
            db,
            account,
            lambda tx: bulk.do_part(tx, job_id, now=NOW),
            lambda tx: cancel(tx, job_id),
        )

        async with db.transaction(account) as tx:
            assert await state(tx, job_id) == ("DONE", 1)


class TestOthers:
    async def test_a_job_that_is_over_stays_as_it_is(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            job_id = await jobs.create(tx, JobKind.REFLECT, total=1, actor=OWNER)
            await jobs.finish(tx, job_id, JobState.FAILED, {}, at=NOW)
            await cancel(tx, job_id)

            assert await state(tx, job_id) == ("FAILED", 0)
            assert "CANCEL_JOB" not in await operations(tx)

    async def test_a_connection_test_is_not_called_off(self, db: Database, account: UUID):
        async with db.transaction(account) as tx:
            shop = await a_shop(tx)
            job_id = await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop.id, actor=OWNER)
            with pytest.raises(DomainError) as refused:
                await cancel(tx, job_id)

            assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("job_id",))
            assert await state(tx, job_id) == ("WAITING", 0)

    async def test_anothers_job_is_not_found(
        self, db: Database, account: UUID, another_account: UUID
    ):
        async with db.transaction(another_account) as tx:
            theirs = await jobs.create(tx, JobKind.REFLECT, total=1, actor=OWNER)
        for unknown in (theirs, uuid4()):
            async with db.transaction(account) as tx:
                with pytest.raises(DomainError) as refused:
                    await cancel(tx, unknown)
            assert refused.value.code == "NOT_FOUND"
