"""Many listings, by raw rows: each of a product of its own, none in stock, and shown so."""

from domain.services.walks import AT_ONCE
from domain.store.database import Tx
from domain.store.shops import Shop
from tests.domain.services.rows import rows
from tests.domain.services.story import a_shop

MANY = AT_ONCE + 300
"""More than are looked at in one transaction."""


async def a_large_shop(tx: Tx, name: str = "Large") -> Shop:
    shop = await a_shop(tx, name)
    await crowd(tx, shop, MANY)
    return shop


async def crowd(tx: Tx, shop: Shop, count: int) -> None:
    """So many listings of the shop."""
    await rows(
        tx,
        """
        WITH numbered AS (SELECT 'T' || nth AS code FROM generate_series(1, :count) AS nth),
        product AS (INSERT INTO products (account_id, code) SELECT :account, code FROM numbered RETURNING id, code),
        listing AS (INSERT INTO listings (account_id, shop_id, item_code, match_code, name)
            SELECT :account, :shop, code, code, code || ' of the mall' FROM numbered RETURNING id, item_code),
        linked AS (INSERT INTO links (account_id, listing_id, product_id, state)
            SELECT :account, l.id, p.id, 'LINKED' FROM listing l JOIN product p ON p.code = l.item_code)
        INSERT INTO listing_sync (account_id, listing_id, shop_id, expected, base, base_source)
        SELECT :account, l.id, :shop, 0, 0, 'FILE' FROM listing l RETURNING listing_id
        """,
        shop=shop.id,
        count=count,
    )
