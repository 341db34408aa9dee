"""What a run that does not settle is asked for, so that its cause can be found: rows as they stand."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.chaos.scene import Scene

AT_MOST = 12
ASKED: Mapping[str, str] = MappingProxyType(
    {
        "shops": """
    SELECT name, state, paused_until, next_probe_at, next_order_poll_at, orders_seen_at, maintenance, clock_offset_ms,
        clock_timestamp() AS now FROM shops ORDER BY name""",
        "errors that are open": """
    SELECT s.name, e.level, e.kind, e.group_key, e.state, e.count, e.first_at, e.last_at, e.next_try_at FROM sync_errors e
    LEFT JOIN shops s ON s.id = e.shop_id WHERE e.resolved_at IS NULL ORDER BY e.id""",
        "listings that wait or differ": """
    SELECT s.name, l.item_code, y.wanted, y.done, y.expected, y.base, y.base_latest, y.lane, y.push_state, y.difference,
        y.next_try_at, y.attempts FROM listing_sync y JOIN shops s ON s.id = y.shop_id JOIN listings l ON l.id = y.listing_id
    WHERE y.wanted > y.done OR y.difference IS NOT NULL ORDER BY y.next_try_at NULLS FIRST""",
        "pushes that are open": """
    SELECT s.name, l.item_code, p.state, p.quantity, p.sent_at, p.accepted_at FROM pushes p
    JOIN listings l ON l.id = p.listing_id JOIN shops s ON s.id = l.shop_id
    WHERE p.state IN ('SENT', 'ACCEPTED', 'UNKNOWN') ORDER BY p.sent_at DESC LIMIT 40""",
        "leases": "SELECT kind, holder, epoch, until, clock_timestamp() AS now FROM shop_leases",
        "jobs that are not over": """
    SELECT kind, state, created_at, input FROM jobs WHERE state NOT IN ('DONE', 'FAILED', 'CANCELLED')""",
    }
)


async def leftovers(scene: Scene) -> list[str]:
    """A few lines of each."""
    lines: list[str] = []
    for title, sql in ASKED.items():
        rows = await scene.as_superuser(sql)
        lines.append(f"{title}: {len(rows)}")
        lines += [f"  {dict(row.items())}" for row in rows[:AT_MOST]]
    return lines
