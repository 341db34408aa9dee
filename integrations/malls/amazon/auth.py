"""Login with Amazon: a consent code becomes a refresh token, a refresh token becomes access tokens.

An access token lives an hour and stays in memory; a refresh token lives until it is revoked. Client secrets must be
rotated every 180 days and sellers consent anew every year (the mall's fact sheet, §1).
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from domain.model.errors import MallError, MallLockedOut, MallMalformed
from domain.model.malls import SaveCredentials
from integrations.http import MallClient

from .answers import document_in, optional, required, word

PATH = "/auth/o2/token"
EARLY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AccessToken:
    """`renew_at` is a reading of the monotonic clock, a minute before the token ends."""

    value: str
    renew_at: float


class Login:
    """The access token of one seller. Callers that need a new one at the same time share one renewal."""

    def __init__(
        self,
        client: MallClient,
        auth_url: str,
        credentials: Mapping[str, str],
        save: SaveCredentials,
    ) -> None:
        self._client = client
        self._url = auth_url.rstrip("/") + PATH
        self._credentials = dict(credentials)
        self._save = save
        self._token: AccessToken | None = None
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """Raises MallLockedOut when Amazon refuses the credentials, or when one is not set."""
        async with self._renewing:
            if self._token is None or time.monotonic() >= self._token.renew_at:
                self._token = await self._renew()
            return self._token.value

    async def token_other_than(self, refused: str) -> str:
        """A token newer than the one Amazon refused."""
        async with self._renewing:
            if self._token is None or self._token.value == refused:
                self._token = await self._renew()
            return self._token.value

    async def fresh_token(self) -> str:
        """Proves the credentials anew, whatever token is in hand."""
        async with self._renewing:
            self._token = await self._renew()
            return self._token.value

    async def exchange(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        """The refresh token that a consent code stands for. A code can be used once."""
        response = await self._ask(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri},
            safe=False,
        )
        with document_in(response, quoted=False) as document:
            return {"refresh_token": word(document, "refresh_token")}

    async def _renew(self) -> AccessToken:
        refresh_token = self._credentials.get("refresh_token")
        if not refresh_token:
            raise MallLockedOut("The seller has not consented yet: give the consent.", consent=True)
        asked = time.monotonic()
        response = await self._ask(
            {"grant_type": "refresh_token", "refresh_token": refresh_token}, safe=True
        )
        with document_in(response, quoted=False) as document:
            lifetime = required(document, "expires_in", int)
            token = AccessToken(word(document, "access_token"), asked + lifetime - EARLY_SECONDS)
            renewed = optional(document, "refresh_token", str) or refresh_token
        await self._keep(renewed)
        return token

    async def _keep(self, refresh_token: str) -> None:
        if refresh_token != self._credentials["refresh_token"]:
            self._credentials["refresh_token"] = refresh_token
            await self._save({"refresh_token": refresh_token})

    async def _ask(self, grant: Mapping[str, str], *, safe: bool) -> httpx.Response:
        """A refresh token may be used again and again, a consent code once."""
        form = {**grant, **{key: self._credential(key) for key in ("client_id", "client_secret")}}
        answer = await self._client.send(
            "POST", self._url, buckets=(), classify=classify, safe=safe, data=form
        )
        return answer.response

    def _credential(self, key: str) -> str:
        value = self._credentials.get(key)
        if not value:
            raise MallLockedOut(f"{key} is not set: enter it in the shop's credentials.")
        return value


def classify(response: httpx.Response) -> MallError | None:
    """Whatever Login with Amazon objects to (400, 401), it is the credentials; `invalid_grant` asks for a new consent."""
    if not response.is_client_error or response.status_code == 429:
        return None
    code, words = _objection(response)
    if code == "invalid_grant":
        return MallLockedOut(
            "The seller's consent no longer holds: give it again.",
            consent=True,
            mall_code=code,
            mall_message=words,
        )
    return MallLockedOut(
        "Amazon does not accept the client id and secret: check them in the shop's credentials.",
        mall_code=code,
        mall_message=words,
    )


def _objection(response: httpx.Response) -> tuple[str, str]:
    """`{"error": ..., "error_description": ...}`; of anything else the status alone."""
    try:
        with document_in(response, quoted=False) as document:
            return word(document, "error"), optional(document, "error_description", str) or ""
    except MallMalformed:
        return str(response.status_code), ""
