"""What went wrong between us and the malls."""

from domain.store.reads.actors import actor
from domain.store.reads.filters import NEWEST_FIRST, OLDEST_FIRST, all_of, among
from domain.store.reads.models import (
    Model,
    One,
    Paged,
    facts,
    json,
    moments,
    numbers,
    text,
    word,
)

LEVEL = "('LEVEL_' || {t}.level)"

SYNC_ERROR = Model(
    "SyncError",
    "sync_errors {t}",
    {
        "level": word(LEVEL),
        "kind": word("{t}.kind"),
        "state": word("{t}.state"),
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        **numbers("count"),
        **moments("first_at", "last_at", "resolved_at", "cleared_at", "next_try_at"),
        "cleared_by": actor("cleared_by"),
        "message": facts(word("{t}.kind"), json("{t}.params")),
        "advice": facts(word("{t}.kind"), word("{t}_shop.mall", "shop")),
        "mall_code": text("nullif({t}.mall_code, '')"),
        "mall_message": text("nullif({t}.mall_message, '')"),
        "affected": Paged(
            "Listing",
            OLDEST_FIRST,
            "{o}.deleted_at IS NULL AND {o}.id IN (SELECT h.listing_id FROM sync_error_listings h "
            "WHERE h.account_id = {account} AND h.error_id = {t}.id)",
        ),
    },
    joins={
        "shop": "LEFT JOIN shops {t}_shop "
        "ON {t}_shop.account_id = {account} AND {t}_shop.id = {t}.shop_id"
    },
)

SYNC_ERRORS = Paged(
    "SyncError",
    NEWEST_FIRST,
    "true",
    {
        "filter": all_of(
            {
                "levels": among(LEVEL, "text"),
                "states": among("{t}.state", "text"),
                "kinds": among("{t}.kind", "text"),
                "shop_ids": among("{t}.shop_id", "uuid"),
            }
        )
    },
)
