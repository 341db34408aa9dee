"""Listings: one SKU as one shop shows it; their links, and the state of their pushes."""

from domain.store.reads.actors import actor
from domain.store.reads.explanations import EXPLANATION, FIGURES
from domain.store.reads.filters import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    all_of,
    among,
    both_ways,
    by_value,
    holds,
    matching,
    searched,
)
from domain.store.reads.link_candidates import LINK_CANDIDATES
from domain.store.reads.listing_fields import MALL_FIELDS
from domain.store.reads.models import (
    Filter,
    Inside,
    Many,
    Model,
    One,
    Paged,
    Where,
    flag,
    moment,
    moments,
    number,
    numbers,
    text,
    texts,
    word,
    words,
)
from domain.store.reads.near_codes import NEAR_CODES

ALIVE = "{o}.deleted_at IS NULL"
OF_SHOPS = """{o}.shop_id IN (SELECT d.id FROM shops d WHERE d.account_id = {account} AND SHOPS)"""
SHOWN = f"{ALIVE} AND {OF_SHOPS.replace('SHOPS', 'd.disconnected_at IS NULL')}"
PUSH_STATE = """(CASE WHEN SYNC.wanted > SYNC.done AND coalesce(SYNC.push_state, '') NOT IN ('SENT', 'ACCEPTED')
    THEN 'WAITING' ELSE SYNC.push_state END)"""
KNOWN_AT = """CASE WHEN {t}_sync.base_latest > statement_timestamp() THEN {t}_sync.base_earliest
    ELSE {t}_sync.base_latest END"""
"""A number that is only queued lands by a time that is still to come."""

PUSH_EXISTS = "({o}.wanted > {o}.done OR {o}.push_state IS NOT NULL)"
DIFFERS = "({t}_sync.difference IS NOT NULL AND {t}_sync.difference <> 'UNKNOWN')"
DIFFERS_FROM_TOTAL = """coalesce({t}_sync.base <> (SELECT p.total FROM products p
    WHERE p.account_id = {account} AND p.id = {t}_link.product_id AND p.kind = 'SINGLE'), false)"""
HAS_OPEN_ERROR = """EXISTS (SELECT 1 FROM sync_error_listings h
    JOIN sync_errors e ON e.account_id = {account} AND e.id = h.error_id AND e.state = 'OPEN'
    WHERE h.account_id = {account} AND h.listing_id = {t}.id)"""
OPEN_ERRORS = """{o}.state = 'OPEN' AND {o}.id IN (SELECT h.error_id FROM sync_error_listings h
    WHERE h.account_id = {account} AND h.listing_id = {t}.id)"""

LISTING_JOINS = {
    "sync": "LEFT JOIN listing_sync {t}_sync "
    "ON {t}_sync.account_id = {account} AND {t}_sync.listing_id = {t}.id",
    "link": "LEFT JOIN links {t}_link "
    "ON {t}_link.account_id = {account} AND {t}_link.listing_id = {t}.id",
    "shop": "LEFT JOIN shops {t}_shop "
    "ON {t}_shop.account_id = {account} AND {t}_shop.id = {t}.shop_id",
}

CONDITIONS: dict[str, Filter] = {
    "shop_ids": among("{t}.shop_id", "uuid"),
    "text": searched("{t}.id", "renkei_search_listings(WORDS)"),
    "links": among("{t}_link.state", "text", "link"),
    "sync": holds("{t}.sync"),
    "differs": by_value(
        {"FROM_QUANTITY_TO_SHOW": DIFFERS, "FROM_TOTAL": DIFFERS_FROM_TOTAL}, "sync", "link"
    ),
    "causes": among("{t}_sync.difference", "text", "sync"),
    "not_pushed": matching("{t}_sync.not_pushed && ARGUMENT", "text[]", "sync"),
    "push_states": among(PUSH_STATE.replace("SYNC", "{t}_sync"), "text", "sync"),
    "has_open_error": holds(HAS_OPEN_ERROR),
}
LISTING_FILTERS: dict[str, Filter] = {"filter": all_of(CONDITIONS)}


def some_listing(where: Where, name: str) -> str:
    """Some listing of the product meets all conditions at once."""
    joins = " ".join(LISTING_JOINS[join].replace("{t}", "ls") for join in ("link", "sync"))
    conditions = all_of(CONDITIONS)(where.beside("ls"), name)
    found = (
        f"EXISTS (SELECT 1 FROM listings ls {joins} WHERE ls.account_id = {{account}} "
        "AND ls.deleted_at IS NULL AND ls_link.product_id = {t}.id"
    )
    return f"{where.fill(found)} AND {conditions})"


