"""Products: what the merchant holds, sets among them."""

from domain.store.reads.models import (
    Many,
    Model,
    flag,
    moments,
    number,
    numbers,
    texts,
    word,
)

RESERVE = "coalesce({t}.reserve, {t}_group.reserve, 0)"

PRODUCT = Model(
    "Product",
    "products {t}",
    {
        **texts("code", "name", "image_url"),
        "kind": word("{t}.kind"),
        "managed": flag("{t}.managed"),
        "total": number("CASE WHEN {t}.kind = 'SINGLE' THEN {t}.total END"),
        "reserve": number(RESERVE, "group"),
        "listings": Many(
            "Listing",
            "{o}_link.product_id = {t}.id AND {o}.deleted_at IS NULL",
            order="{o}.shop_id, {o}.id",
            needs=("link",),
        ),
        **numbers("version"),
        **moments("updated_at"),
    },
    joins={
        "group": "LEFT JOIN product_groups {t}_group "
        "ON {t}_group.account_id = {account} AND {t}_group.id = {t}.group_id"
    },
    alive="{t}.deleted_at IS NULL",
)
