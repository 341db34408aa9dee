"""A merchant with foods of the ministry's list at three malls: what the example operations are asked of."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from api.nodes import global_id, read_id
from domain.model.actors import SYSTEM
from domain.model.code_mappings import CodePair
from domain.model.errors import MallLockedOut
from domain.model.malls import (
    ItemRef,
    MallKind,
    MallListing,
    MallOrder,
    MallOrderLine,
    OrderStatus,
)
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.model.schedules import Weekday
from domain.model.sets import SetPart
from domain.model.sync_errors import SyncErrorKind
from domain.model.sync_runs import RunKind
from domain.services import (
    accounts,
    code_mappings,
    listings,
    orders,
    people,
    reflect_requests,
    schedules,
    sets,
    shops,
    stock,
    switches,
    sync_errors,
    sync_runs,
)
from domain.services.credentials import Vault
from domain.services.orders import Seen
from domain.services.people import OURSELVES
from domain.services.schedules import Plan
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from renkei.example_shop.catalogue import FOODS_FILE, read_foods
from tests.workers.town import product_ids

FOODS = Path(__file__).parents[3] / "examples" / "data" / FOODS_FILE
CODES = [f"FOOD-{nth:03}" for nth in range(30)]
CREDENTIALS = {
    MallKind.RAKUTEN: {"service_secret": "SP-1", "license_key": "SL-1"},
    MallKind.YAHOO_SHOPPING: {"client_id": "app", "client_secret": "secret"},
    MallKind.AMAZON: {"client_id": "app", "client_secret": "secret"},
}
SETTINGS = {
    MallKind.YAHOO_SHOPPING: {"seller_id": "foods"},
    MallKind.AMAZON: {"seller_id": "A1FOODS"},
}


@dataclass
class Market:
    """By global ids. `unlinked`: listings that belong to nothing."""

    db: Database
    account: UUID
    shops: dict[MallKind, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    listings: dict[tuple[MallKind, str], str] = field(default_factory=dict)
    set: str = ""
    error: str = ""
    job: str = ""
    order: str = ""
    user: str = ""
    token: str = ""
    schedule: str = ""

    def product(self, nth: int) -> str:
        return self.products[CODES[nth]]

    def listing(self, mall: MallKind, nth: int) -> str:
        return self.listings[mall, CODES[nth]]


async def a_market(db: Database, account: UUID, vault: Vault) -> Market:
    """Open at Rakuten and Amazon, halted at Yahoo; the last ten foods are not linked at Amazon."""
    market = Market(db, account)
    async with db.transaction(account) as tx:
        for mall in MallKind:
            await _stock_up(tx, vault, market, mall)
        await _count(tx, market)
        now = datetime.now(UTC)
        await switches.start_sync(tx, SYSTEM, None, now=now)
        open_shops = await shop_rows.every(tx)
        await switches.start_sync(tx, SYSTEM, [shop.id for shop in open_shops], now=now)
    async with db.transaction(account) as tx:
        for shop in await shop_rows.every(tx):
            await _trade(tx, shop)
        await _run(tx)
        await _sell_too_much(tx)
        market.error = await _go_wrong(tx)
        known = await product_ids(tx, CODES[:2])
        asked = await reflect_requests.reflect(
            tx, SYSTEM, product_ids=list(known.values()), now=datetime.now(UTC)
        )
        market.job = global_id("Job", asked)
        await _let_in(tx, market)
        await _plan_a_night(tx, market)
        await _name_listings(tx, market)
        order_id = await tx.scalar(text("SELECT id FROM orders ORDER BY id LIMIT 1"))
        market.order = global_id("Order", order_id)
    return market


async def _plan_a_night(tx: Tx, market: Market) -> None:
    """All of Rakuten is sent on Sunday nights."""
    shop_id = read_id(market.shops[MallKind.RAKUTEN]).id
    plan = Plan("03:30", [Weekday.SUN], True)
    saved = await schedules.save_schedule(tx, SYSTEM, None, shop_id, plan, now=datetime.now(UTC))
    market.schedule = global_id("FullSyncSchedule", saved)


async def _name_listings(tx: Tx, market: Market) -> None:
    by_shop = {shop.id: shop.mall for shop in await shop_rows.every(tx)}
    for row in await tx.execute(text("SELECT id, shop_id, item_code FROM listings")):
        named = (by_shop[row.shop_id], row.item_code)
        market.listings[named] = global_id("Listing", row.id)


async def _stock_up(tx: Tx, vault: Vault, market: Market, mall: MallKind) -> None:
    settings = SETTINGS.get(mall, {})
    shop, _ = await shops.connect(
        tx, vault, SYSTEM, mall, f"{mall.value} 本店", CREDENTIALS[mall], settings
    )
    market.shops[mall] = global_id("Shop", shop.id)
    named = zip(CODES, islice(read_foods(FOODS), len(CODES)), strict=True)
    found = [
        MallListing(ItemRef(code), name=name, keys=dict.fromkeys(shop.match_key, code), quantity=9)
        for code, name in named
    ]
    linked = 20 if mall is MallKind.AMAZON else len(found)
    table = [CodePair(f"food-{nth}", code) for nth, code in enumerate(CODES[:3])]
    await code_mappings.save_mappings(tx, SYSTEM, shop.id, table, [], now=datetime.now(UTC))
    for part, link in ((found[:linked], True), (found[linked:], False)):
        now = datetime.now(UTC)
        await listings.import_listings(
            tx, SYSTEM, shop, part, seen_at=None, create_products=link, link=link, now=now
        )


async def _count(tx: Tx, market: Market) -> None:
    ids = await product_ids(tx, CODES)
    now = datetime.now(UTC)
    totals = [stock.NewTotal(ids[code], 10 + nth) for nth, code in enumerate(CODES)]
    await stock.set_totals(tx, SYSTEM, totals, reflect=False, now=now)
    parts = [SetPart(ids[CODES[0]], 1), SetPart(ids[CODES[1]], 2)]
    for code in ("GIFT-S", "GIFT-L"):
        made = await sets.save_set(
            tx, SYSTEM, None, code=code, name="詰め合わせ", parts=parts, now=now
        )
        market.set = global_id("Product", made.id)
    market.products = {code: global_id("Product", row) for code, row in ids.items()}


async def _trade(tx: Tx, shop: Shop) -> None:
    """Ten orders a shop, two lines each; at Amazon of foods that are not linked, too."""
    now = datetime.now(UTC) + timedelta(minutes=1)
    seen = [
        MallOrder(
            f"{shop.mall.value}-{nth}",
            now,
            OrderStatus.HOLDS,
            (
                MallOrderLine(ItemRef(CODES[nth]), 1, "1"),
                MallOrderLine(ItemRef(CODES[nth + 15]), 1, "2"),
            ),
        )
        for nth in range(10)
    ]
    await orders.take(tx, shop, Seen(seen, now, now), now=now)


async def _let_in(tx: Tx, market: Market) -> None:
    """An owner, and a partner's token."""
    owner = await people.create_user(
        tx, OURSELVES, email="owner@example.com", name="店主", role=Role.OWNER
    )
    token = await accounts.issue_token(
        tx, SYSTEM, PERMISSIONS[Role.OWNER], "取引先", scopes=[Permission.STOCK_READ]
    )
    market.user = global_id("User", owner.id)
    market.token = global_id("ApiToken", token.id)


