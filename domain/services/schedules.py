"""一括同期スケジュール Full syncs by the clock: set, deleted, and run when their time has come."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.model.actors import SYSTEM, Actor
from domain.model.errors import DomainError
from domain.model.schedules import (
    MOST_OF_A_SHOP,
    Weekday,
    checked_days,
    next_run,
    time_of_day,
)
from domain.services import full_syncs, shops
from domain.services.edits import not_found
from domain.store import logs, schedules
from domain.store import shops as shop_rows
from domain.store.database import Tx
from domain.store.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Plan:
    """When: HH:MM of the account's day, on these days."""

    at: str
    weekdays: Collection[Weekday]
    enabled: bool


async def save_schedule(
    tx: Tx, actor: Actor, schedule_id: UUID | None, shop_id: UUID, plan: Plan, *, now: datetime
) -> UUID:
    """Makes a schedule, or changes one. Raises DomainError NOT_FOUND, INVALID_VALUE, REQUIRED or TOO_MANY."""
    shop = await shops.known(tx, shop_id)
    wanted = await _planned(tx, schedule_id, shop_id, plan, now)
    if schedule_id is None:
        saved = await _insert(tx, wanted)
    else:
        saved = await _change(tx, wanted)
    await _log(tx, actor, "SAVE_FULL_SYNC_SCHEDULE", shop_id, {"name": shop.name, **_said(wanted)})
    return saved


async def delete_schedule(tx: Tx, actor: Actor, schedule_id: UUID) -> UUID:
    """Raises DomainError NOT_FOUND."""
    gone = await schedules.delete(tx, schedule_id)
    if gone is None:
        raise not_found("schedule", "id")
    shop = await shop_rows.get(tx, gone.shop_id)
    name = shop.name if shop else ""
    facts = {"name": name, **_said(gone)}
    await _log(tx, actor, "DELETE_FULL_SYNC_SCHEDULE", gone.shop_id, facts)
    return gone.id


async def run(tx: Tx, schedule_id: UUID, *, now: datetime) -> UUID | None:
    """Starts the full sync whose time has come: the job to follow. However late it is, it comes once.

    None where somebody ran, changed or deleted the schedule meanwhile, and where the shop is not reflected now, is being
    sent whole already, or lists more than one full sync takes: this night is left out.
    """
    shop_id = await schedules.shop_of(tx, schedule_id)
    shop = None if shop_id is None else await shop_rows.lock(tx, shop_id)
    due = await schedules.lock(tx, schedule_id)
    if due is None or due.next_run_at is None or due.next_run_at > now:
        return None
    await schedules.save(tx, [_moved(due, await _zone(tx), now)])
    if shop is None or not shop.reflects:
        return None
    try:
        return await full_syncs.start(tx, SYSTEM, [shop.id], now=now)
    except DomainError:
        return None


async def zone_changed(tx: Tx, *, now: datetime) -> None:
    """The account's day begins at another moment: every schedule's next time is worked out anew."""
    running = await schedules.lock_enabled(tx)
    zone = await _zone(tx)
    await schedules.save(tx, [_moved(each, zone, now) for each in running])


async def _planned(
    tx: Tx, schedule_id: UUID | None, shop_id: UUID, plan: Plan, now: datetime
) -> Schedule:
    days = checked_days(plan.weekdays)
    at = time_of_day(plan.at)
    moment = next_run(at, days, await _zone(tx), now) if plan.enabled else None
    own_id = schedule_id or UUID(int=0)
    return Schedule(own_id, shop_id, plan.at, days, plan.enabled, moment)


async def _insert(tx: Tx, wanted: Schedule) -> UUID:
    if len(await schedules.of_shop(tx, wanted.shop_id)) >= MOST_OF_A_SHOP:
        raise DomainError(
            f"A shop has {MOST_OF_A_SHOP} schedules at most: change one of them.",
            code="TOO_MANY",
            field=("shop_id",),
            most=MOST_OF_A_SHOP,
        )
    return await schedules.insert(
        tx,
        wanted.shop_id,
        wanted.at,
        wanted.weekdays,
        enabled=wanted.enabled,
        next_run_at=wanted.next_run_at,
    )


async def _change(tx: Tx, wanted: Schedule) -> UUID:
    known = await schedules.lock(tx, wanted.id)
    if known is None or known.shop_id != wanted.shop_id:
        raise not_found("schedule", "id")
    await schedules.save(tx, [wanted])
    return wanted.id


def _moved(schedule: Schedule, zone: ZoneInfo, now: datetime) -> Schedule:
    moment = next_run(time_of_day(schedule.at), schedule.weekdays, zone, now)
    return replace(schedule, next_run_at=moment)


async def _zone(tx: Tx) -> ZoneInfo:
    return ZoneInfo(await schedules.time_zone(tx))


def _said(schedule: Schedule) -> Mapping[str, Any]:
    return {
        "at": schedule.at,
        "weekdays": [day.value for day in schedule.weekdays],
        "enabled": schedule.enabled,
    }


async def _log(tx: Tx, actor: Actor, action: str, shop_id: UUID, facts: Mapping[str, Any]) -> None:
    await logs.operation(tx, actor.as_json(), action, "SHOP", [(shop_id, facts)])
