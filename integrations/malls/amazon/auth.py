"""Login with Amazon: a consent code becomes a refresh token, a refresh token becomes access tokens.

An access token lives an hour and stays in memory; a refresh token lives until it is revoked. Client secrets must be
rotated every 180 days and sellers consent anew every year (the mall's fact sheet, §1).
"""

from collections.abc import Mapping

import httpx

from domain.model.errors import MallError, MallLockedOut, MallMalformed
from domain.model.malls import SaveCredentials
from integrations.access_tokens import AccessTokens, Granted
from integrations.http import MallClient

from .answers import document_in, optional, required, word

PATH = "/auth/o2/token"


class Login:
    """How one seller's consent and refresh token are changed into tokens."""

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
        self.tokens = AccessTokens(credentials, self._renew, save)

    async def exchange(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        """The refresh token that a consent code stands for. A code can be used once."""
        response = await self._ask(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri},
            safe=False,
        )
        with document_in(response, quoted=False) as document:
            return {"refresh_token": word(document, "refresh_token")}

    async def _renew(self, refresh_token: str) -> Granted:
        response = await self._ask(
            {"grant_type": "refresh_token", "refresh_token": refresh_token}, safe=True
        )
        with document_in(response, quoted=False) as document:
            return Granted(
                word(document, "access_token"),
                required(document, "expires_in", int),
                optional(document, "refresh_token", str) or refresh_token,
            )

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
