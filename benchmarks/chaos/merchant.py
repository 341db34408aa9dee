"""The merchant's program at the API: it asks the other process when one does not answer, and repeats a request by its key."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import httpx

from api.nodes import global_id
from benchmarks.chaos.schedule import Act

ANSWER_SECONDS = 5.0
PATIENCE = 180.0
AGAIN_AFTER = 0.2
LOOK_AFTER_SHOPS_EVERY = 2.0
UNDER_WAY = "IDEMPOTENCY_IN_PROGRESS"

ADJUST = """mutation ($input: AdjustStockInput!) { adjustStock(input: $input) {
    results { userErrors { code } } userErrors { code message } } }"""
SET = """mutation ($input: SetStockInput!) { setStock(input: $input) {
    results { userErrors { code } } userErrors { code message } } }"""
READ = """mutation ($input: ReadMallStockInput!) { readMallStock(input: $input) {
    job { id } userErrors { code message } } }"""
UPDATE = """mutation ($input: UpdateShopInput!) { updateShop(input: $input) {
    check { id } userErrors { code message } } }"""
CLEAR = """mutation ($input: ClearErrorsInput!) { clearErrors(input: $input) {
    checks { id } userErrors { code message } } }"""
HALTS = """{ syncErrors(first: 50, filter: {levels: [LEVEL_9], states: [OPEN]}) {
    edges { node { id shop { id } } } } }"""


class GaveUp(Exception):
    """No API process did what was asked, however often."""


@dataclass(slots=True)
class Api:
    """`repeats`: how often a request was sent again because no answer came."""

    http: httpx.AsyncClient
    addresses: Sequence[str]
    token: str
    name: str
    repeats: int = 0
    _keys: "count[int]" = field(default_factory=count)
    _turns: "count[int]" = field(default_factory=count)

    def key(self) -> str:
        return f"{self.name}-{next(self._keys)}"

    async def change(self, document: str, *, key: str | None = None, **input: Any) -> Any:
        """The payload, sent by one key until somebody answers. Raises GaveUp."""
        keyed = {**input, "idempotencyKey": key or self.key()}
        return await self.ask(document, input=keyed)

    async def ask(self, document: str, **variables: Any) -> Any:
        """The only field's value. Raises GaveUp."""
        last = ""
        clock = asyncio.get_running_loop()
        end = clock.time() + PATIENCE
        while clock.time() < end:
            answer, last = await self._asked(document, variables)
            if answer is not None:
                return answer
            self.repeats += 1
            await asyncio.sleep(AGAIN_AFTER)
        raise GaveUp(f"{document.split('{')[1].strip()}: {last}")

    async def _asked(self, document: str, variables: Mapping[str, Any]) -> tuple[Any, str]:
        """The value; None and the reason where it is to be asked again."""
        address = self.addresses[next(self._turns) % len(self.addresses)]
        try:
            answer = await self.http.post(
                f"{address}/graphql",
                json={"query": document, "variables": variables},
                headers={"authorization": f"Bearer {self.token}"},
                timeout=ANSWER_SECONDS,
            )
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return None, repr(error)
        if told.get("errors") or not told.get("data"):
            return None, str(told)[:300]
        [value] = told["data"].values()
        codes = [each["code"] for each in value.get("userErrors", ())]
        return (None, UNDER_WAY) if UNDER_WAY in codes else (value, "")


@dataclass(frozen=True, slots=True)
class Request:
    """A change of a total, as it is sent again and again by its key."""

    document: str
    input: Mapping[str, Any]
    key: str


@dataclass(slots=True)
class Merchant:
    """`changes` and `totals`: what the API has said is done, by code. `refused`: codes of what it would not do.

    `done`: the requests that made them, in their order. `setting`: who sets totals; one at a time, so that the last is known.
    `expired`: shops whose credentials are dead by now; their halts are cleared when there are new ones.
    """

    api: Api
    products: Mapping[str, UUID]
    changes: Counter[str] = field(default_factory=Counter)
    totals: dict[str, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    done: list[Request] = field(default_factory=list)
    expired: set[UUID] = field(default_factory=set)
    cleared: int = 0
    setting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def act(self, act: Act) -> None:
        """One act."""
        if act.change is not None:
            await self.adjust(act.code, act.change)
            return
        async with self.setting:
            items = [{"productId": self._id(act.code), "total": act.total}]
            request = Request(SET, {"items": items, "reflect": True}, self.api.key())
            if await self._sent(request):
                self.totals[act.code] = act.total or 0
                self.done.append(request)

    async def adjust(self, code: str, change: int, *, twice: bool = False) -> None:
        """`twice`: the same request at two processes at once; it counts once."""
        if not change:
            return
        input = {
            "items": [{"productId": self._id(code), "change": change}],
            "reason": "RECEIVED" if change > 0 else "DAMAGED",
            "allowNegative": True,
            "reflect": True,
        }
        request = Request(ADJUST, input, self.api.key())
        done = await asyncio.gather(*(self._sent(request) for _ in range(2 if twice else 1)))
        assert len(set(done)) == 1, f"one key, two answers: {code} {change} {done}"
        if done[0]:
            self.changes[code] += change
            self.done.append(request)

    async def repeats(self, since: int) -> None:
        """Everything that was done from the `since`-th request on, each by its own key."""
        for request in self.done[since:]:
            await self._sent(request)

    async def _sent(self, request: Request) -> bool:
        """Was it done?"""
        payload = await self.api.change(request.document, key=request.key, **request.input)
        return self._is_done(payload)

    def _is_done(self, payload: Any) -> bool:
        errors = [*payload["userErrors"], *(e for r in payload["results"] for e in r["userErrors"])]
        self.refused.update(error["code"] for error in errors)
        return not errors

    async def reads(self, shop_id: UUID) -> None:
        """What the mall shows by now is read, listing by listing."""
        of_shop = {
            "filter": {"shopIds": [global_id("Shop", shop_id)]},
            "expectedCount": len(self.products),
        }
        await self._does(READ, listings={"matching": of_shop})

    async def enters(self, shop_id: UUID, credentials: Mapping[str, str]) -> None:
        """New credentials, and the shop goes on when they are good."""
        pairs = [{"key": key, "value": value} for key, value in credentials.items()]
        await self._does(UPDATE, id=global_id("Shop", shop_id), credentials=pairs, resume=True)

    async def looks_after_shops(self) -> None:
        """Clears whatever halts a shop that has good credentials, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_AFTER_SHOPS_EVERY)
            await self.clears_halts()

    async def clears_halts(self) -> None:
        dead = {global_id("Shop", shop_id) for shop_id in self.expired}
        halts = (await self.api.ask(HALTS))["edges"]
        ids = [each["node"]["id"] for each in halts if each["node"]["shop"]["id"] not in dead]
        if ids:
            self.cleared += len(ids)
            await self._does(CLEAR, errors={"ids": ids})

    async def _does(self, document: str, **input: Any) -> None:
        payload = await self.api.change(document, **input)
        self.refused.update(error["code"] for error in payload["userErrors"])

    def _id(self, code: str) -> str:
        return global_id("Product", self.products[code])
