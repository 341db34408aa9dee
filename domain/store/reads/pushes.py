"""在庫同期スケジュール: what waits to be sent."""

from domain.store.reads.filters import among, by_value
from domain.store.reads.models import Order, Paged

LANE_THEN_AGE = """({t}.lane || to_char(coalesce({t}.waiting_since, 'epoch') AT TIME ZONE 'UTC',
    'YYYYMMDDHH24MISSUS'))"""

PENDING_PUSHES = Paged(
    "Push",
    {"LANE": Order(LANE_THEN_AGE)},
    "{o}.wanted > {o}.done",
    {
        "shop_ids": among("{t}.shop_id", "uuid"),
        "lane": by_value(
            {"TO_ZERO": "{t}.lane = 0", "DECREASE": "{t}.lane = 1", "OTHER": "{t}.lane = 2"}
        ),
    },
)
"""Lane by lane, in a lane what waits longest first."""
