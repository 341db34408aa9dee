"""在庫マイナスの経緯: the moments around an order that took a total below zero, out of the ledger, the orders and what was
written to the mall that sold.

It begins when so many were held for the last time as the order wanted. At most 50: of movements the last before the order
and the first after it, of the numbers that were sent to the listing the one that stood and the first since.
"""

from domain.store.reads.models import Many, Model, One, facts, moment, number, numbers, text, word

FAR_BACK = 500
"""Movements looked through for the last time that enough was held."""

BEFORE, AFTER, SENT = 12, 6, 5

OF_PRODUCT = "g.account_id = {account} AND g.product_id = {t}.product_id"
CROSSING = """(SELECT g.id, -g.delta AS taken, g.recorded_at FROM stock_movements g
    WHERE g.account_id = {account} AND g.order_id = {t}.order_id AND g.product_id = {t}.product_id AND g.cause = 'ORDER'
    ORDER BY g.balance_after >= 0, g.balance_before < 0, g.id LIMIT 1) AS c"""
SCARCE = f"""(SELECT x.id, x.recorded_at, x.balance_before FROM (SELECT g.* FROM stock_movements g
        WHERE {OF_PRODUCT} AND g.id < c.id ORDER BY g.id DESC LIMIT {FAR_BACK}) AS x
    WHERE x.balance_before >= c.taken AND x.balance_after < c.taken ORDER BY x.id DESC LIMIT 1) AS s"""
SOLD = """(SELECT i.listing_id FROM order_items i
    WHERE i.account_id = {account} AND i.order_id = {t}.order_id
        AND i.parts @> jsonb_build_array(jsonb_build_array({t}.product_id))
    ORDER BY i.listing_id LIMIT 1) AS i"""

ENOUGH = f"""(SELECT g.recorded_at AS at, 0 AS nth, g.id, 'ENOUGH_HELD' AS kind, NULL::uuid AS order_id,
        NULL::uuid AS shop_id, NULL::uuid AS listing_id, NULL::int AS units, g.balance_after AS total
    FROM stock_movements g WHERE {OF_PRODUCT} AND g.id < s.id ORDER BY g.id DESC LIMIT 1)"""
MOVED = f"""((SELECT g.* FROM stock_movements g WHERE {OF_PRODUCT} AND g.id BETWEEN coalesce(s.id, c.id) AND c.id
        ORDER BY g.id DESC LIMIT {BEFORE})
    UNION ALL (SELECT g.* FROM stock_movements g WHERE {OF_PRODUCT} AND g.id > c.id
        AND ({{t}}.closed_at IS NULL OR g.recorded_at <= {{t}}.closed_at) ORDER BY g.id LIMIT {AFTER})) AS m"""
PLACED = f"""SELECT m.effective_at, 1, m.id, 'ORDER_PLACED', m.order_id, w.shop_id, NULL, -m.delta, NULL
    FROM {MOVED} JOIN orders w ON w.account_id = {{account}} AND w.id = m.order_id WHERE m.cause = 'ORDER'"""
SEEN = f"""SELECT m.recorded_at, 2, m.id, CASE WHEN m.id = c.id THEN 'OVERSOLD' WHEN m.cause = 'ORDER' THEN 'ORDER_SEEN'
        ELSE 'TOTAL_CHANGED' END, m.order_id, w.shop_id, NULL, abs(m.delta), m.balance_after
    FROM {MOVED} LEFT JOIN orders w ON w.account_id = {{account}} AND w.id = m.order_id"""

START = "coalesce(s.recorded_at, c.recorded_at - interval '1 hour')"
WRITTEN = f"""((SELECT u.* FROM mall_update_logs u
        WHERE u.account_id = {{account}} AND u.listing_id = i.listing_id AND u.sent_at < {START} ORDER BY u.id DESC LIMIT 1)
    UNION ALL (SELECT u.* FROM mall_update_logs u
        WHERE u.account_id = {{account}} AND u.listing_id = i.listing_id AND u.sent_at >= {START}
            AND u.id >= renkei_uuid_at({START} - interval '1 hour') ORDER BY u.id LIMIT {SENT})) AS u"""
PUT = f"""SELECT u.sent_at, 3, u.id, 'NUMBER_SENT', NULL, u.shop_id, u.listing_id, u.after, NULL FROM {WRITTEN}"""
ANSWERED = f"""SELECT coalesce(u.applied_at, u.sent_at), 4, u.id,
        CASE u.state WHEN 'APPLIED' THEN 'NUMBER_SHOWN' ELSE 'NUMBER_FAILED' END, NULL, u.shop_id, u.listing_id, u.after, NULL
    FROM {WRITTEN} WHERE u.state NOT IN ('SENT', 'ACCEPTED')"""
RECOVERED = """SELECT {t}.closed_at, 5, {t}.id, 'RECOVERED', NULL, NULL, NULL, NULL, NULL
    WHERE {t}.closed_at IS NOT NULL"""

EVERY = " UNION ALL ".join((ENOUGH, PLACED, SEEN, PUT, ANSWERED, RECOVERED))
MOMENTS = f"""(SELECT e.* FROM {CROSSING} LEFT JOIN LATERAL {SCARCE} ON true LEFT JOIN LATERAL {SOLD} ON true
    CROSS JOIN LATERAL ({EVERY}) AS e) {{o}}"""

TIMELINE = Many("OversellMoment", "true", order="{o}.at, {o}.nth, {o}.id", source=MOMENTS)

SHOP_NAME = "(SELECT w.name FROM shops w WHERE w.account_id = {account} AND w.id = {t}.shop_id)"

OVERSELL_MOMENT = Model(
    "OversellMoment",
    "",
    {
        "at": moment("{t}.at"),
        "kind": word("{t}.kind"),
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        "listing": One("Listing", "{o}.id = {t}.listing_id AND {o}.deleted_at IS NULL"),
        "order": One("Order", "{o}.id = {t}.order_id", key="{t}.order_id"),
        **numbers("units", "total"),
        "text": facts(word("{t}.kind"), text(SHOP_NAME), number("{t}.units"), number("{t}.total")),
    },
    account="true",
)
