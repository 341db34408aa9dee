"""A shop connected, changed, switched on and off, halted."""

import os
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError, MallLockedOut
from domain.model.events import EventKind
from domain.model.mall_hosts import ANYWHERE
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.model.shops import DriftPolicy, SyncPart
from domain.services import shops, switches
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.store.database import Bell, Database, Event, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, a_listing, operations, row, rows, waiting

VAULT = Vault(os.urandom(32))
KEYS = {"service_secret": "SP-secret", "license_key": "SL-licence"}
DEAD = MallLockedOut("Rakuten refuses the key.", mall_code="ES04", mall_message="Un-Authorised")


async def a_shop(tx: Tx, name: str = "Tea at Rakuten") -> Shop:
    shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, name, KEYS, {})
    return shop


async def a_running_shop(tx: Tx) -> Shop:
    shop = await a_shop(tx)
    await switches.start_sync(tx, OWNER, None, now=NOW)
    [shop] = await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
    tx.events.clear()
    tx.bells.clear()
    return shop


def shop_events(tx: Tx) -> list[Event]:
    return [event for event in tx.events if event.kind is EventKind.SHOP]


async def test_a_new_shop_is_off_and_its_connection_is_tested(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop, job_id = await shops.connect(
            tx, VAULT, OWNER, MallKind.RAKUTEN, " Tea at Rakuten ", KEYS, {"speed": ""}
        )
        job = await row(tx, "SELECT id, kind, state, shop_id, actor FROM jobs")
        bells = list(tx.bells)
        logged = await operations(tx)

    assert (shop.name, shop.mall, shop.state) == ("Tea at Rakuten", MallKind.RAKUTEN, "RUNNING")
    assert (shop.orders_running, shop.reflect_running, shop.sandbox) == (False, False, False)
    assert (shop.match_key, shop.settings) == (("merchantDefinedSkuId",), {})
    assert job == {
        "id": job_id,
        "kind": "SHOP_CHECK",
        "state": "WAITING",
        "shop_id": shop.id,
        "actor": OWNER.as_json(),
    }
    assert bells == [Bell(account, shop.id, "CHECK")]
    assert logged == ["CREATE_ACCOUNT", "CONNECT_SHOP"]


@pytest.mark.parametrize(
    ("mall", "speed", "seconds"),
    [
        (MallKind.RAKUTEN, "", 10),
        (MallKind.YAHOO_SHOPPING, "", 20),
        (MallKind.AMAZON, "", 180),
        (MallKind.AMAZON, "6", 30),
        (MallKind.AMAZON, "999999", 10),
    ],
)
async def test_a_new_shop_asks_for_orders_as_often_as_its_mall_allows(
    db: Database, account: UUID, mall: MallKind, speed: str, seconds: int
):
    keys = {
        MallKind.RAKUTEN: KEYS,
        MallKind.YAHOO_SHOPPING: {"client_id": "1", "client_secret": "2"},
        MallKind.AMAZON: {"client_id": "1", "client_secret": "2"},
    }
    whose = {} if mall is MallKind.RAKUTEN else {"seller_id": "A1EXAMPLE"}
    async with db.transaction(account) as tx:
        settings = whose | {"speed": speed}
        shop, _ = await shops.connect(tx, VAULT, OWNER, mall, "Tea", keys[mall], settings)

        assert shop.order_poll_seconds == seconds
        await shops.update(tx, VAULT, OWNER, shop.id, ShopChange(order_poll_seconds=90))
        again, _ = await shops.update(tx, VAULT, OWNER, shop.id, ShopChange(name="Tea and cups"))
        assert again.order_poll_seconds == 90


async def test_credentials_go_to_the_connector_and_nowhere_else(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        config = await shops.config(tx, VAULT, shop)
        kept = await rows(tx, "SELECT encode(ciphertext, 'escape') AS whole FROM shop_credentials")
        said = await rows(tx, "SELECT facts::text AS whole FROM operation_logs")
        said += await rows(tx, "SELECT j::text AS whole FROM jobs j")
        announced = str(tx.events)

    assert (config.kind, config.credentials, config.settings) == (MallKind.RAKUTEN, KEYS, {})
    assert len(kept) == 2
    everywhere = [each["whole"] for each in kept + said] + [announced, repr(shop)]
    assert not [text for text in everywhere if "SP-secret" in text or "SL-licence" in text]


async def test_a_shop_whose_addresses_lead_elsewhere_is_a_sandbox_shop(db: Database, account: UUID):
    settings = {"base_url": "http://127.0.0.1:9000/rakuten", "speed": "60"}
    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(
            tx, VAULT, OWNER, MallKind.RAKUTEN, "Trial", KEYS, settings, hosts=ANYWHERE
        )
        back, _ = await shops.update(
            tx, VAULT, OWNER, shop.id, ShopChange(settings={"base_url": "", "speed": ""})
        )

    assert (shop.sandbox, shop.settings, shop.speed) == (True, settings, 60)
    assert (back.sandbox, back.settings) == (False, {})


@pytest.mark.parametrize(
    ("case", "name", "credentials", "settings", "error"),
    [
        ("no name", " ", KEYS, {}, ("REQUIRED", ("name",))),
        ("a name too long", "T" * 101, KEYS, {}, ("INVALID_VALUE", ("name",))),
        ("a name twice", "Taken", KEYS, {}, ("CODE_TAKEN", ("name",))),
        (
            "a key missing",
            "Tea",
            {"service_secret": "SP"},
            {},
            ("REQUIRED", ("credentials", "license_key")),
        ),
        (
            "a field the mall has not",
            "Tea",
            KEYS | {"client_id": "x"},
            {},
            ("INVALID_VALUE", ("credentials", "client_id")),
        ),
        (
            "an address that is none",
            "Tea",
            KEYS,
            {"base_url": "rakuten"},
            ("INVALID_VALUE", ("settings", "base_url")),
        ),
    ],
)
async def test_a_form_that_is_wrong_says_where(
    db: Database, account: UUID, case, name, credentials, settings, error
):
    async with db.transaction(account) as tx:
        await a_shop(tx, "Taken")
        with pytest.raises(DomainError) as refused:
            await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, name, credentials, settings)
        count = await row(tx, "SELECT count(*) AS shops FROM shops")

    assert (refused.value.code, refused.value.field) == error, case
    assert count["shops"] == 1


async def test_what_is_not_named_stays_as_it_is(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        change = ShopChange(
            reflect_interval_seconds=300,
            order_poll_seconds=90,
            cancel_policy=CancelPolicy.RESTORE,
            drift_policy=DriftPolicy.ASK,
            match_key=["manageNumber", "variantId"],
            notification_email=" Stock@Example.com",
        )
        changed, job_id = await shops.update(
            tx, VAULT, OWNER, shop.id, change, expected_version=shop.version
        )
        config = await shops.config(tx, VAULT, changed)

    assert job_id is None
    assert config.credentials == KEYS
    assert changed == replace(
        shop,
        reflect_interval_seconds=300,
        order_poll_seconds=90,
        cancel_policy="RESTORE",
        drift_policy="ASK",
        match_key=("manageNumber", "variantId"),
        notification_email="stock@example.com",
        version=shop.version + 1,
    )


@pytest.mark.parametrize(
    ("case", "change", "error"),
    [
        ("too long a wait", ShopChange(reflect_interval_seconds=1201), "reflect_interval_seconds"),
        ("orders too seldom", ShopChange(order_poll_seconds=3601), "order_poll_seconds"),
        ("orders too often", ShopChange(order_poll_seconds=9), "order_poll_seconds"),
        ("a column of no key", ShopChange(match_key=["restockOnCancel"]), "match_key"),
        ("no column", ShopChange(match_key=[]), "match_key"),
        ("a column twice", ShopChange(match_key=["itemNumber", "itemNumber"]), "match_key"),
        ("no address", ShopChange(notification_email="stock"), "notification_email"),
    ],
)
async def test_a_change_that_is_wrong_changes_nothing(
    db: Database, account: UUID, case, change, error
):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        with pytest.raises(DomainError) as refused:
            await shops.update(tx, VAULT, OWNER, shop.id, change)
        assert await shops.known(tx, shop.id) == shop, case

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", (error,)), case


async def test_a_form_that_was_changed_meanwhile_is_refused(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await shops.update(tx, VAULT, OWNER, shop.id, ShopChange(name="First"), expected_version=1)
        with pytest.raises(DomainError) as refused:
            await shops.update(
                tx, VAULT, OWNER, shop.id, ShopChange(name="Second"), expected_version=1
            )
        kept = await shops.known(tx, shop.id)

    assert refused.value.code == "VERSION_CHANGED"
    assert (kept.name, kept.version) == ("First", 2)


async def test_renewed_credentials_are_tested_and_the_others_stay(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        change = ShopChange(credentials={"license_key": "SL-new"})
        _, job_id = await shops.update(tx, VAULT, OWNER, shop.id, change, resume=True)
        config = await shops.config(tx, VAULT, shop)
        job = await row(tx, "SELECT kind, input FROM jobs WHERE id = :job", job=job_id)

    assert config.credentials == KEYS | {"license_key": "SL-new"}
    assert job == {"kind": "SHOP_CHECK", "input": {"resume": True}}


async def test_a_credential_that_is_needed_cannot_be_taken_away(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        change = ShopChange(credentials={"license_key": ""})
        with pytest.raises(DomainError) as refused:
            await shops.update(tx, VAULT, OWNER, shop.id, change)
        config = await shops.config(tx, VAULT, shop)

    assert (refused.value.code, refused.value.field) == (
        "REQUIRED",
        ("credentials", "license_key"),
    )
    assert config.credentials == KEYS


async def test_a_credential_that_is_not_needed_can_be_taken_away(db: Database, account: UUID):
    keys = {"client_id": "id", "client_secret": "secret", "public_key_version": "3"}
    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(
            tx, VAULT, OWNER, MallKind.YAHOO_SHOPPING, "Tea", keys, {"seller_id": "tea"}
        )
        change = ShopChange(credentials={"public_key_version": ""})
        await shops.update(tx, VAULT, OWNER, shop.id, change)
        config = await shops.config(tx, VAULT, shop)

    assert config.credentials == {"client_id": "id", "client_secret": "secret"}


async def test_the_first_start_counts_orders_from_then_on(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        [started] = await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
        stored = await shops.known(tx, shop.id)
        assert Bell(account, shop.id, "ORDERS") in tx.bells

    assert started == stored
    assert (stored.orders_running, stored.reflect_running) == (True, True)
    assert (stored.effective_from, stored.next_order_poll_at) == (NOW, NOW)
    assert stored.watermark == NOW - timedelta(minutes=10)


async def test_a_later_start_goes_on_from_where_orders_ended(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_running_shop(tx)
        await switches.stop_sync(tx, OWNER, [shop.id], [SyncPart.ORDERS], now=NOW)
        later = NOW + timedelta(days=2)
        [again] = await switches.start_sync(tx, OWNER, [shop.id], [SyncPart.ORDERS], now=later)

    assert again == replace(shop, next_order_poll_at=later)


async def test_what_differs_goes_out_on_start_and_is_held_on_stop(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await switches.start_sync(tx, OWNER, None, now=NOW)
        listing = await a_listing(tx, shop.id, "MUG", total=5, shows=8)

        await switches.start_sync(tx, OWNER, [shop.id], [SyncPart.REFLECT], now=NOW)
        assert await waiting(tx, listing) == {
            "waits": True,
            "expected": 5,
            "base": 8,
            "not_pushed": [],
        }
        assert Bell(account, shop.id, "REFLECT") in tx.bells

        await switches.stop_sync(tx, OWNER, [shop.id], now=NOW)
        assert await waiting(tx, listing) == {
            "waits": False,
            "expected": 5,
            "base": 8,
            "not_pushed": ["SHOP_REFLECT_STOPPED"],
        }
        assert (await operations(tx))[2:] == ["START_SYNC", "START_SYNC", "STOP_SYNC"]


async def test_the_master_switch_holds_every_shop(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_running_shop(tx)
        listing = await a_listing(tx, shop.id, "MUG", total=5, shows=8)

        [stopped] = await switches.stop_sync(tx, OWNER, None, now=NOW)
        held = await waiting(tx, listing)
        [started] = await switches.start_sync(tx, OWNER, None, now=NOW)
        going = await waiting(tx, listing)
        switched = await operations(tx)
        await switches.start_sync(tx, OWNER, None, now=NOW)
        assert await operations(tx) == switched

    assert (stopped.account_running, stopped.reflect_running) == (False, True)
    assert (held["waits"], held["not_pushed"]) == (False, ["MASTER_STOPPED"])
    assert started.account_running
    assert (going["waits"], going["not_pushed"]) == (True, [])


async def test_a_switch_that_stands_so_already_says_nothing(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_running_shop(tx)
        before = await operations(tx)
        [same] = await switches.start_sync(tx, OWNER, [shop.id], now=NOW + timedelta(hours=1))

        assert same == shop
        assert shop_events(tx) == []
        assert await operations(tx) == before


async def test_only_a_shop_in_use_is_started(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await rows(tx, "UPDATE shops SET in_use = false WHERE account_id = :account RETURNING id")
        with pytest.raises(DomainError) as not_in_use:
            await switches.start_sync(tx, OWNER, [shop.id], now=NOW)
        with pytest.raises(DomainError) as unknown:
            await switches.start_sync(tx, OWNER, [shop.id, uuid4()], now=NOW)
        kept = await shops.known(tx, shop.id)

    assert not_in_use.value.code == "SHOP_NOT_IN_USE"
    assert (unknown.value.code, unknown.value.field) == ("NOT_FOUND", ("shop_ids", "1"))
    assert (kept.orders_running, kept.reflect_running) == (False, False)


async def test_a_halted_shop_believes_nothing_and_sends_nothing(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_running_shop(tx)
        listing = await a_listing(tx, shop.id, "MUG", total=5, shows=8)
        await rows(
            tx, "UPDATE shops SET orders_seen_at = now() WHERE account_id = :account RETURNING id"
        )

        await shops.halt(tx, shop, DEAD, now=NOW)

        halted = await shops.known(tx, shop.id)
        assert (halted.state, halted.orders_seen_at) == ("HALTED", None)
        assert (halted.orders_running, halted.reflect_running) == (True, True)
        assert await waiting(tx, listing) == {
            "waits": False,
            "expected": 5,
            "base": None,
            "not_pushed": ["SHOP_HALTED"],
        }
        error = await row(
            tx,
            "SELECT level, kind, state, count, shop_id, mall_code, mall_message FROM sync_errors",
        )
        assert error == {
            "level": 9,
            "kind": "CREDENTIALS_REFUSED",
            "state": "OPEN",
            "count": 1,
            "shop_id": shop.id,
            "mall_code": "ES04",
            "mall_message": "Un-Authorised",
        }
        assert [event.node_id for event in shop_events(tx)] == [shop.id]


async def test_a_shop_is_halted_once(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_running_shop(tx)
        await shops.halt(tx, shop, DEAD, now=NOW)
        tx.events.clear()

        await shops.halt(tx, shop, DEAD, now=NOW)

        assert tx.events == []
        assert await row(tx, "SELECT count FROM sync_errors") == {"count": 1}


async def test_maintenance_is_told_when_it_begins_and_when_it_ends(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_running_shop(tx)
        await shops.maintenance(tx, shop, on=False)
        assert shop_events(tx) == []

        await shops.maintenance(tx, shop, on=True)
        during = await shops.known(tx, shop.id)
        await shops.maintenance(tx, during, on=False)
        after = await shops.known(tx, shop.id)

        assert (during.maintenance, after.maintenance) == (True, False)
        assert len(shop_events(tx)) == 2
