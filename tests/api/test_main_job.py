"""The main job as a frontend does it: through the API alone, with sandbox malls, workers and engines that are real."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.app import create_app
from api.nodes import read_id
from domain.model.actors import SYSTEM
from domain.model.malls import ItemRef, MallKind, MallListing
from domain.model.roles import Role
from domain.services import accounts, listings
from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.database import Database, Tx
from integrations.bells import Bells
from renkei.engines.postgres import APP, Postgres
from renkei.engines.valkey import Valkey
from tests.api.transport.serving import Api, Socket, a_client, serving
from tests.databases import scratch
from tests.workers.town import (
    PATHS,
    UNHINDERED,
    Stall,
    at_work,
    eventually,
    now,
    poll_each_second,
    ref_at,
    sandbox_served,
    shop_of,
)
from workers.context import Context, Malls

OPERATIONS = Path(__file__).parents[2] / "examples" / "operations"
RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
KINDS = (RAKUTEN, YAHOO)
NAMES = {RAKUTEN: "楽天本店", YAHOO: "ヤフー店"}


@dataclass
class Screen:
    """What a merchant's browser knows: ids as the API gave them. `stalls`: the malls, seen from their own side."""

    api: Api
    shops: dict[MallKind, str] = field(default_factory=dict)
    stalls: dict[MallKind, Stall] = field(default_factory=dict)

    async def send(self, operation: str, **variables: Any) -> Any:
        """The only field's value of an example operation."""
        data = await self.api.ask((OPERATIONS / f"{operation}.graphql").read_text(), **variables)
        return next(iter(data.values()))

    async def does(self, operation: str, **input: Any) -> Any:
        """A mutation in which everything is done."""
        payload = await self.send(operation, input=input)
        assert payload["userErrors"] == []
        return payload

    async def done(self, job: Any) -> Any:
        """The job, when it is over."""
        seen: dict[str, Any] = {}

        async def is_over() -> bool:
            seen.update(await self.send("job", id=job["id"]))
            return bool(seen["state"] == "DONE")

        await eventually(is_over)
        return seen

    async def shop(self, kind: MallKind) -> Any:
        return await self.send("shop_page", id=self.shops[kind])

    async def is_shown(self, code: str, quantity: int) -> None:
        """At every mall, by its own counter; and nothing differs here."""

        async def so() -> bool:
            shown = [await stall.shows(ref_at(kind, code)) for kind, stall in self.stalls.items()]
            left = await self.send("differences", first=0)
            return set(shown) == {quantity} and left["totalCount"] == 0

        await eventually(so)


@pytest.fixture
async def screen(database: Postgres, valkey: Valkey) -> AsyncIterator[Screen]:
    """An owner's, in front of a served API, a worker and the malls, on a database that no other test has touched."""
    async with scratch(database) as own:
        settings = Settings(
            own.url(user=APP),
            own.url(),
            valkey.url,
            secrets.token_bytes(32),
            mall_hosts=frozenset({"127.0.0.1"}),
        )
        async with a_screen(settings) as opened:
            yield opened


@asynccontextmanager
async def a_screen(settings: Settings) -> AsyncIterator[Screen]:
    url = settings.database_url
    bells = Bells(settings.redis_url)
    db = Database.at(url, bells, pool_size=8)
    vault = Vault(settings.secret_key)
    async with AsyncExitStack() as open_for_the_story:
        enter = open_for_the_story.enter_async_context
        malls = await enter(sandbox_served(speed=0))
        address = await enter(serving(create_app(settings)))
        http = await enter(httpx.AsyncClient(timeout=20))
        control = await enter(httpx.AsyncClient(base_url=malls, timeout=20))
        account = await accounts.create_account(db, f"story-{secrets.token_hex(6)}", "Story")
        async with db.transaction(account) as tx:
            token = await accounts.create_token(tx, "画面", role=Role.OWNER, actor=SYSTEM)
        ctx = Context(db, Malls(db, vault, http), vault, f"story-{secrets.token_hex(4)}")
        async with at_work(ctx):
            api = Api(await enter(a_client(address)), address, token)
            yield await connected(Screen(api), control, malls, db, account)
    await bells.close()
    await db.close()


