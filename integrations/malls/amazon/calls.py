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
        bucket: Bucket,
        *,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        accept: Collection[int] = (),
    ) -> MallAnswer:
        """Raises MallLockedOut only when a second, fresh token is refused too: 403s have been spurious."""
        send = partial(
            self._client.send,
            method,
            self._base_url + path,
            buckets=(bucket,),
            classify=classify,
            safe=method != "PATCH",
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
