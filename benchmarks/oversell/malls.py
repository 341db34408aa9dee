"""The five shops at the sandbox malls: the malls' application itself, without a server, in virtual time.

The connectors speak HTTP to it through `Wire`, which lets half a call's time pass before and after each answer. Shoppers and
the books are reached by the sandbox's control API, at once.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import httpx
from starlette.types import ASGIApp

from benchmarks.oversell.scene import SHARES
from benchmarks.oversell.virtual import Clock
from domain.model.malls import ItemRef, MallKind
from integrations.sandbox.app import create_app
from integrations.sandbox.clock import Clock as MallClock
from renkei.demo.books import MallBooks, read_state
from renkei.demo.seeding import form_of
from renkei.demo.stalls import PLACES, SOLD_OUT, named, ref_at

CALL_SECONDS = 0.3
ADDRESS = "http://malls"
LASTING = 30 * 86_400
"""Seconds for which a consent lasts: renewing it is not what is compared."""


class Wire(httpx.AsyncBaseTransport):
    """The way to the malls. Answers carry the malls' time, as a server's do."""

    def __init__(self, app: ASGIApp, clock: Clock, call_seconds: float = CALL_SECONDS) -> None:
        self._malls = httpx.ASGITransport(app=app)
        self._clock = clock
        self._half = call_seconds / 2

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._half)
        answer = await self._malls.handle_async_request(request)
        answer.headers["date"] = format_datetime(self._clock.now(), usegmt=True)
        await asyncio.sleep(self._half)
        return answer


@dataclass(frozen=True, slots=True)
class Written:
    """A number that was written to a mall's counter."""

    at: datetime
    shop: str
    code: str
    quantity: int


@dataclass(slots=True)
class Stand:
    """One shop at its mall. `code_of`: our product by the mall's name for it."""

    name: str
    kind: MallKind
    control: httpx.AsyncClient
    code_of: Mapping[ItemRef, str]
    credentials: Mapping[str, str] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)

    @property
    def seller(self) -> str:
        return "A" + self.name.upper() if self.kind is MallKind.AMAZON else self.name

    @property
    def settings(self) -> Mapping[str, str]:
        """What our side enters to reach it."""
        place = PLACES[self.kind]
        paths = {key: ADDRESS + path for key, path in place.paths.items()}
        return paths | dict.fromkeys(place.settings, self.seller)

    async def open(self, held: Mapping[str, int], *, limits: bool) -> None:
        """Everything that is held is on sale here."""
        rules = {**PLACES[self.kind].delays, "limits": limits, "session_life": LASTING}
        told = await self.ask("POST", "shops", settings=rules)
        self.credentials = form_of(self.kind, told["credentials"])
        items = [
            named(ref) | {"name": code, "quantity": held[code]}
            for ref, code in self.code_of.items()
        ]
        await self.ask("PUT", "items", items=items)

    async def buy(self, units: Mapping[str, int], invoice: str) -> dict[str, int]:
        """One purchase, of as much as the mall's counters have. What was bought, by product."""
        lines = {ref_at(self.kind, code): wanted for code, wanted in units.items()}
        while lines:
            bought = [named(ref) | {"quantity": units} for ref, units in lines.items()]
            answer = await self._send("POST", "purchase", lines=bought, details={"no": invoice})
            if answer.is_success:
                break
            error = answer.json()["error"]
            assert error["code"] == SOLD_OUT, error
            short = ItemRef(error["item_code"], error["variant_code"])
            lines = {**lines, short: max(int(error["left"]), 0)}
            lines = {ref: units for ref, units in lines.items() if units}
        return {self.code_of[ref]: units for ref, units in lines.items()}

    async def collect(self) -> None:
        """Keeps what was written since it was last asked, at a moment when nothing is being written."""
        since = self.written[-1].at if self.written else None
        for write in (await self.ask("GET", "state"))["writes"]:
            at = datetime.fromisoformat(write["at"])
            if since is None or at > since:
                code = self.code_of[ItemRef(write["item_code"], write["variant_code"])]
                self.written.append(Written(at, self.name, code, int(write["quantity"])))

    async def counters(self) -> dict[str, int]:
        """What the mall would sell, by product."""
        items = (await self.ask("GET", "state"))["items"]
        refs = ((ItemRef(each["item_code"], each["variant_code"]), each) for each in items)
        return {self.code_of[ref]: int(each["quantity"]) for ref, each in refs}

    async def books(self, shop_id: UUID) -> MallBooks:
        return read_state(shop_id, await self.ask("GET", "state"))

    async def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = await self._send(method, path, **body)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def _send(self, method: str, path: str, **body: Any) -> httpx.Response:
        whose = {"mall": PLACES[self.kind].mall, "seller": self.seller}
        where: dict[str, Any] = {"params": whose} if method == "GET" else {"json": whose | body}
        return await self.control.request(method, f"/_control/{path}", **where)


@dataclass(frozen=True, slots=True)
class Malls:
    """`http`: for connectors."""

    stands: Mapping[str, Stand]
    http: httpx.AsyncClient


@asynccontextmanager
async def open_malls(
    clock: Clock, held: Mapping[str, int], *, limits: bool
) -> AsyncIterator[Malls]:
    """Five shops that have everything on sale; `limits` off: they take as many calls as come."""
    app = create_app(clock=MallClock(read=clock.now))
    async with (
        httpx.AsyncClient(transport=Wire(app, clock)) as http,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ADDRESS) as control,
    ):
        stands = {name: _stand(name, kind, held, control) for name, (kind, _) in SHARES.items()}
        for stand in stands.values():
            await stand.open(held, limits=limits)
        yield Malls(stands, http)


def _stand(name: str, kind: MallKind, held: Mapping[str, int], control: httpx.AsyncClient) -> Stand:
    return Stand(name, kind, control, {ref_at(kind, code): code for code in held})