async def connected(
    screen: Screen, control: httpx.AsyncClient, malls: str, db: Database, account: UUID
) -> Screen:
    """A shop at each mall, tested good; each mall has ten mugs and ten teas, which are here and linked to nothing."""
    for kind in KINDS:
        mall, paths = PATHS[kind]
        seller = f"story-{secrets.token_hex(4)}"
        made = await control.post("/_control/shops", json={"mall": mall, "seller": seller})
        entered = made.json()["credentials"]
        shop = await connect(
            screen, kind, entered, {k: malls + v for k, v in paths.items()}, seller
        )
        screen.shops[kind] = shop["id"]
        screen.stalls[kind] = stall = Stall(read_id(shop["id"]).id, mall, seller, control)
        refs = [ref_at(kind, code) for code in ("MUG", "TEA")]
        items = [{"item_code": r.item_code, "variant_code": r.variant_code} for r in refs]
        await stall.asks("PUT", "items", items=[each | {"quantity": 10} for each in items])
        await db.run(account, lambda tx, stall=stall, refs=refs: imported(tx, stall.id, refs))
    return screen


async def connect(
    screen: Screen, kind: MallKind, entered: Any, addresses: dict[str, str], seller: str
) -> Any:
    """As the mall's own form asks for it."""
    [form] = [each for each in await screen.send("shop_form") if each["kind"] == kind.value]
    given = {**entered, **addresses, "speed": UNHINDERED, "seller_id": seller}
    filled = {
        part: [
            {"key": each["key"], "value": given[each["key"]]}
            for each in form[fields]
            if each["key"] in given
        ]
        for part, fields in (("credentials", "credentialFields"), ("settings", "settingFields"))
    }
    payload = await screen.does("connect_shop", mall=kind.value, name=NAMES[kind], **filled)
    check = await screen.done(payload["check"])
    assert (check["ok"], {part["outcome"] for part in check["parts"]} & {"NG"}) == (True, set())
    assert payload["shop"]["sandbox"] is True
    return payload["shop"]


async def imported(tx: Tx, shop_id: UUID, refs: list[ItemRef]) -> None:
    """Item files come in by a way of their own; here their rows do."""
    await poll_each_second(tx, shop_id)
    shop = await shop_of(tx, shop_id)
    found = [
        MallListing(
            ref, name=ref.item_code, keys=dict.fromkeys(shop.match_key, ref.item_code), quantity=10
        )
        for ref in refs
    ]
    await listings.import_listings(
        tx, SYSTEM, shop, found, seen_at=None, create_products=False, link=False, now=now()
    )


async def linked(screen: Screen) -> dict[str, str]:
    """Products by code, each with its listing at every mall."""
    unlinked = await screen.send("unlinked_listings", filter={"links": ["UNLINKED"]})
    products: dict[str, str] = {}
    pairs = []
    for edge in unlinked["edges"]:
        code = edge["node"]["itemCode"].upper()
        if code not in products:
            made = await screen.api.ask(SAVE, input={"code": code, "name": code.title()})
            products[code] = made["saveProduct"]["product"]["id"]
        pairs.append({"listingId": edge["node"]["id"], "productId": products[code]})
    assert len(pairs) == unlinked["totalCount"] == 4
    payload = await screen.does("link", pairs=pairs)
    assert {link["state"] for link in payload["links"]} == {"LINKED"}
    return products


SAVE = """mutation Save($input: SaveProductInput!) { saveProduct(input: $input) { product { id } userErrors { code } } }"""


async def started(screen: Screen, products: dict[str, str]) -> None:
    """Totals are entered first; then everything is switched on, and the malls show them."""
    await screen.does(
        "save_totals",
        items=[
            {"productId": products["MUG"], "total": 8, "expectedTotal": 0},
            {"productId": products["TEA"], "total": 0},
        ],
        reflect=True,
    )
    await screen.does("start_sync", shopIds=list(screen.shops.values()))
    payload = await screen.does("start_sync")
    assert payload["account"]["syncRunning"] is True
    await screen.is_shown("MUG", 8)
    await screen.is_shown("TEA", 0)


