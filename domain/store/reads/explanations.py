"""Why a listing should show the number that it should: what that follows from, and who set it when."""

from domain.store.reads.actors import actor
from domain.store.reads.models import (
    Either,
    Inside,
    Many,
    Model,
    One,
    facts,
    moments,
    number,
    word,
    words,
)

FIGURES = """LEFT JOIN LATERAL (SELECT p.id AS product_id, p.kind, p.reserve AS own_reserve, p.group_id,
        coalesce(p.reserve, g.reserve, 0) AS reserve,
        CASE WHEN p.kind = 'SINGLE' THEN p.total ELSE (
            SELECT min(floor((part.total - coalesce(part.reserve, kept.reserve, 0))::numeric / sp.count))::int
            FROM set_parts sp
            JOIN products part ON part.account_id = {account} AND part.id = sp.part_id AND part.managed
            LEFT JOIN product_groups kept ON kept.account_id = {account} AND kept.id = part.group_id
            WHERE sp.account_id = {account} AND sp.set_id = p.id) END AS start
    FROM links k
    JOIN products p ON p.account_id = {account} AND p.id = k.product_id AND p.deleted_at IS NULL
    LEFT JOIN product_groups g ON g.account_id = {account} AND g.id = p.group_id
    WHERE k.account_id = {account} AND k.listing_id = {t}.id) {t}_figures ON true"""
"""A join of Listing: one row, all null where it belongs to no product."""

SETTINGS = """(VALUES (0, CASE {t}_figures.kind WHEN 'SET' THEN 'SET_PARTS' ELSE 'TOTAL' END, 'PRODUCT', {t}_figures.product_id),
        (1, 'RESERVE', CASE WHEN {t}_figures.own_reserve IS NOT NULL THEN 'PRODUCT'
                WHEN {t}_figures.group_id IS NOT NULL THEN 'PRODUCT_GROUP' END,
            CASE WHEN {t}_figures.own_reserve IS NOT NULL THEN {t}_figures.product_id ELSE {t}_figures.group_id END),
        (2, 'FLOOR_ZERO', NULL, NULL),
        (3, 'MINIMUM', CASE WHEN {t}.minimum IS NOT NULL THEN 'LISTING' END, {t}.id),
        (4, 'MAXIMUM', CASE WHEN {t}.maximum IS NOT NULL THEN 'LISTING' END, {t}.id),
        (5, 'MALL_MAXIMUM', NULL, NULL))"""
"""Every rule, with what its setting sits on."""

SETS_IT = """CASE s.rule
    WHEN 'SET_PARTS' THEN o.action = 'SAVE_SET'
    WHEN 'RESERVE' THEN o.action = 'SAVE_PRODUCT' AND o.facts -> 'reserve' IS NOT NULL
        OR o.action = 'SAVE_GROUP' AND o.facts -> 'reserve' IS DISTINCT FROM o.facts -> 'reserve_before'
    ELSE o.action = 'SET_LIMITS'
        AND o.facts -> 'before' -> lower(s.rule) IS DISTINCT FROM o.facts -> 'after' -> lower(s.rule) END"""
"""Is the line of the operation log one that set this rule's number?"""

STEPS = f"""(SELECT s.nth, s.rule, s.on_kind, s.on_id, noted.actor, noted.at, {{t}}_figures.kind, {{t}}_figures.start,
        {{t}}_figures.reserve, {{t}}.minimum, {{t}}.maximum, {{t}}_shop.mall
    FROM {SETTINGS} s (nth, rule, on_kind, on_id)
    LEFT JOIN LATERAL (
        (SELECT m.actor, m.recorded_at AS at FROM stock_movements m
            WHERE m.account_id = {{account}} AND m.product_id = s.on_id AND s.rule = 'TOTAL' ORDER BY m.id DESC LIMIT 1)
        UNION ALL
        (SELECT o.actor, o.at FROM operation_logs o
            WHERE o.account_id = {{account}} AND o.target_id = s.on_id AND s.on_kind IS NOT NULL AND s.rule <> 'TOTAL'
                AND {SETS_IT} ORDER BY o.id DESC LIMIT 1)) noted ON true
    WHERE {{t}}_figures.start IS NOT NULL) {{o}}"""

FIGURE_VALUES = (
    word("{t}_figures.kind"),
    number("{t}_figures.start"),
    number("{t}_figures.reserve"),
    number("{t}.minimum"),
    number("{t}.maximum"),
    word("{t}_shop.mall"),
)
STEP_VALUES = (
    word("{t}.rule"),
    word("{t}.kind"),
    *map(number, ("{t}.start", "{t}.reserve", "{t}.minimum", "{t}.maximum")),
    word("{t}.mall"),
)

EXPLANATION = Inside(
    {
        "text": facts(*FIGURE_VALUES),
        "steps": Many("ExplanationStep", "true", order="{o}.nth", source=STEPS),
        "checks": facts(words("coalesce({t}_sync.not_pushed, '{}'::text[])")),
    },
    needs=("figures", "sync", "shop"),
)

EXPLANATION_STEP = Model(
    "ExplanationStep",
    "",
    {
        "rule": word("{t}.rule"),
        "before": facts(*STEP_VALUES),
        "after": facts(*STEP_VALUES),
        "set_on": Either(
            {
                model: One(
                    model, "{o}.id = {t}.on_id", "{t}.on_id", when=f"{{t}}.on_kind = '{kind}'"
                )
                for kind, model in (
                    ("PRODUCT", "Product"),
                    ("PRODUCT_GROUP", "ProductGroup"),
                    ("LISTING", "Listing"),
                )
            }
        ),
        "set_by": actor(),
        "set_at": moments("at")["at"],
    },
    account="true",
)
