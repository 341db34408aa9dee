"""Opening, counting on, closing and clearing what went wrong; each step is announced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.model.diff import HALTED_STATES
from domain.model.errors import DomainError, MallError
from domain.model.events import ErrorChange, EventKind
from domain.model.jobs import JobKind
from domain.model.shops import ShopState
from domain.model.sync_errors import (
    ErrorState,
    Level,
    Part,
    SyncErrorKind,
    classify,
    group_key,
    is_worth_telling,
)
from domain.store import jobs, logs, shops, sync_errors
from domain.store.database import Event, Tx
from domain.store.sync_errors import KnownError

NOTHING: Mapping[str, object] = MappingProxyType({})
OF_ONE_ITEM = (
    SyncErrorKind.ITEM_REFUSED,
    SyncErrorKind.UNKNOWN_AT_MALL,
    SyncErrorKind.NOT_APPLIED,
    SyncErrorKind.FEED_FAILED,
)
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


@dataclass(frozen=True, slots=True)
class Cleared:
    """`errors`: hidden now. `checks`: the tests that decide about the rest."""

    errors: Sequence[UUID]
    checks: Sequence[UUID]


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
    part: Part | None = None,
    facts: Mapping[str, object] = NOTHING,
    next_try_at: datetime | None = None,
    now: datetime,
) -> UUID:
    """One cause is one error with a count (DESIGN §3). `part`: where it was met, for what each part closes by itself.

    `facts`: what else its sentence says.
    """
    mall_code, mall_message = (error.mall_code, error.mall_message) if error else ("", "")
    params: dict[str, object] = {"shop": shop_name, "count": count, **facts}
    reported = await sync_errors.report(
        tx,
        level=level.number,
        kind=kind.value,
        shop_id=shop_id,
        group_key=group_key(kind, shop_id, mall_code, part),
        count=count,
        params=params | ({"part": part.value} if part else {}),
        mall_code=mall_code,
        mall_message=mall_message,
        next_try_at=next_try_at,
        at=now,
    )
    await sync_errors.hit(tx, reported.id, listing_ids)
    if kind in OF_ONE_ITEM and listing_ids:
        await sync_errors.recount(tx, reported.id)
    _announce(tx, _change(reported.before), reported.id, shop_id, level.number)
    return reported.id


async def report_failure(
    tx: Tx,
    error: MallError,
    part: Part,
    *,
    shop_id: UUID,
    shop_name: str,
    listing_ids: Collection[UUID] = (),
    next_try_at: datetime | None = None,
    now: datetime,
) -> UUID | None:
    """What a call failed of, as an error of the shop; a wait of our own making is none."""
    level, kind = classify(error)
    if not is_worth_telling(error):
        return None
    transient = kind in TRANSIENT
    return await report(
        tx,
        kind,
        shop_id=shop_id,
        shop_name=shop_name,
        level=level,
        listing_ids=listing_ids,
        count=max(1, len(listing_ids)),
        error=error,
        part=part if transient else None,
        next_try_at=next_try_at,
        now=now,
    )


async def resolve(
    tx: Tx,
    shop_id: UUID,
    kinds: Collection[SyncErrorKind],
    *,
    part: Part | None = None,
    level: Level | None = None,
    now: datetime,
) -> None:
    """Closes a shop's errors of these kinds, of one part and level or of any: their cause is gone."""
    names, number = [kind.value for kind in kinds], level.number if level else None
    for error_id in await sync_errors.resolve(tx, shop_id, names, part=part, level=number, at=now):
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


