"""超過表示: for how long malls showed more of a product than was left (domain/model/exposure.py)."""

from domain.store.reads.models import Made, Many, Model, One, moment, number

MOST_DAYS = 366

TIMES = """SELECT x.shop_id, x.milliseconds, x.longest, x.times, NULL::timestamptz AS since FROM product_exposures x
    WHERE x.account_id = {account} AND x.product_id = PRODUCT AND x.day >= FIRST_DAY
    UNION ALL
    SELECT s.shop_id, 0, 0, 0, s.exposed_since FROM links k
    JOIN listing_sync s ON s.account_id = {account} AND s.listing_id = k.listing_id AND s.exposed_since IS NOT NULL
    WHERE k.account_id = {account} AND k.product_id = PRODUCT"""
"""What is over, by day and shop, and what lasts."""

SUMS = """coalesce(sum(e.milliseconds), 0) AS milliseconds, coalesce(max(e.longest), 0) AS longest,
    coalesce(sum(e.times), 0) AS times, min(e.since) AS since"""
FIRST_DAY = f"""(SELECT (clock_timestamp() AT TIME ZONE a.time_zone)::date - least(greatest({{days}}, 1), {MOST_DAYS}) + 1
    FROM accounts a WHERE a.id = {{account}})"""
OF_PRODUCT = f"""(SELECT {{t}}.id AS product_id, d.first_day, s.* FROM (SELECT {FIRST_DAY} AS first_day) AS d
    CROSS JOIN LATERAL (SELECT {SUMS} FROM (
        {TIMES.replace("PRODUCT", "{t}.id").replace("FIRST_DAY", "d.first_day")}) AS e) AS s) {{o}}"""
OF_SHOPS = f"""(SELECT e.shop_id, {SUMS} FROM (
        {TIMES.replace("PRODUCT", "{t}.product_id").replace("FIRST_DAY", "{t}.first_day")}) AS e
    GROUP BY e.shop_id) {{o}}"""

LATENESS = {
    "seconds": number("round({t}.milliseconds / 1000.0, 3)"),
    "longest_seconds": number("round({t}.longest / 1000.0, 3)"),
    "times": number("{t}.times"),
    "since": moment("{t}.since"),
}

EXPOSURE_OF_PRODUCT = Made("Exposure", OF_PRODUCT, {"days": "int"})
EXPOSURE = Model(
    "Exposure",
    "",
    {**LATENESS, "by_shop": Many("ShopExposure", "true", order="{o}.shop_id", source=OF_SHOPS)},
    account="true",
)
SHOP_EXPOSURE = Model(
    "ShopExposure",
    "",
    {"shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"), **LATENESS},
    account="true",
)
