"""Bells and the clock ask for the same work: it is done once, once more where something is new, and never cut short."""

import asyncio
from uuid import UUID, uuid4

import pytest

from domain.store.job_targets import TARGETS
from tests.workers.town import eventually
from workers.context import Context
from workers.hands import AT_ONCE, FEWER, LOOKS_AFTER_FAILURE, Hands

ACCOUNT, SHOP = uuid4(), uuid4()


class Busy:
    """Work that takes as long as it is told to."""

    def __init__(self) -> None:
        self.begun: list[UUID] = []
        self.may_end = asyncio.Semaphore(0)

    async def __call__(self, ctx: Context, account_id: UUID, shop_id: UUID) -> None:
        self.begun.append(shop_id)
        await self.may_end.acquire()

    async def has_begun(self, times: int) -> None:
        await eventually(lambda: asyncio.sleep(0, len(self.begun) == times))


@pytest.fixture
def busy() -> Busy:
    return Busy()


@pytest.mark.parametrize(("again", "looks"), [(False, 1), (True, 2)])
async def test_who_asks_meanwhile_is_answered_by_one_more_look(
    ctx: Context, busy: Busy, again: bool, looks: int
) -> None:
    async with Hands(ctx, {"REFLECT": busy}) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT")
        await busy.has_begun(1)
        for _ in range(3):
            hands.take_up(ACCOUNT, SHOP, "REFLECT", again=again)

        busy.may_end.release()
        await busy.has_begun(looks)
        busy.may_end.release()
        await asyncio.sleep(0)

    assert busy.begun == [SHOP] * looks


async def test_who_asks_just_as_the_last_look_ends_is_not_overheard(ctx: Context) -> None:
    looks: list[UUID] = []

    async def is_asked_at_its_end(given: Context, account_id: UUID, shop_id: UUID) -> None:
        looks.append(shop_id)
        if len(looks) == 1:
            asks = asyncio.get_running_loop().call_soon
            asks(lambda: hands.take_up(account_id, shop_id, "REFLECT", again=True))

    async with Hands(ctx, {"REFLECT": is_asked_at_its_end}) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT")

        await eventually(lambda: asyncio.sleep(0, len(looks) == 2))


async def test_long_work_of_one_kind_keeps_no_other_waiting(ctx: Context, busy: Busy) -> None:
    zeros = Busy()
    async with Hands(ctx, {"ORDERS": busy, "REFLECT": zeros}) as hands:
        for _ in range(AT_ONCE + 1):
            hands.take_up(ACCOUNT, uuid4(), "ORDERS")
        await busy.has_begun(AT_ONCE)

        hands.take_up(ACCOUNT, SHOP, "REFLECT")

        await zeros.has_begun(1)
    assert len(busy.begun) == AT_ONCE


async def test_an_account_with_many_slow_shops_keeps_no_others_zero_waiting(
    ctx: Context, busy: Busy
) -> None:
    async with Hands(ctx, {"REFLECT": busy}) as hands:
        for _ in range(100):
            hands.take_up(ACCOUNT, uuid4(), "REFLECT")
        await busy.has_begun(AT_ONCE)

        hands.take_up(uuid4(), SHOP, "REFLECT")

        await busy.has_begun(AT_ONCE + 1)
    assert busy.begun[-1] == SHOP


async def test_jobs_that_change_much_leave_connections_to_others(ctx: Context, busy: Busy) -> None:
    async with Hands(ctx, {TARGETS: busy}) as hands:
        for _ in range(FEWER[TARGETS] + 1):
            hands.take_up(ACCOUNT, uuid4(), TARGETS)
        await busy.has_begun(FEWER[TARGETS])
        await asyncio.sleep(0)
        assert len(busy.begun) == FEWER[TARGETS]

        busy.may_end.release()
        await busy.has_begun(FEWER[TARGETS] + 1)


async def test_what_fails_is_taken_up_again(ctx: Context, busy: Busy) -> None:
    async def fails_once(given: Context, account_id: UUID, shop_id: UUID) -> None:
        if not busy.begun:
            busy.begun.append(shop_id)
            raise RuntimeError("A fault of ours.")
        await busy(given, account_id, shop_id)

    async with Hands(ctx, {"REFLECT": fails_once}) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT", again=True)
        await busy.has_begun(1)
        hands.take_up(ACCOUNT, SHOP, "REFLECT", again=True)
        await busy.has_begun(2)


async def test_what_fails_is_looked_at_again_though_nobody_asks(ctx: Context, busy: Busy) -> None:
    async def fails_once(given: Context, account_id: UUID, shop_id: UUID) -> None:
        if not busy.begun:
            busy.begun.append(shop_id)
            raise RuntimeError("The database was lost under way.")
        await busy(given, account_id, shop_id)

    async with Hands(ctx, {"REFLECT": fails_once}) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT")
        await busy.has_begun(2)


async def test_what_is_under_way_is_put_down_at_the_end(ctx: Context, busy: Busy) -> None:
    async with Hands(ctx, {"REFLECT": busy}) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT")
        await busy.has_begun(1)
        [task] = hands._busy.values()

    assert task.cancelled()


async def fails(given: Context, account_id: UUID, shop_id: UUID) -> None:
    raise RuntimeError("A fault of ours.")


async def test_what_failed_and_is_well_again_is_not_kept_in_mind(ctx: Context, busy: Busy) -> None:
    async def fails_once(given: Context, account_id: UUID, shop_id: UUID) -> None:
        await busy(given, account_id, shop_id)
        if len(busy.begun) == 1:
            raise RuntimeError("The database was lost under way.")

    busy.may_end.release()
    busy.may_end.release()
    async with Hands(ctx, {"REFLECT": fails_once}, first_look=0.001) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT")
        await busy.has_begun(2)
        await eventually(lambda: asyncio.sleep(0, not hands._busy))

        assert hands._failing == {}


async def test_what_goes_on_failing_is_forgotten_some_time_after_it_was_looked_at_last(
    ctx: Context,
) -> None:
    """A shop that is gone fails no more, and nobody asks for it."""
    failed: list[UUID] = []

    async def goes_on_failing(given: Context, account_id: UUID, shop_id: UUID) -> None:
        failed.append(shop_id)
        raise RuntimeError("A fault of ours.")

    work = {"REFLECT": goes_on_failing}
    async with Hands(ctx, work, first_look=0.001, forgets_after=0.001) as hands:
        hands.take_up(ACCOUNT, SHOP, "REFLECT")
        await eventually(lambda: asyncio.sleep(0, len(failed) > LOOKS_AFTER_FAILURE))
        await eventually(lambda: asyncio.sleep(0, hands._failing == {}))

    assert len(failed) == LOOKS_AFTER_FAILURE + 1


async def test_no_more_failures_are_kept_in_mind_than_there_is_room_for(ctx: Context) -> None:
    async with Hands(ctx, {"REFLECT": fails}, first_look=60, most_failing=3) as hands:
        for _ in range(5):
            hands.take_up(ACCOUNT, uuid4(), "REFLECT")
        await eventually(lambda: asyncio.sleep(0, not hands._busy))

        assert len(hands._failing) == 3
