"""OAuth 2.0 access tokens of one seller (RFC 6749 §6): renewed shortly before they end, kept in memory.

A refresh token that the mall replaces is saved before the new access token is used.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.model.errors import MallLockedOut
from domain.model.malls import SaveCredentials

EARLY_SECONDS = 60
REFRESH_TOKEN = "refresh_token"


@dataclass(frozen=True, slots=True)
class Granted:
    """What the mall answered to a refresh token. `lifetime`: seconds. `refresh_token`: the one to use from now on."""

    access_token: str
    lifetime: int
    refresh_token: str


Renew = Callable[[str], Awaitable[Granted]]
"""A refresh token to what it is changed into. Raises MallError."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """`renew_at`: a reading of the monotonic clock."""

    value: str
    renew_at: float


class AccessTokens:
    """Callers that need a new token at the same time share one renewal."""

    def __init__(self, credentials: Mapping[str, str], renew: Renew, save: SaveCredentials) -> None:
        self._refresh_token = credentials.get(REFRESH_TOKEN, "")
        self._renew = renew
        self._save = save
        self._token: AccessToken | None = None
        self._renewing = asyncio.Lock()

    async def current(self, refused: str = "") -> str:
        """A token that is not `refused` and lives long enough for a call.

        Raises MallLockedOut when the seller has not consented, and what the renewal raises.
        """
        async with self._renewing:
            held = self._token
            if held is None or held.value == refused or time.monotonic() >= held.renew_at:
                held = self._token = await self._renewed()
            return held.value

    async def anew(self) -> str:
        """Proves the credentials, whatever token is in hand. Raises as `current`."""
        async with self._renewing:
            self._token = await self._renewed()
            return self._token.value

    async def _renewed(self) -> AccessToken:
        if not self._refresh_token:
            raise MallLockedOut("The seller has not consented yet: give the consent.", consent=True)
        asked = time.monotonic()
        granted = await self._renew(self._refresh_token)
        await self._keep(granted.refresh_token)
        return AccessToken(granted.access_token, asked + granted.lifetime - EARLY_SECONDS)

    async def _keep(self, refresh_token: str) -> None:
        if refresh_token != self._refresh_token:
            await self._save({REFRESH_TOKEN: refresh_token})
            self._refresh_token = refresh_token
