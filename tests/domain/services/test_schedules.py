"""Full syncs by the clock: each comes once at its time, whatever happens to the shop, the zone and the clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from domain.model.errors import DomainError
from domain.model.malls import MallKind
from domain.model.schedules import WEEK, Weekday
from domain.services import account_settings, disconnecting, schedules
from domain.services.schedules import Plan
from domain.store import schedules as rows_of
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import OWNER, rows
from tests.domain.services.story import a_shop, in_stock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""Sunday 21:00 in Tokyo."""

NIGHTLY = Plan("03:30", WEEK, True)
TONIGHT = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
A_DAY = timedelta(days=1)


@pytest.fixture
async def tx(db: Database, account: UUID) -> AsyncIterator[Tx]:
    async with db.transaction(account) as opened:
        yield opened


@pytest.fixture
async def shop(tx: Tx) -> Shop:
    made = await a_shop(tx, mall=MallKind.RAKUTEN)
    await in_stock(tx, made, TEA=5, CUP=0)
    return made


async def saved(tx: Tx, shop: Shop, plan: Plan = NIGHTLY, known: UUID | None = None) -> UUID:
    return await schedules.save_schedule(tx, OWNER, known, shop.id, plan, now=NOW)


async def next_runs(tx: Tx, shop: Shop) -> list[datetime | None]:
    return [each.next_run_at for each in await rows_of.of_shop(tx, shop.id)]


async def asked(tx: Tx) -> list[int]:
    return [row["total"] for row in await rows(tx, "SELECT total FROM jobs WHERE kind = 'REFLECT'")]


async def test_it_runs_once_when_its_time_has_come(tx: Tx, shop: Shop) -> None:
    schedule = await saved(tx, shop)

    early = await schedules.run(tx, schedule, now=TONIGHT - timedelta(seconds=1))
    job = await schedules.run(tx, schedule, now=TONIGHT)
    again = await schedules.run(tx, schedule, now=TONIGHT)

    assert (early, job is not None, again) == (None, True, None)
    assert await asked(tx) == [2]
    assert await next_runs(tx, shop) == [TONIGHT + A_DAY]


async def test_after_a_week_without_a_worker_it_comes_once(tx: Tx, shop: Shop) -> None:
    schedule = await saved(tx, shop)

    await schedules.run(tx, schedule, now=TONIGHT + 7 * A_DAY + timedelta(hours=1))

    assert await asked(tx) == [2]
    assert await next_runs(tx, shop) == [TONIGHT + 8 * A_DAY]


async def test_what_is_switched_off_or_gone_does_not_run(tx: Tx, shop: Shop) -> None:
    off = await saved(tx, shop, Plan("03:30", [Weekday.MON], False))
    gone = await saved(tx, shop)
    assert await schedules.delete_schedule(tx, OWNER, gone) == gone

    for schedule in (off, gone, uuid4()):
        assert await schedules.run(tx, schedule, now=TONIGHT) is None

    assert (await asked(tx), await next_runs(tx, shop)) == ([], [None])


async def test_a_shop_that_is_not_reflected_sends_nothing_and_waits_for_the_next_night(
    tx: Tx,
) -> None:
    shop = await a_shop(tx, reflect_running=False)
    schedule = await saved(tx, shop)

    assert await schedules.run(tx, schedule, now=TONIGHT) is None

    assert (await asked(tx), await next_runs(tx, shop)) == ([], [TONIGHT + A_DAY])


async def test_in_another_time_zone_the_night_comes_at_another_moment(tx: Tx, shop: Shop) -> None:
    await saved(tx, shop)
    await account_settings.update_account(tx, OWNER, now=NOW, time_zone="Europe/Berlin")

    await schedules.zone_changed(tx, now=NOW)

    assert await next_runs(tx, shop) == [datetime(2026, 11, 23, 2, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("case", "noon", "runs"),
    [
        ("the hour that summer time skips", datetime(2026, 3, 27, 11, tzinfo=UTC), ["03-28 02:30", "03-29 03:30", "03-30 02:30"]),
        ("the hour that winter time repeats", datetime(2026, 10, 23, 10, tzinfo=UTC), ["10-24 02:30", "10-25 02:30", "10-26 02:30"]),
    ],
)  # fmt: skip
async def test_where_the_clocks_change_it_comes_once_a_night(
    tx: Tx, shop: Shop, case: str, noon: datetime, runs: list[str]
) -> None:
    """Somebody looks every half-hour for three nights."""
    await account_settings.update_account(tx, OWNER, now=noon, time_zone="Europe/Berlin")
    plan = Plan("02:30", WEEK, True)
    schedule = await schedules.save_schedule(tx, OWNER, None, shop.id, plan, now=noon)
    came: list[str] = []
    for half_hours in range(3 * 24 * 2):
        at = noon + half_hours * timedelta(minutes=30)
        if await schedules.run(tx, schedule, now=at):
            came.append(f"{at.astimezone(ZoneInfo('Europe/Berlin')):%m-%d %H:%M}")
            await rows(tx, "UPDATE jobs SET state = 'DONE', finished_at = :at RETURNING id", at=at)

    assert came == runs, case


async def test_it_can_be_changed_and_goes_with_its_shop(tx: Tx, shop: Shop) -> None:
    schedule = await saved(tx, shop)
    assert await saved(tx, shop, Plan("22:00", [Weekday.SUN], True), schedule) == schedule
    assert await next_runs(tx, shop) == [datetime(2026, 11, 22, 13, tzinfo=UTC)]

    await disconnecting.disconnect(tx, OWNER, shop.id, delete_listings=False, now=NOW)

    assert await next_runs(tx, shop) == []


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan("3:30", WEEK, True), "INVALID_VALUE"),
        (Plan("03:30", [], True), "REQUIRED"),
    ],
)
async def test_what_is_no_plan_is_refused(tx: Tx, shop: Shop, plan: Plan, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        await saved(tx, shop, plan)

    assert refused.value.code == code
    assert await next_runs(tx, shop) == []


async def test_a_shop_has_ten_at_most_and_no_other_shops(tx: Tx, shop: Shop) -> None:
    for hour in range(10):
        schedule = await saved(tx, shop, Plan(f"0{hour}:00", WEEK, True))
    with pytest.raises(DomainError) as full:
        await saved(tx, shop)
    other = await a_shop(tx, "Second")
    with pytest.raises(DomainError) as foreign:
        await saved(tx, other, NIGHTLY, schedule)
    with pytest.raises(DomainError) as unknown:
        await schedules.delete_schedule(tx, OWNER, uuid4())

    codes = [each.value.code for each in (full, foreign, unknown)]
    assert codes == ["TOO_MANY", "NOT_FOUND", "NOT_FOUND"]


async def test_those_that_are_due_are_found_across_accounts(db: Database, account: UUID) -> None:
    async with db.transaction(account) as tx:
        schedule = await saved(tx, await a_shop(tx))

    due = await rows_of.due(db, at=TONIGHT, at_most=1000)
    early = await rows_of.due(db, at=TONIGHT - timedelta(seconds=1), at_most=1000)

    assert (account, schedule) in due
    assert (account, schedule) not in early
