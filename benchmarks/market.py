"""A merchant with several shops at the sandbox malls, each selling the goods of the example shop."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import httpx
from sqlalchemy import text

from benchmarks.stand import Stand
from domain.model.actors import SYSTEM
from domain.model.mall_hosts import ANYWHERE
from domain.model.malls import MallKind, MallListing
from domain.services import listings, shops, switches
from domain.services.accounts import create_account
from domain.services.credentials import Vault
from domain.store import accounts as account_rows
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from integrations.bells import Bells
from integrations.files.listings import read_listings
from renkei.demo import seeding, stalls
from renkei.demo.books import MallBooks, read_state
from renkei.demo.seeding import Merchant, now
from renkei.demo.stalls import PLACES, Place
from renkei.example_shop.catalogue import RetailProduct

FIVE_SHOPS = (
    MallKind.RAKUTEN,
    MallKind.RAKUTEN,
    MallKind.YAHOO_SHOPPING,
    MallKind.YAHOO_SHOPPING,
    MallKind.AMAZON,
)
LIFTED = 999_999
"""How fast our side takes malls to be that have neither limits nor delays."""

IMPORTED_AT_ONCE = 1_000
KNOWN = text("SELECT count(*) FROM orders WHERE account_id = :account")

Polls = Mapping[MallKind, int]
"""Every how many seconds a shop's orders are asked for."""

EACH_SECOND: Polls = dict.fromkeys(MallKind, 1)


@dataclass(frozen=True, slots=True)
class Stall(stalls.Stall):
    """One of several shops at one mall."""

    nth: int = 0

    def _settings(self, speed: float) -> dict[str, object]:
        """Orders are listed, and numbers stand, as soon as the mall has them: what is timed is our way there."""
        return {"limits": bool(speed), "apply_delay": 0}

    @property
    def place(self) -> Place:
        place = PLACES[self.kind]
        seller = f"{place.seller}{self.nth}"
        settings = {"seller_id": seller} if "seller_id" in place.settings else {}
        name = f"{place.shop_name} {self.nth}"
        return replace(place, seller=seller, shop_name=name, settings=settings)


@dataclass(frozen=True, slots=True)
class MallShop:
    """One shop, as we know it and as its mall does."""

    id: UUID
    stall: Stall

    async def books(self) -> MallBooks:
        return read_state(self.id, await self.stall.state())


@dataclass(frozen=True, slots=True)
class Market:
    """One merchant, and all of their shops."""

    db: Database
    account_id: UUID
    shops: Sequence[MallShop]

    async def books(self) -> list[MallBooks]:
        """What each mall says of itself."""
        return [await shop.books() for shop in self.shops]

    async def knows(self, orders: int) -> bool:
        """Were so many orders taken in by now?"""
        async with self.db.transaction(self.account_id) as tx:
            known: int = await tx.scalar(KNOWN, {"account": self.account_id})
        return known >= orders


@asynccontextmanager
async def market(
    stand: Stand,
    kinds: Sequence[MallKind],
    goods: Sequence[RetailProduct],
    *,
    speed: int = LIFTED,
    polls: Polls = EACH_SECOND,
) -> AsyncIterator[Market]:
    """Connected, filled, linked by code, counted and started. `speed`: how fast our side takes the malls to be."""
    bells = Bells(stand.settings.redis_url)
    db = Database.at(stand.settings.database_url, bells, pool_size=4)
    vault = Vault(stand.settings.secret_key)
    try:
        async with httpx.AsyncClient(base_url=stand.malls, timeout=60) as control:
            places = [Stall(kind, control, nth) for nth, kind in enumerate(kinds)]
            yield await _opened(db, vault, stand.malls, places, goods, speed, polls)
    finally:
        await bells.close()
        await db.close()


async def _opened(
    db: Database,
    vault: Vault,
    address: str,
    places: Sequence[Stall],
    goods: Sequence[RetailProduct],
    speed: int,
    polls: Polls,
) -> Market:
    account_id = await create_account(db, f"bench-{secrets.token_hex(4)}", "Benchmark")
    await db.run(account_id, lambda tx: account_rows.reflect_edits(tx, at_once=True))
    merchant = Merchant(db, vault, account_id, {})
    opened = []
    for stall in places:
        shop_id = await _connected(merchant, stall, address, speed, polls[stall.kind])
        await _listed(merchant, shop_id, stall, goods)
        opened.append(MallShop(shop_id, stall))
    await seeding.count_stock(merchant, goods)
    await _started(merchant, [shop.id for shop in opened])
    return Market(db, account_id, opened)


async def _connected(
    merchant: Merchant, stall: Stall, address: str, speed: int, poll_seconds: int
) -> UUID:
    credentials = await stall.open(speed=0 if speed == LIFTED else speed)
    place = stall.place
    settings = {key: address + path for key, path in place.paths.items()}
    settings |= {**place.settings, "speed": str(speed)}

    async def connect(tx: Tx) -> UUID:
        entered = seeding.form_of(stall.kind, credentials)
        shop, _ = await shops.connect(
            tx,
            merchant.vault,
            SYSTEM,
            stall.kind,
            place.shop_name,
            entered,
            settings,
            hosts=ANYWHERE,
        )
        await shop_rows.change(tx, shop.id, order_poll_seconds=poll_seconds)
        return shop.id

    return await merchant.db.run(merchant.account_id, connect)


async def _listed(
    merchant: Merchant, shop_id: UUID, stall: Stall, goods: Sequence[RetailProduct]
) -> None:
    files = await seeding.fill_mall(stall, goods)
    found = read_listings(stall.kind, list(files)).listings
    for first in range(0, len(found), IMPORTED_AT_ONCE):
        await merchant.tx(_importing(shop_id, found[first : first + IMPORTED_AT_ONCE]))


def _importing(shop_id: UUID, found: Sequence[MallListing]) -> Callable[[Tx], Awaitable[None]]:
    async def work(tx: Tx) -> None:
        shop = await shops.known(tx, shop_id)
        await listings.import_listings(
            tx, SYSTEM, shop, found, seen_at=None, create_products=True, link=True, now=now()
        )

    return work


async def _started(merchant: Merchant, shop_ids: Sequence[UUID]) -> None:
    async def work(tx: Tx) -> None:
        await switches.start_sync(tx, SYSTEM, shop_ids, now=now())
        await switches.start_sync(tx, SYSTEM, None, now=now())

    await merchant.tx(work)
