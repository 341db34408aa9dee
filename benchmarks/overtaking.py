"""A drop to zero overtakes a running full sync of 100,000 listings.

    .venv/bin/python -m benchmarks.overtaking [LISTINGS]

At a Rakuten shop whose mall keeps the limit of its sheet: one call a second, 400 numbers a call. The numbers of a full
sync wait; once they go out, a product that comes last falls to zero, through the service that a person's count takes. The
mall's own book tells how many calls it had in between: two at most, the one that was under way and the zero's own. The
claim is timed on the rows that still wait (PostgreSQL's own clock, EXPLAIN ANALYZE; the median of several).

Exit code 1 when the zero comes later than with the second call.
"""

import asyncio
import logging
import statistics
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text

from benchmarks.bulk import GIVEN_UP_SECONDS, Waiting, fill, one_product, until_accepted
from benchmarks.limits import call_times, until_quiet
from benchmarks.market import Market, market
from benchmarks.saying import say
from benchmarks.stand import Stand, stand
from domain.model.actors import SYSTEM
from domain.model.malls import ItemRef, MallKind
from domain.model.reflect import RISE_AFTER, Lane
from domain.services import stock
from domain.services.stock import NewTotal
from domain.store import pushes
from domain.store.database import Tx
from renkei.demo.books import BY_HAND
from renkei.demo.seeding import now
from renkei.demo.stalls import ref_at

LISTINGS = 100_000
MOST_CALLS = 2
RUNNING = 800
CLAIMS = 9
ID = text("SELECT id FROM products WHERE account_id = :account AND code = :code")


async def measured(here: Stand, count: int) -> int:
    kind = MallKind.RAKUTEN
    async with market(here, [kind], one_product(), speed=1, polls={kind: 30}) as there:
        await until_quiet(there)
        codes = await fill(here, there, Waiting(count, shown=50, expected=60, lane=Lane.OTHER))
        await until_accepted(there, RUNNING)
        await falls_to_zero(there, codes[-1])
        fell_at = now()
        await until_accepted(there, 1, zeros=True)
        claims = [await claim_milliseconds(there) for _ in range(CLAIMS)]
        state = await there.shops[0].stall.state()
    writes = [each for each in state["writes"] if each["source"] != BY_HAND]
    return show(count, writes, ref_at(kind, codes[-1]), fell_at, claims)


def is_zero(write: dict[str, Any], ref: ItemRef) -> bool:
    return (write["item_code"], write["quantity"]) == (ref.item_code, 0)


async def falls_to_zero(there: Market, code: str) -> None:
    async def work(tx: Tx) -> None:
        product_id = await tx.scalar(ID, {"account": tx.account_id, "code": code})
        await stock.set_totals(tx, SYSTEM, [NewTotal(product_id, 0)], now=now())

    await there.db.run(there.account_id, work)


async def claim_milliseconds(there: Market) -> float:
    """Of finding and locking one call's worth."""
    at = now()
    values = {
        "account": there.account_id,
        "shop": there.shops[0].id,
        "now": at,
        "last_lane": Lane.OTHER,
        "watermark": None,
        "fetches_orders": False,
        "risen_before": at - RISE_AFTER,
        "at_most": 400,
    }
    explained = text("EXPLAIN (ANALYZE, FORMAT JSON) " + pushes.DUE.text)
    async with there.db.transaction(there.account_id) as tx:
        plan = (await tx.execute(explained, values)).scalar()
    return float(plan[0]["Execution Time"])


def show(
    count: int,
    writes: Sequence[dict[str, Any]],
    ref: ItemRef,
    fell_at: datetime,
    claims: Sequence[float],
) -> int:
    zeros = [datetime.fromisoformat(each["at"]) for each in writes if is_zero(each, ref)]
    say(f"listings that wait for a full sync: {count:,}")
    say(f"claim of 400 of them: {statistics.median(claims):.1f} ms (median of {len(claims)})")
    if not zeros:
        say(f"MISSED: the zero was not sent within {GIVEN_UP_SECONDS:.0f} s.")
        return 1
    calls = sum(fell_at < at <= zeros[0] for at in call_times(writes, 400))
    calls = max(calls, 1)
    say(f"calls of the mall's budget until the zero stood: {calls} (at most {MOST_CALLS})")
    say(f"seconds until then: {(zeros[0] - fell_at).total_seconds():.1f}")
    return 0 if calls <= MOST_CALLS else 1


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LISTINGS
    with stand(workers=1, speed=1) as here:
        return asyncio.run(measured(here, count))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(main())
