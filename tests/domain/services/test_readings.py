"""モール在庫の読み取り: what the malls' counters read, because a person asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.errors import (
    DomainError,
    MallError,
    MallLockedOut,
    MallThrottled,
    MallUnavailable,
)
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind, MallTime, StockReading
from domain.services import readings, stock
from domain.services.readings import Call
from domain.services.stock import NewTotal
from domain.store import listings, shops
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import a_listing, a_shop, imported, in_stock, product_ids, shown
from tests.domain.services.turns import answers, sent

MINUTE = timedelta(minutes=1)
MOST_AT_ONCE = MALL_SPECS[MallKind.RAKUTEN].capabilities.max_reads_per_call


async def at_shop(tx: Tx, name: str = "Rakuten", **totals: int) -> Shop:
    """Listings that show these numbers since the day before."""
    shop = await a_shop(tx, name)
    await in_stock(tx, shop, **totals)
    return shop


async def ids_at(tx: Tx, *those: Shop) -> list[UUID]:
    found = await rows(
        tx,
        "SELECT id FROM listings WHERE shop_id = ANY (:shops) ORDER BY shop_id, item_code",
        shops=[shop.id for shop in those],
    )
    return [each["id"] for each in found]


async def asked(tx: Tx, *those: Shop) -> UUID:
    return await readings.ask(tx, OWNER, await ids_at(tx, *those), now=NOW)


async def begun(tx: Tx, shop: Shop, at: datetime = NOW) -> Call:
    call = await readings.begin(tx, shop.id, now=at)
    assert call is not None
    return call


async def told(
    tx: Tx, call: Call, *quantities: int | None, at: datetime = NOW, **more: Any
) -> None:
    """The mall's answer at that time, for each listing in their order; None: it knows no such code."""
    moment = MallTime(at, at)
    answer = [
        StockReading(each.ref, moment, quantity is not None, quantity, **more)
        for each, quantity in zip(call.asked, quantities, strict=True)
    ]
    await readings.took(tx, call, answer, now=at)
    await readings.put_back(tx, call, now=at)


async def job(tx: Tx) -> tuple[str, int, int, int]:
    """(state, total, done, failed)."""
    found = await row(
        tx, "SELECT state, total, done, failed FROM jobs WHERE kind = 'READ_MALL_STOCK'"
    )
    return found["state"], found["total"], found["done"], found["failed"]


async def failures(tx: Tx) -> list[tuple[int, str]]:
    found = await rows(
        tx,
        "SELECT place, errors FROM job_targets WHERE outcome = 'REFUSED' ORDER BY place",
    )
    return [(each["place"], each["errors"][0]["code"]) for each in found]


async def test_what_the_mall_shows_is_believed_and_what_then_differs_goes_out(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, MUG=4, TEA=5)
        job_id = await asked(tx, shop)

        await told(tx, await begun(tx, shop), 4, 9)

        mug, tea = await shown(tx, shop, "mug"), await shown(tx, shop, "tea")
        assert (mug.base, mug.waits) == (4, False)
        assert (tea.base, tea.waits, tea.expected) == (9, True, 5)
        assert await job(tx) == ("DONE", 2, 2, 0)
        assert (await operations(tx))[-1] == "READ_MALL_STOCK"
        [line] = await rows(
            tx, "SELECT job_id FROM operation_logs WHERE action = 'READ_MALL_STOCK'"
        )
        assert line["job_id"] == job_id
        assert await readings.begin(tx, shop.id, now=NOW) is None
        assert await rows(tx, "SELECT outcome FROM job_shops") == [{"outcome": "DONE"}]


async def test_an_edit_that_waits_to_be_reflected_still_waits(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 8)], now=NOW)
        await asked(tx, shop)

        await told(tx, await begun(tx, shop), 5)

        after = await shown(tx, shop, "tea")
        assert (after.waits, after.edited, after.difference) == (False, True, "EDIT_NOT_REFLECTED")


