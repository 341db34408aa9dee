"""Yahoo! ID連携 v2 and the public key that keeps order sessions alive (the mall's fact sheet, §1).

An access token lives an hour and stays in memory. A refresh token ends four weeks after the consent, or early when
the consent is withdrawn; using it does not prolong it. A new one is kept when Yahoo sends one.
"""

from base64 import b64encode
from collections.abc import Mapping

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from domain.model.clocks import Now
from domain.model.errors import MallError, MallLockedOut
from domain.model.malls import Bucket, BucketScope, SaveCredentials
from integrations.access_tokens import AccessTokens, Granted
from integrations.http import MallClient, reading

TOKEN = Bucket("yahoo.token", rate=1, scope=BucketScope.APPLICATION)
PATH = "/yconnect/v2/token"
CONSENT_ENDED = "invalid_grant"


class Login:
    """How one store's consent and refresh token are changed into tokens."""

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
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        )
        with reading(response, personal=True):
            return {"refresh_token": word(response.json()["refresh_token"])}

    async def _renew(self, refresh_token: str) -> Granted:
        response = await self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token})
        with reading(response, personal=True):
            body = response.json()
            renewed = word(body.get("refresh_token") or refresh_token)
            return Granted(word(body["access_token"]), int(body["expires_in"]), renewed)

    async def _ask(self, grant: Mapping[str, str]) -> httpx.Response:
        answer = await self._client.send(
            "POST",
            self._url,
            buckets=(TOKEN,),
            classify=classify,
            safe=True,
            headers={"authorization": self._basic()},
            data=grant,
        )
        return answer.response

    def _basic(self) -> str:
        client_id, secret = (self._credentials.get(k, "") for k in ("client_id", "client_secret"))
        if not client_id or not secret:
            raise MallLockedOut("Enter the client id and the client secret.")
        return f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"


def classify(response: httpx.Response) -> MallError | None:
    """`{"error", "error_description"}`: `invalid_grant` asks for a new consent, all else is the application's fault."""
    if not response.is_client_error or response.status_code == 429:
        return None
    code, words = _objection(response)
    if code == CONSENT_ENDED:
        return MallLockedOut(
            "Yahoo's consent has ended: give it again.",
            consent=True,
            mall_code=code,
            mall_message=words,
        )
    return MallLockedOut(
        "Yahoo does not accept the client id and secret.", mall_code=code, mall_message=words
    )


def _objection(response: httpx.Response) -> tuple[str, str]:
    try:
        body = response.json()
        return str(body["error"]), str(body.get("error_description", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return str(response.status_code), ""


def word(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is missing")
    return value


class Signature:
    """Headers of the public-key authentication; none where the store has no key. Raises MallLockedOut for a key that
    cannot be read."""

    def __init__(self, seller_id: str, credentials: Mapping[str, str], now: Now) -> None:
        self._seller_id = seller_id
        self._now = now
        self._version = credentials.get("public_key_version", "")
        self._pem = credentials.get("public_key", "").strip()
        self._sealed = (0, "")

    @property
    def in_use(self) -> bool:
        return bool(self._pem and self._version)

    def headers(self) -> dict[str, str]:
        if not self.in_use:
            return {}
        second = int(self._now().timestamp())
        if self._sealed[0] != second:
            self._sealed = (second, self._seal(second))
        return {"x-sws-signature": self._sealed[1], "x-sws-signature-version": self._version}

    def _seal(self, second: int) -> str:
        """What is sealed names the second: one seal does for all calls of it."""
        plain = f"{self._seller_id}:{second}".encode()
        return b64encode(self._key().encrypt(plain, PKCS1v15())).decode()

    def refused_by(self, response: httpx.Response) -> bool:
        """Yahoo may answer 200 to a bad key: only the header tells."""
        status = response.headers.get("x-sws-authorize-status", "")
        return self.in_use and status != "authorized"

    def _key(self) -> RSAPublicKey:
        try:
            key = load_pem_public_key(self._pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise MallLockedOut("The public key cannot be read: paste it whole, as PEM.") from error
        if not isinstance(key, RSAPublicKey):
            raise MallLockedOut("The public key is not an RSA key.")
        return key
