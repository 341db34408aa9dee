"""一括同期スケジュール Setting and deleting full syncs by the clock."""

import strawberry

from api.context import Context
from api.fields import optional
from api.load import node
from api.mutations.edge import answered, at, named, row_id, user_errors
from api.mutations.inputs import KEY
from api.nodes import global_id
from api.schedules import FullSyncSchedule
from api.user_errors import UserError
from domain.model.schedules import Weekday
from domain.services import schedules
from domain.services.schedules import Plan
from domain.services.shops import ShopGone
from domain.store.database import Tx


@strawberry.input(description="一括同期スケジュール: when a shop's numbers are all sent.")
class SaveFullSyncScheduleInput:
    id: strawberry.ID | None = optional("Which schedule to change; absent: a new one.")
    shop_id: strawberry.ID = strawberry.field(description="Of which shop; it has 10 at most.")
    at: str = strawberry.field(description="When: HH:MM in the account's time zone.")
    weekdays: list[Weekday] = strawberry.field(description="On which days; at least one.")
    enabled: bool = strawberry.field(description="Whether it runs.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a schedule.")
class SaveFullSyncSchedulePayload:
    schedule: FullSyncSchedule | None = answered("The schedule as it is now.")
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="一括同期スケジュールの削除.")
class DeleteFullSyncScheduleInput:
    id: strawberry.ID = strawberry.field(description="Which schedule.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a schedule that was to go.")
class DeleteFullSyncSchedulePayload:
    deleted_id: strawberry.ID | None = answered("The schedule that is gone.")
    user_errors: list[UserError] = user_errors()


async def save_schedule(
    tx: Tx, context: Context, input: SaveFullSyncScheduleInput
) -> SaveFullSyncSchedulePayload:
    plan = Plan(input.at, input.weekdays, input.enabled)
    schedule_id = named(input.id, "FullSyncSchedule", "id")
    shop_id = row_id(input.shop_id, "Shop", "shop_id")
    try:
        saved = await schedules.save_schedule(
            tx, context.viewer.actor, schedule_id, shop_id, plan, now=context.now()
        )
    except ShopGone as error:
        raise at(error, "shop_id") from error
    return SaveFullSyncSchedulePayload(schedule=node("FullSyncSchedule", saved))


async def delete_schedule(
    tx: Tx, context: Context, input: DeleteFullSyncScheduleInput
) -> DeleteFullSyncSchedulePayload:
    schedule_id = row_id(input.id, "FullSyncSchedule", "id")
    gone = await schedules.delete_schedule(tx, context.viewer.actor, schedule_id)
    return DeleteFullSyncSchedulePayload(deleted_id=global_id("FullSyncSchedule", gone))
