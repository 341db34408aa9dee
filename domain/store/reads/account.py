"""The account itself, who is asking, and how far this read has seen."""

from domain.store.reads.cursors import EVENTS
from domain.store.reads.models import (
    Form,
    Inside,
    Model,
    One,
    Value,
    flag,
    number,
    numbers,
    text,
    texts,
    word,
    words,
)


def _count(rows: str, account: str) -> Value:
    return number(f"(SELECT count(*) FROM {rows} AND {account}.account_id = {{account}})")


def _errors(condition: str) -> Value:
    return _count(f"sync_errors e WHERE {condition}", "e")


ALIVE_LISTING = (
    "JOIN listings l ON l.account_id = {account} AND l.id = k.listing_id AND l.deleted_at IS NULL "
    "JOIN shops s ON s.account_id = {account} AND s.id = l.shop_id AND s.disconnected_at IS NULL"
)

BADGES = Inside(
    {
        "level8_open": _errors("e.state = 'OPEN' AND e.level = 8"),
        "level9_open": _errors("e.state = 'OPEN' AND e.level = 9"),
        "errors_uncleared": _errors("e.state <> 'CLEARED'"),
        "differences": _count(
            "listing_sync k JOIN listings l ON l.account_id = {account} AND l.id = k.listing_id "
            "AND l.deleted_at IS NULL WHERE k.difference IS NOT NULL AND k.difference <> 'UNKNOWN'",
            "k",
        ),
        "unreflected_products": number(
            "(SELECT count(DISTINCT k.product_id) FROM listing_sync s JOIN links k "
            "ON k.account_id = {account} AND k.listing_id = s.listing_id "
            "JOIN products p ON p.account_id = {account} AND p.id = k.product_id AND p.deleted_at IS NULL "
            "WHERE s.account_id = {account} AND s.edited)"
        ),
        "link_conflicts": _count(f"links k {ALIVE_LISTING} WHERE k.state = 'CONFLICT'", "k"),
        "unlinked_listings": _count(f"links k {ALIVE_LISTING} WHERE k.product_id IS NULL", "k"),
        "oversold_products": _count("products p WHERE p.total < 0 AND p.deleted_at IS NULL", "p"),
        "jobs_running": _count("jobs j WHERE j.state IN ('WAITING', 'RUNNING')", "j"),
    }
)

ACCOUNT = Model(
    "Account",
    "accounts {t}",
    {
        **texts("code", "name", "time_zone"),
        "sync_running": flag("{t}.sync_running"),
        "base_shop": One("Shop", "{o}.id = {t}.base_shop_id"),
        "reflect_edits": word("{t}.reflect_edits"),
        "level9_resume": word("{t}.level9_resume"),
        "show_images": flag("{t}.show_images"),
        "sync_new_listings": flag("{t}.sync_new_listings"),
        **numbers("confirm_to_zero", "confirm_changed"),
        "plan": Inside(
            {
                **numbers("product_limit"),
                "product_count": _count("products p WHERE p.deleted_at IS NULL", "p"),
            }
        ),
        "badges": BADGES,
        **numbers("version"),
    },
    account="{t}.id = {account}",
)

VIEWER = Inside(
    {
        "user": One("User", "{o}.id = {user}"),
        "token": One("ApiToken", "{o}.id = {token}"),
        "email": text(
            "(SELECT u.email FROM users u WHERE u.account_id = {account} AND u.id = {user})"
        ),
        "account": One("Account", "true"),
        "permissions": words("{permissions}"),
        "locale": word("{locale}"),
    }
)

EVENT_CURSOR = Value(
    f"(SELECT '{EVENTS}:' || coalesce(max(c.last), 0) FROM event_counters c WHERE c.account_id = {{account}})",
    Form.BASE64,
)
