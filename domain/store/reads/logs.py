"""The logs that people read: what was done here, what was sold, what was written to the malls."""

from domain.store.reads.actors import actor
from domain.store.reads.filters import (
    NEWEST_FIRST,
    all_of,
    among,
    at_least,
    below,
    by_actor,
    equals,
    searched,
)
from domain.store.reads.listings import PUSH_EXISTS
from domain.store.reads.models import (
    Either,
    Filter,
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
from domain.store.reads.orders import MALL_CODE

TARGETS = {
    "ACCOUNT": "Account",
    "SHOP": "Shop",
    "PRODUCT": "Product",
    "LISTING": "Listing",
    "LINK": "Link",
    "PRODUCT_GROUP": "ProductGroup",
    "SYNC_ERROR": "SyncError",
    "USER": "User",
    "API_TOKEN": "ApiToken",
}
"""What an operation may have been done to: kind to read model. Rows of these are kept for good."""

LINE_SOLD = """{o}.id = (SELECT w.id FROM order_lines w
    WHERE w.account_id = {account} AND w.order_id = {t}.order_id AND w.item_code = {t}.item_code
        AND w.variant_code = {t}.variant_code ORDER BY w.position LIMIT 1)"""

OF_PRODUCT = {
    "product_ids": among("{t}.product_id", "uuid"),
    "text": searched("{t}.product_id", "renkei_search_products(WORDS, NULL)"),
}


def _between(column: str) -> dict[str, Filter]:
    return {
        "from": at_least(f"{{t}}.{column}", "timestamptz"),
        "until": below(f"{{t}}.{column}", "timestamptz"),
    }


OPERATION_LOG = Model(
    "OperationLog",
    "operation_logs {t}",
    {
        "actor": actor(),
        "action": word("{t}.action"),
        "target": Either(
            {
                model: One(
                    model,
                    "{o}.listing_id = {t}.target_id"
                    if model == "Link"
                    else "{o}.id = {t}.target_id",
                    "{t}.target_id",
                    when=f"({{t}}.target_kind = '{kind}' AND {{t}}.target_id IS NOT NULL)",
                )
                for kind, model in TARGETS.items()
            }
        ),
        "text": facts(word("{t}.action"), json("{t}.facts")),
        **moments("at", "reflected_at"),
    },
)

SALES_LOG = Model(
    "SalesLog",
    "sales_logs {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "listing": One("Listing", "{o}.id = {t}.listing_id", key="{t}.listing_id"),
        "product": One("Product", "{o}.id = {t}.product_id", key="{t}.product_id"),
        "order": One("Order", "{o}.id = {t}.order_id", key="{t}.order_id"),
        "order_line": One("OrderLine", LINE_SOLD),
        "mall_code": text(MALL_CODE),
        **numbers("units"),
        **moments("at"),
    },
)

MALL_UPDATE_LOG = Model(
    "MallUpdateLog",
    "mall_update_logs {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "listing": One("Listing", "{o}.id = {t}.listing_id", key="{t}.listing_id"),
        "push": One("Push", f"{{o}}.listing_id = {{t}}.listing_id AND {PUSH_EXISTS}"),
        **numbers("before", "after"),
        "state": word("{t}.state"),
        **moments("sent_at", "applied_at"),
        "mall_code": text("nullif({t}.mall_code, '')"),
        "mall_message": text("nullif({t}.mall_message, '')"),
    },
    joins={
        "link": "LEFT JOIN links {t}_link "
        "ON {t}_link.account_id = {account} AND {t}_link.listing_id = {t}.listing_id"
    },
)

OPERATION_LOGS = Paged(
    "OperationLog",
    NEWEST_FIRST,
    "true",
    {
        "filter": all_of(
            {
                "product_ids": among("{t}.target_id", "uuid"),
                "shop_ids": among("{t}.target_id", "uuid"),
                "actor_ids": by_actor(),
                "job_id": equals("{t}.job_id", "uuid"),
                "text": searched("{t}.target_id", "renkei_search_products(WORDS, NULL)"),
                **_between("at"),
            }
        )
    },
)

SALES_LOGS = Paged(
    "SalesLog",
    NEWEST_FIRST,
    "true",
    {"filter": all_of({**OF_PRODUCT, "shop_ids": among("{t}.shop_id", "uuid"), **_between("at")})},
)

MALL_UPDATE_LOGS = Paged(
    "MallUpdateLog",
    NEWEST_FIRST,
    "true",
    {
        "filter": all_of(
            {
                "product_ids": among("{t}_link.product_id", "uuid", "link"),
                "shop_ids": among("{t}.shop_id", "uuid"),
                "text": searched("{t}.listing_id", "renkei_search_listings(WORDS)"),
                "push_states": among("{t}.state", "text"),
                **_between("sent_at"),
            }
        )
    },
)
