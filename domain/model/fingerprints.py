"""Fingerprints of what was asked for: equal where it is equal, and worth nothing to who holds them without our key.

A plain hash of a form with a password in it would let whoever reads it try passwords until one fits.
"""

import hmac
import secrets

PURPOSE = b"renkei fingerprints"
KEY_BYTES = 32


class Fingerprints:
    """With a key of its own that follows from the deployment's; every process of one deployment makes the same."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, PURPOSE, "sha256")

    @classmethod
    def of_this_process(cls) -> "Fingerprints":
        """That no other process makes alike."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def __repr__(self) -> str:
        return "Fingerprints()"

    def of(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")
