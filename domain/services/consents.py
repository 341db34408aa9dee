"""A seller's consent on the mall's own page: the way there, the way back, and the code that a worker changes into tokens.

The API never calls a mall: the return only keeps the code, sealed, and starts the job that exchanges it and tests the
shop. The state names the account, because the return carries no sign-in; the rest of it is secret, kept as a hash, good
for one return within ten minutes.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from domain.model.actors import SYSTEM, Actor
from domain.model.errors import DomainError
from domain.model.jobs import JobKind
from domain.model.mall_specs import MALL_SPECS, consent_url
from domain.services import credentials, shops
from domain.services.credentials import Vault
from domain.store import consents, jobs, logs
from domain.store import shops as shop_rows
from domain.store.consents import Consent
from domain.store.database import Database, Tx

CONSENT_LIFE = timedelta(minutes=10)
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class ConsentCode:
    """What the worker exchanges: the code, and the address it was given to."""

    shop_id: UUID
    code: str
    redirect_uri: str


async def start_consent(
    tx: Tx,
    vault: Vault,
    actor: Actor,
    shop_id: UUID,
    return_url: str,
    redirect_uri: str,
    allowed_origins: Collection[str],
    *,
    now: datetime,
) -> tuple[str, datetime]:
    """Where to send the seller's browser, and until when it may come back.

    Raises DomainError NOT_FOUND, NOT_SUPPORTED_BY_MALL, REQUIRED, or INVALID_VALUE for a return address whose origin is
    not allowed.
    """
    _check_origin(return_url, allowed_origins)
    shop = await shops.known(tx, shop_id)
    entered = await credentials.opened(tx, vault, shop_id)
    state = f"{tx.account_id.hex}.{secrets.token_urlsafe(SECRET_BYTES)}"
    url = consent_url(MALL_SPECS[shop.mall], entered, shop.settings, state, redirect_uri)
    until = now + CONSENT_LIFE
    await consents.begin(tx, shop_id, _hash(state), return_url, redirect_uri, until)
    facts = {"name": shop.name}
    await logs.operation(tx, actor.as_json(), "START_CONSENT", "SHOP", [(shop_id, facts)])
    return url, until


async def consent_returned(
    db: Database, vault: Vault, state: str, code: str | None, *, now: datetime
) -> str:
    """The browser is back from the mall: where to send it on. Without a code the seller said no, and nothing starts.

    Raises DomainError CONSENT_NEEDED for a state that is unknown, used, or too old.
    """
    async with db.transaction(_account_in(state)) as tx:
        consent = await consents.of_state(tx, _hash(state))
        if consent is None or consent.used_at is not None or consent.expires_at <= now:
            raise _start_again()
        if code:
            await _keep(tx, vault, consent, code, now)
        else:
            await consents.use(tx, consent.id, None, now)
        return consent.return_url


async def take_code(tx: Tx, vault: Vault, consent_id: UUID) -> ConsentCode | None:
    """The code to exchange; None where that is done. It stays until `exchanged` or `refused`, for a worker may die."""
    consent = await consents.get(tx, consent_id)
    if consent is None or consent.code is None:
        return None
    code = vault.open(consent.code, tx.account_id, consent.shop_id, consent_id)
    return ConsentCode(consent.shop_id, code, consent.redirect_uri)


async def exchanged(
    tx: Tx, vault: Vault, consent_id: UUID, given: Mapping[str, str], *, now: datetime
) -> None:
    """What the mall gave for the code is kept for as long as its consents live, and the code is forgotten."""
    consent = await consents.get(tx, consent_id)
    if consent is None:
        return
    shop = await shops.known(tx, consent.shop_id)
    spec = MALL_SPECS[shop.mall].consent
    until = now + spec.valid_for if spec and spec.valid_for else None
    await credentials.save_credentials(tx, vault, shop.id, given, SYSTEM, expires_at=until)
    await shop_rows.change(tx, shop.id, version=shop.version + 1)
    await consents.forget_code(tx, consent_id)


async def refused(tx: Tx, consent_id: UUID) -> None:
    """The mall does not take the code: it is forgotten, and the seller must consent anew."""
    await consents.forget_code(tx, consent_id)


async def _keep(tx: Tx, vault: Vault, consent: Consent, code: str, now: datetime) -> None:
    sealed = vault.seal(code, tx.account_id, consent.shop_id, consent.id)
    await consents.use(tx, consent.id, sealed, now)
    asked = {"consent": str(consent.id)}
    await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=consent.shop_id, input=asked, actor=SYSTEM)


def _account_in(state: str) -> UUID:
    try:
        return UUID(hex=state.partition(".")[0])
    except ValueError as error:
        raise _start_again() from error


def _start_again() -> DomainError:
    return DomainError(
        "This consent is not known, was used already, or is older than 10 minutes: go back to the shop's settings and "
        "start it again.",
        field=("state",),
        code="CONSENT_NEEDED",
    )


def _check_origin(return_url: str, allowed: Collection[str]) -> None:
    parts = urlsplit(return_url)
    if f"{parts.scheme}://{parts.netloc}" not in allowed:
        raise DomainError(
            "The return address is on none of the allowed origins: use one of them, or add it to "
            "RENKEI_ALLOWED_ORIGINS.",
            field=("return_url",),
        )


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
