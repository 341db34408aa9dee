"""Before anything fails: the shops are opened, the merchant's program has its token, every order list was read once."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import httpx

from benchmarks.chaos.grounds import Grounds, Site, grounds
from benchmarks.chaos.merchant import Api, Merchant
from benchmarks.chaos.scene import Say, Scene
from benchmarks.chaos.schedule import Schedule, Size
from benchmarks.chaos.wares import Wares
from benchmarks.cpu import Cpu
from benchmarks.market import MallShop, Market, market
from benchmarks.stand import Stand
from domain.model.actors import SYSTEM
from domain.model.orders import CancelPolicy
from domain.model.roles import Role
from domain.services import accounts, shops
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.store import audit
from domain.store import shops as shop_rows

READY_SECONDS = 60.0
WHOLE_SECOND = timedelta(seconds=1)
LOOK_AGAIN = 0.5
ONE_CALL = httpx.Limits(max_keepalive_connections=0)
"""Each call of a shopper has its connection: one that the mall has just closed would lose a purchase that nobody may
repeat."""

EVERY_READ_BACK = {"read_back_one_in": "1"}
"""Of a mall that says that a number stands, nothing else tells that it does not."""

NOTE_STATES = (
    "CREATE SCHEMA chaos",
    "CREATE TABLE chaos.states (shop_id uuid, state text, at timestamptz DEFAULT clock_timestamp())",
    """CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN INSERT INTO chaos.states (shop_id, state) VALUES (NEW.id, NEW.state); RETURN NULL; END'""",
    """CREATE TRIGGER note_state AFTER UPDATE OF state ON public.shops
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION chaos.note()""",
)
"""When each shop was halted and went on, however often: an error keeps its first and last time alone."""


@asynccontextmanager
async def opened(
    site: Site, size: Size, wares: Wares, schedule: Schedule, say: Say
) -> AsyncIterator[Scene]:
    async with grounds(site, size.workers, cycle(schedule.skews)) as land:
        say("Everything runs: opening the shops")
        stand = Stand(land.settings, land.malls, Cpu())
        async with (
            market(stand, size.shops, wares.goods) as found,
            httpx.AsyncClient() as http,
            httpx.AsyncClient(base_url=land.malls, timeout=60, limits=ONE_CALL) as control,
        ):
            place = replace(found, shops=[_reached_by(control, shop) for shop in found.shops])
            scene = Scene(land, place, await _merchant(land, place, http), say)
            for statement in NOTE_STATES:
                await scene.as_superuser(statement)
            await _ready(scene)
            yield scene


def _reached_by(control: httpx.AsyncClient, shop: MallShop) -> MallShop:
    return replace(shop, stall=replace(shop.stall, control=control))


async def _merchant(land: Grounds, place: Market, http: httpx.AsyncClient) -> Merchant:
    vault = Vault(land.settings.secret_key)
    change = ShopChange(settings=EVERY_READ_BACK, cancel_policy=CancelPolicy.RESTORE)
    async with place.db.transaction(place.account_id) as tx:
        for shop in place.shops:
            await shops.update(tx, vault, SYSTEM, shop.id, change)
        token = await accounts.create_token(tx, "chaos", role=Role.OWNER, actor=SYSTEM)
        products = {each.code: each.id for each in (await audit.books(tx)).products}
    return Merchant(Api(http, land.addresses, token, secrets.token_hex(4)), products)


async def _ready(scene: Scene) -> None:
    """Every connection was good, and every order list was read past the start: mall times come in whole seconds, and an
    order that seems to be from before it would count as counted already. Raises TimeoutError."""
    async with asyncio.timeout(READY_SECONDS):
        while not all(  # noqa: ASYNC110  what is looked at is another process's work
            shop.checked_at
            and shop.watermark
            and shop.effective_from
            and shop.watermark >= shop.effective_from + WHOLE_SECOND
            for shop in await scene.read(shop_rows.every)
        ):
            await asyncio.sleep(LOOK_AGAIN)
