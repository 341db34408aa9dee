"""A seller's consent on the mall's page, there and back."""

import os
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from domain.model.errors import DomainError, MallLockedOut, MallUnavailable
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey, MallKind
from domain.services import checks, consents, credentials, shops
from domain.services.consents import ConsentCode
from domain.services.credentials import Vault
from domain.store import jobs
from domain.store.database import Bell, Database, Tx
from domain.store.shops import Shop
from renkei.engines.postgres import APP, Postgres
from tests.domain.services.rows import NOW, OWNER, row, rows

VAULT = Vault(os.urandom(32))
KEYS = {"client_id": "our-app", "client_secret": "secret"}
BACK = "https://admin.example.com/shops/1?tab=connection"
CONNECT = "https://api.example.com/connect/yahoo_shopping"
ORIGINS = ("https://admin.example.com", "http://localhost:5173")
SOON = NOW + timedelta(minutes=9)


async def a_yahoo_shop(tx: Tx) -> Shop:
    shop, _ = await shops.connect(
        tx, VAULT, OWNER, MallKind.YAHOO_SHOPPING, "Tea", KEYS, {"seller_id": "tea"}
    )
    await rows(tx, "DELETE FROM jobs WHERE account_id = :account RETURNING id")
    return shop


async def sent_away(tx: Tx, shop: Shop, back: str = BACK) -> str:
    url, _ = await consents.start_consent(
        tx, VAULT, OWNER, shop.id, back, CONNECT, ORIGINS, now=NOW
    )
    [state] = parse_qs(urlsplit(url).query)["state"]
    return state


async def came_back(db: Database, account: UUID, code: str | None = "code-1") -> UUID:
    """The consent of a seller who said yes."""
    async with db.transaction(account) as tx:
        state = await sent_away(tx, await a_yahoo_shop(tx))
    await consents.consent_returned(db, VAULT, state, code, now=SOON)
    async with db.transaction(account) as tx:
        consent = await row(tx, "SELECT id FROM shop_consents")
    consent_id: UUID = consent["id"]
    return consent_id


async def test_the_browser_is_sent_to_the_malls_page(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_yahoo_shop(tx)
        url, until = await consents.start_consent(
            tx, VAULT, OWNER, shop.id, BACK, CONNECT, ORIGINS, now=NOW
        )
        kept = await row(tx, "SELECT c::text AS whole FROM shop_consents c")

    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://auth.login.yahoo.co.jp/yconnect/v2/authorization?")
    assert (query["client_id"], query["redirect_uri"]) == (["our-app"], [CONNECT])
    assert until == NOW + timedelta(minutes=10)
    [state] = query["state"]
    assert state.startswith(account.hex + ".")
    assert state.partition(".")[2] not in kept["whole"]


async def test_the_code_is_kept_sealed_and_a_test_starts(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_yahoo_shop(tx)
        state = await sent_away(tx, shop)

    assert await consents.consent_returned(db, VAULT, state, "code-1", now=SOON) == BACK

    async with db.transaction(account) as tx:
        kept = await row(
            tx, "SELECT id, used_at, encode(code_ciphertext, 'escape') AS code FROM shop_consents"
        )
        job = await row(tx, "SELECT kind, shop_id, input FROM jobs")
        code = await consents.take_code(tx, VAULT, kept["id"])
    assert kept["used_at"] == SOON
    assert "code-1" not in kept["code"]
    assert job == {
        "kind": "SHOP_CHECK",
        "shop_id": shop.id,
        "input": {"consent": str(kept["id"])},
    }
    assert code == ConsentCode(shop.id, "code-1", CONNECT)


async def test_the_return_rings_the_shop(database: Postgres, account: UUID):
    bells: list[Bell] = []

    async def ringer(account_id, news, rung):
        bells.extend(rung)

    db = Database.at(database.url(user=APP), ringer, pool_size=1)
    async with db.transaction(account) as tx:
        shop = await a_yahoo_shop(tx)
        state = await sent_away(tx, shop)
    bells.clear()
    await consents.consent_returned(db, VAULT, state, "code-1", now=SOON)
    await db.close()

    assert bells == [Bell(account, shop.id, "CHECK")]


async def test_a_seller_who_says_no_starts_nothing(db: Database, account: UUID):
    consent = await came_back(db, account, code=None)

    async with db.transaction(account) as tx:
        assert await consents.take_code(tx, VAULT, consent) is None
        assert await rows(tx, "SELECT id FROM jobs") == []


async def test_a_state_is_good_for_one_return_within_ten_minutes(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        shop = await a_yahoo_shop(tx)
        used, late = await sent_away(tx, shop), await sent_away(tx, shop)
    await consents.consent_returned(db, VAULT, used, "code-1", now=SOON)

    for state, at in (
        (used, SOON),
        (late, NOW + timedelta(minutes=10)),
        (f"{account.hex}.guessed", SOON),
        (f"{UUID(int=0).hex}.{late.partition('.')[2]}", SOON),
        ("nonsense", SOON),
        ("", SOON),
    ):
        with pytest.raises(DomainError) as refused:
            await consents.consent_returned(db, VAULT, state, "code-2", now=at)
        assert refused.value.code == "CONSENT_NEEDED"

    async with db.transaction(account) as tx:
        assert len(await rows(tx, "SELECT id FROM jobs")) == 1


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example.com/",
        "https://admin.example.com.evil.example.com/",
        "https://admin.example.com@evil.example.com/",
        "http://admin.example.com/",
        "//admin.example.com/",
        "javascript:alert(1)",
        "/shops",
        "",
    ],
)
async def test_browsers_go_back_to_allowed_origins_alone(db: Database, account: UUID, back):
    async with db.transaction(account) as tx:
        shop = await a_yahoo_shop(tx)
        with pytest.raises(DomainError) as refused:
            await sent_away(tx, shop, back)
        begun = await rows(tx, "SELECT id FROM shop_consents")

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("return_url",))
    assert begun == []


