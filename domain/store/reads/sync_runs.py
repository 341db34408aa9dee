"""在庫同期履歴: what ran, and how it ended."""

from domain.store.reads.filters import NEWEST_FIRST, among, equals
from domain.store.reads.models import Model, One, Paged, moments, numbers, word

SYNC_RUN = Model(
    "SyncRun",
    "sync_runs {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "kind": word("{t}.kind"),
        "outcome": word("{t}.outcome"),
        **moments("started_at", "ended_at"),
        **numbers("turns", "sent", "taken", "refused", "failed"),
        "error": One("SyncError", "{o}.id = {t}.error_id"),
    },
)

SYNC_RUNS = Paged(
    "SyncRun",
    NEWEST_FIRST,
    "true",
    {"shop_ids": among("{t}.shop_id", "uuid"), "outcome": equals("{t}.outcome")},
)