async def test_from_a_new_shop_to_every_mall_showing_the_right_number(screen: Screen) -> None:
    page = await screen.shop(RAKUTEN)
    assert page["state"] == "READY"
    steps = {step["key"]: step["state"] for step in page["onboarding"]}
    assert (steps["CHECK"], steps["STOCK_ENTERED"]) == ("DONE", "NEXT")

    products = await linked(screen)
    await started(screen, products)
    payload = await screen.does(
        "save_totals", items=[{"productId": products["MUG"], "total": 5}], reflect=True
    )
    job = await screen.done(payload["job"])

    assert job["progress"] | {"text": ""} == {
        "total": 2, "done": 2, "failed": 0, "secondsLeft": None, "text": "",
    }  # fmt: skip
    assert sorted((s["shop"]["name"], s["applied"]) for s in job["shops"]) == [
        ("ヤフー店", 1),
        ("楽天本店", 1),
    ]
    await screen.is_shown("MUG", 5)
    page = await screen.shop(RAKUTEN)
    assert {step["state"] for step in page["onboarding"]} == {"DONE"}
    assert page["state"] == "RUNNING"
    menu = {action["key"]: action["enabled"] for action in page["actions"]}
    assert (menu["START"], menu["STOP"]) == (False, True)


async def test_an_order_is_followed_through_every_log(screen: Screen) -> None:
    products = await linked(screen)
    await started(screen, products)

    number = await screen.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 2)

    await screen.is_shown("MUG", 6)
    logs = await screen.api.ask(
        (OPERATIONS / "logs.graphql").read_text(), filter={"productIds": [products["MUG"]]}
    )
    said = {name: [edge["node"] for edge in log["edges"]] for name, log in logs.items()}
    sale, movement = said["salesLogs"][0], said["stockMovements"][0]
    assert (sale["units"], sale["order"]["number"], sale["shop"]["name"]) == (2, number, "ヤフー店")
    assert (movement["cause"], movement["change"], movement["balance"]) == ("ORDER", -2, 6)
    assert movement["order"]["number"] == number
    sent = [(each["shop"]["name"], each["after"], each["state"]) for each in said["mallUpdateLogs"]]
    assert ("楽天本店", 6, "APPLIED") in sent
    entered = [each for each in said["operationLogs"] if each["action"] == "SET_STOCK"]
    assert [each["text"] for each in entered] == ["Set the total from 0 to 8."]
    assert entered[0]["reflectedAt"] is not None
    assert entered[0]["actor"]["__typename"] == "ApiToken"
    [order] = (await screen.send("orders", filter={"numbers": [number]}))["edges"]
    [line] = order["node"]["lines"]
    assert (line["state"], [each["change"] for each in line["movements"]]) == ("APPLIED", [-2])
    assert sale["orderLine"] == {"id": line["id"], "quantity": 2}
    followed = await screen.send("order_followed", id=order["node"]["id"])
    [reached] = followed["lines"][0]["reached"]
    assert (reached["shop"]["name"], reached["quantity"], reached["state"]) == (
        "楽天本店", 6, "APPLIED",
    )  # fmt: skip
    assert 0 <= reached["seconds"] < 20
    assert reached["sentAt"] <= reached["shownAt"] == reached["push"]["appliedAt"]


async def test_a_shop_that_joins_with_orders_is_counted_and_its_malls_are_read(
    screen: Screen,
) -> None:
    products = await linked(screen)
    await screen.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 2)

    asked = {"shopIds": list(screen.shops.values()), "mode": "APPLY"}
    since = (now() - timedelta(days=1)).isoformat()
    fetch = await screen.does("fetch_initial_orders", since=since, **asked)
    fetched = await screen.done(fetch["job"])
    counted = await screen.does(
        "count_stock",
        items=[{"productId": products["MUG"], "counted": 10}],
        countedAt=now().isoformat(),
        basis="ON_SHELF",
    )
    await screen.does("start_sync", shopIds=list(screen.shops.values()))
    await screen.does("start_sync")
    await screen.does("reflect", products={"ids": [products["MUG"]]})

    assert [fetched[each] for each in ("orders", "lines", "deducted")] == [1, 1, 2]
    by_shop = {each["shop"]["name"]: (each["state"], each["orders"]) for each in fetched["byShop"]}
    assert by_shop == {"楽天本店": ("DONE", 0), "ヤフー店": ("DONE", 1)}
    [result] = counted["results"]
    sums = ("counted", "notShipped", "movedSince", "result")
    assert [result[each] for each in sums] == [10, 2, 0, 8]
    await screen.is_shown("MUG", 8)

    ref = ref_at(RAKUTEN, "MUG")
    edited = {"item_code": ref.item_code, "variant_code": ref.variant_code, "quantity": 3}
    await screen.stalls[RAKUTEN].asks("PUT", "items", items=[edited])
    await eventually(lambda: is_found(screen, "MUG"))
    await screen.is_shown("MUG", 8)


