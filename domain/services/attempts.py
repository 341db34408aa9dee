"""How often secrets may be guessed: buckets that every process draws from."""

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.model.errors import DomainError
from domain.store import rates
from domain.store.database import Database

PREFIX = "attempt:"


class TooManyAttempts(DomainError):
    """`wait`: after so long another is heard."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, math.ceil(wait.total_seconds()))
        super().__init__(
            f"Too many attempts: try again in {self.seconds} seconds.", seconds=self.seconds
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, then one each `every`."""

    at_once: int
    every: timedelta


SOURCE = Allowance(50, timedelta(seconds=10))
"""Of one network, at whomever."""

PERSON = Allowance(10, timedelta(minutes=1))
"""At one person from one network."""

PERSON_EVERYWHERE = Allowance(100, timedelta(seconds=10))
"""At one person from all networks together, so that a thousand of them guess no faster."""


async def count_sign_in(db: Database, account: str, email: str, address: str) -> None:
    """One attempt at who is named so, whether or not there is such a person. Raises TooManyAttempts.

    What is refused to a network takes nothing from those that are wider: it can keep nobody out elsewhere.
    """
    await count_source(db, address)
    await _count(db, _key("person", account, email, network(address)), PERSON)
    await _count(db, _key("everywhere", account, email), PERSON_EVERYWHERE)


async def count_own_password(db: Database, account_id: UUID, user_id: UUID | None) -> None:
    """One attempt at it by who is signed in as this person, from wherever. Raises TooManyAttempts."""
    await _count(db, _key("own", str(account_id), str(user_id)), PERSON)


async def count_source(db: Database, address: str) -> None:
    """One attempt from this address. Raises TooManyAttempts."""
    await _count(db, f"{PREFIX}source:{network(address)}", SOURCE)


def network(address: str) -> str:
    """What one customer of a provider is given: an IPv4 address, 64 bits of an IPv6 address."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        mapped = known.ipv4_mapped
        return str(mapped or ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def _key(kind: str, *named: str) -> str:
    """Hashed: no row tells who was tried."""
    hashed = hashlib.sha256("\x1f".join(named).encode()).hexdigest()
    return f"{PREFIX}{kind}:{hashed}"


async def _count(db: Database, key: str, allowance: Allowance) -> None:
    rate = 1 / allowance.every.total_seconds()
    try:
        await rates.reserve(
            db,
            key,
            rate=rate,
            burst=allowance.at_once,
            per_day=None,
            today="",
            patience=timedelta(),
        )
    except rates.TooLong as error:
        raise TooManyAttempts(error.wait) from error
