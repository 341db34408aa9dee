"""Everything that a shop lists is sent, and whatever is urgent goes first."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.model.errors import DomainError
from domain.model.jobs import AT_ONCE
from domain.model.locales import Locale
from domain.model.messages import message
from domain.services import bulk, cancelling, full_syncs
from domain.services.stock import NewTotal, set_totals
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import a_shop, an_order, in_stock, product_ids, take
from tests.domain.services.turns import SOON, answers, claimed, lease_of, numbers

LANES = ("TO_ZERO", "DECREASE", "OTHER")


async def lanes(tx: Tx) -> dict[str, str]:
    """By code, the lane in which each listing waits."""
    found = await rows(
        tx,
        """
        SELECT l.item_code, s.lane FROM listing_sync s JOIN listings l ON l.id = s.listing_id
        WHERE s.account_id = :account AND s.wanted > s.done
        """,
    )
    return {each["item_code"]: LANES[each["lane"]] for each in found}


async def edited(tx: Tx, *, reflect: bool, **totals: int) -> None:
    ids = await product_ids(tx)
    items = [NewTotal(ids[code], total) for code, total in totals.items()]
    await set_totals(tx, OWNER, items, reflect=reflect, now=NOW)


async def job(tx: Tx, job_id: UUID) -> tuple[str, int, int]:
    found = await row(tx, "SELECT state, total, done FROM jobs WHERE id = :job", job=job_id)
    return found["state"], found["total"], found["done"]


async def stocked(tx: Tx, **values: bool) -> Shop:
    shop = await a_shop(tx, **values)
    await in_stock(tx, shop, MUG=9, CUP=5, TEA=3, POT=0)
    return shop


async def test_all_wait_in_the_last_lane_but_zeros_that_the_mall_does_not_show(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        await edited(tx, reflect=False, CUP=2, TEA=0)
        job_id = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

        assert await lanes(tx) == {"mug": "OTHER", "cup": "OTHER", "tea": "TO_ZERO", "pot": "OTHER"}
        assert await job(tx, job_id) == ("RUNNING", 4, 0)
        assert (await operations(tx))[-1] == "FULL_SYNC"


async def test_what_is_urgent_already_stays_so(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        await edited(tx, reflect=True, CUP=2)
        await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

        assert (await lanes(tx))["cup"] == "DECREASE"


async def test_an_order_overtakes_it(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, other = await stocked(tx), await a_shop(tx, "Other")
        await in_stock(tx, other, MUG=9)
        await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        await take(tx, other, an_order("R-1", ("mug", 2)))
        epoch = await lease_of(tx, shop)
        first = await claimed(tx, shop, epoch, at_most=1)
        assert first is not None
        await answers(tx, first)
        rest = await claimed(tx, shop, epoch)

    assert numbers(first) == [7]
    assert sorted(numbers(rest)) == [0, 3, 5]


async def test_it_is_done_when_all_are_answered(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        job_id = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        batch = await claimed(tx, shop, await lease_of(tx, shop), at=SOON)
        assert batch is not None
        await answers(tx, batch)

        assert await job(tx, job_id) == ("DONE", 4, 4)
        assert await lanes(tx) == {}


async def test_what_a_stopped_shop_may_not_send_is_held(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx, reflect_running=False)
        job_id = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

        assert await job(tx, job_id) == ("DONE", 4, 4)
        assert await lanes(tx) == {}


async def test_other_shops_and_deleted_listings_are_left_alone(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        await in_stock(tx, await a_shop(tx, "Other"), JAR=4)
        await tx.execute(text("UPDATE listings SET deleted_at = now() WHERE item_code = 'mug'"))
        job_id = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

        assert (await lanes(tx)).keys() == {"cup", "pot", "tea"}
        assert (await job(tx, job_id))[1] == 3


async def test_a_large_shop_is_asked_for_part_by_part_in_the_last_lane(db: Database, account: UUID):
    many = {f"P{nth:03}": nth + 1 for nth in range(AT_ONCE + 1)}
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, **many)
        job_id = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        assert await lanes(tx) == {}
    async with db.transaction(account) as tx:
        assert await bulk.do_part(tx, job_id, now=NOW) is False

        assert set((await lanes(tx)).values()) == {"OTHER"}
        assert len(await lanes(tx)) == len(many)
        assert await job(tx, job_id) == ("RUNNING", len(many), 0)


async def test_as_long_as_it_is_under_way_no_other_of_the_shop_begins(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, other = await stocked(tx), await a_shop(tx, "Other")
        await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        await full_syncs.start(tx, OWNER, [other.id], now=NOW)

        with pytest.raises(DomainError) as refused:
            await full_syncs.start(tx, OWNER, [other.id, shop.id], now=NOW)

        batch = await claimed(tx, shop, await lease_of(tx, shop), at=SOON)
        assert batch is not None
        await answers(tx, batch)
        again = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        assert (await job(tx, again))[0] == "RUNNING"

    assert (refused.value.code, refused.value.field) == ("ALREADY_RUNNING", ("shop_ids",))
    assert message(refused.value, Locale.EN) == (
        "A full sync of Rakuten is under way already: wait, or cancel that first."
    )
    assert message(refused.value, Locale.JA) == (
        "店舗「Rakuten」の全件同期はまだ終わっていません。終わるまで待つか、先に取り消してください。"
    )


async def test_one_that_is_called_off_is_no_longer_under_way(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await stocked(tx)
        first = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        await cancelling.cancel(tx, OWNER, first, now=NOW)

        again = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

        assert (await job(tx, again))[0] == "RUNNING"


async def test_one_that_we_failed_at_again_and_again_is_no_longer_under_way(
    db: Database, account: UUID
):
    many = {f"P{nth:03}": nth + 1 for nth in range(AT_ONCE + 1)}
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, **many)
        first = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)
        for hour in range(bulk.MOST_STUMBLES):
            await bulk.stumbled(tx, first, now=NOW + timedelta(hours=hour))
        runs = await rows(tx, "SELECT outcome FROM sync_runs WHERE job_id = :job", job=first)

        again = await full_syncs.start(tx, OWNER, [shop.id], now=NOW)

        assert [each["outcome"] for each in runs] == ["FAILED"]
        assert (await job(tx, again))[0] == "WAITING"


@pytest.mark.parametrize(
    ("case", "shops", "code", "field"),
    [
        ("none", [], "REQUIRED", ("shop_ids",)),
        ("one that is not there", [UUID(int=1)], "NOT_FOUND", ("shop_ids", "0")),
    ],
)
async def test_which_shops_must_be_said(
    db: Database, account: UUID, case: str, shops: list[UUID], code: str, field: tuple[str, ...]
):
    async with db.transaction(account) as tx:
        with pytest.raises(DomainError) as refused:
            await full_syncs.start(tx, OWNER, shops, now=NOW)

        assert (refused.value.code, refused.value.field) == (code, field), case
        assert await rows(tx, "SELECT id FROM jobs") == []
