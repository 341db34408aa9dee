"""A sandbox to test: a clock the test moves, a client, and one shop with its control API at hand."""

from datetime import UTC, datetime, timedelta

import httpx

from integrations.sandbox.app import create_app
from integrations.sandbox.clock import Clock

NOON = datetime(2026, 12, 1, 3, 0, 0, tzinfo=UTC)


class Hand:
    """A clock's hand that moves when told."""

    def __init__(self):
        self.at = NOON

    def __call__(self):
        return self.at

    def move(self, **by):
        self.at += timedelta(**by)


class Rig:
    """One shop at one mall. `control` works on it and answers JSON."""

    def __init__(self, client, hand, mall, seller):
        self.client = client
        self.hand = hand
        self.of_shop = {"mall": mall, "seller": seller}
        self.seller = seller
        self.credentials = {}

    async def asked(self, method, path, **body):
        return await self.client.request(method, f"/_control/{path}", json=self.of_shop | body)

    async def control(self, method, path, **body):
        answer = await self.asked(method, path, **body)
        assert answer.is_success, answer.text
        return answer.json()

    async def counters(self):
        state = await self.control("GET", "state")
        return {
            ":".join((item["item_code"], item["variant_code"])).rstrip(":"): item["quantity"]
            for item in state["items"]
        }

    async def has(self, **quantities):
        """Items `code` or `code__variant`, with these counters."""
        items = [item(*code.split("__"), quantity=n) for code, n in quantities.items()]
        await self.control("PUT", "items", items=items)

    async def buys(self, code, quantity, variant="", **more):
        line = {"item_code": code, "variant_code": variant, "quantity": quantity}
        return await self.control("POST", "purchase", lines=[line], **more)

    async def goes_wrong(self, kind, **more):
        return await self.control("POST", "faults", kind=kind, **more)


def item(code, variant="", **more):
    return {"item_code": code, "variant_code": variant, "name": f"Name of {code}"} | more


async def open_rig(mall, seller, *, speed=1.0, settings=None, credentials=None):
    hand = Hand()
    app = create_app(clock=Clock(speed, hand))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox")
    rig = Rig(client, hand, mall, seller)
    opened = await rig.control(
        "POST", "shops", settings=settings or {}, credentials=credentials or {}
    )
    rig.credentials = opened["credentials"]
    return rig