async def test_a_mall_without_consent_says_so(db: Database, account: UUID):
    keys = {"service_secret": "SP", "license_key": "SL"}
    async with db.transaction(account) as tx:
        shop, _ = await shops.connect(tx, VAULT, OWNER, MallKind.RAKUTEN, "Tea", keys, {})
        with pytest.raises(DomainError) as refused:
            await sent_away(tx, shop)

    assert refused.value.code == "NOT_SUPPORTED_BY_MALL"


async def test_what_the_mall_gave_is_kept_for_as_long_as_its_consent_lives(
    db: Database, account: UUID
):
    consent = await came_back(db, account)
    async with db.transaction(account) as tx:
        await consents.exchanged(tx, VAULT, consent, {"refresh_token": "r1"}, now=NOW)
        assert await consents.take_code(tx, VAULT, consent) is None
        shop = await row(tx, "SELECT id FROM shops")
        await credentials.renewed_by_mall(tx, VAULT, shop["id"], {"refresh_token": "r2"})
        opened = await credentials.opened(tx, VAULT, shop["id"])
        lives = await row(tx, "SELECT expires_at FROM shop_credentials WHERE key = 'refresh_token'")

    assert opened == KEYS | {"refresh_token": "r2"}
    assert lives == {"expires_at": NOW + timedelta(weeks=4)}


async def test_a_code_that_the_mall_does_not_take_is_forgotten(db: Database, account: UUID):
    consent = await came_back(db, account)
    async with db.transaction(account) as tx:
        await consents.refused(tx, consent)

        assert await consents.take_code(tx, VAULT, consent) is None


@pytest.mark.parametrize(
    ("case", "error", "at", "state"),
    [
        (
            "the mall is busy: once more while the code is good",
            MallUnavailable("Busy."),
            SOON,
            "WAITING",
        ),
        ("too late for the code", MallUnavailable("Busy."), NOW + timedelta(minutes=11), "DONE"),
        ("the mall says no", MallLockedOut("No.", consent=True), SOON, "DONE"),
    ],
)
async def test_a_consent_is_tried_again_while_its_code_is_good(
    db: Database, account: UUID, case, error, at, state
):
    await came_back(db, account)
    part = CheckPart(CheckPartKey.CONSENT, CheckOutcome.NG, error=error)
    async with db.transaction(account) as tx:
        shop = await row(tx, "SELECT id FROM shops")
        [check] = await jobs.lock_checks(tx, shop["id"], at=at)
        await jobs.start(tx, [check.id], at=at)
        await checks.probed(tx, await shops.known(tx, shop["id"]), [part], check, now=at)
        job = await row(tx, "SELECT state FROM jobs")

    assert job == {"state": state}, case
