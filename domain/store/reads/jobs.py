"""Work that takes longer than a request."""

from domain.store.reads.actors import actor
from domain.store.reads.filters import NEWEST_FIRST, among
from domain.store.reads.listings import ALIVE, PUSH_EXISTS, PUSH_STATE
from domain.store.reads.models import (
    Either,
    Inside,
    Many,
    Model,
    One,
    Order,
    Paged,
    facts,
    flag,
    json,
    moment,
    moments,
    number,
    numbers,
    word,
)

SHOPS_OF_JOB = """(SELECT l.shop_id, count(*) FILTER (WHERE j.outcome IS NULL) AS waiting,
        count(*) FILTER (WHERE j.outcome = 'ACCEPTED') AS accepted, count(*) FILTER (WHERE j.outcome = 'APPLIED') AS applied,
        count(*) FILTER (WHERE j.outcome = 'REFUSED') AS refused, count(*) FILTER (WHERE j.outcome = 'HELD') AS held,
        count(*) FILTER (WHERE j.outcome = 'CANCELLED') AS cancelled
    FROM (SELECT a.listing_id, a.outcome FROM job_listings a WHERE a.account_id = {account} AND a.job_id = {t}.id
        UNION ALL SELECT n.target_id, CASE {t}.state WHEN 'CANCELLED' THEN 'CANCELLED' END FROM job_targets n
        WHERE n.account_id = {account} AND n.job_id = {t}.id AND n.outcome IS NULL) j
    JOIN listings l ON l.account_id = {account} AND l.id = j.listing_id GROUP BY l.shop_id) {o}"""
PARTS_OF_CHECK = """(SELECT e.part, e.nth, s.mall
    FROM jsonb_array_elements(coalesce({t}.result -> 'parts', '[]'::jsonb)) WITH ORDINALITY e (part, nth)
    JOIN shops s ON s.account_id = {account} AND s.id = {t}.shop_id) {o}"""
PART_FACTS = tuple(word(f"{{t}}.part ->> '{name}'") for name in ("key", "outcome", "kind"))
FETCHED = """(SELECT coalesce(sum(w.NAME), 0)::int FROM job_shops w
    WHERE w.account_id = {account} AND w.job_id = {t}.id)"""
FETCHED_BY_SHOP = """(SELECT w.shop_id, w.orders, w.lines, w.deducted, w.reached, CASE WHEN w.outcome IS NOT NULL THEN w.outcome
        WHEN {t}.state NOT IN ('WAITING', 'RUNNING') THEN {t}.state WHEN w.reached IS NULL THEN 'WAITING'
        ELSE 'RUNNING' END AS state
    FROM job_shops w WHERE w.account_id = {account} AND w.job_id = {t}.id) {o}"""
SECONDS_LEFT = """CASE WHEN {t}.state = 'RUNNING' AND {t}.done > 0 AND {t}.total > 0 THEN
    ceil(extract(epoch FROM clock_timestamp() - {t}.started_at) * ({t}.total - {t}.done) / {t}.done)::int END"""

JOB = Model(
    "Job",
    "jobs {t}",
    {
        "kind": word("{t}.kind"),
        "state": word("{t}.state"),
        "progress": Inside(
            {
                **numbers("total", "done", "failed"),
                "seconds_left": number(SECONDS_LEFT),
                "text": facts(
                    word("{t}.state"), number("{t}.done"), number("{t}.total"), number("{t}.failed")
                ),
            }
        ),
        **moments("created_at", "finished_at"),
        "created_by": actor(),
        "cancellable": flag("{t}.state IN ('WAITING', 'RUNNING') AND {t}.kind <> 'SHOP_CHECK'"),
        "shops": Many("ReflectShopProgress", "true", order="{o}.shop_id", source=SHOPS_OF_JOB),
        "pushes": Paged(
            "Push",
            NEWEST_FIRST,
            f"{PUSH_EXISTS} AND {{o}}.listing_id IN (SELECT j.listing_id FROM job_listings j "
            "WHERE j.account_id = {account} AND j.job_id = {t}.id)",
            {"states": among(PUSH_STATE.replace("SYNC", "{t}"), "text")},
        ),
        **{name: number(FETCHED.replace("NAME", name)) for name in ("orders", "lines", "deducted")},
        "by_shop": Many("OrderFetchShop", "true", order="{o}.shop_id", source=FETCHED_BY_SHOP),
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "ok": flag("({t}.result ->> 'ok')::boolean"),
        "action": word("coalesce({t}.input ->> 'action', {t}.kind)"),
        "failures": Paged(
            "BulkFailure",
            {"PLACE": Order("{t}.place", "int")},
            "{o}.job_id = {t}.id AND {o}.outcome = 'REFUSED'",
        ),
        "parts": Many(
            "CheckPart",
            "true",
            order="{o}.nth",
            source=PARTS_OF_CHECK,
        ),
    },
    variants={
        "ReflectJob": "{t}.kind = 'REFLECT'",
        "ShopCheck": "{t}.kind = 'SHOP_CHECK'",
        "BulkChange": "{t}.kind IN ('BULK_CHANGE', 'READ_MALL_STOCK')",
        "OrderFetch": "{t}.kind = 'ORDER_FETCH'",
    },
)

BULK_FAILURE = Model(
    "BulkFailure",
    "job_targets {t}",
    {
        "target": Either(
            {
                model: One(
                    model,
                    f"{{o}}.id = {{t}}.target_id AND {ALIVE}",
                    when=f"{{t}}_job.input ->> 'target' = '{kind}'",
                )
                for kind, model in (("PRODUCT", "Product"), ("LISTING", "Listing"))
            },
            needs=("job",),
        ),
        "user_errors": facts(json("{t}.errors")),
    },
    joins={
        "job": "JOIN jobs {t}_job ON {t}_job.account_id = {account} AND {t}_job.id = {t}.job_id"
    },
    key="{t}.target_id",
)

REFLECT_SHOP_PROGRESS = Model(
    "ReflectShopProgress",
    "",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        **numbers("waiting", "accepted", "applied", "refused", "held", "cancelled"),
    },
    account="true",
)

ORDER_FETCH_SHOP = Model(
    "OrderFetchShop",
    "",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "state": word("{t}.state"),
        **numbers("orders", "lines", "deducted"),
        "reached": moment("{t}.reached"),
    },
    account="true",
)

CHECK_PART = Model(
    "CheckPart",
    "",
    {
        "key": word("{t}.part ->> 'key'"),
        "outcome": word("{t}.part ->> 'outcome'"),
        "message": facts(*PART_FACTS),
        "advice": facts(*PART_FACTS, word("{t}.mall")),
        "mall_message": json("nullif({t}.part -> 'mall_message', '\"\"'::jsonb)"),
        "expires_at": moment("({t}.part ->> 'expires_at')::timestamptz"),
    },
    account="true",
)

JOBS = Paged(
    "Job",
    NEWEST_FIRST,
    "true",
    {"kinds": among("{t}.kind", "text"), "states": among("{t}.state", "text")},
)
