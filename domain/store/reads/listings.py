"""Listings: one SKU as one shop shows it."""

from domain.store.reads.models import (
    Inside,
    Model,
    One,
    flag,
    moment,
    number,
    numbers,
    text,
    texts,
    word,
    words,
)

LISTING = Model(
    "Listing",
    "listings {t}",
    {
        **texts("item_code", "match_code"),
        "variant_code": text("nullif({t}.variant_code, '')"),
        "name": text("nullif({t}.name, '')"),
        "sync": flag("{t}.sync"),
        **numbers("minimum", "maximum", "version"),
        "quantity_to_show": number("{t}_sync.expected", "sync"),
        "mall_stock": Inside(
            {
                "quantity": number("{t}_sync.base"),
                "unlimited": flag("{t}.unlimited"),
                "known_at": moment("{t}_sync.base_latest"),
                "source": word("{t}_sync.base_source"),
            },
            needs=("sync",),
        ),
        "not_pushed": words("{t}_sync.not_pushed", "sync"),
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "product": One(
            "Product",
            "{o}.id = {t}_link.product_id AND {o}.deleted_at IS NULL",
            needs=("link",),
        ),
    },
    joins={
        "sync": "LEFT JOIN listing_sync {t}_sync "
        "ON {t}_sync.account_id = {account} AND {t}_sync.listing_id = {t}.id",
        "link": "LEFT JOIN links {t}_link "
        "ON {t}_link.account_id = {account} AND {t}_link.listing_id = {t}.id",
    },
    alive="{t}.deleted_at IS NULL",
)
