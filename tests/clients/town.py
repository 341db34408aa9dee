"""A shop with enough products for two pages, whose totals change one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from api.nodes import global_id
from domain.model.actors import SYSTEM
from domain.model.malls import ItemRef, MallKind, MallListing
from domain.services import listings, shops, stock, switches
from domain.services.credentials import Vault
from domain.services.stock import NewTotal
from domain.store.database import Database, Tx
from tests.workers.town import product_ids

CODES = [f"FOOD-{nth:03}" for nth in range(60)]
CREDENTIALS = {"service_secret": "SP-1", "license_key": "SL-1"}
BEFORE, AFTER = 9, 100
"""Totals: of every product at first; of the nth of those that were restocked, and n more."""

TOLD = """
SELECT node_id FROM events WHERE account_id = :account AND kind = 'DIFF' AND seq > :after ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class Town:
    db: Database
    account: UUID
    products: dict[str, UUID]

    async def restock(self, codes: Sequence[str]) -> None:
        """One transaction after the other, each with an event."""
        for code in codes:
            await self.set_total(code, AFTER + CODES.index(code))

    async def set_total(self, code: str, total: int) -> None:
        async with self.db.transaction(self.account) as tx:
            await _set(tx, [NewTotal(self.products[code], total)])

    async def told(self, after: int) -> list[str]:
        """The listings of every difference since then, in the order of their commits."""
        async with self.db.transaction(self.account) as tx:
            rows = await tx.execute(text(TOLD), {"account": self.account, "after": after})
            return [global_id("Listing", row.node_id) for row in rows]


async def a_town(db: Database, account: UUID, vault: Vault) -> Town:
    now = datetime.now(UTC)
    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(
            tx, vault, SYSTEM, MallKind.RAKUTEN, "楽天本店", CREDENTIALS, {}
        )
        found = [
            MallListing(
                ItemRef(code), name=code, keys=dict.fromkeys(shop.match_key, code), quantity=BEFORE
            )
            for code in CODES
        ]
        await listings.import_listings(
            tx, SYSTEM, shop, found, seen_at=None, create_products=True, link=True, now=now
        )
        products = await product_ids(tx, CODES)
        await _set(tx, [NewTotal(each, BEFORE) for each in products.values()])
        await switches.start_sync(tx, SYSTEM, None, now=now)
        await switches.start_sync(tx, SYSTEM, [shop.id], now=now)
    return Town(db, account, products)


async def _set(tx: Tx, totals: Sequence[NewTotal]) -> None:
    await stock.set_totals(tx, SYSTEM, totals, reflect=False, now=datetime.now(UTC))
