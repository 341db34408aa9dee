"""Opening, counting on, closing and clearing what went wrong; each step is announced."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from domain.model.errors import MallError
from domain.model.events import ErrorChange, EventKind
from domain.model.sync_errors import ErrorState, Level, SyncErrorKind, classify, group_key
from domain.store import sync_errors
from domain.store.database import Event, Tx

NUMBER = {Level.LEVEL_8: 8, Level.LEVEL_9: 9}

OF_ONE_ITEM = (SyncErrorKind.ITEM_REFUSED, SyncErrorKind.UNKNOWN_AT_MALL, SyncErrorKind.NOT_APPLIED)
TRANSIENT = (
    SyncErrorKind.MAINTENANCE,
    SyncErrorKind.THROTTLED,
    SyncErrorKind.UNREACHABLE,
    SyncErrorKind.ANSWER_UNREADABLE,
)
HALTING = (
    SyncErrorKind.CREDENTIALS_REFUSED,
    SyncErrorKind.CREDENTIALS_EXPIRED,
    SyncErrorKind.CONSENT_NEEDED,
)


async def report(
    tx: Tx,
    kind: SyncErrorKind,
    *,
    shop_id: UUID,
    shop_name: str,
    level: Level = Level.LEVEL_8,
    listing_ids: Collection[UUID] = (),
    count: int = 1,
    error: MallError | None = None,
    next_try_at: datetime | None = None,
    now: datetime,
) -> UUID:
    """One cause is one error with a count (DESIGN §3)."""
    mall_code, mall_message = (error.mall_code, error.mall_message) if error else ("", "")
    reported = await sync_errors.report(
        tx,
        level=NUMBER[level],
        kind=kind.value,
        shop_id=shop_id,
        group_key=group_key(kind, shop_id, mall_code),
        count=count,
        params={"shop": shop_name, "count": count},
        mall_code=mall_code,
        mall_message=mall_message,
        next_try_at=next_try_at,
        at=now,
    )
    await sync_errors.hit(tx, reported.id, listing_ids)
    _announce(tx, _change(reported.before), reported.id, shop_id, NUMBER[level])
    return reported.id


async def report_failure(
    tx: Tx,
    error: MallError,
    *,
    shop_id: UUID,
    shop_name: str,
    listing_ids: Collection[UUID] = (),
    next_try_at: datetime | None = None,
    now: datetime,
) -> Level:
    """What a call failed of, as an error of the shop."""
    level, kind = classify(error)
    await report(
        tx,
        kind,
        shop_id=shop_id,
        shop_name=shop_name,
        level=level,
        listing_ids=listing_ids,
        count=max(1, len(listing_ids)),
        error=error,
        next_try_at=next_try_at,
        now=now,
    )
    return level


async def resolve(
    tx: Tx, shop_id: UUID, kinds: Collection[SyncErrorKind], *, now: datetime
) -> None:
    """Closes a shop's errors of these kinds: their cause is gone."""
    for error_id in await sync_errors.resolve(tx, shop_id, [kind.value for kind in kinds], at=now):
        _announce(tx, ErrorChange.RESOLVED, error_id, shop_id, None)


async def mended(
    tx: Tx,
    shop_id: UUID,
    listing_ids: Collection[UUID],
    *,
    kinds: Collection[SyncErrorKind] = OF_ONE_ITEM,
    now: datetime,
) -> None:
    """These listings are well again; an error that concerned them alone closes."""
    if not listing_ids:
        return
    for error_id in await sync_errors.mended(
        tx, listing_ids, [kind.value for kind in kinds], at=now
    ):
        _announce(tx, ErrorChange.RESOLVED, error_id, shop_id, None)


def announce_cleared(tx: Tx, error_id: UUID, shop_id: UUID | None) -> None:
    _announce(tx, ErrorChange.CLEARED, error_id, shop_id, None)


def _change(before: str | None) -> ErrorChange:
    if before is None:
        return ErrorChange.OPENED
    return ErrorChange.REOPENED if before == ErrorState.CLEARED.value else ErrorChange.COUNT_CHANGED


def _announce(
    tx: Tx, change: ErrorChange, error_id: UUID, shop_id: UUID | None, level: int | None
) -> None:
    payload = {} if level is None else {"level": level}
    tx.emit(Event(EventKind.ERROR, change.value, error_id, shop_id, payload=payload))
