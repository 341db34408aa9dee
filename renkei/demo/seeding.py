"""The demo's account, made from real data: a shop at each mall, their files imported and linked by code, stock counted.

Every step may be repeated: a seeding that was cut short is simply done again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from types import MappingProxyType
from uuid import UUID

from domain.model.actors import SYSTEM
from domain.model.mall_hosts import ANYWHERE
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind, MallListing
from domain.model.orders import CancelPolicy
from domain.model.sets import SetPart
from domain.services import accounts, listings, sets, shops, stock, switches
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.services.stock import NewTotal
from domain.store import accounts as account_rows
from domain.store import audit
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from integrations.files.listings import read_listings, write_listings
from renkei.demo.replay import OrderKey
from renkei.demo.stalls import KINDS, PLACES, Stall, named, ref_at
from renkei.example_shop.catalogue import RetailProduct

CODE = "demo"
NAME = "連携デモ商店"
TOTALS_AT_ONCE = 1000
UNHINDERED = 100_000
CALLED: Mapping[str, str] = MappingProxyType({"key_version": "public_key_version"})
"""What a mall calls otherwise than the shop's form does."""
OUR_SHARE = 0.9
"""Of the malls' speed: the way to a mall does not get steadier when its clock goes faster, so we keep a distance."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """The account, and its shops by mall."""

    db: Database
    vault: Vault
    account_id: UUID
    shops: Mapping[MallKind, UUID]

    async def tx(self, work: Callable[[Tx], Awaitable[object]]) -> None:
        await self.db.run(self.account_id, work)

    async def sees(self, order: OrderKey) -> bool:
        """Is the order there to be seen in Renkei?"""
        kind, number = order
        async with self.db.transaction(self.account_id) as tx:
            return await audit.knows_order(tx, self.shops[kind], number)


def now() -> datetime:
    return datetime.now(UTC)


async def known_merchant(db: Database, vault: Vault) -> Merchant | None:
    """The one that an earlier run made; None when there is none."""
    account_id = await accounts.account_of(db, CODE)
    if account_id is None:
        return None
    async with db.transaction(account_id) as tx:
        found = {shop.mall: shop.id for shop in await shop_rows.every(tx)}
    return Merchant(db, vault, account_id, found)


async def has_started(merchant: Merchant) -> bool:
    """Was its seeding done to the end?"""
    async with merchant.db.transaction(merchant.account_id) as tx:
        return any(shop.account_running for shop in await shop_rows.every(tx))


async def move(merchant: Merchant, address: str) -> None:
    """The sandbox may listen elsewhere than it did in the run before."""
    for kind, shop_id in merchant.shops.items():
        there = {key: address + path for key, path in PLACES[kind].paths.items()}

        async def work(tx: Tx, shop_id: UUID = shop_id, there: Mapping[str, str] = there) -> None:
            shop = await shops.known(tx, shop_id)
            if not there.items() <= shop.settings.items():
                change = ShopChange(settings=there)
                await shops.update(tx, merchant.vault, SYSTEM, shop_id, change, hosts=ANYWHERE)

        await merchant.tx(work)


async def open_account(db: Database) -> UUID:
    account_id = await accounts.account_of(db, CODE)
    if account_id is None:
        account_id = await accounts.create_account(db, CODE, NAME)
    await db.run(account_id, lambda tx: account_rows.reflect_edits(tx, at_once=True))
    return account_id


async def open_shops(
    db: Database, vault: Vault, stalls: Mapping[MallKind, Stall], address: str, speed: float
) -> Merchant:
    """Connects a shop at each mall, at the sandbox's address, and asks for the test of the connection."""
    account_id = await open_account(db)
    found: dict[MallKind, UUID] = {}
    for kind, stall in stalls.items():
        credentials = await stall.open(speed)

        async def connect(
            tx: Tx, stall: Stall = stall, credentials: Mapping[str, str] = credentials
        ) -> UUID:
            return await _connect(tx, vault, stall, credentials, address, speed)

        found[kind] = await db.run(account_id, connect)
    return Merchant(db, vault, account_id, found)


