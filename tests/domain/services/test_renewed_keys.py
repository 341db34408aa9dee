"""Credentials that are renewed while calls are under way: what the mall says to the old ones halts nobody."""

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from domain.model.errors import MallLockedOut
from domain.model.initial_orders import InitialOrderMode
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey, MallKind
from domain.services import (
    checks,
    consents,
    initial_orders,
    polling,
    reading_back,
    readings,
    shops,
    sync_errors,
)
from domain.services.credentials import Vault
from domain.services.shops import ShopChange
from domain.store import jobs, sync
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import a_shop, counted, in_stock, shop_of, shown
from tests.domain.services.turns import SOON, fails, sent

VAULT = Vault(os.urandom(32))
DEAD = MallLockedOut("The key is dead.", mall_code="ES04")
GOOD = [CheckPart(CheckPartKey.CREDENTIALS, CheckOutcome.OK)]
REFUSED = [CheckPart(CheckPartKey.CREDENTIALS, CheckOutcome.NG, "No.", error=DEAD)]

Call = Callable[[Tx, Shop], Awaitable[Callable[[], Awaitable[object]]]]
"""Begins, and answers what brings the refusal."""


async def a_number_is_sent(tx: Tx, shop: Shop) -> Callable[[], Awaitable[object]]:
    batch = await sent(tx, shop)
    return lambda: fails(tx, batch, DEAD)


async def orders_are_fetched(tx: Tx, shop: Shop) -> Callable[[], Awaitable[object]]:
    poll = await polling.begin(tx, shop.id, "test", now=SOON)
    assert poll is not None
    return lambda: polling.failed(tx, poll, DEAD, now=SOON)


async def a_number_is_read_back(tx: Tx, shop: Shop) -> Callable[[], Awaitable[object]]:
    return lambda: reading_back.not_read(tx, shop, [], DEAD, now=SOON)


async def a_person_has_it_read(tx: Tx, shop: Shop) -> Callable[[], Awaitable[object]]:
    await readings.ask(tx, OWNER, await sync.listings_of_shops(tx, [shop.id]), now=SOON)
    call = await readings.begin(tx, shop.id, now=SOON)
    assert call is not None
    return lambda: readings.failed(tx, call, DEAD, now=SOON)


async def older_orders_are_fetched(tx: Tx, shop: Shop) -> Callable[[], Awaitable[object]]:
    since, mode = NOW - timedelta(days=1), InitialOrderMode.BASELINE
    await initial_orders.ask(tx, OWNER, [shop.id], since=since, mode=mode, now=SOON)
    fetch = await initial_orders.begin(tx, shop.id, "test", now=SOON)
    assert fetch is not None
    return lambda: initial_orders.failed(tx, fetch, DEAD, now=SOON)


CALLS = (
    a_number_is_sent,
    orders_are_fetched,
    older_orders_are_fetched,
    a_number_is_read_back,
    a_person_has_it_read,
)


async def five_of_it(tx: Tx) -> Shop:
    """One of which was sold elsewhere."""
    shop = await a_shop(
        tx, mall=MallKind.YAHOO_SHOPPING, orders_running=True, watermark=NOW, orders_seen_at=SOON
    )
    await in_stock(tx, shop, TEA=5)
    await counted(tx, NOW, TEA=4)
    return await shop_of(tx, shop.id)


async def nothing(tx: Tx, shop: Shop) -> None:
    pass


async def the_owner_enters_a_key(tx: Tx, shop: Shop) -> None:
    change = ShopChange(credentials={"client_secret": "new"})
    await shops.update(tx, VAULT, OWNER, shop.id, change)


async def the_seller_consents(tx: Tx, shop: Shop) -> None:
    consent = await row(
        tx,
        """
        INSERT INTO shop_consents (account_id, shop_id, state_hash, redirect_uri, return_url, expires_at)
        VALUES (:account, :shop, 'hash', 'https://a', 'https://b', :until) RETURNING id
        """,
        shop=shop.id,
        until=NOW + timedelta(minutes=10),
    )
    await consents.exchanged(tx, VAULT, consent["id"], {"refresh_token": "new"}, now=NOW)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("meanwhile", "state", "errors"),
    [
        (nothing, "HALTED", ["CREDENTIALS_REFUSED"]),
        (the_owner_enters_a_key, "RUNNING", []),
        (the_seller_consents, "RUNNING", []),
    ],
)
async def test_a_refusal_of_what_was_renewed_meanwhile_halts_nobody(
    db: Database,
    account: UUID,
    call: Call,
    meanwhile: Callable[[Tx, Shop], Awaitable[None]],
    state: str,
    errors: list[str],
):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx)
        is_refused = await call(tx, shop)

        await meanwhile(tx, shop)
        await is_refused()

        assert (await shop_of(tx, shop.id)).state == state
        found = await rows(tx, "SELECT kind FROM sync_errors")
        assert [each["kind"] for each in found] == errors
        assert (await shown(tx, shop, "tea")).waits is (state == "RUNNING")


async def test_a_test_of_what_was_renewed_meanwhile_leaves_it_to_the_next(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx)
        await checks.test_connection(tx, OWNER, shop.id)
        [first] = await jobs.lock_checks(tx, shop.id, at=NOW)
        await jobs.start(tx, [first.id], at=NOW)

        await the_owner_enters_a_key(tx, shop)
        await checks.probed(tx, shop, REFUSED, first, now=NOW)

        assert (await shop_of(tx, shop.id)).state == "RUNNING"
        [second] = await jobs.lock_checks(tx, shop.id, at=NOW)
        await jobs.start(tx, [second.id], at=NOW)
        await checks.probed(tx, shop, REFUSED, second, now=NOW)
        assert (await shop_of(tx, shop.id)).state == "HALTED"


async def test_a_halted_shops_test_waits_for_the_key_that_came_meanwhile(
    db: Database, account: UUID
):
    async with db.transaction(account) as tx:
        shop = await five_of_it(tx)
        await shops.halt(tx, shop, DEAD, now=NOW)
        [error] = await rows(tx, "SELECT id FROM sync_errors")
        await sync_errors.clear(tx, OWNER, [error["id"]], now=NOW)
        [first] = await jobs.lock_checks(tx, shop.id, at=NOW)
        await jobs.start(tx, [first.id], at=NOW)
        await checks.probe(tx, shop)

        await the_owner_enters_a_key(tx, shop)
        await checks.probed(tx, shop, REFUSED, first, now=NOW)

        assert (await shop_of(tx, shop.id)).state == "PROBING"
        both = await jobs.lock_checks(tx, shop.id, at=NOW + timedelta(minutes=1))
        await jobs.start(tx, [each.id for each in both], at=NOW + timedelta(minutes=1))
        for check in both:
            await checks.probed(tx, shop, GOOD, check, now=NOW + timedelta(minutes=1))
        assert (await shop_of(tx, shop.id)).state == "CATCHING_UP"
