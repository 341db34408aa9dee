"""超過表示: how long malls showed more than was left, summed by product, shop and day of the account's time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Ended:
    """A listing of the shop showed more of the product than was left, from `since` until `until`."""

    product_id: UUID
    shop_id: UUID
    since: datetime
    until: datetime


NOTE = text(
    """
    INSERT INTO product_exposures AS x (account_id, product_id, shop_id, day, milliseconds, longest, times)
    SELECT :account, e.product_id, e.shop_id, d.day::date,
        sum(extract(epoch FROM least(e.until, (d.day + interval '1 day') AT TIME ZONE e.zone)
            - greatest(e.since, d.day AT TIME ZONE e.zone)) * 1000),
        max(CASE WHEN d.day = e.last THEN extract(epoch FROM e.until - e.since) * 1000 ELSE 0 END),
        count(*) FILTER (WHERE d.day = e.last)
    FROM (SELECT r.*, a.time_zone AS zone, date_trunc('day', r.until AT TIME ZONE a.time_zone) AS last
        FROM unnest(cast(:products AS uuid[]), cast(:shops AS uuid[]), cast(:since AS timestamptz[]),
            cast(:until AS timestamptz[])) AS r (product_id, shop_id, since, until)
        JOIN accounts a ON a.id = :account) AS e
    CROSS JOIN LATERAL generate_series(
        greatest(date_trunc('day', e.since AT TIME ZONE e.zone), e.last - interval '366 days'), e.last, '1 day') AS d (day)
    GROUP BY e.product_id, e.shop_id, d.day
    ORDER BY e.product_id, e.shop_id, d.day
    ON CONFLICT (account_id, product_id, shop_id, day) DO UPDATE SET milliseconds = x.milliseconds + excluded.milliseconds,
        longest = greatest(x.longest, excluded.longest), times = x.times + excluded.times
    """
)
"""Each day has its own part of the time; the whole of it, as one time, belongs to the day on which it ended."""


async def note(tx: Tx, ended: Sequence[Ended]) -> None:
    if not ended:
        return
    values = {
        "account": tx.account_id,
        "products": [each.product_id for each in ended],
        "shops": [each.shop_id for each in ended],
        "since": [min(each.since, each.until) for each in ended],
        "until": [each.until for each in ended],
    }
    await tx.execute(NOTE, values)
