"""A pusher's turn at one shop, told in a few words: what is sent, what the mall answers, what is learnt of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.model.errors import MallError
from domain.model.malls import MallTime, PushOutcome, PushResult, StockReading
from domain.services import reading_back, reflect, settling
from domain.services.reflect import Batch
from domain.store import leases, pushes
from domain.store.database import Tx
from domain.store.leases import LeaseKind
from domain.store.pushes import Unread
from domain.store.shops import Shop
from tests.domain.services.rows import NOW
from tests.domain.services.story import shop_of

SOON = NOW + timedelta(minutes=5)
A_MINUTE = timedelta(minutes=1)


async def lease_of(tx: Tx, shop: Shop, holder: str = "test") -> int:
    epoch = await leases.take(tx, shop.id, LeaseKind.REFLECT, holder, A_MINUTE)
    assert epoch is not None
    return epoch


async def claimed(
    tx: Tx, shop: Shop, epoch: int, *, at: datetime = SOON, at_most: int = 1000
) -> Batch | None:
    return await reflect.claim(tx, await shop_of(tx, shop.id), epoch, at_most=at_most, now=at)


async def sent(tx: Tx, shop: Shop, *, at: datetime = SOON) -> Batch:
    batch = await claimed(tx, shop, await lease_of(tx, shop), at=at)
    assert batch is not None
    return batch


def numbers(batch: Batch | None) -> list[int]:
    return [] if batch is None else [each.quantity for each in batch.attempts]


async def answers(
    tx: Tx,
    batch: Batch,
    outcome: PushOutcome = PushOutcome.APPLIED,
    *,
    at: datetime = SOON,
    code: str = "",
    words: str = "",
) -> None:
    """The mall answers every number of the batch alike."""
    when = MallTime(at, at)
    results = [PushResult(each.ref, outcome, when, None, code, words) for each in batch.attempts]
    await settling.settle(tx, batch, results, now=at)


async def fails(tx: Tx, batch: Batch, error: MallError, *, at: datetime = SOON) -> None:
    await settling.settle(tx, batch, error, now=at)


async def unread(tx: Tx, shop: Shop, *, at: datetime) -> list[Unread]:
    return await pushes.unread(tx, shop.id, now=at, at_most=1000)


async def looks(
    tx: Tx, shop: Shop, asked: Sequence[Unread], quantity: int, *, at: datetime
) -> None:
    """The mall shows `quantity` for each."""
    when = MallTime(at, at)
    readings = [StockReading(each.ref, when, quantity=quantity) for each in asked]
    await reading_back.read_back(tx, await shop_of(tx, shop.id), asked, readings, now=at)