LISTING = Model(
    "Listing",
    "listings {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "product": One("Product", f"{{o}}.id = {{t}}_link.product_id AND {ALIVE}", needs=("link",)),
        "link": One("Link", "{o}.listing_id = {t}.id"),
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
                "known_at": moment(KNOWN_AT),
                "source": word("coalesce({t}_sync.base_source, 'NEVER_SEEN')"),
            },
            needs=("sync",),
        ),
        "difference": Inside(
            {
                "expected": number("{t}_sync.expected"),
                "shown": number("{t}_sync.base"),
                "delta": number("{t}_sync.base - {t}_sync.expected"),
                "since": moment("{t}_sync.difference_since"),
                "cause": word("{t}_sync.difference"),
            },
            when="{t}_sync.difference IS NOT NULL AND {t}_sync.expected IS NOT NULL",
            needs=("sync",),
        ),
        "differs_from_total": flag(DIFFERS_FROM_TOTAL, "sync", "link"),
        "not_pushed": words("coalesce({t}_sync.not_pushed, '{}'::text[])", "sync"),
        "push": One("Push", f"{{o}}.listing_id = {{t}}.id AND {PUSH_EXISTS}"),
        "mall_fields": MALL_FIELDS,
        "link_candidates": LINK_CANDIDATES,
        "near_codes": NEAR_CODES,
        "open_errors": Many("SyncError", OPEN_ERRORS, order="{o}.id DESC"),
        "explain": EXPLANATION,
    },
    joins={**LISTING_JOINS, "figures": FIGURES},
    alive="{t}.deleted_at IS NULL",
)

PUSH = Model(
    "Push",
    "listing_sync {t}",
    {
        "listing": One("Listing", "{o}.id = {t}.listing_id", key="{t}.listing_id"),
        "state": word(PUSH_STATE.replace("SYNC", "{t}")),
        "lane": word("(ARRAY['TO_ZERO', 'DECREASE', 'OTHER'])[{t}.lane + 1]"),
        "quantity": number("{t}_attempt.quantity", "attempt"),
        "mode": word("{t}_attempt.mode", "attempt"),
        **numbers("attempts"),
        "waiting_at": moment("coalesce({t}.waiting_since, {t}_attempt.waiting_at)", "attempt"),
        "sent_at": moment("{t}_attempt.sent_at", "attempt"),
        "accepted_at": moment("{t}_attempt.accepted_at", "attempt"),
        "applied_at": moment("{t}_attempt.applied_at", "attempt"),
        **moments("next_try_at"),
        "mall_code": text("nullif({t}_attempt.mall_code, '')", "attempt"),
        "mall_message": text("nullif({t}_attempt.mall_message, '')", "attempt"),
    },
    joins={
        "attempt": "LEFT JOIN LATERAL (SELECT * FROM pushes p WHERE p.account_id = {account} "
        "AND p.listing_id = {t}.listing_id ORDER BY p.id DESC LIMIT 1) {t}_attempt ON true"
    },
    key="{t}.listing_id",
    alive=PUSH_EXISTS.replace("{o}", "{t}"),
)

LINK = Model(
    "Link",
    "links {t}",
    {
        "listing": One("Listing", "{o}.id = {t}.listing_id", key="{t}.listing_id"),
        "product": One("Product", f"{{o}}.id = {{t}}.product_id AND {ALIVE}"),
        "state": word("{t}.state"),
        "reason": word("{t}.reason"),
        **moments("at"),
        "actor": actor(),
        "copy_page": flag("{t}.copy_page"),
    },
    joins={
        "listing": "JOIN listings {t}_listing ON {t}_listing.account_id = {account} "
        "AND {t}_listing.id = {t}.listing_id AND {t}_listing.deleted_at IS NULL"
    },
    key="{t}.listing_id",
)

LISTINGS = Paged(
    "Listing",
    {
        **OLDEST_FIRST,
        **both_ways("ITEM_CODE", "{t}.item_code"),
        **both_ways("SHOP", "{t}_shop.name", "text", "shop"),
        **both_ways(
            "DIFFERENCE_SINCE",
            "coalesce({t}_sync.difference_since, '9999-12-31Z'::timestamptz)",
            "timestamptz",
            "sync",
        ),
    },
    SHOWN,
    LISTING_FILTERS,
)

DIFFERENCES = Paged(
    "Listing",
    both_ways("DIFFERENCE_SINCE", "{t}_sync.difference_since", "timestamptz", "sync"),
    f"{ALIVE} AND {OF_SHOPS.replace('SHOPS', 'd.in_use')}",
    {
        **LISTING_FILTERS,
        "kind": by_value(
            {"FROM_QUANTITY_TO_SHOW": DIFFERS, "FROM_TOTAL": DIFFERS_FROM_TOTAL}, "sync", "link"
        ),
    },
)

LINKS = Paged(
    "Link",
    NEWEST_FIRST,
    OF_SHOPS.replace("SHOPS", "d.disconnected_at IS NULL").replace("{o}.", "{o}_listing."),
    {
        "filter": all_of(
            {
                "shop_ids": among("{t}_listing.shop_id", "uuid", "listing"),
                "states": among("{t}.state", "text"),
                "text": searched("{t}.listing_id", "renkei_search_listings(WORDS)"),
            }
        )
    },
    needs=("listing",),
)