async def _connect(
    tx: Tx,
    vault: Vault,
    stall: Stall,
    credentials: Mapping[str, str],
    address: str,
    speed: float,
) -> UUID:
    place = stall.place
    settings = {key: address + path for key, path in place.paths.items()}
    settings |= {**place.settings, "speed": str(our_speed(speed))}
    entered = form_of(stall.kind, credentials)
    shop_id = await shop_rows.named(tx, place.shop_name)
    if shop_id is None:
        shop, _ = await shops.connect(
            tx, vault, SYSTEM, stall.kind, place.shop_name, entered, settings, hosts=ANYWHERE
        )
        shop_id = shop.id
    change = ShopChange(credentials=entered, settings=settings, cancel_policy=CancelPolicy.RESTORE)
    await shops.update(tx, vault, SYSTEM, shop_id, change, hosts=ANYWHERE)
    await shop_rows.change(tx, shop_id, order_poll_seconds=poll_seconds(stall.kind, speed))
    return shop_id


def our_speed(speed: float) -> int:
    """How fast our side takes malls of this speed to be; 0: they have neither limits nor delays."""
    return max(1, int(speed * OUR_SHARE)) if speed else UNHINDERED


def poll_seconds(kind: MallKind, speed: float) -> int:
    """How often the shop's orders are asked for: each second, or as often as the mall lets us."""
    if not speed:
        return 1
    return ceil(1 / min(1.0, PLACES[kind].lists_per_second * our_speed(speed)))


def form_of(kind: MallKind, credentials: Mapping[str, str]) -> dict[str, str]:
    """What of a mall's credentials the shop's form has a field for, as the form calls it."""
    fields = {field.key for field in MALL_SPECS[kind].credential_fields}
    named = {CALLED.get(key, key): value for key, value in credentials.items()}
    return {key: value for key, value in named.items() if key in fields}


Files = Sequence[tuple[str, bytes]]


async def fill_mall(stall: Stall, catalogue: Sequence[RetailProduct]) -> Files:
    """Puts the catalogue on sale at the mall; the item files that the mall would give for it."""
    shown = to_show(catalogue)
    items = [
        named(ref_at(stall.kind, each.code))
        | {
            "name": each.name,
            "quantity": shown[each.code],
            "attributes": {"restock_on_cancel": True},
        }
        for each in catalogue
    ]
    await stall.puts(items)
    return write_listings(
        stall.kind, [_listing(stall.kind, each, shown[each.code]) for each in catalogue]
    )


def to_show(catalogue: Sequence[RetailProduct]) -> dict[str, int]:
    """What the malls show at the start: of a set what its parts allow."""
    stock_of = {each.code: each.starting_stock for each in catalogue}
    return {
        each.code: min(stock_of[part] // count for part, count in each.parts.items())
        if each.parts
        else each.starting_stock
        for each in catalogue
    }


def _listing(kind: MallKind, product: RetailProduct, quantity: int) -> MallListing:
    return MallListing(
        ref_at(kind, product.code),
        name=product.name,
        keys={"merchantDefinedSkuId": product.code},
        quantity=quantity,
        mall_restocks=True if kind is MallKind.RAKUTEN else None,
    )


async def import_files(merchant: Merchant, kind: MallKind, files: Files) -> int:
    """Reads a mall's files as a merchant's upload is read. How many listings there were."""
    found = read_listings(kind, list(files))

    async def work(tx: Tx) -> None:
        shop = await shops.known(tx, merchant.shops[kind])
        await listings.import_listings(
            tx,
            SYSTEM,
            shop,
            found.listings,
            seen_at=None,
            create_products=True,
            link=True,
            now=now(),
        )

    await merchant.tx(work)
    return len(found.listings)


async def count_stock(merchant: Merchant, catalogue: Sequence[RetailProduct]) -> None:
    """Sets are made of their parts, and every other product gets its starting stock."""

    async def work(tx: Tx) -> None:
        ids = {each.code: each.id for each in (await audit.books(tx)).products}
        for each in catalogue:
            if each.parts:
                parts = [SetPart(ids[part], count) for part, count in each.parts.items()]
                await sets.save_set(tx, SYSTEM, ids[each.code], parts=parts, now=now())
        totals = [
            NewTotal(ids[each.code], each.starting_stock) for each in catalogue if not each.parts
        ]
        for first in range(0, len(totals), TOTALS_AT_ONCE):
            some = totals[first : first + TOTALS_AT_ONCE]
            await stock.set_totals(tx, SYSTEM, some, now=now())

    await merchant.tx(work)


async def start(merchant: Merchant) -> None:
    """Everything on: orders come in, numbers go out."""

    async def work(tx: Tx) -> None:
        await switches.start_sync(tx, SYSTEM, [merchant.shops[kind] for kind in KINDS], now=now())
        await switches.start_sync(tx, SYSTEM, None, now=now())

    await merchant.tx(work)
