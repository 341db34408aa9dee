"""Passwords as they are kept: by Argon2id, away from the event loop, few at a time."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from domain.model.passwords import normal
from domain.services.attempts import TooManyAttempts

AT_ONCE = 2
"""Each takes 64 MiB, and up to four cores for some 50 ms."""

MOST_WAITING = 50
BUSY = timedelta(seconds=5)

Done = TypeVar("Done")
HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`anew`: the right password, hashed as it should be by now; None where it is already."""

    right: bool
    anew: str | None = None


class Passwords:
    """One serves a process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "passwords")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """Raises TooManyAttempts while too many wait."""
        return await self._apart(lambda: HASHER.hash(normal(password)))

    async def compared(self, kept: str | None, password: str) -> Verdict:
        """Takes the same time where there is none kept. Raises TooManyAttempts while too many wait."""
        return await self._apart(lambda: _compared(kept, normal(password)))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _apart(self, work: Callable[[], Done]) -> Done:
        if self._waiting >= MOST_WAITING:
            raise TooManyAttempts(BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _compared(kept: str | None, password: str) -> Verdict:
    nobodys = _nobodys()
    try:
        HASHER.verify(kept or nobodys, password)
    except (Argon2Error, InvalidHashError):
        return Verdict(False)
    if kept is None:
        return Verdict(False)
    return Verdict(True, HASHER.hash(password) if HASHER.check_needs_rehash(kept) else None)


@cache
def _nobodys() -> str:
    """What the passwords of those who have none are compared with."""
    return HASHER.hash(secrets.token_urlsafe())
