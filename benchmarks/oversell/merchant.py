"""A merchant of Renkei with the five shops, their listings linked by code, their stock counted, everything on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from benchmarks.oversell.malls import Stand
from benchmarks.oversell.virtual import Clock
from domain.model.actors import SYSTEM
from domain.model.mall_hosts import ANYWHERE
from domain.model.malls import MallKind, MallListing
from domain.services import accounts, listings, shops, stock, switches
from domain.services.credentials import Vault
from domain.services.stock import NewTotal
from domain.store import audit
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from renkei.demo.stalls import ref_at

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Merchant:
    """`shops` by the names of the stands; `malls` by shop."""

    db: Database
    vault: Vault
    clock: Clock
    account_id: UUID
    shops: Mapping[str, UUID]
    malls: Mapping[UUID, MallKind]

    async def starts(self) -> None:
        """Orders come in and numbers go out."""

        async def work(tx: Tx) -> None:
            await switches.start_sync(tx, SYSTEM, list(self.shops.values()), now=self.clock.now())
            await switches.start_sync(tx, SYSTEM, None, now=self.clock.now())

        await self.db.run(self.account_id, work)


async def open_merchant(
    db: Database,
    vault: Vault,
    clock: Clock,
    stands: Mapping[str, Stand],
    held: Mapping[str, int],
    polls: Mapping[str, int],
) -> Merchant:
    """`polls`: how often each shop's orders are asked for, in seconds."""
    account_id = await accounts.create_account(db, "oversell", "Oversell")
    found: dict[str, UUID] = {}
    for name, stand in stands.items():

        async def connect(tx: Tx, stand: Stand = stand) -> UUID:
            return await _connect(tx, vault, stand, polls[stand.name])

        found[name] = await db.run(account_id, connect)
    kinds = {found[name]: stand.kind for name, stand in stands.items()}
    merchant = Merchant(db, vault, clock, account_id, found, kinds)
    for name, stand in stands.items():
        await _list(merchant, found[name], stand, held)
    await _count(merchant, held)
    return merchant


async def _connect(tx: Tx, vault: Vault, stand: Stand, poll_seconds: int) -> UUID:
    shop, _ = await shops.connect(
        tx,
        vault,
        SYSTEM,
        stand.kind,
        stand.name,
        stand.credentials,
        stand.settings,
        hosts=ANYWHERE,
    )
    await shop_rows.change(tx, shop.id, order_poll_seconds=poll_seconds)
    return shop.id


async def _list(merchant: Merchant, shop_id: UUID, stand: Stand, held: Mapping[str, int]) -> None:
    for some in _parts(list(held)):

        async def work(tx: Tx, some: Sequence[str] = some) -> None:
            shop = await shops.known(tx, shop_id)
            found = [
                MallListing(
                    ref_at(stand.kind, code),
                    name=code,
                    keys=dict.fromkeys(shop.match_key, code),
                    quantity=held[code],
                )
                for code in some
            ]
            await listings.import_listings(
                tx,
                SYSTEM,
                shop,
                found,
                seen_at=None,
                create_products=True,
                link=True,
                now=merchant.clock.now(),
            )

        await merchant.db.run(merchant.account_id, work)


async def _count(merchant: Merchant, held: Mapping[str, int]) -> None:
    async with merchant.db.transaction(merchant.account_id) as tx:
        ids = {each.code: each.id for each in (await audit.books(tx)).products}
    for some in _parts(list(held)):

        async def work(tx: Tx, some: Sequence[str] = some) -> None:
            totals = [NewTotal(ids[code], held[code]) for code in some]
            await stock.set_totals(tx, SYSTEM, totals, reflect=False, now=merchant.clock.now())

        await merchant.db.run(merchant.account_id, work)


def _parts(codes: Sequence[str]) -> list[Sequence[str]]:
    return [codes[start : start + AT_ONCE] for start in range(0, len(codes), AT_ONCE)]
