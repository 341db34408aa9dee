"""A shop where as many numbers wait as a measure needs, put in as a change would have left them.

By the owner's hand and in one go: through the services the rows of a hundred thousand products take longer than the
measure.
"""

import asyncio
import secrets
from dataclasses import dataclass

import asyncpg
from sqlalchemy import text

from benchmarks.market import Market
from benchmarks.stand import Stand
from domain.model.reflect import Lane
from renkei.demo.stalls import named, ref_at
from renkei.example_shop.catalogue import RetailProduct

ITEMS_AT_ONCE = 20_000
GIVEN_UP_SECONDS = 40.0

FILL = """
WITH item AS (
    SELECT uuidv7() AS product, uuidv7() AS listing, code, item_code, variant_code FROM unnest($3::text[], $4::text[], $5::text[])
        AS i (code, item_code, variant_code)),
product AS (
    INSERT INTO products (account_id, id, code, name, total) SELECT $1, product, code, code, $7 FROM item RETURNING id),
listing AS (
    INSERT INTO listings (account_id, id, shop_id, item_code, variant_code, match_code, name)
    SELECT $1, listing, $2, item_code, variant_code, code, code FROM item RETURNING id),
link AS (
    INSERT INTO links (account_id, listing_id, product_id, state, reason) SELECT $1, listing, product, 'LINKED', 'SAME_CODE'
    FROM item RETURNING listing_id)
INSERT INTO listing_sync (account_id, listing_id, shop_id, wanted, own, lane, waiting_since, expected, base, base_source)
SELECT $1, listing, $2, 1, 1, $8, clock_timestamp(), $7, $6, 'FILE' FROM item
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`count` listings that show `shown` and should show `expected`."""

    count: int
    shown: int
    expected: int
    lane: Lane


def one_product() -> list[RetailProduct]:
    return [RetailProduct("000000", "Item", "Item", 0, 1, {})]


ACCEPTED = text(
    """
    SELECT count(*) FROM pushes
    WHERE account_id = :account AND accepted_at IS NOT NULL AND (NOT cast(:zeros AS bool) OR quantity = 0)
    """
)


async def until_accepted(here: Market, numbers: int, *, zeros: bool = False) -> bool:
    """So many numbers, or drops to zero; False when it takes too long. The malls' books are long: they are asked once,
    afterwards."""
    clock = asyncio.get_running_loop()
    end = clock.time() + GIVEN_UP_SECONDS
    while clock.time() < end:
        async with here.db.transaction(here.account_id) as tx:
            values = {"account": here.account_id, "zeros": zeros}
            if await tx.scalar(ACCEPTED, values) >= numbers:
                return True
        await asyncio.sleep(0.2)
    return False


async def fill(stand: Stand, here: Market, waiting: Waiting) -> list[str]:
    """At the market's first shop and at its mall; the products' codes. Their ledgers are empty: nobody asks for them."""
    shop, mark = here.shops[0], secrets.token_hex(2)
    codes = [f"{mark}{nth:06}" for nth in range(waiting.count)]
    refs = [ref_at(shop.stall.kind, code) for code in codes]
    for first in range(0, len(refs), ITEMS_AT_ONCE):
        some = refs[first : first + ITEMS_AT_ONCE]
        await shop.stall.puts([named(ref) | {"quantity": waiting.shown} for ref in some])
    owner = await asyncpg.connect(stand.settings.owner_database_url.replace("+asyncpg", ""))
    try:
        await owner.execute(
            FILL,
            here.account_id,
            shop.id,
            codes,
            [ref.item_code for ref in refs],
            [ref.variant_code for ref in refs],
            waiting.shown,
            waiting.expected,
            int(waiting.lane),
        )
        await owner.execute("ANALYZE products, listings, links, listing_sync")
    finally:
        await owner.close()
    return codes