SEEN = """query Seen($shop: [ID!]) {
    listings(filter: {shopIds: $shop}) { edges { node { itemCode mallStock { quantity source } } } } }"""


async def is_found(screen: Screen, code: str) -> bool:
    """Reads all that Rakuten shows. Too soon after our own write of 8 it says nothing: then it is read again."""
    shop = [screen.shops[RAKUTEN]]
    matching = {"filter": {"shopIds": shop}, "expectedCount": 2}
    read = await screen.does("read_mall_stock", listings={"matching": matching})
    progress = (await screen.done(read["job"]))["progress"]
    assert (progress["total"], progress["done"], progress["failed"]) == (2, 2, 0)
    found = (await screen.api.ask(SEEN, shop=shop))["listings"]["edges"]
    seen = {each["node"]["itemCode"].upper(): each["node"]["mallStock"] for each in found}
    return bool(seen[code] != {"quantity": 8, "source": "APPLIED_PUSH"})


async def next_change(socket: Socket, change: str) -> Any:
    """The next error that this happened to."""
    while True:
        for event in (await socket.frame())["events"]:
            if event["change"] == change:
                return event["error"]


async def test_an_expired_key_is_told_live_and_a_new_one_brings_the_shop_back(
    screen: Screen,
) -> None:
    products = await linked(screen)
    await started(screen, products)
    rakuten = screen.stalls[RAKUTEN]
    cursor = (await screen.api.ask("{ eventCursor }"))["eventCursor"]
    async with screen.api.talking() as socket:
        await socket.subscribe("1", (OPERATIONS / "errors_live.graphql").read_text(), after=cursor)
        await rakuten.goes_wrong("expired")
        await screen.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 2)

        error = await next_change(socket, "OPENED")
        assert (error["level"], error["kind"]) == ("LEVEL_9", "CREDENTIALS_REFUSED")
        assert error["shop"] == {"id": screen.shops[RAKUTEN], "state": "HALTED"}
        page = await screen.shop(RAKUTEN)
        assert {each["warning"] for each in page["credentials"]} == {"REFUSED"}

        await renewed(screen, page, (await rakuten.asks("POST", "renew"))["credentials"])
        payload = await screen.does("clear_errors", errors={"ids": [error["id"]]})
        assert payload["cleared"] == []
        [check] = payload["checks"]
        assert (await screen.done(check))["ok"] is True
        assert (await next_change(socket, "CLEARED"))["id"] == error["id"]

    await screen.is_shown("MUG", 6)
    assert (await screen.shop(RAKUTEN))["state"] == "RUNNING"
    frame = await screen.api.ask(
        "{ viewer { account { badges { level9Open level8Open differences } } } }"
    )
    assert set(frame["viewer"]["account"]["badges"].values()) == {0}


async def renewed(screen: Screen, page: Any, credentials: dict[str, str]) -> None:
    """The new key is entered, and its test is good; the shop waits for its error to be cleared."""
    known = [each["key"] for each in page["credentials"]]
    entered = [{"key": key, "value": value} for key, value in credentials.items() if key in known]
    payload = await screen.does(
        "update_shop",
        id=screen.shops[RAKUTEN],
        expectedVersion=page["version"],
        credentials=entered,
    )
    assert (await screen.done(payload["check"]))["ok"] is True
    assert (await screen.shop(RAKUTEN))["state"] == "HALTED"
