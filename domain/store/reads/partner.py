"""What a partner sees: sellable numbers by code, now and as of a moment."""

from domain.store.reads.models import Made, Model, moment, number, text, word
from domain.store.reads.products import SELLABLE

CHANGED_AT = """greatest(q.updated_at, (SELECT max(w.updated_at) FROM set_parts sp
    JOIN products w ON w.account_id = {account} AND w.id = sp.part_id
    WHERE sp.account_id = {account} AND sp.set_id = q.id))"""
BY_CODE = f"""(SELECT c.nth, c.code, q.id, q.managed, {CHANGED_AT} AS changed_at,
        {SELLABLE.replace("{t}", "q")} AS sellable
    FROM unnest({{codes}}) WITH ORDINALITY AS c (code, nth)
    LEFT JOIN products q ON q.account_id = {{account}} AND q.code = c.code AND q.deleted_at IS NULL
    LEFT JOIN product_groups q_group ON q_group.account_id = {{account}} AND q_group.id = q.group_id) {{o}}"""

SOLD = "{t}.managed AND {t}.sellable IS NOT NULL"
STATUS = f"""CASE WHEN {{t}}.id IS NULL THEN 'UNKNOWN_CODE' WHEN NOT ({SOLD}) THEN 'NOT_SOLD'
    WHEN {{t}}.sellable > 0 THEN 'IN_STOCK' ELSE 'OUT_OF_STOCK' END"""
DID_YOU_MEAN = """CASE WHEN {t}.id IS NULL THEN (SELECT min(n.code) FROM products n
    WHERE n.account_id = {account} AND n.code_key = renkei_code_key({t}.code) AND n.code_key <> ''
        AND n.deleted_at IS NULL) END"""

STOCK_ENTRY = Model(
    "StockEntry",
    "",
    {
        "code": text("{t}.code"),
        "status": word(STATUS),
        "sellable": number(f"CASE WHEN {SOLD} THEN greatest({{t}}.sellable, 0) END"),
        "changed_at": moment("{t}.changed_at"),
        "did_you_mean": text(DID_YOU_MEAN),
    },
    account="true",
)
STOCK = Made("StockEntry", BY_CODE, {"codes": "text[]"}, order="{o}.nth")
"""In the order and number of the codes."""


def _total_then(product: str) -> str:
    """The total of a product (SQL of its id) as of {time}."""
    return f"""coalesce((SELECT sum(m.delta) FROM stock_movements m
        WHERE m.account_id = {{account}} AND m.product_id = {product}
            AND CASE {{by}} WHEN 'EFFECTIVE' THEN m.effective_at ELSE m.recorded_at END <= {{time}}), 0)"""


SETS_THEN = f"""(SELECT greatest(min(({_total_then("w.id")} - coalesce(w.reserve, g.reserve, 0)) / sp.count)
        - coalesce(p.reserve, p_group.reserve, 0), 0)
    FROM set_parts sp
    JOIN products w ON w.account_id = {{account}} AND w.id = sp.part_id
    LEFT JOIN product_groups g ON g.account_id = {{account}} AND g.id = w.group_id
    WHERE sp.account_id = {{account}} AND sp.set_id = p.id AND w.managed
    HAVING count(*) > 0)"""
AS_OF = f"""(SELECT p.code, {{time}} AS time, CASE p.kind WHEN 'SINGLE' THEN t.total END AS total,
        CASE p.kind WHEN 'SINGLE' THEN greatest(t.total - coalesce(p.reserve, p_group.reserve, 0), 0)
            ELSE {SETS_THEN} END AS sellable
    FROM products p
    LEFT JOIN product_groups p_group ON p_group.account_id = {{account}} AND p_group.id = p.group_id
    CROSS JOIN LATERAL (SELECT {_total_then("p.id")} AS total) AS t
    WHERE p.account_id = {{account}} AND p.code = {{code}} AND p.deleted_at IS NULL) {{o}}"""

STOCK_AT = Model(
    "StockAt",
    "",
    {
        "code": text("{t}.code"),
        "time": moment("{t}.time"),
        "total": number("{t}.total"),
        "sellable": number("{t}.sellable"),
    },
    account="true",
)
STOCK_THEN = Made("StockAt", AS_OF, {"code": "text", "time": "timestamptz", "by": "text"})
