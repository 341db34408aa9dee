"""一括同期スケジュール Full syncs by the clock."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.fields import described, field
from api.nodes import Node
from domain.model.schedules import Weekday

if TYPE_CHECKING:
    from api.shops import Shop

described(
    Weekday,
    "A day of the week, in the account's time zone.",
    MON="月曜日.",
    TUE="火曜日.",
    WED="水曜日.",
    THU="木曜日.",
    FRI="金曜日.",
    SAT="土曜日.",
    SUN="日曜日.",
)


@strawberry.type(
    description="一括同期: every number of a shop is sent at this time of day, best at night. Orders and zeros overtake it."
)
class FullSyncSchedule(Node):
    shop: Annotated["Shop", strawberry.lazy("api.shops")] = field("The shop.")
    at: str = field("When: HH:MM in the account's time zone.")
    weekdays: list[Weekday] = field("On which days.")
    enabled: bool = field("It runs.")
    next_run_at: datetime | None = field("When it comes next; null: it is switched off.")
