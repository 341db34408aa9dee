"""確認: what changes much at the malls is done only by someone who has seen how much that is.

Whoever looks at a preview is given a token with it. It says what they saw, holds for them and for that very change alone,
and is signed, so that nothing needs to be kept.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

VALID = timedelta(minutes=10)
PURPOSE = b"renkei confirmation tokens"
SIGNATURE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """How many listings may go to zero, or change, without being asked about."""

    to_zero: int
    changed: int


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a change would do: listings to zero and changed; shops that it sends to while their orders are not read."""

    to_zero: int = 0
    changed: int = 0
    orders_off: int = 0


def is_needed(stakes: Stakes, limits: Limits) -> bool:
    return (
        stakes.to_zero > limits.to_zero or stakes.changed > limits.changed or stakes.orders_off > 0
    )


def has_grown(now: Stakes, seen: Stakes) -> bool:
    """Any of it: what was agreed to was less."""
    return any(new > old for new, old in zip(astuple(now), astuple(seen), strict=True))


class Confirmer:
    """Signs what was seen, with a key of its own that follows from the deployment's."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, PURPOSE, "sha256")

    def __repr__(self) -> str:
        return "Confirmer()"

    def token(self, seen: Stakes, bound: Sequence[object], until: datetime) -> str:
        """`bound`: whose it is and for what; it must be given again, word for word."""
        body = json.dumps([*astuple(seen), int(until.timestamp())]).encode()
        return urlsafe_b64encode(self._signature(body, bound) + body).rstrip(b"=").decode()

    def seen(self, token: str, bound: Sequence[object], now: datetime) -> Stakes | None:
        """What its holder saw. None: it is not for this, not theirs, too old, or no token at all."""
        try:
            read = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            return None
        signature, body = read[:SIGNATURE_BYTES], read[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(body, bound)):
            return None
        *counts, until = json.loads(body)
        return None if now.timestamp() >= until else Stakes(*counts)

    def _signature(self, body: bytes, bound: Sequence[object]) -> bytes:
        whole = json.dumps([*map(str, bound)]).encode() + b"\n" + body
        return hmac.digest(self._key, whole, "sha256")
