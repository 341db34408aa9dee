"""Shops: one seller account on one mall."""

from domain.model.breaker import OPENS_AT
from domain.model.mall_specs import MALL_SPECS
from domain.store.reads.actors import actor
from domain.store.reads.filters import holds
from domain.store.reads.models import (
    Inside,
    Many,
    Model,
    One,
    facts,
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

STATE = """CASE WHEN {t}.disconnected_at IS NOT NULL THEN 'DISCONNECTED' WHEN {t}.state <> 'RUNNING' THEN {t}.state
    WHEN NOT ({t}.orders_running OR {t}.reflect_running) THEN CASE WHEN {t}.checked_at IS NULL THEN 'ONBOARDING'
        WHEN {t}.effective_from IS NULL THEN 'READY' ELSE 'STOPPED' END
    WHEN NOT {t}.in_use OR NOT {t}_account.sync_running THEN 'STOPPED'
    WHEN {t}.maintenance THEN 'MAINTENANCE'
    ELSE 'RUNNING' END"""
PENDING = """LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE s.lane = 0) AS to_zero,
        count(*) FILTER (WHERE s.lane = 1) AS decreases, count(*) FILTER (WHERE s.lane = 2) AS others,
        min(s.waiting_since) AS oldest_at
    FROM listing_sync s WHERE s.account_id = {account} AND s.shop_id = {t}.id AND s.wanted > s.done) {t}_pending ON true"""
OLDEST_WAITS = """CASE WHEN {t}_pending.oldest_at IS NOT NULL
    THEN round(greatest(extract(epoch FROM clock_timestamp() - {t}_pending.oldest_at), 0), 3) END"""
LATENCY = """LEFT JOIN LATERAL (SELECT PERCENTILES
    FROM (SELECT p.quantity, extract(epoch FROM p.applied_at - p.waiting_at)::float AS seconds FROM pushes p
        WHERE p.account_id = {account} AND p.shop_id = {t}.id AND p.state = 'APPLIED' AND p.applied_at IS NOT NULL
        ORDER BY p.id DESC LIMIT 1000) r) {t}_latency ON true""".replace(
    "PERCENTILES",
    ", ".join(
        f"round((percentile_cont({share}) WITHIN GROUP (ORDER BY r.seconds) {of})::numeric, 3) AS {name}"
        for name, share, of in (
            ("p50", 0.5, ""),
            ("p95", 0.95, ""),
            ("p99", 0.99, ""),
            ("zero_p95", 0.95, "FILTER (WHERE r.quantity = 0)"),
        )
    ),
)
FORM_FIELDS = ", ".join(
    f"('{mall.value}', '{field.key}', {nth}, {str(field.required).lower()})"
    for mall, spec in MALL_SPECS.items()
    for nth, field in enumerate(spec.credential_fields)
)
CREDENTIALS = (
    """(SELECT f.key, f.nth, c.changed_at, c.changed_by, c.expires_at, checked.result,
        EXISTS (SELECT 1 FROM sync_errors e WHERE e.account_id = {account} AND e.shop_id = {t}.id AND e.state = 'OPEN'
            AND e.kind = 'CREDENTIALS_REFUSED' AND e.last_at >= c.changed_at) AS refused
    FROM (VALUES FIELDS) f (mall, key, nth, required)
    LEFT JOIN shop_credentials c ON c.account_id = {account} AND c.shop_id = {t}.id AND c.key = f.key
    LEFT JOIN LATERAL (SELECT j.result FROM jobs j WHERE j.account_id = {account} AND j.shop_id = {t}.id
        AND j.kind = 'SHOP_CHECK' AND j.finished_at >= c.changed_at ORDER BY j.id DESC LIMIT 1) checked ON true
    WHERE f.mall = {t}.mall) {o}"""
).replace("FIELDS", FORM_FIELDS)
"""Every field of the form of the shop's mall, in its order, whether it is set or not."""
REFUSED = """'{"parts": [{"key": "CREDENTIALS", "kind": "CREDENTIALS_REFUSED"}]}'::jsonb"""
WARNING = f"""CASE WHEN {{t}}.changed_at IS NULL THEN NULL
    WHEN {{t}}.expires_at <= clock_timestamp() THEN 'EXPIRED'
    WHEN {{t}}.refused OR {{t}}.result @> {REFUSED} THEN 'REFUSED'
    WHEN {{t}}.result IS NULL THEN 'UNCHECKED'
    WHEN {{t}}.expires_at <= clock_timestamp() + interval '14 days' THEN 'EXPIRES_SOON' END"""
LAST_CHECK = """{o}.id = (SELECT j.id FROM jobs j WHERE j.account_id = {account} AND j.shop_id = {t}.id
    AND j.kind = 'SHOP_CHECK' ORDER BY j.id DESC LIMIT 1)"""

LACKS_CREDENTIALS = """EXISTS (SELECT 1 FROM (VALUES FIELDS) f (mall, key, nth, required)
    WHERE f.mall = {t}.mall AND f.required AND NOT EXISTS (SELECT 1 FROM shop_credentials c
        WHERE c.account_id = {account} AND c.shop_id = {t}.id AND c.key = f.key))""".replace(
    "FIELDS", FORM_FIELDS
)
CHECK_FAILED = """(SELECT NOT (j.result ->> 'ok')::boolean FROM jobs j WHERE j.account_id = {account}
    AND j.shop_id = {t}.id AND j.kind = 'SHOP_CHECK' AND j.state = 'DONE' ORDER BY j.id DESC LIMIT 1)"""
SOME_LISTING = """EXISTS (SELECT 1 FROM listings l JOINS
    WHERE l.account_id = {account} AND l.shop_id = {t}.id AND l.deleted_at IS NULL)"""
COUNTED = """JOIN links k ON k.account_id = {account} AND k.listing_id = l.id
    JOIN products p ON p.account_id = {account} AND p.id = k.product_id AND (p.stock_version > 0 OR p.kind = 'SET')"""
SHOWN = """JOIN listing_sync s ON s.account_id = {account} AND s.listing_id = l.id
    AND (s.push_state = 'APPLIED' OR s.base_source = 'APPLIED_PUSH')"""
SEES_OURS = SOME_LISTING.replace("JOINS", SHOWN)
ONBOARDING = (
    f"({CHECK_FAILED})",
    f"(NOT {LACKS_CREDENTIALS})",
    "({t}.checked_at IS NOT NULL)",
    SOME_LISTING.replace("JOINS", ""),
    SOME_LISTING.replace("JOINS", COUNTED),
    "({t}.effective_from IS NOT NULL)",
    f"({{t}}.reflect_running OR {SEES_OURS})",
    SEES_OURS,
)
"""Whether the last test failed, then each step of domain/model/onboarding.py in its order."""

FETCHING = """EXISTS (SELECT 1 FROM job_shops w
    JOIN jobs j ON j.account_id = w.account_id AND j.id = w.job_id AND j.state IN ('WAITING', 'RUNNING')
    WHERE w.account_id = {account} AND w.shop_id = {t}.id AND w.work = 'INITIAL_ORDERS' AND w.outcome IS NULL)"""

RECALCULATING = """EXISTS (SELECT 1 FROM shop_walks w
    WHERE w.account_id = {account} AND w.shop_id = {t}.id)"""

IS_TRIPPED = f"{{t}}.failed_calls >= {OPENS_AT}"
IS_CUT_OFF = f"{IS_TRIPPED} AND {{t}}.paused_until > clock_timestamp()"

SHOP = Model(
    "Shop",
    "shops {t}",
    {
        "mall": facts(word("{t}.mall")),
        **texts("name", "notification_email"),
        "sandbox": flag("{t}.sandbox"),
        "in_use": flag("{t}.in_use"),
        "state": word(STATE, "account"),
        "recalculating": flag(RECALCULATING),
        "orders_running": flag("{t}.orders_running"),
        "reflect_running": flag("{t}.reflect_running"),
        **numbers("reflect_interval_seconds", "order_poll_seconds", "version"),
        "match_key": words("{t}.match_key"),
        "cancel_policy": word("{t}.cancel_policy"),
        "drift_policy": word("{t}.drift_policy"),
        "settings": Many(
            "SettingValue",
            "true",
            order="{o}.key",
            source="jsonb_each_text({t}.settings) {o} (key, value)",
        ),
        "credentials": Many("CredentialState", "true", order="{o}.nth", source=CREDENTIALS),
        "last_check": One("Job", LAST_CHECK),
        "onboarding": facts(*map(flag, ONBOARDING)),
        "actions": facts(
            words("{permissions}"),
            word("{t}.mall"),
            words("{t}.match_key"),
            flag("{t}.in_use"),
            flag("{t}.orders_running"),
            flag("{t}.reflect_running"),
            flag(FETCHING),
            flag("{t}.disconnected_at IS NULL"),
        ),
        "pending": Inside(
            {
                "to_zero": number("{t}_pending.to_zero"),
                "decreases": number("{t}_pending.decreases"),
                "others": number("{t}_pending.others"),
                "oldest_at": moment("{t}_pending.oldest_at"),
            },
            needs=("pending",),
        ),
        "full_syncs": Many("FullSyncSchedule", "{o}.shop_id = {t}.id", order="{o}.at, {o}.id"),
        "sync_latency": Inside(
            {
                **{
                    f"{name}_seconds": number(f"{{t}}_latency.{name}", "latency")
                    for name in ("p50", "p95", "p99", "zero_p95")
                },
                "oldest_pending_seconds": number(OLDEST_WAITS, "pending"),
            },
        ),
        "feed": One("StockFeed", "{o}.shop_id = {t}.id AND {o}.ended_at IS NULL"),
        "breaker": Inside(
            {
                "state": word(
                    f"CASE WHEN {IS_CUT_OFF} THEN 'OPEN' WHEN {IS_TRIPPED} THEN 'HALF_OPEN' ELSE 'CLOSED' END"
                ),
                "failed_calls": number("{t}.failed_calls"),
                "until": moment(f"CASE WHEN {IS_CUT_OFF} THEN {{t}}.paused_until END"),
            },
        ),
        **moments("orders_seen_at", "cancels_seen_at", "effective_from", "disconnected_at"),
        "product_count": number(
            "(SELECT count(DISTINCT k.product_id) FROM listings l "
            "JOIN links k ON k.account_id = {account} AND k.listing_id = l.id "
            "WHERE l.account_id = {account} AND l.shop_id = {t}.id AND l.deleted_at IS NULL)"
        ),
    },
    joins={
        "account": "LEFT JOIN accounts {t}_account ON {t}_account.id = {account}",
        "pending": PENDING,
        "latency": LATENCY,
    },
)

SETTING_VALUE = Model("SettingValue", "", texts("key", "value"), account="true")

CREDENTIAL_STATE = Model(
    "CredentialState",
    "",
    {
        "key": text("{t}.key"),
        "is_set": flag("({t}.changed_at IS NOT NULL)"),
        **moments("changed_at", "expires_at"),
        "changed_by": actor("changed_by"),
        "warning": word(WARNING),
    },
    account="true",
)

SHOPS = Many(
    "Shop",
    "{o}.disconnected_at IS NULL",
    order="{o}.id",
    filters={"in_use": holds("{t}.in_use")},
)
