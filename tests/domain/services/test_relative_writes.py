"""When a change is sent in place of a number, and what is known after it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import MallOutcomeUnknown
from domain.model.malls import (
    MallKind,
    MallTime,
    PushOutcome,
    PushResult,
    StockReading,
    WriteMode,
)
from domain.services import reflect_jobs, seen_stock, settling
from domain.services.reflect import Batch
from domain.store import sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import a_shop, counted, everywhere_right, in_stock
from tests.domain.services.turns import A_MINUTE, SOON, fails, sent, unread

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
ON = {"relative_writes": "true"}
ABSOLUTE, RELATIVE = WriteMode.ABSOLUTE, WriteMode.RELATIVE

Happening = Callable[[Tx, Shop], Awaitable[object]]


async def five_of_it(
    tx: Tx, mall: MallKind = MallKind.YAHOO_SHOPPING, settings: dict[str, str] = ON, **values: Any
) -> Shop:
    """Written ten minutes before anything is sent."""
    shop = await a_shop(tx, mall=mall, settings=settings, **values)
    await in_stock(tx, shop, TEA=5)
    await everywhere_right(tx, SOON - 10 * A_MINUTE)
    return shop


async def three_left(tx: Tx, shop: Shop) -> None:
    await counted(tx, NOW, TEA=3)


def but(assignments: str) -> Happening:
    async def happens(tx: Tx, shop: Shop) -> None:
        await three_left(tx, shop)
        await rows(tx, f"UPDATE listing_sync SET {assignments} RETURNING 1", soon=SOON)

    return happens


async def somebody_asks(tx: Tx, shop: Shop) -> None:
    await three_left(tx, shop)
    ids = await sync.listings_of_shops(tx, [shop.id])
    await reflect_jobs.ask(tx, OWNER, ids, now=NOW)


async def sold_out(tx: Tx, shop: Shop) -> None:
    await counted(tx, NOW, TEA=0)


async def goods_come_in(tx: Tx, shop: Shop) -> None:
    await counted(tx, NOW, TEA=9)


@pytest.mark.parametrize(
    ("case", "happens", "mode", "number"),
    [
        ("sold elsewhere", three_left, RELATIVE, -2),
        ("goods come in", goods_come_in, RELATIVE, 4),
        ("the last one sold elsewhere", sold_out, ABSOLUTE, 0),
        ("somebody asks for the number", somebody_asks, ABSOLUTE, 3),
        ("tried before", but("attempts = 1"), ABSOLUTE, 3),
        ("the one before is not seen yet", but("push_state = 'ACCEPTED'"), ABSOLUTE, 3),
        ("nobody knows what is shown", but("base = NULL"), ABSOLUTE, 3),
        ("what is shown is from a file", but("base_source = 'FILE'"), ABSOLUTE, 3),
        (
            "written long ago",
            but("base_latest = cast(:soon AS timestamptz) - interval '61 minutes'"),
            ABSOLUTE,
            3,
        ),
        ("written just now", but("base_latest = :soon"), ABSOLUTE, 3),
    ],
)  # fmt: skip
async def test_a_change_is_sent_only_where_all_is_sure(
    db: Database, account: UUID, case: str, happens: Happening, mode: WriteMode, number: int
):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx)
        await happens(tx, shop)

        (push,) = (await sent(tx, shop)).pushes

    assert (push.mode, push.quantity) == (mode, number), case


@pytest.mark.parametrize(
    ("case", "mall", "settings", "mode"),
    [
        ("switched on", MallKind.YAHOO_SHOPPING, ON, RELATIVE),
        ("as it comes", MallKind.YAHOO_SHOPPING, {}, ABSOLUTE),
        ("switched off", MallKind.YAHOO_SHOPPING, {"relative_writes": "false"}, ABSOLUTE),
        ("a mall that takes none", MallKind.AMAZON, ON, ABSOLUTE),
    ],
)
async def test_the_shop_says_whether_changes_are_sent(
    db: Database,
    account: UUID,
    case: str,
    mall: MallKind,
    settings: dict[str, str],
    mode: WriteMode,
):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx, mall, settings)
        await three_left(tx, shop)

        (push,) = (await sent(tx, shop)).pushes

    assert push.mode is mode, case


async def stands(tx: Tx, batch: Batch, shown: int | None) -> None:
    """`shown`: what the mall says it shows now."""
    when = MallTime(SOON, SOON + SECOND)
    results = [
        PushResult(each.ref, PushOutcome.APPLIED, when, quantity=shown) for each in batch.attempts
    ]
    await settling.settle(tx, batch, results, now=SOON + SECOND)


async def known(tx: Tx) -> tuple[int | None, str, bool]:
    """(what we believe is shown, how we know, is it as of the change)."""
    found = await row(tx, "SELECT base, base_source, base_latest FROM listing_sync")
    return found["base"], found["base_source"], found["base_latest"] >= SOON


@pytest.mark.parametrize(
    ("case", "shown", "looks"),
    [
        ("the mall does not say", None, 0),
        ("as we thought", 3, 0),
        ("somebody bought one meanwhile, or edited it", 2, 1),
    ],
)
async def test_a_change_moves_what_we_know_and_keeps_its_time(
    db: Database, account: UUID, case: str, shown: int | None, looks: int
):
    """What the mall shows then is compared when the orders are in, never before."""
    settings = ON | {"read_back_one_in": "9999"}
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx, settings=settings, sampled_at=SOON)
        await three_left(tx, shop)

        await stands(tx, await sent(tx, shop), shown)

        assert await known(tx) == (3, "APPLIED_PUSH", False), case
        assert len(await unread(tx, shop, at=SOON + HOUR)) == looks, case
        told = await row(tx, "SELECT before, after, state FROM mall_update_logs")
        assert told == {"before": 5, "after": 3, "state": "APPLIED"}


async def test_a_change_without_an_answer_is_never_sent_again(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx)
        await three_left(tx, shop)
        await fails(tx, await sent(tx, shop), MallOutcomeUnknown("?"))
        assert (await known(tx))[0] is None

        (push,) = (await sent(tx, shop, at=SOON + HOUR)).pushes

    assert (push.mode, push.quantity) == (ABSOLUTE, 3)


async def test_a_look_while_the_mall_may_still_show_the_number_before_says_nothing(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx)
        await three_left(tx, shop)
        batch = await sent(tx, shop)
        await stands(tx, batch, None)
        (attempt,) = batch.attempts
        when = MallTime(SOON + A_MINUTE, SOON + A_MINUTE)
        found = {attempt.listing_id: StockReading(attempt.ref, when, quantity=5)}

        early = await seen_stock.learn(tx, shop, found, now=SOON + A_MINUTE)

        assert (early, await known(tx)) == ({attempt.listing_id}, (3, "APPLIED_PUSH", False))
