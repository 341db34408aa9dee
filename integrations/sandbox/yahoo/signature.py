"""Public-key authentication (公開鍵認証): the key pair of a store and the signature it sends (fact sheet §1)."""

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.requests import Request

from integrations.sandbox.ledger import Shop

KEY_LIFE = timedelta(days=365)
CLOCK_TOLERANCE = timedelta(minutes=5)
SIGNATURE = "x-sws-signature"
VERSION = "x-sws-signature-version"
STATUS = "X-SWS-Authorize-Status"


def new_key_pair(now: datetime) -> dict[str, Any]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kept = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "public_key": public.decode(),
        "private_key": kept.decode(),
        "key_version": "1",
        "key_expires_at": (now + KEY_LIFE).isoformat(),
    }


def status_of(request: Request, shop: Shop, now: datetime) -> str | None:
    """What Yahoo answers about the signature in X-SWS-Authorize-Status; None when none was sent."""
    sent = request.headers.get(SIGNATURE)
    if sent is None:
        return None
    version = request.headers.get(VERSION, "")
    return "authorized" if _is_valid(sent, version, shop, now) else "unauthorized"


def _is_valid(sent: str, version: str, shop: Shop, now: datetime) -> bool:
    if version != str(shop.credentials["key_version"]):
        return False
    if datetime.fromisoformat(shop.credentials["key_expires_at"]) <= now:
        return False
    seller, _, seconds = _decrypted(sent, shop).partition(":")
    return seller == shop.seller and seconds.isdigit() and _is_near(int(seconds), now)


def _decrypted(sent: str, shop: Shop) -> str:
    """What the store encrypted with its public key; "" when it cannot be read."""
    pem = shop.credentials["private_key"].encode()
    # The key is this sandbox's own, and checking it takes 30 ms a call.
    private = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, rsa.RSAPrivateKey):
        return ""
    try:
        return private.decrypt(base64.b64decode(sent, validate=True), padding.PKCS1v15()).decode()
    except (binascii.Error, ValueError):
        return ""


def _is_near(seconds: int, now: datetime) -> bool:
    return abs(now.timestamp() - seconds) <= CLOCK_TOLERANCE.total_seconds()
