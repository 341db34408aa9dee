"""モール別項目 of listings: the fields that travel with stock, what we say of each and what the mall shows."""

from domain.model.mall_specs import MALL_SPECS
from domain.store.reads.models import Many, Model, facts, flag, text, word

COLUMNS = ", ".join(
    f"('{mall.value}', '{column.key}', {nth})"
    for mall, spec in MALL_SPECS.items()
    for nth, column in enumerate(spec.columns)
    if column.sent_with_stock
)
FIELDS = (
    """(SELECT c.mall, c.key, c.nth, coalesce(f.owner, 'US') AS owner, f.changed_at_mall,
        nullif(CASE WHEN f.key IS NULL THEN {t}.fields ->> c.key ELSE f.value END, '') AS value,
        nullif({t}.fields ->> c.key, '') AS mall_value
    FROM (VALUES COLUMNS) c (mall, key, nth)
    JOIN shops s ON s.account_id = {account} AND s.id = {t}.shop_id AND s.mall = c.mall
    LEFT JOIN listing_fields f ON f.account_id = {account} AND f.listing_id = {t}.id AND f.key = c.key) {o}"""
).replace("COLUMNS", COLUMNS)
"""Every column of the shop's mall that is sent with stock, in its order, whether it has a value or not."""

MALL_FIELDS = Many("MallFieldValue", "true", order="{o}.nth", source=FIELDS)

MALL_FIELD_VALUE = Model(
    "MallFieldValue",
    "",
    {
        "key": text("{t}.key"),
        "column": facts(word("{t}.mall"), text("{t}.key")),
        "value": text("{t}.value"),
        "owner": word("{t}.owner"),
        "mall_value": text("{t}.mall_value"),
        "changed_at_mall": flag(
            "({t}.owner = 'US' AND {t}.changed_at_mall IS NOT NULL AND {t}.mall_value IS DISTINCT FROM {t}.value)"
        ),
    },
    account="true",
)
