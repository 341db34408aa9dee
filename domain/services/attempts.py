"""How often secrets may be guessed: buckets that every process draws from."""

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta

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


PERSON = Allowance(10, timedelta(minutes=1))
SOURCE = Allowance(50, timedelta(seconds=10))


async def count_person(db: Database, *person: str) -> None:
    """One attempt at who is named so. Raises TooManyAttempts."""
    named = hashlib.sha256("\x1f".join(person).encode()).hexdigest()
    await _count(db, f"{PREFIX}person:{named}", PERSON)


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
