"""Secrets of shops, sealed before they reach the database and opened only to be handed to a connector.

Envelope encryption: every secret has a key of its own (AES-256-GCM), which is kept beside it, sealed by the key of the
deployment. What a secret belongs to (account, shop, name) is bound to it, so a row copied elsewhere does not open.

    1 byte      the version of this layout
    8 bytes     which deployment key sealed it
    12 + 48     nonce and sealed key
    12 + n      nonce and sealed secret
"""

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.model.actors import SYSTEM, Actor
from domain.store import shops
from domain.store.database import Tx

VERSION = b"\x01"
NAME_BYTES, NONCE_BYTES, KEY_BYTES, TAG_BYTES = 8, 12, 32, 16
SEALED_KEY_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
HEAD_BYTES = len(VERSION) + NAME_BYTES


class CannotOpen(Exception):
    """A secret was sealed with a key that this process was not given, or was altered."""


class Vault:
    """Seals with `key`; opens what `key` or one of the `older` sealed, so that a key can be changed without a stop."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._key = key
        self._known = {_name(each): each for each in (key, *older)}

    def __repr__(self) -> str:
        return "Vault()"

    def seal(self, secret: str, *belongs_to: object) -> bytes:
        """`belongs_to` must be given again, word for word, to open it."""
        bound = _bound(belongs_to)
        own_key = AESGCM.generate_key(bit_length=KEY_BYTES * 8)
        sealed = _encrypt(self._key, own_key, bound) + _encrypt(own_key, secret.encode(), bound)
        return VERSION + _name(self._key) + sealed

    def open(self, sealed: bytes, *belongs_to: object) -> str:
        """Raises CannotOpen."""
        bound = _bound(belongs_to)
        key = self._known.get(sealed[len(VERSION) : HEAD_BYTES])
        if key is None or sealed[: len(VERSION)] != VERSION:
            raise CannotOpen(
                "Sealed with another key: set RENKEI_SECRET_KEY to the one it was sealed with."
            )
        body = HEAD_BYTES + SEALED_KEY_BYTES
        try:
            own_key = _decrypt(key, sealed[HEAD_BYTES:body], bound)
            return _decrypt(own_key, sealed[body:], bound).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(
                "A sealed secret was altered, or moved from where it belongs."
            ) from error


async def opened(tx: Tx, vault: Vault, shop_id: UUID) -> dict[str, str]:
    """The shop's credentials by key, in the clear: for a connector, never for an answer or a log."""
    sealed = await shops.credentials(tx, shop_id)
    return {
        key: vault.open(ciphertext, tx.account_id, shop_id, key)
        for key, (ciphertext, _) in sealed.items()
    }


async def save_credentials(
    tx: Tx,
    vault: Vault,
    shop_id: UUID,
    credentials: Mapping[str, str],
    actor: Actor,
    *,
    expires_at: datetime | None = None,
) -> None:
    """Keeps these and leaves the others. `expires_at`: how long they live, where that is known."""
    for key, secret in credentials.items():
        sealed = vault.seal(secret, tx.account_id, shop_id, key)
        await shops.set_credential(tx, shop_id, key, sealed, actor.as_json(), expires_at)


async def renewed_by_mall(
    tx: Tx, vault: Vault, shop_id: UUID, credentials: Mapping[str, str]
) -> None:
    """What the mall itself changed in a call (a new refresh token): it lives as long as the one before."""
    for key, secret in credentials.items():
        sealed = vault.seal(secret, tx.account_id, shop_id, key)
        await shops.renew_credential(tx, shop_id, key, sealed, SYSTEM.as_json())


def _bound(belongs_to: tuple[object, ...]) -> bytes:
    return "\x1f".join(str(part) for part in belongs_to).encode()


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"renkei key name" + key).digest()[:NAME_BYTES]


def _encrypt(key: bytes, content: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, bound)


def _decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
