"""Numbers that are not ours at the malls, end to end, under each of the three policies; asked of the malls themselves."""

from collections.abc import AsyncIterator

import pytest

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.model.shops import DriftPolicy
from domain.services import readings, shops
from domain.services.shops import ShopChange
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, named, now, ref_at, town

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)
OURS, THEIRS, ASK = DriftPolicy.OURS_WINS, DriftPolicy.TAKE_THEIRS, DriftPolicy.ASK
MUG = "MUG"


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A shop at every mall that shows 10, a worker that goes by its clock alone, and each number read back."""
    async with town(db, malls, *KINDS, one_in="1") as made:
        await made.has(MUG=10)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def follows(here: Town, kind: MallKind, policy: DriftPolicy) -> None:
    """Under this policy, in a shop whose number was read, so that it is known for sure and not by its file alone."""
    stall = here.stalls[kind]
    change = ShopChange(drift_policy=policy, cancel_policy=CancelPolicy.RESTORE)
    await here.db.run(
        here.account_id, lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, stall.id, change)
    )
    if policy is not OURS:
        await eventually(lambda: is_past(here, kind))
        await reads(here, kind)
        await eventually(lambda: is_past(here, kind))


async def is_past(here: Town, kind: MallKind) -> bool:
    """Clocks of malls tell whole seconds: is what happens from now on later than what we know for sure?"""
    found = "SELECT max(base_latest) + interval '3 seconds' < clock_timestamp() FROM listing_sync WHERE shop_id = :shop"
    return bool(await here.scalar(found, shop=here.stalls[kind].id))


async def reads(here: Town, kind: MallKind) -> None:
    """A person asks what the mall shows, and is told."""
    shop_id = here.stalls[kind].id
    ids = [
        each.id
        for each in await here.query("SELECT id FROM listings WHERE shop_id = :shop", shop=shop_id)
    ]
    job_id = await here.db.run(here.account_id, lambda tx: readings.ask(tx, SYSTEM, ids, now=now()))

    async def so() -> bool:
        return await here.scalar("SELECT state FROM jobs WHERE id = :job", job=job_id) == "DONE"

    await eventually(so)


async def edits(here: Town, kind: MallKind, quantity: int) -> None:
    """The merchant changes the number in the mall's own admin screen."""
    await here.stalls[kind].asks("POST", "stock", quantity=quantity, **named(ref_at(kind, MUG)))
    await reads(here, kind)


async def differs(here: Town, kind: MallKind) -> bool:
    found = "SELECT difference FROM listing_sync WHERE shop_id = :shop"
    return bool(await here.scalar(found, shop=here.stalls[kind].id) == "CHANGED_AT_MALL")


async def taken(here: Town) -> list[int]:
    found = "SELECT delta FROM stock_movements WHERE cause = 'MALL_EDIT_TAKEN' ORDER BY id"
    return [each.delta for each in await here.query(found)]


@pytest.mark.parametrize(("kind", "quantity"), [(RAKUTEN, 14), (YAHOO, 6), (AMAZON, 14)])
async def test_where_ours_wins_an_edit_is_put_right(
    here: Town, kind: MallKind, quantity: int
) -> None:
    await follows(here, kind, OURS)
    await edits(here, kind, quantity)

    await here.settled(MUG, 10)
    assert await taken(here) == []


@pytest.mark.parametrize(("kind", "quantity"), [(RAKUTEN, 14), (AMAZON, 6)])
async def test_where_theirs_is_taken_an_edit_goes_to_every_mall(
    here: Town, kind: MallKind, quantity: int
) -> None:
    await follows(here, kind, THEIRS)
    await edits(here, kind, quantity)

    await here.settled(MUG, quantity)
    assert await here.total(MUG) == quantity
    assert await taken(here) == [quantity - 10]


async def test_where_a_person_is_asked_it_stays_and_a_sale_elsewhere_overwrites_nothing(
    here: Town,
) -> None:
    await follows(here, YAHOO, ASK)
    await edits(here, YAHOO, 14)
    await eventually(lambda: differs(here, YAHOO))

    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, MUG), 3)

    async def others_show_it() -> bool:
        shown = await here.everywhere(MUG)
        return (shown[RAKUTEN], shown[AMAZON]) == (7, 7)

    await eventually(others_show_it)
    assert await here.stalls[YAHOO].shows(ref_at(YAHOO, MUG)) == 14
    assert await differs(here, YAHOO)
    assert await taken(here) == []


@pytest.mark.parametrize("policy", [OURS, THEIRS, ASK])
async def test_a_sale_whose_order_comes_after_the_reading_is_counted_once(
    here: Town, policy: DriftPolicy
) -> None:
    await follows(here, RAKUTEN, policy)
    await here.stalls[RAKUTEN].goes_wrong("late_orders", seconds=2)

    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, MUG), 3)
    await reads(here, RAKUTEN)

    await here.settled(MUG, 7)
    assert await here.total(MUG) == 7
    assert await taken(here) == []


@pytest.mark.parametrize("policy", [OURS, THEIRS, ASK])
async def test_a_cancel_that_gave_back_is_counted_once(here: Town, policy: DriftPolicy) -> None:
    number = await here.stalls[AMAZON].sells(ref_at(AMAZON, MUG), 3)
    await here.settled(MUG, 7)
    await follows(here, AMAZON, policy)

    await here.stalls[AMAZON].asks("POST", "cancel", number=number, restock=True)
    await reads(here, AMAZON)

    await eventually(lambda: _total_is(here, 10))
    await here.settled(MUG, 10)
    assert await taken(here) == []


@pytest.mark.parametrize(("kind", "policy"), [(RAKUTEN, OURS), (YAHOO, THEIRS), (RAKUTEN, ASK)])
async def test_a_zero_that_was_silently_not_applied_comes_to_be(
    here: Town, kind: MallKind, policy: DriftPolicy
) -> None:
    await follows(here, kind, policy)
    await here.stalls[kind].goes_wrong("not_applied", calls=1)

    await here.stalls[AMAZON].sells(ref_at(AMAZON, MUG), 10)

    await here.settled(MUG, 0)
    assert await here.total(MUG) == 0
    assert await taken(here) == []


async def _total_is(here: Town, total: int) -> bool:
    return await here.total(MUG) == total
