"""A merchant's shops, products and orders, told in a few words; and what came of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.base import Base, MallStockSource
from domain.model.malls import (
    ItemRef,
    MallKind,
    MallListing,
    MallOrder,
    MallOrderLine,
    MallTime,
    OrderStatus,
)
from domain.model.stock import Cause
from domain.services import listings, orders
from domain.services.ledger import Ledger
from domain.services.listings import ImportResult
from domain.services.orders import Seen, Taken
from domain.services.sync import Why, reconsider
from domain.store import accounts, shops, stock, sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from domain.store.sync import SyncRow
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.patience import eventually

LONG_BEFORE = NOW - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """One listing of a product: what it should show and what we believe it shows."""

    listing_id: UUID
    product_id: UUID
    link: str
    expected: int | None
    base: int | None
    waits: bool
    edited: bool
    difference: str | None
    not_pushed: tuple[str, ...]


async def a_shop(
    tx: Tx, name: str = "Rakuten", mall: MallKind = MallKind.RAKUTEN, **values: Any
) -> Shop:
    """A shop that reflects, in an account that runs; its orders are known to be complete up to now."""
    await accounts.switch(tx, running=True)
    shop_id = await shops.insert(tx, mall, name, {}, [], sandbox=True)
    await shops.change(tx, shop_id, **{"reflect_running": True} | values)
    return await shop_of(tx, shop_id)


async def shop_of(tx: Tx, shop_id: UUID) -> Shop:
    shop = await shops.get(tx, shop_id)
    assert shop is not None
    return shop


def a_listing(
    code: str, quantity: int | None = None, *, ref: str = "", name: str = ""
) -> MallListing:
    """As a mall's file says it: `code` is its linking code, `ref` what orders call it."""
    keys = {"merchantDefinedSkuId": code, "sub-code": code, "seller-sku": code}
    return MallListing(ItemRef(ref or code.lower()), name or f"{code} of the mall", keys, quantity)


async def imported(
    tx: Tx,
    shop: Shop,
    *found: MallListing,
    create_products: bool = True,
    link: bool = True,
    now: datetime = NOW,
) -> ImportResult:
    return await listings.import_listings(
        tx, OWNER, shop, found, seen_at=None, create_products=create_products, link=link, now=now
    )


async def counted(tx: Tx, now: datetime = NOW, /, **totals: int) -> None:
    """Brings the totals of products to these numbers, below zero too, and sends them."""
    ids = await product_ids(tx)
    ledger = await Ledger.locked(tx, [ids[code] for code in totals])
    for code, total in totals.items():
        before = ledger.products[ids[code]].total
        ledger.move(ids[code], total - before, Cause.COUNTED, effective_at=now)
    await ledger.write(tx)
    await stock.counted(tx, [ids[code] for code in totals], now)
    await reconsider(
        tx, await sync.listings_showing(tx, [ids[code] for code in totals]), Why.HAPPENED, now=now
    )


async def in_stock(tx: Tx, shop: Shop, **totals: int) -> None:
    """Products that are listed at the shop under their codes, counted, and shown as they are."""
    await imported(tx, shop, *(a_listing(code) for code in totals))
    await counted(tx, LONG_BEFORE, **totals)
    await everywhere_right(tx)


async def everywhere_right(tx: Tx, at: datetime = LONG_BEFORE) -> None:
    """Every listing shows what it should, written at `at`; nothing waits."""
    written = MallTime(at, at)

    def change(row: SyncRow) -> SyncRow:
        base = Base(row.expected, written, MallStockSource.APPLIED_PUSH)
        return replace(row, base=base, claimed=row.wanted, done=row.wanted, waiting_since=None)

    ids = [each["listing_id"] for each in await rows(tx, "SELECT listing_id FROM listing_sync")]
    await reconsider(tx, ids, Why.SETTLED, now=NOW, change=change)


async def product_ids(tx: Tx) -> dict[str, UUID]:
    return {each["code"]: each["id"] for each in await rows(tx, "SELECT code, id FROM products")}


async def totals(tx: Tx) -> dict[str, int]:
    found = await rows(
        tx, "SELECT code, total FROM products WHERE deleted_at IS NULL ORDER BY code"
    )
    return {each["code"]: each["total"] for each in found}


async def shown(tx: Tx, shop: Shop, ref: str) -> Shown:
    found = await row(
        tx,
        """
        SELECT l.id AS listing_id, k.product_id, k.state AS link, s.expected, s.base, s.wanted > s.done AS waits,
            s.edited, s.difference, s.not_pushed
        FROM listings l JOIN links k ON k.listing_id = l.id JOIN listing_sync s ON s.listing_id = l.id
        WHERE l.shop_id = :shop AND l.item_code = :ref
        """,
        shop=shop.id,
        ref=ref,
    )
    return Shown(**found | {"not_pushed": tuple(found["not_pushed"])})


def an_order(
    number: str,
    *lines: tuple[str, int],
    status: OrderStatus = OrderStatus.HOLDS,
    placed_at: datetime = NOW,
    by_mall: bool = False,
) -> MallOrder:
    """`lines`: (the mall's item code, units)."""
    taken = tuple(
        MallOrderLine(ItemRef(ref), units, f"{position}", by_mall)
        for position, (ref, units) in enumerate(lines)
    )
    return MallOrder(number, placed_at, status, taken)


async def take(tx: Tx, shop: Shop, *those: MallOrder, at: datetime = NOW) -> Taken:
    """Takes in a page that was asked for at `at` and answered a second later."""
    seen = Seen(those, at, at + timedelta(seconds=1))
    return await orders.take(tx, shop, seen, now=at)


async def errors(tx: Tx) -> list[tuple[str, str, int]]:
    """(kind, state, count) of every error, oldest first."""
    found = await rows(tx, "SELECT kind, state, count FROM sync_errors ORDER BY id")
    return [(each["kind"], each["state"], each["count"]) for each in found]


async def movements(tx: Tx, code: str) -> list[tuple[str, int, int]]:
    """(cause, delta, balance) of a product, in the ledger's order."""
    found = await rows(
        tx,
        """
        SELECT m.cause, m.delta, m.balance_after FROM stock_movements m JOIN products p ON p.id = m.product_id
        WHERE p.code = :code ORDER BY m.stock_version
        """,
        code=code,
    )
    return [(each["cause"], each["delta"], each["balance_after"]) for each in found]


async def lines(tx: Tx, number: str) -> list[tuple[str, int, str]]:
    """(item code, units, state) of an order's lines."""
    found = await rows(
        tx,
        """
        SELECT l.item_code, l.quantity, l.state FROM order_lines l JOIN orders o ON o.id = l.order_id
        WHERE o.number = :number ORDER BY l.position
        """,
        number=number,
    )
    return [(each["item_code"], each["quantity"], each["state"]) for each in found]


def codes(refused: Sequence[Any]) -> list[str]:
    return [each.error.code for each in refused]


async def someone_waits(db: Database, how_many: int = 1) -> None:
    """Returns once that many connections wait for a lock that another holds."""

    async def so() -> bool:
        async with db.connection() as connection:
            return bool((await connection.scalar(text(WAITING))) >= how_many)

    await eventually(so)


async def meanwhile(
    db: Database,
    account: UUID,
    first: Callable[[Tx], Awaitable[object]],
    second: Callable[[Tx], Awaitable[object]],
) -> None:
    """The second begins after the first has done its work, waits for it, and goes on when it has committed."""
    async with asyncio.TaskGroup() as tasks, db.transaction(account) as tx:
        await first(tx)
        tasks.create_task(db.run(account, second))
        await someone_waits(db)


WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
