"""Connectors answered from recorded payloads: a throttle that remembers, a shop, and a transport."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from domain.model.malls import Bucket, Mall, MallKind, ShopConfig
from integrations.registry import connect

PAYLOADS = Path(__file__).parent / "payloads"
DATE = "Sun, 01 Feb 2026 01:00:00 GMT"


@dataclass
class OpenThrottle:
    """Lets every call pass at once; remembers what was drawn and what the mall said."""

    taken: list[str] = field(default_factory=list)
    told: dict[str, timedelta] = field(default_factory=dict)

    async def take(self, *buckets: Bucket) -> None:
        self.taken += [bucket.name for bucket in buckets]

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        self.told[bucket.name] = retry_after


@dataclass
class Recorded:
    """A connector whose mall gives the answers of `handler`; `requests` are those it made."""

    handler: Callable[[httpx.Request], httpx.Response]
    requests: list[httpx.Request] = field(default_factory=list)
    throttle: OpenThrottle = field(default_factory=OpenThrottle)
    saved: dict[str, str] = field(default_factory=dict)

    def mall(
        self, kind: MallKind, credentials: Mapping[str, str], settings: Mapping[str, str]
    ) -> Mall:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return connect(ShopConfig(kind, credentials, settings), http, self.throttle, self._save)

    def body(self, position: int = -1) -> object:
        return json.loads(self.requests[position].content)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.handler(request)
        response.headers.setdefault("date", DATE)
        return response

    async def _save(self, credentials: Mapping[str, str]) -> None:
        self.saved.update(credentials)


def payload(name: str, status: int = 200) -> httpx.Response:
    path = PAYLOADS / name
    media = {".json": "application/json", ".xml": "text/xml; charset=utf-8", ".csv": "text/csv"}
    return httpx.Response(
        status, content=path.read_bytes(), headers={"content-type": media[path.suffix]}
    )
