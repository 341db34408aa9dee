"""Warned before a credential lapses, once at each mark; closed when it is renewed."""

import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.model.errors import MallLockedOut
from domain.model.malls import MallKind
from domain.services import expiries, shops, sync_errors
from domain.services.credentials import Vault
from domain.store import dispatch
from domain.store import shops as shop_rows
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, rows

VAULT = Vault(os.urandom(32))
KEYS = {"service_secret": "SP", "license_key": "SL"}
TOLD = "SELECT kind, level, state, count, params ->> 'days' AS days FROM sync_errors ORDER BY id"


async def told(tx: Tx) -> list[tuple[Any, ...]]:
    return [tuple(each.values()) for each in await rows(tx, TOLD)]


@pytest.fixture
async def tx(db: Database, account: UUID) -> AsyncIterator[Tx]:
    async with db.transaction(account) as opened:
        yield opened


@pytest.fixture
async def shop(tx: Tx) -> Shop:
    made, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
    return made


async def lives(tx: Tx, shop: Shop, until: datetime) -> None:
    await shop_rows.credential_lives(tx, shop.id, "license_key", until)


async def look(tx: Tx, shop: Shop, now: datetime) -> None:
    await expiries.warn_of(tx, shop.id, now=now)


async def test_each_mark_is_told_once(tx: Tx, shop: Shop) -> None:
    await lives(tx, shop, NOW + timedelta(days=14))

    for days in (0, 1, 6, 7, 8, 11, 13, 14):
        await look(tx, shop, NOW + timedelta(days=days))

    assert await told(tx) == [("CREDENTIALS_EXPIRED", 8, "OPEN", 5, "0")]


async def test_a_warning_that_was_cleared_comes_back_at_the_next_mark(tx: Tx, shop: Shop) -> None:
    await lives(tx, shop, NOW + timedelta(days=7))
    await look(tx, shop, NOW)
    [error] = await rows(tx, "SELECT id FROM sync_errors")
    await sync_errors.clear(tx, OWNER, [error["id"]], now=NOW)

    await look(tx, shop, NOW + timedelta(days=1))
    assert await told(tx) == [("CREDENTIALS_EXPIRED", 8, "CLEARED", 1, "7")]
    await look(tx, shop, NOW + timedelta(days=4))
    assert await told(tx) == [("CREDENTIALS_EXPIRED", 8, "OPEN", 2, "3")]


async def test_a_renewed_key_closes_it(tx: Tx, shop: Shop) -> None:
    await lives(tx, shop, NOW + timedelta(days=3))
    await look(tx, shop, NOW)

    await lives(tx, shop, NOW + timedelta(days=90))
    await look(tx, shop, NOW)

    assert await told(tx) == [("CREDENTIALS_EXPIRED", 8, "RESOLVED", 1, "3")]


async def test_a_halt_and_its_end_say_no_mark_again(tx: Tx, shop: Shop) -> None:
    await lives(tx, shop, NOW + timedelta(days=7))
    await look(tx, shop, NOW)
    await shops.halt(tx, shop, MallLockedOut("The key is dead."), now=NOW)
    await shop_rows.change(tx, shop.id, state="CATCHING_UP")

    await shops.caught_up(tx, shop, now=NOW)
    await look(tx, shop, NOW)

    assert await told(tx) == [
        ("CREDENTIALS_EXPIRED", 8, "OPEN", 1, "7"),
        ("CREDENTIALS_REFUSED", 9, "RESOLVED", 1, None),
    ]


async def test_a_halted_shop_is_not_told_twice(tx: Tx, shop: Shop) -> None:
    await lives(tx, shop, NOW - timedelta(hours=1))
    await shop_rows.change(tx, shop.id, state="HALTED")

    await look(tx, shop, NOW)

    assert await told(tx) == []


async def test_the_clock_finds_the_shops_of_every_account(db: Database, account: UUID) -> None:
    soon = datetime.now().astimezone() - timedelta(days=3650)
    async with db.transaction(account) as tx:
        made, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", KEYS, {})
        other, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Cups", KEYS, {})
        await lives(tx, made, soon)
        await lives(tx, other, soon + timedelta(days=2))

    found = await dispatch.expiring(db, before=soon + timedelta(days=1), at_most=100)

    assert (account, made.id) in found
    assert (account, other.id) not in found