async def clear(tx: Tx, actor: Actor, ids: Sequence[UUID], *, now: datetime) -> Cleared:
    """Hides errors; a cause that is seen again opens its error again.

    The level 9 of a halted shop is not hidden yet: a test of the connection starts, and when it is good the error is
    cleared and the shop resumes. Raises DomainError NOT_FOUND.
    """
    known = await sync_errors.known(tx, ids)
    _check_known(ids, known)
    halted = await _halted(tx, known)
    gone = [error for error in known if error.id not in halted]
    cleared = await sync_errors.clear(tx, [error.id for error in gone], actor.as_json(), at=now)
    of_shop = {error.id: error.shop_id for error in gone}
    for error_id in cleared:
        _announce(tx, ErrorChange.CLEARED, error_id, of_shop[error_id], None)
    checks = [
        await jobs.create(
            tx, JobKind.SHOP_CHECK, shop_id=shop_id, input={"resume": True}, actor=actor
        )
        for shop_id in sorted(set(halted.values()))
    ]
    facts = [(error.id, {"kind": error.kind, "level": error.level}) for error in known]
    await logs.operation(tx, actor.as_json(), "CLEAR_ERRORS", "SYNC_ERROR", facts)
    return Cleared(cleared, checks)


async def uncleared(
    tx: Tx,
    *,
    levels: Sequence[Level] | None = None,
    states: Sequence[ErrorState] | None = None,
    kinds: Sequence[SyncErrorKind] | None = None,
    shop_ids: Sequence[UUID] | None = None,
) -> list[UUID]:
    """Errors that nobody has cleared and that meet every given condition; None: any."""
    shown = set(ErrorState if states is None else states) - {ErrorState.CLEARED}
    return await sync_errors.find(
        tx,
        levels=None if levels is None else [level.number for level in levels],
        states=sorted(shown),
        kinds=None if kinds is None else [kind.value for kind in kinds],
        shop_ids=shop_ids,
    )


async def clear_halt(tx: Tx, shop_id: UUID, actor: Mapping[str, Any], *, now: datetime) -> None:
    """Clears what halts the shop, for the actor who asked for the test that was good."""
    ids = await uncleared(tx, levels=[Level.LEVEL_9], states=[ErrorState.OPEN], shop_ids=[shop_id])
    for error_id in await sync_errors.clear(tx, ids, actor, at=now):
        _announce(tx, ErrorChange.CLEARED, error_id, shop_id, None)


async def close_all(tx: Tx, actor: Actor, shop_id: UUID, *, now: datetime) -> None:
    """Whatever was wrong with the shop is no matter any more: its errors are closed and hidden."""
    await resolve(tx, shop_id, list(SyncErrorKind), now=now)
    ids = await uncleared(tx, shop_ids=[shop_id])
    for error_id in await sync_errors.clear(tx, ids, actor.as_json(), at=now):
        _announce(tx, ErrorChange.CLEARED, error_id, shop_id, None)


def _check_known(ids: Sequence[UUID], known: Sequence[KnownError]) -> None:
    found = {error.id for error in known}
    for place, error_id in enumerate(ids):
        if error_id not in found:
            raise DomainError(
                "There is no such error: read the list of errors again.",
                field=("errors", "ids", str(place)),
                code="NOT_FOUND",
            )


async def _halted(tx: Tx, known: Sequence[KnownError]) -> dict[UUID, UUID]:
    """Error to shop: the open level 9 errors whose shops stand still."""
    open_nines = {
        error.id: error.shop_id
        for error in known
        if error.level == Level.LEVEL_9.number and error.is_open and error.shop_id
    }
    if not open_nines:
        return {}
    standing = {shop.id for shop in await shops.every(tx) if ShopState(shop.state) in HALTED_STATES}
    return {error_id: shop_id for error_id, shop_id in open_nines.items() if shop_id in standing}


def _change(before: str | None) -> ErrorChange:
    if before is None:
        return ErrorChange.OPENED
    return ErrorChange.REOPENED if before == ErrorState.CLEARED.value else ErrorChange.COUNT_CHANGED


def _announce(
    tx: Tx, change: ErrorChange, error_id: UUID, shop_id: UUID | None, level: int | None
) -> None:
    payload = {} if level is None else {"level": level}
    tx.emit(Event(EventKind.ERROR, change.value, error_id, shop_id, payload=payload))
