"""Products: what the merchant holds, sets among them."""

from domain.store.reads.exposures import EXPOSURE_OF_PRODUCT
from domain.store.reads.filters import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    all_of,
    among,
    both_ways,
    equals,
    holds,
    in_range,
    matching,
    searched,
)
from domain.store.reads.listings import some_listing
from domain.store.reads.models import (
    Filter,
    Many,
    Model,
    One,
    Paged,
    Where,
    flag,
    moments,
    number,
    numbers,
    texts,
    word,
)

ALIVE = "{t}.deleted_at IS NULL"
TOTAL = "CASE WHEN {t}.kind = 'SINGLE' THEN {t}.total END"
RESERVE = "coalesce({t}.reserve, {t}_group.reserve, 0)"
SELLABLE_SETS = f"""(SELECT greatest(min((p.total - coalesce(p.reserve, g.reserve, 0)) / sp.count) - {RESERVE}, 0)
    FROM set_parts sp
    JOIN products p ON p.account_id = {{account}} AND p.id = sp.part_id
    LEFT JOIN product_groups g ON g.account_id = {{account}} AND g.id = p.group_id
    WHERE sp.account_id = {{account}} AND sp.set_id = {{t}}.id AND p.managed
    HAVING count(*) > 0)"""
SELLABLE = (
    f"(CASE WHEN {{t}}.kind = 'SINGLE' THEN {{t}}.total - {RESERVE} ELSE {SELLABLE_SETS} END)"
)
UNREFLECTED = """EXISTS (SELECT 1 FROM links k
    JOIN listing_sync s ON s.account_id = {account} AND s.listing_id = k.listing_id AND s.edited
    WHERE k.account_id = {account} AND k.product_id = {t}.id)"""
MISSING_IN = """NOT EXISTS (SELECT 1 FROM links k
    JOIN listings l ON l.account_id = {account} AND l.id = k.listing_id AND l.deleted_at IS NULL
    WHERE k.account_id = {account} AND k.product_id = {t}.id AND l.shop_id = ANY (ARGUMENT))"""
OPEN_ERRORS = """{o}.state = 'OPEN' AND {o}.id IN (SELECT h.error_id FROM sync_error_listings h
    JOIN links k ON k.account_id = {account} AND k.listing_id = h.listing_id
    WHERE h.account_id = {account} AND k.product_id = {t}.id)"""


def _search(where: Where, name: str) -> str:
    """With shops chosen, only their listings' codes and names count beside the product's own."""
    listing = where.inner("listing")
    shops = listing.bind("shop_ids", "uuid[]") if listing.given("shop_ids") else "NULL::uuid[]"
    return searched("{t}.id", f"renkei_search_products(WORDS, {shops})")(where, name)


PRODUCT_FILTERS: dict[str, Filter] = {
    "filter": all_of(
        {
            "text": _search,
            "kind": equals("{t}.kind"),
            "total": in_range(f"({TOTAL})"),
            "sellable": in_range(SELLABLE, "group"),
            "managed": holds("{t}.managed"),
            "group_ids": among("{t}.group_id", "uuid"),
            "unreflected": holds(UNREFLECTED),
            "listing": some_listing,
            "missing_in_shop_ids": matching(MISSING_IN, "uuid[]"),
        }
    )
}

PRODUCT_ORDERS = {
    **both_ways("CODE", "{t}.code"),
    **both_ways("NAME", "{t}.name"),
    **both_ways("TOTAL", "{t}.total", "int"),
    **both_ways("SELLABLE", f"coalesce({SELLABLE}, 0)", "int", "group"),
    **both_ways("UPDATED_AT", "{t}.updated_at", "timestamptz"),
}

PRODUCT = Model(
    "Product",
    "products {t}",
    {
        **texts("code", "name", "image_url"),
        "attributes": Many(
            "ProductAttribute",
            "true",
            order="{o}.name",
            source="jsonb_each_text({t}.attributes) {o} (name, value)",
        ),
        "kind": word("{t}.kind"),
        "managed": flag("{t}.managed"),
        "total": number(TOTAL),
        "reserve": number(RESERVE, "group"),
        "sellable": number(SELLABLE, "group"),
        "group": One("ProductGroup", "{o}.id = {t}.group_id", key="{t}.group_id"),
        "unreflected": flag(UNREFLECTED),
        "parts": Many("SetPart", "{o}.set_id = {t}.id", order="{o}.part_id"),
        "part_of": Many(
            "Product",
            "{o}.deleted_at IS NULL AND {o}.id IN (SELECT sp.set_id FROM set_parts sp "
            "WHERE sp.account_id = {account} AND sp.part_id = {t}.id)",
            order="{o}.code",
        ),
        "listings": Many(
            "Listing",
            "{o}_link.product_id = {t}.id AND {o}.deleted_at IS NULL",
            order="{o}.shop_id, {o}.id",
            filters={"shop_ids": among("{t}.shop_id", "uuid")},
            needs=("link",),
        ),
        "open_errors": Many("SyncError", OPEN_ERRORS, order="{o}.id DESC"),
        "exposure": EXPOSURE_OF_PRODUCT,
        "movements": Paged("StockMovement", NEWEST_FIRST, on="{o}.product_id = {t}.id"),
        **numbers("version"),
        **moments("updated_at"),
    },
    joins={
        "group": "LEFT JOIN product_groups {t}_group "
        "ON {t}_group.account_id = {account} AND {t}_group.id = {t}.group_id"
    },
    alive=ALIVE,
)

PRODUCT_ATTRIBUTE = Model("ProductAttribute", "", texts("name", "value"), account="true")

SET_PART = Model(
    "SetPart",
    "set_parts {t}",
    {
        "product": One("Product", "{o}.id = {t}.part_id", key="{t}.part_id"),
        **numbers("count"),
    },
    key="{t}.part_id",
)

PRODUCT_GROUP = Model(
    "ProductGroup",
    "product_groups {t}",
    {
        **texts("name"),
        **numbers("reserve", "version"),
        "product_count": number(
            "(SELECT count(*) FROM products p WHERE p.account_id = {account} "
            "AND p.group_id = {t}.id AND p.deleted_at IS NULL)"
        ),
    },
)

PRODUCT_GROUPS = Paged("ProductGroup", OLDEST_FIRST)
PRODUCTS = Paged("Product", PRODUCT_ORDERS, "{o}.deleted_at IS NULL", PRODUCT_FILTERS)
SET_ITEMS = Paged(
    "Product", PRODUCT_ORDERS, "{o}.deleted_at IS NULL AND {o}.kind = 'SET'", PRODUCT_FILTERS
)
PRODUCT_BY_CODE = One("Product", "{o}.deleted_at IS NULL", filters={"code": equals("{t}.code")})
