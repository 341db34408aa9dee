"""Calls to the Selling Partner API, signed with the seller's access token (the mall's fact sheet, §1)."""

from collections.abc import Collection, Mapping
from functools import partial

from domain.model.errors import MallLockedOut
from domain.model.malls import Bucket
from integrations.http import MallAnswer, MallClient

from .auth import Login
from .errors import classify


class SellingPartnerApi:
    def __init__(self, client: MallClient, base_url: str, login: Login) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._login = login

    async def call(
        self,
        method: str,
        path: str,
        *buckets: Bucket,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        accept: Collection[int] = (),
        safe: bool | None = None,
    ) -> MallAnswer:
        """Raises MallLockedOut only when a second, fresh token is refused too: 403s have been spurious.

        `safe`: it changes nothing that anybody sees. None: so does whatever is no PATCH.
        """
        safe = method != "PATCH" if safe is None else safe
        send = partial(
            self._client.send,
            method,
            self._base_url + path,
            buckets=buckets,
            classify=partial(classify, safe=safe),
            safe=safe,
            params=params,
            json=json,
            accept=accept,
        )
        token = await self._login.tokens.current()
        try:
            return await send(headers=signed(token))
        except MallLockedOut:
            token = await self._login.tokens.current(refused=token)
        return await send(headers=signed(token))


def signed(token: str) -> dict[str, str]:
    return {"x-amz-access-token": token, "accept": "application/json"}