@pytest.mark.parametrize(
    ("case", "read_after", "base"),
    [
        ("within the mall's display delay it may be our number that is not shown yet", 0, 8),
        ("later it is what the mall shows", 60, 5),
    ],
)
async def test_a_reading_soon_after_our_own_write_is_not_compared(
    db: Database, account: UUID, case: str, read_after: int, base: int
):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 8)], reflect=True, now=NOW)
        await answers(tx, await sent(tx, shop, at=NOW), at=NOW)
        await asked(tx, shop)

        at = NOW + timedelta(seconds=1) + read_after * MINUTE
        await told(tx, await begun(tx, shop, at), 5, at=at)

        assert (await shown(tx, shop, "tea")).base == base, case
        assert (await job(tx))[0] == "DONE"


async def test_a_number_that_is_under_way_is_not_compared(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        tea = (await product_ids(tx))["TEA"]
        await stock.set_totals(tx, OWNER, [NewTotal(tea, 8)], reflect=True, now=NOW)
        await sent(tx, shop, at=NOW)
        await asked(tx, shop)

        await told(tx, await begun(tx, shop), 99)

        assert (await shown(tx, shop, "tea")).base == 5


async def test_what_the_mall_does_not_know_is_a_failure_of_the_job(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, MUG=4, TEA=5)
        await asked(tx, shop)

        await told(tx, await begun(tx, shop), None, 5)

        assert (await shown(tx, shop, "mug")).base is None
        assert await job(tx) == ("DONE", 2, 2, 1)
        assert await failures(tx) == [(1, "UNKNOWN_AT_MALL")]


@pytest.mark.parametrize(
    ("case", "told_by_the_mall", "reason"),
    [
        ("unlimited", {"unlimited": True}, "UNLIMITED_AT_MALL"),
        ("fulfilled by the mall", {"fulfilled_by_mall": True}, "FULFILLED_BY_MALL"),
    ],
)
async def test_a_counter_that_is_not_ours_to_write_is_written_no_more(
    db: Database, account: UUID, case: str, told_by_the_mall: dict[str, bool], reason: str
):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        await asked(tx, shop)

        await told(tx, await begun(tx, shop), 99, **told_by_the_mall)

        after = await shown(tx, shop, "tea")
        assert (after.not_pushed, after.waits) == ((reason,), False), case


async def test_calls_follow_each_other_shop_by_shop(db: Database, account: UUID):
    """More than one call's worth at one of two shops: each shop reads its own."""
    async with db.transaction(account) as tx:
        first, second = await a_shop(tx), await a_shop(tx, "Second")
        many = [f"P{nth:04}" for nth in range(MOST_AT_ONCE + 3)]
        await imported(tx, first, *(a_listing(code) for code in many))
        await imported(tx, second, *(a_listing(code) for code in many[:2]), create_products=False)
        await asked(tx, first, second)

        sizes = []
        for shop in (first, second, first):
            call = await begun(tx, shop)
            sizes.append(len(call.asked))
            await told(tx, call, *([1] * len(call.asked)))

        assert sizes == [MOST_AT_ONCE, 2, 3]
        assert await job(tx) == ("DONE", MOST_AT_ONCE + 5, MOST_AT_ONCE + 5, 0)


async def test_a_shop_that_another_worker_is_at_is_left_alone_for_half_a_minute(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        await asked(tx, shop)
        died = await begun(tx, shop)

        assert await readings.begin(tx, shop.id, now=NOW + MINUTE / 4) is None
        again = await begun(tx, shop, NOW + MINUTE / 2)

        await told(tx, died, 5)
        await told(tx, again, 5)
        assert await job(tx) == ("DONE", 1, 1, 0)


async def test_what_is_deleted_meanwhile_is_a_failure(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, MUG=4, TEA=5)
        await asked(tx, shop)
        mug, _ = await ids_at(tx, shop)
        await listings.delete(tx, [mug], at=NOW)

        await told(tx, await begun(tx, shop), 5)

        assert await job(tx) == ("DONE", 2, 2, 1)
        assert await failures(tx) == [(1, "NOT_FOUND")]


async def test_a_job_that_is_called_off_learns_nothing_more(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        job_id = await asked(tx, shop)
        call = await begun(tx, shop)
        await rows(
            tx, "UPDATE jobs SET state = 'CANCELLED' WHERE id = :job RETURNING id", job=job_id
        )

        await told(tx, call, 9)

        assert (await shown(tx, shop, "tea")).base == 5
        assert await job(tx) == ("CANCELLED", 1, 0, 0)
        assert await readings.begin(tx, shop.id, now=NOW + MINUTE) is None


@pytest.mark.parametrize(
    ("case", "error", "times", "told_of_job", "refused", "shop_state"),
    [
        ("not now", MallUnavailable("Closed."), 1, ("WAITING", 1, 0, 0), [], "RUNNING"),
        ("too fast is no failure", MallThrottled("Slow."), 20, ("WAITING", 1, 0, 0), [], "RUNNING"),
        (
            "again and again",
            MallUnavailable("Closed."),
            10,
            ("FAILED", 1, 1, 1),
            [(1, "MALL_FAILED")],
            "RUNNING",
        ),
        ("credentials are dead", MallLockedOut("No."), 1, ("WAITING", 1, 0, 0), [], "HALTED"),
    ],
)
async def test_a_mall_that_fails(
    db: Database,
    account: UUID,
    case: str,
    error: MallError,
    times: int,
    told_of_job: tuple[str, int, int, int],
    refused: Sequence[tuple[int, str]],
    shop_state: str,
):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        await asked(tx, shop)
        at = NOW
        for _ in range(times):
            call = await begun(tx, shop, at)
            await readings.failed(tx, call, error, now=at)
            await readings.put_back(tx, call, now=at)
            at = max(at, (await row(tx, "SELECT next_try_at FROM job_shops"))["next_try_at"])

        assert await job(tx) == told_of_job, case
        assert await failures(tx) == refused
        assert (await row(tx, "SELECT state FROM shops"))["state"] == shop_state


async def test_a_shop_that_is_not_in_use_is_not_read(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        off, on = await at_shop(tx, TEA=5), await at_shop(tx, "On", MUG=5)
        await shops.change(tx, off.id, in_use=False)
        await asked(tx, off, on)

        assert await readings.begin(tx, off.id, now=NOW) is None
        await told(tx, await begun(tx, on), 5)

        assert await job(tx) == ("DONE", 2, 2, 1)
        assert [code for _, code in await failures(tx)] == ["SHOP_NOT_IN_USE"]


async def test_a_job_whose_last_shop_is_given_up_is_done_where_another_was_read(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        off, on = await at_shop(tx, TEA=5), await at_shop(tx, "On", MUG=5)
        await shops.change(tx, off.id, in_use=False)
        await asked(tx, off, on)
        await told(tx, await begun(tx, on), 5)

        assert await readings.begin(tx, off.id, now=NOW) is None

        assert await job(tx) == ("DONE", 2, 2, 1)


async def test_a_job_whose_every_shop_failed_has_failed(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        those = await at_shop(tx, TEA=5), await at_shop(tx, "Other", MUG=5)
        await asked(tx, *those)
        for shop in those:
            await shops.change(tx, shop.id, in_use=False)
            await readings.begin(tx, shop.id, now=NOW)

        assert await job(tx) == ("FAILED", 2, 2, 2)


@pytest.mark.parametrize(
    ("case", "ids", "code", "field"),
    [
        ("none", [], "REQUIRED", ("listings",)),
        ("one that is not there", [uuid4()], "NOT_FOUND", ("listings", "ids", "0")),
    ],
)
async def test_what_is_refused(
    db: Database, account: UUID, case: str, ids: list[UUID], code: str, field: tuple[str, ...]
):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await readings.ask(tx, OWNER, ids, now=NOW)

    assert (refused.value.code, refused.value.field) == (code, field), case


async def test_several_jobs_of_one_shop_are_taken_up_one_after_the_other(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await at_shop(tx, TEA=5)
        wanted = {await asked(tx, shop) for _ in range(3)}

        found = [await begun(tx, shop) for _ in wanted]

        assert {call.job.job_id for call in found} == wanted
        assert await readings.begin(tx, shop.id, now=NOW) is None
