"""Secrets that we make: told once, kept as a hash."""

import hashlib
import secrets

BYTES = 32


def new_secret(prefix: str) -> str:
    """256 random bits behind a prefix that says what they are."""
    return prefix + secrets.token_urlsafe(BYTES)


def hash_of(secret: str) -> bytes:
    """256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
