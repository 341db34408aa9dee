"""A merchant with a shop at every mall, the malls themselves, and a worker: what the stories of the loop happen to."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from sqlalchemy import text

from domain.model.actors import SYSTEM
from domain.model.mall_hosts import ANYWHERE
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import ItemRef, MallKind, MallListing
from domain.services import listings, shops, stock, switches
from domain.services.accounts import create_account
from domain.services.credentials import Vault
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from integrations.sandbox.app import create_app
from renkei.serving import KEEP_ALIVE_SECONDS
from tests.patience import PATIENCE_SECONDS, eventually
from workers import clock
from workers.context import Context, Malls

KEY = bytes(range(32))
ANSWER_SECONDS = 20.0
UNHINDERED = "999999"
"""The speed of a shop at a sandbox without limits and delays."""

PATHS: Mapping[MallKind, tuple[str, Mapping[str, str]]] = {
    MallKind.RAKUTEN: ("rakuten", {"base_url": "/rakuten"}),
    MallKind.YAHOO_SHOPPING: ("yahoo", {"base_url": "/yahoo", "auth_url": "/yahoo-auth"}),
    MallKind.AMAZON: (
        "amazon",
        {"base_url": "/amazon", "auth_url": "/amazon-auth", "consent_url": "/amazon-auth"},
    ),
}


@asynccontextmanager
async def sandbox_served(speed: float) -> AsyncIterator[str]:
    """The address of all malls on one real server. Speed 0 lifts limits and delays."""
    config = uvicorn.Config(
        create_app(speed=speed),
        port=0,
        log_level="error",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: asyncio.sleep(0, server.started))
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@dataclass
class Stall:
    """One shop, seen from the mall's own side."""

    id: UUID
    mall: str
    seller: str
    control: httpx.AsyncClient

    async def asks(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        whose = {"mall": self.mall, "seller": self.seller}
        if method == "GET":
            answer = await self.control.get(f"/_control/{path}", params=whose)
        else:
            answer = await self.control.request(method, f"/_control/{path}", json=whose | body)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def sells(self, ref: ItemRef, units: int = 1) -> str:
        """A purchase at the mall: its counter falls at once. The order's number."""
        told = await self.asks("POST", "purchase", lines=[named(ref) | {"quantity": units}])
        return str(told["number"])

    async def shows(self, ref: ItemRef) -> int:
        """The mall's own counter."""
        items = (await self.asks("GET", "state"))["items"]
        return next(int(item["quantity"]) for item in items if named(ref).items() <= item.items())

    async def goes_wrong(self, kind: str, **more: Any) -> None:
        await self.asks("POST", "faults", kind=kind, **more)

    async def goes_right(self) -> None:
        await self.asks("DELETE", "faults")


def named(ref: ItemRef) -> dict[str, str]:
    return {"item_code": ref.item_code, "variant_code": ref.variant_code}


def ref_at(kind: MallKind, code: str) -> ItemRef:
    """How each mall names the product of this code."""
    return ItemRef(code.lower(), code.lower()) if kind is MallKind.RAKUTEN else ItemRef(code)


@dataclass
class Town:
    db: Database
    ctx: Context
    account_id: UUID
    stalls: dict[MallKind, Stall] = field(default_factory=dict)

    async def query(self, sql: str, **parameters: Any) -> list[Any]:
        async with self.db.transaction(self.account_id) as tx:
            return list((await tx.execute(text(sql), parameters)).all())

    async def scalar(self, sql: str, **parameters: Any) -> Any:
        async with self.db.transaction(self.account_id) as tx:
            return await tx.scalar(text(sql), parameters)

    async def has(self, **totals: int) -> None:
        """Products at every shop, listed, linked by code, counted, and shown everywhere as they are."""
        for kind, stall in self.stalls.items():
            items = [
                named(ref_at(kind, code)) | {"name": code, "quantity": total}
                for code, total in totals.items()
            ]
            await stall.asks("PUT", "items", items=items)
            await self.db.run(self.account_id, lambda tx, kind=kind: self._import(tx, kind, totals))
        await self.db.run(self.account_id, lambda tx: self._count(tx, totals))

    async def _import(self, tx: Tx, kind: MallKind, totals: Mapping[str, int]) -> None:
        shop = await shop_of(tx, self.stalls[kind].id)
        entries = [
            MallListing(
                ref_at(kind, code),
                name=code,
                keys=dict.fromkeys(shop.match_key, code),
                quantity=total,
            )
            for code, total in totals.items()
        ]
        await listings.import_listings(
            tx, SYSTEM, shop, entries, seen_at=None, create_products=True, link=True, now=now()
        )

    async def _count(self, tx: Tx, totals: Mapping[str, int]) -> None:
        ids = await product_ids(tx, list(totals))
        items = [stock.NewTotal(ids[code], total) for code, total in totals.items()]
        await stock.set_totals(tx, SYSTEM, items, reflect=False, now=now())

    async def starts(self) -> None:
        """Everything on: orders come in, numbers go out."""
        ids = [stall.id for stall in self.stalls.values()]
        await self.db.run(
            self.account_id, lambda tx: switches.start_sync(tx, SYSTEM, ids, now=now())
        )
        await self.db.run(
            self.account_id, lambda tx: switches.start_sync(tx, SYSTEM, None, now=now())
        )

    async def total(self, code: str) -> int:
        return int(await self.scalar("SELECT total FROM products WHERE code = :code", code=code))

    async def everywhere(self, code: str) -> dict[MallKind, int]:
        """What each mall's own counter reads."""
        return {kind: await stall.shows(ref_at(kind, code)) for kind, stall in self.stalls.items()}

    async def settled(self, code: str, quantity: int, *, within: float = PATIENCE_SECONDS) -> None:
        """Every mall shows this, nothing waits, nothing differs."""

        async def so() -> bool:
            return (
                set((await self.everywhere(code)).values()) == {quantity}
                and not await self.unsettled()
            )

        try:
            await eventually(so, within=within)
        except TimeoutError:
            raise AssertionError(
                f"{code} should show {quantity}: malls {await self.everywhere(code)}, total {await self.total(code)}, "
                f"rows {await self.unsettled()}"
            ) from None

    async def unsettled(self) -> list[Any]:
        return await self.query(
            "SELECT s.mall, l.wanted, l.done, l.expected, l.base, l.difference, l.push_state, l.next_try_at"
            " FROM listing_sync l JOIN shops s ON s.id = l.shop_id"
            " WHERE l.wanted > l.done OR l.difference IS NOT NULL OR l.push_state = 'ACCEPTED'"
        )


@asynccontextmanager
async def at_work(ctx: Context, sweep_seconds: float = 0.1) -> AsyncIterator[None]:
    """A worker that goes by its clock alone. Raises what has ended it."""
    working = asyncio.create_task(clock.run(ctx, sweep_seconds))
    try:
        yield
    finally:
        if working.done():
            working.result()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def now() -> datetime:
    return datetime.now(UTC)


async def shop_of(tx: Tx, shop_id: UUID) -> Shop:
    from domain.store import shops as store

    shop = await store.get(tx, shop_id)
    assert shop is not None
    return shop


async def product_ids(tx: Tx, codes: Sequence[str]) -> dict[str, UUID]:
    rows = await tx.execute(
        text("SELECT code, id FROM products WHERE code = ANY (:codes)"), {"codes": list(codes)}
    )
    return {row.code: row.id for row in rows}


@asynccontextmanager
async def town(
    db: Database,
    address: str,
    *kinds: MallKind,
    speed: str = UNHINDERED,
    patience: float = ANSWER_SECONDS,
    one_in: str = "",
) -> AsyncIterator[Town]:
    """A new account with a shop at each of these malls, connected and switched off. `patience`: for how many seconds a
    call waits for its answer. `one_in`: of so many applied numbers one is read back."""
    vault = Vault(KEY)
    async with (
        httpx.AsyncClient(timeout=patience) as http,
        httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as control,
    ):
        ctx = Context(db, Malls(db, vault, http), vault, f"test-{secrets.token_hex(4)}")
        account_id = await create_account(db, f"town-{secrets.token_hex(6)}", "Town")
        here = Town(db, ctx, account_id)
        for kind in kinds:
            paces = {"speed": speed, "read_back_one_in": one_in}
            here.stalls[kind] = await _stall(here, vault, control, address, kind, paces)
        yield here


async def _stall(
    here: Town,
    vault: Vault,
    control: httpx.AsyncClient,
    address: str,
    kind: MallKind,
    paces: Mapping[str, str],
) -> Stall:
    mall, paths = PATHS[kind]
    mark = secrets.token_hex(5)
    seller = f"snbx-{mark}" if kind is MallKind.YAHOO_SHOPPING else f"A{mark.upper()}AB"
    answer = await control.post("/_control/shops", json={"mall": mall, "seller": seller})
    known = {field.key for field in MALL_SPECS[kind].credential_fields}
    told = answer.json()["credentials"]
    credentials = {key: value for key, value in told.items() if key in known}
    has_seller = any(field.key == "seller_id" for field in MALL_SPECS[kind].setting_fields)
    settings = {name: address + path for name, path in paths.items()} | dict(paces)
    settings |= {"seller_id": seller} if has_seller else {}

    async def connect(tx: Tx) -> UUID:
        shop, _ = await shops.connect(
            tx,
            vault,
            SYSTEM,
            kind,
            f"{kind.value} {seller}",
            credentials,
            settings,
            hosts=ANYWHERE,
        )
        await poll_each_second(tx, shop.id)
        return shop.id

    return Stall(await here.db.run(here.account_id, connect), mall, seller, control)


async def poll_each_second(tx: Tx, shop_id: UUID) -> None:
    await tx.execute(
        text("UPDATE shops SET order_poll_seconds = 1 WHERE id = :shop"), {"shop": shop_id}
    )


async def open_errors(here: Town) -> list[tuple[int, str]]:
    rows = await here.query(
        "SELECT level, kind FROM sync_errors WHERE resolved_at IS NULL ORDER BY kind"
    )
    return [(row.level, row.kind) for row in rows]


async def all_errors(here: Town) -> list[tuple[int, str, str]]:
    rows = await here.query("SELECT level, kind, state FROM sync_errors ORDER BY kind")
    return [(row.level, row.kind, row.state) for row in rows]
