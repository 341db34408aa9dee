"""What a screen reads, in one statement a time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.nodes import global_id
from domain.model import checks, sync_errors
from domain.model.actors import Actor, ActorKind
from domain.model.events import EventKind
from domain.model.locales import Locale
from domain.model.malls import CheckOutcome, CheckPartKey, MallKind
from domain.store.database import Database, Event
from domain.store.reads import read_event_cursor
from tests.api.conftest import Asker
from tests.factories import (
    a_listing,
    a_movement,
    a_product,
    a_row,
    a_set,
    a_shop,
    a_user,
    an_account,
)

T0 = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)

GRID = """
query ($first: Int, $after: String, $filter: ProductFilter, $shops: [ID!], $count: Boolean = false) {
  products(first: $first, after: $after, filter: $filter) {
    edges { node { code total sellable unreflected
      listings(shopIds: $shops) { itemCode quantityToShow shop { id name } mallStock { quantity source knownAt }
        difference { expected shown delta since cause } differsFromTotal notPushed push { state lane } } } }
    pageInfo { hasNextPage endCursor }
    totalCount @include(if: $count)
  }
}
"""


async def test_the_grid_shows_products_with_their_listings(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        mug = await a_product(tx, "MUG", total=5, reserve=1)
        await a_listing(
            tx,
            shop,
            "mug-1",
            product_id=mug,
            sync={
                "expected": 4,
                "edited": True,
                "base": 7,
                "base_source": "READ_BACK",
                "base_latest": T0,
                "difference": "CHANGED_AT_MALL",
                "difference_since": T0 + timedelta(milliseconds=1.5),
                "wanted": 1,
                "lane": 1,
            },
        )

    data = await asker.ask(GRID, count=True)

    assert data["products"] == {
        "edges": [
            {
                "node": {
                    "code": "MUG",
                    "total": 5,
                    "sellable": 4,
                    "unreflected": True,
                    "listings": [
                        {
                            "itemCode": "mug-1",
                            "quantityToShow": 4,
                            "shop": {"id": global_id("Shop", shop), "name": "楽天本店"},
                            "mallStock": {
                                "quantity": 7,
                                "source": "READ_BACK",
                                "knownAt": "2026-11-22T00:30:00.000000Z",
                            },
                            "difference": {
                                "expected": 4,
                                "shown": 7,
                                "delta": 3,
                                "since": "2026-11-22T00:30:00.001500Z",
                                "cause": "CHANGED_AT_MALL",
                            },
                            "differsFromTotal": True,
                            "notPushed": [],
                            "push": {"state": "WAITING", "lane": "DECREASE"},
                        }
                    ],
                }
            }
        ],
        "pageInfo": {
            "hasNextPage": False,
            "endCursor": data["products"]["pageInfo"]["endCursor"],
        },
        "totalCount": 1,
    }


async def test_listings_of_other_shops_and_deleted_ones_are_left_out(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        rakuten, yahoo = await a_shop(tx), await a_shop(tx, "ヤフー店", mall="YAHOO_SHOPPING")
        mug = await a_product(tx, "MUG")
        for shop, code in ((rakuten, "r"), (yahoo, "y")):
            await a_listing(tx, shop, code, product_id=mug)
        await a_listing(tx, yahoo, "gone", product_id=mug, deleted_at=T0)

    data = await asker.ask(GRID, shops=[global_id("Shop", yahoo)])

    listings = data["products"]["edges"][0]["node"]["listings"]
    assert [each["itemCode"] for each in listings] == ["y"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mug", ["MUG-1"]),
        ("ＭＵＧ−１", ["MUG-1"]),
        ("こっぷ", ["CUP"]),
        ("青、カップ", ["MUG-1"]),
        ("page-77", ["MUG-1"]),
        ("100%", ["CUP"]),
        ("_", []),
        (" , ，", ["CUP", "MUG-1"]),
        ("赤,mug", []),
    ],
)
async def test_every_word_must_be_found_in_the_product_or_a_listing(
    asker: Asker, text: str, found: list[str]
) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        mug = await a_product(tx, "MUG-1", name="マグカップ")
        await a_listing(tx, shop, "page-77", product_id=mug, name="青いマグ")
        await a_product(tx, "CUP", name="コップ 100%")

    data = await asker.ask(GRID, filter={"text": text})

    assert [edge["node"]["code"] for edge in data["products"]["edges"]] == found


async def test_conditions_about_listings_hold_for_one_and_the_same_listing(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        rakuten, yahoo = await a_shop(tx), await a_shop(tx, "ヤフー店", mall="YAHOO_SHOPPING")
        both = await a_product(tx, "BOTH")
        apart = await a_product(tx, "APART")
        await a_listing(tx, rakuten, "both", product_id=both)
        await a_listing(tx, yahoo, "apart-y", product_id=apart)
        await a_listing(tx, rakuten, "apart-r", product_id=apart)

    filters = {"listing": {"shopIds": [global_id("Shop", rakuten)], "text": "both"}}
    data = await asker.ask(GRID, filter=filters)
    assert [edge["node"]["code"] for edge in data["products"]["edges"]] == ["BOTH"]

    without_yahoo = {"missingInShopIds": [global_id("Shop", yahoo)]}
    data = await asker.ask(GRID, filter=without_yahoo)
    assert [edge["node"]["code"] for edge in data["products"]["edges"]] == ["BOTH"]


async def test_another_account_sees_nothing(asker: Asker, db: Database) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        mug = await a_product(tx, "MUG", total=1)
        listing = await a_listing(tx, shop, "mug", product_id=mug)
    ids = [global_id(*each) for each in (("Shop", shop), ("Product", mug), ("Listing", listing))]
    stranger = Asker(db, asker.planner, await an_account(db))
    nothing = {"edges": [], "totalCount": 0}

    data = await stranger.ask(
        """query ($ids: [ID!]!, $filter: ProductFilter) { nodes(ids: $ids) { id } shops { id } product(code: "MUG") { id }
          products { edges { node { id } } totalCount } found: products(filter: $filter) { edges { node { id } } totalCount }
          listings { edges { node { id } } totalCount } stockMovements { edges { node { id } } totalCount } }""",
        ids=ids,
        filter={"text": "mug"},
    )

    assert data == {
        "nodes": [None, None, None],
        "shops": [],
        "product": None,
        "products": nothing,
        "found": nothing,
        "listings": nothing,
        "stockMovements": nothing,
    }


async def test_nodes_keep_their_order_and_leave_gaps(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        mug = await a_product(tx, "MUG")
        gone = await a_product(tx, "GONE", deleted_at=T0)
        check = await a_row(tx, "jobs", kind="SHOP_CHECK", shop_id=shop)
    ids = [
        global_id("Product", mug),
        global_id("Product", gone),
        global_id("Job", check),
        global_id("Shop", shop),
        global_id("Product", mug),
    ]

    data = await asker.ask(
        """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
          ... on Product { code } ... on Job { state } ... on ShopCheck { shop { name } } } }""",
        ids=ids,
    )

    product = {"__typename": "Product", "id": ids[0], "code": "MUG"}
    assert data["nodes"] == [
        product,
        None,
        {"__typename": "ShopCheck", "id": ids[2], "state": "WAITING", "shop": {"name": "楽天本店"}},
        {"__typename": "Shop", "id": ids[3]},
        product,
    ]


async def test_a_set_shows_its_parts_and_what_they_allow(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        group = await a_row(tx, "product_groups", name="食器", reserve=2)
        cup = await a_product(tx, "CUP", total=9, group_id=group)
        tea = await a_product(tx, "TEA", total=100)
        await a_set(tx, "GIFT", {cup: 2, tea: 1}, reserve=1)

    data = await asker.ask(
        """{ setItems { edges { node { code total sellable parts { count product { code reserve sellable } } } } }
          product(code: "CUP") { group { name productCount } partOf { code } } }"""
    )

    gift = data["setItems"]["edges"][0]["node"]
    assert gift["total"] is None
    assert gift["sellable"] == 2
    assert sorted(gift["parts"], key=lambda part: part["count"]) == [
        {"count": 1, "product": {"code": "TEA", "reserve": 0, "sellable": 100}},
        {"count": 2, "product": {"code": "CUP", "reserve": 2, "sellable": 7}},
    ]
    assert data["product"] == {
        "group": {"name": "食器", "productCount": 1},
        "partOf": [{"code": "GIFT"}],
    }


async def test_an_order_is_followed_to_what_it_took(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        mug = await a_product(tx, "MUG", total=5)
        listing = await a_listing(tx, shop, "mug", product_id=mug)
        order = await a_row(
            tx,
            "orders",
            shop_id=shop,
            number="R-1",
            placed_at=T0,
            status="HOLDS",
            observed_at=T0,
            first_observed_at=T0,
        )
        await a_row(
            tx,
            "order_lines",
            order_id=order,
            position=1,
            item_code="mug",
            variant_code="red",
            listing_id=listing,
            quantity=2,
            state="APPLIED",
        )
        await a_row(tx, "order_effects", order_id=order, product_id=mug, applied=2)
        await a_movement(
            tx, mug, delta=-2, before=5, version=2, cause="ORDER", order_id=order, effective_at=T0
        )
        await a_row(
            tx,
            "sales_logs",
            shop_id=shop,
            listing_id=listing,
            product_id=mug,
            order_id=order,
            item_code="mug",
            units=2,
            at=T0,
        )

    data = await asker.ask(
        """query ($orders: OrderFilter, $logs: LogFilter) {
          orders(filter: $orders) { edges { node { number status source placedAt shop { name }
            lines { quantity state mallCode product { code } } movements { change balance cause } } } }
          salesLogs(filter: $logs) { edges { node { units order { number } product { code } } } }
          stockMovements(filter: $logs, first: 1) { edges { node { change effectiveAt order { number } actor { __typename } } } } }""",
        orders={
            "productIds": [global_id("Product", mug)],
            "states": ["APPLIED"],
            "from": "2026-11-22T09:30:00+09:00",
            "until": "2026-11-22T00:30:01Z",
        },
        logs={"productIds": [global_id("Product", mug)], "text": "ｍｕｇ"},
    )

    assert data["orders"]["edges"] == [
        {
            "node": {
                "number": "R-1",
                "status": "HOLDS",
                "source": "API",
                "placedAt": "2026-11-22T00:30:00.000000Z",
                "shop": {"name": "楽天本店"},
                "lines": [
                    {
                        "quantity": 2,
                        "state": "APPLIED",
                        "mallCode": "mug:red",
                        "product": {"code": "MUG"},
                    }
                ],
                "movements": [{"change": -2, "balance": 3, "cause": "ORDER"}],
            }
        }
    ]
    sold = {"units": 2, "order": {"number": "R-1"}, "product": {"code": "MUG"}}
    assert data["salesLogs"]["edges"] == [{"node": sold}]
    assert data["stockMovements"]["edges"][0]["node"] == {
        "change": -2,
        "effectiveAt": "2026-11-22T00:30:00.000000Z",
        "order": {"number": "R-1"},
        "actor": None,
    }


async def test_an_error_speaks_the_language_that_is_asked_for(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        listing = await a_listing(tx, shop, "mug")
        error = await a_row(
            tx,
            "sync_errors",
            level=9,
            kind="CREDENTIALS_REFUSED",
            shop_id=shop,
            group_key="x",
            params={"shop": "楽天本店", "count": 1},
        )
        await a_row(tx, "sync_error_listings", error_id=error, listing_id=listing)

    data = await asker.ask(
        """{ syncErrors(filter: {levels: [LEVEL_9], states: [OPEN]}) { edges { node { level kind message ja: message(locale: JA)
            advice affected(first: 1) { totalCount edges { node { itemCode openErrors { id } } } } } } } }"""
    )

    node = data["syncErrors"]["edges"][0]["node"]
    assert node["message"] == "楽天本店: the mall refuses the credentials, so this shop is halted."
    assert node["ja"].startswith("楽天本店：モールが認証情報を受け付けない")
    assert "Rakuten Ichiba" in node["advice"][0]
    assert node["affected"] == {
        "totalCount": 1,
        "edges": [
            {"node": {"itemCode": "mug", "openErrors": [{"id": global_id("SyncError", error)}]}}
        ],
    }


async def test_the_operation_log_says_who_did_what_to_what(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        user = await a_user(tx, name="佐藤")
        mug = await a_product(tx, "MUG")
        await a_row(
            tx,
            "operation_logs",
            actor=Actor(ActorKind.USER, "佐藤", user).as_json(),
            action="SET_STOCK",
            target_kind="PRODUCT",
            target_id=mug,
            facts={"before": 1, "after": 5},
        )
        await a_row(
            tx,
            "operation_logs",
            actor=Actor(ActorKind.SYSTEM, "Renkei").as_json(),
            action="BREW_TEA",
        )

    data = await asker.ask(
        """query ($by: LogFilter) { operationLogs { edges { node { text actor { ... on User { name role } ... on SystemActor { name } }
            target { __typename id ... on Product { code } } } } }
          by: operationLogs(filter: $by) { totalCount } }""",
        by={"actorIds": [global_id("User", user)]},
    )

    assert [edge["node"] for edge in data["operationLogs"]["edges"]] == [
        {"text": "BREW_TEA", "actor": {"name": "Renkei"}, "target": None},
        {
            "text": "Set the total from 1 to 5.",
            "actor": {"name": "佐藤", "role": "OWNER"},
            "target": {"__typename": "Product", "id": global_id("Product", mug), "code": "MUG"},
        },
    ]
    assert data["by"] == {"totalCount": 1}


async def test_a_shop_draws_its_form_and_says_its_state(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        await a_shop(tx, "休み", in_use=False)
        shop = await a_shop(tx, settings={"speed": "10"}, checked_at=T0)
        await a_row(tx, "shop_credentials", shop_id=shop, key="license_key", ciphertext=b"x")
        await a_row(
            tx,
            "jobs",
            kind="SHOP_CHECK",
            shop_id=shop,
            state="DONE",
            result={
                "ok": False,
                "parts": [
                    {
                        "key": "CREDENTIALS",
                        "outcome": "NG",
                        "kind": "CREDENTIALS_REFUSED",
                        "mall_message": "no",
                        "expires_at": None,
                    }
                ],
            },
        )

    data = await asker.ask(
        """{ shops(inUse: true) { state mall { kind name ja: name(locale: JA) credentialFields { key secret } capabilities { batchSize } }
            settings { key value } credentials { key isSet } pending { others oldestAt } lastCheck { ok parts { key outcome message advice mallMessage } } }
          malls { __typename kind consent { validForDays } } }"""
    )

    assert data["shops"] == [
        {
            "state": "READY",
            "mall": {
                "kind": "RAKUTEN",
                "name": "Rakuten Ichiba",
                "ja": "楽天市場",
                "credentialFields": [
                    {"key": "service_secret", "secret": True},
                    {"key": "license_key", "secret": True},
                ],
                "capabilities": {"batchSize": 400},
            },
            "settings": [{"key": "speed", "value": "10"}],
            "credentials": [
                {"key": "service_secret", "isSet": False},
                {"key": "license_key", "isSet": True},
            ],
            "pending": {"others": 0, "oldestAt": None},
            "lastCheck": {
                "ok": False,
                "parts": [
                    {
                        "key": "CREDENTIALS",
                        "outcome": "NG",
                        "message": "The mall does not accept the credentials.",
                        "advice": checks.advice(*REFUSED, MallKind.RAKUTEN, Locale.EN),
                        "mallMessage": "no",
                    }
                ],
            },
        }
    ]
    assert {"__typename": "Mall", "kind": "AMAZON", "consent": {"validForDays": 365}} in data[
        "malls"
    ]


ON = {"orders_running": True, "reflect_running": True, "effective_from": T0}


@pytest.mark.parametrize(
    ("case", "columns", "state"),
    [
        ("no test passed yet", {}, "ONBOARDING"),
        ("tested, never started", {"checked_at": T0}, "READY"),
        ("switched off again", {"checked_at": T0, "effective_from": T0}, "STOPPED"),
        ("on", {"checked_at": T0, **ON}, "RUNNING"),
        ("one switch on", {"checked_at": T0, "orders_running": True}, "RUNNING"),
        ("on before any test", ON, "RUNNING"),
        ("on, and not in use", {**ON, "in_use": False}, "STOPPED"),
        ("on, the mall rests", {**ON, "maintenance": True}, "MAINTENANCE"),
        ("halted before all", {"state": "HALTED", "maintenance": True}, "HALTED"),
        ("catching up", {**ON, "state": "CATCHING_UP"}, "CATCHING_UP"),
    ],
)
async def test_what_a_shop_does_at_present(
    asker: Asker, db: Database, case: str, columns: dict[str, Any], state: str
) -> None:
    asker.account = await an_account(db, sync_running=True)
    async with db.transaction(asker.account) as tx:
        await a_shop(tx, **columns)

    assert await asker.ask("{ shops { state } }") == {"shops": [{"state": state}]}, case


async def test_a_stopped_account_stops_its_shops(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        await a_shop(tx, checked_at=T0, **ON)

    assert await asker.ask("{ shops { state } }") == {"shops": [{"state": "STOPPED"}]}


REFUSED = (
    CheckPartKey.CREDENTIALS,
    CheckOutcome.NG,
    sync_errors.SyncErrorKind.CREDENTIALS_REFUSED,
)
A_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("case", "lives", "tested", "found", "halted", "warning"),
    [
        ("never tested", None, None, None, None, "UNCHECKED"),
        ("tested before it was set", None, -A_DAY, None, None, "UNCHECKED"),
        ("tested good", None, A_DAY, None, None, None),
        ("tested, and the mall refuses it", None, A_DAY, "CREDENTIALS_REFUSED", None, "REFUSED"),
        ("tested, and the mall is away", None, A_DAY, "UNREACHABLE", None, None),
        ("tested good, refused since", None, A_DAY, None, 2 * A_DAY, "REFUSED"),
        ("entered anew after a refusal", None, A_DAY, None, -A_DAY, None),
        ("lapsed", -A_DAY, A_DAY, None, None, "EXPIRED"),
        ("about to lapse", 13 * A_DAY, A_DAY, None, None, "EXPIRES_SOON"),
        ("to live for long", 15 * A_DAY, A_DAY, None, None, None),
    ],
)
async def test_what_is_to_be_done_about_a_credential(
    asker: Asker,
    case: str,
    lives: timedelta | None,
    tested: timedelta | None,
    found: str | None,
    halted: timedelta | None,
    warning: str | None,
) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        until = datetime.now(UTC) + lives if lives else None
        await a_row(
            tx, "shop_credentials", shop_id=shop, key="license_key", ciphertext=b"x",
            changed_at=T0, expires_at=until,
        )  # fmt: skip
        if tested:
            part = {"key": "CREDENTIALS", "outcome": "NG" if found else "OK", "kind": found}
            await a_row(
                tx, "jobs", kind="SHOP_CHECK", shop_id=shop, state="DONE", finished_at=T0 + tested,
                result={"ok": found is None, "parts": [part]},
            )  # fmt: skip
        if halted:
            await a_row(
                tx, "sync_errors", level=9, kind="CREDENTIALS_REFUSED", shop_id=shop, group_key="k",
                last_at=T0 + halted,
            )  # fmt: skip

    data = await asker.ask("{ shops { credentials { isSet warning } } }")

    assert data["shops"][0]["credentials"] == [
        {"isSet": False, "warning": None},
        {"isSet": True, "warning": warning},
    ], case


async def test_differences_are_counted_as_they_are_listed(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        mug = await a_product(tx, "MUG", total=5)
        states = {"late": "NOT_APPLIED", "fine": None, "dark": "UNKNOWN", "soon": "PUSH_FAILED"}
        for nth, (code, difference) in enumerate(states.items()):
            since = T0 + timedelta(hours=nth) if difference else None
            sync = {"expected": 5, "base": 4, "difference": difference, "difference_since": since}
            await a_listing(tx, shop, code, product_id=mug, sync=sync)

    data = await asker.ask(
        """{ differences { totalCount edges { node { itemCode } } } plain: differences(kind: FROM_TOTAL) { totalCount }
          dark: listings(filter: {causes: [UNKNOWN]}) { edges { node { itemCode difference { cause } } } }
          viewer { account { badges { differences unlinkedListings jobsRunning } } } }"""
    )

    assert data["differences"] == {
        "totalCount": 2,
        "edges": [{"node": {"itemCode": "late"}}, {"node": {"itemCode": "soon"}}],
    }
    assert data["plain"] == {"totalCount": 4}
    assert data["dark"]["edges"] == [
        {"node": {"itemCode": "dark", "difference": {"cause": "UNKNOWN"}}}
    ]
    assert data["viewer"]["account"]["badges"] == {
        "differences": 2,
        "unlinkedListings": 0,
        "jobsRunning": 0,
    }


async def test_the_event_cursor_is_of_the_same_snapshot(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        tx.emit(Event(EventKind.STOCK), Event(EventKind.DIFF))

    data = await asker.ask("{ eventCursor viewer { user { name } locale permissions } }")

    assert read_event_cursor(data["eventCursor"]) == 2
    assert data["viewer"]["user"] is None
    assert "SHOPS" in data["viewer"]["permissions"]


async def test_a_viewer_is_the_person_who_asks(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        user: UUID = await a_user(tx, name="鈴木", role="STAFF")
    asker.actor = Actor(ActorKind.USER, "鈴木", user)

    data = await asker.ask("{ viewer { user { name role } token { name } } }")

    assert data["viewer"] == {"user": {"name": "鈴木", "role": "STAFF"}, "token": None}