async def _sell_too_much(tx: Tx) -> None:
    """Of the foods that are last in the list, in one order more than there is."""
    shop = next(each for each in await shop_rows.every(tx) if each.mall is MallKind.RAKUTEN)
    now = datetime.now(UTC) + timedelta(minutes=2)
    lines = tuple(MallOrderLine(ItemRef(code), 99, code) for code in CODES[-2:])
    order = MallOrder("TOO-MUCH", now, OrderStatus.HOLDS, lines)
    await orders.take(tx, shop, Seen([order], now, now), now=now)


async def _run(tx: Tx) -> None:
    """At every shop a look at what was sent: the first is good, and the others fail."""
    now = datetime.now(UTC)
    for nth, shop in enumerate(await shop_rows.every(tx)):
        await sync_runs.at_once(
            tx, shop.id, RunKind.READ_BACK, taken=1, refused=min(nth, 1), now=now
        )


async def _go_wrong(tx: Tx) -> str:
    """An item error at Rakuten, and Yahoo halts."""
    by_mall = {shop.mall: shop for shop in await shop_rows.every(tx)}
    now = datetime.now(UTC)
    yahoo, rakuten = by_mall[MallKind.YAHOO_SHOPPING], by_mall[MallKind.RAKUTEN]
    await shops.halt(tx, yahoo, MallLockedOut("no", mall_message="invalid_grant"), now=now)
    error = await sync_errors.report(
        tx, SyncErrorKind.ITEM_REFUSED, shop_id=rakuten.id, shop_name=rakuten.name, now=now
    )
    return global_id("SyncError", error)
