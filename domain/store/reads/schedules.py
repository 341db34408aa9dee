"""一括同期スケジュール: full syncs by the clock."""

from domain.store.reads.models import Model, One, flag, moments, text, words

FULL_SYNC_SCHEDULE = Model(
    "FullSyncSchedule",
    "full_sync_schedules {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "at": text("{t}.at"),
        "weekdays": words("{t}.weekdays"),
        "enabled": flag("{t}.enabled"),
        **moments("next_run_at"),
    },
)
