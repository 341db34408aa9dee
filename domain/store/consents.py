"""Consents that sellers are giving on a mall's page: who was sent there, and the code they came back with."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Consent:
    """One way to a mall's page and back. `code`: what the mall gave, sealed, until it was changed into tokens."""

    id: UUID
    shop_id: UUID
    return_url: str
    redirect_uri: str
    code: bytes | None
    expires_at: datetime
    used_at: datetime | None


BEGIN = text(
    """
    INSERT INTO shop_consents (account_id, shop_id, state_hash, return_url, redirect_uri, expires_at)
    VALUES (:account, :shop, :state_hash, :return_url, :redirect_uri, :expires_at) RETURNING id
    """
)

COLUMNS = "id, shop_id, return_url, redirect_uri, code_ciphertext AS code, expires_at, used_at"

OF_STATE = text(
    f"SELECT {COLUMNS} FROM shop_consents WHERE account_id = :account AND state_hash = :state_hash FOR UPDATE"  # noqa: S608
)

GET = text(f"SELECT {COLUMNS} FROM shop_consents WHERE account_id = :account AND id = :consent")  # noqa: S608

USE = text(
    """
    UPDATE shop_consents SET used_at = :at, code_ciphertext = :code
    WHERE account_id = :account AND id = :consent
    """
)

FORGET = text(
    "UPDATE shop_consents SET code_ciphertext = NULL WHERE account_id = :account AND id = :consent"
)

ERASE = text("DELETE FROM shop_consents WHERE account_id = :account AND shop_id = :shop")


async def begin(
    tx: Tx,
    shop_id: UUID,
    state_hash: bytes,
    return_url: str,
    redirect_uri: str,
    expires_at: datetime,
) -> UUID:
    consent_id: UUID = await tx.scalar(
        BEGIN,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "state_hash": state_hash,
            "return_url": return_url,
            "redirect_uri": redirect_uri,
            "expires_at": expires_at,
        },
    )
    return consent_id


async def of_state(tx: Tx, state_hash: bytes) -> Consent | None:
    """Held until commit, so that a state can be used once only."""
    values = {"account": tx.account_id, "state_hash": state_hash}
    row = (await tx.execute(OF_STATE, values)).one_or_none()
    return None if row is None else Consent(**row._mapping)


async def get(tx: Tx, consent_id: UUID) -> Consent | None:
    values = {"account": tx.account_id, "consent": consent_id}
    row = (await tx.execute(GET, values)).one_or_none()
    return None if row is None else Consent(**row._mapping)


async def use(tx: Tx, consent_id: UUID, code: bytes | None, at: datetime) -> None:
    values = {"account": tx.account_id, "consent": consent_id, "code": code, "at": at}
    await tx.execute(USE, values)


async def forget_code(tx: Tx, consent_id: UUID) -> None:
    await tx.execute(FORGET, {"account": tx.account_id, "consent": consent_id})


async def erase(tx: Tx, shop_id: UUID) -> None:
    """Every consent that the shop's seller is giving."""
    await tx.execute(ERASE, {"account": tx.account_id, "shop": shop_id})
