"""One seller at the simulated Amazon, and Amazon's own models to check its answers."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from urllib.parse import quote

import httpx
from jsonschema import Draft7Validator

from integrations.sandbox.app import create_app
from integrations.sandbox.clock import Clock
from tests.integrations.sandbox.rig import Hand, Rig

MODELS = Path(__file__).parent / "amazon_models"
SELLER = "A1RENKEI"
JAPAN = "A1VC38T7YXB528"


class Seller(Rig):
    """A shop of the rig that signs in and calls the SP-API."""

    def __init__(self, client, hand=None):
        super().__init__(client, hand, "amazon", SELLER)
        self.token = ""

    async def opens(self, settings=None):
        opened = await self.control("POST", "shops", settings=settings or {})
        self.credentials = opened["credentials"]
        await self.sign_in()

    async def lists(self, *skus, **item):
        await self.control("PUT", "items", items=[{"item_code": sku} | item for sku in skus])

    async def counter(self, sku):
        return (await self.counters())[sku]

    async def sign_in(self, **changes):
        fields = {name: self.credentials[name] for name in ("client_id", "client_secret")}
        fields |= {
            "grant_type": "refresh_token",
            "refresh_token": self.credentials["refresh_token"],
        }
        answer = await self.client.post("/amazon-auth/auth/o2/token", data=fields | changes)
        if answer.is_success:
            self.token = answer.json()["access_token"]
        return answer

    async def call(self, method, path, *, params=None, **sent):
        headers = {"x-amz-access-token": self.token} | sent.pop("headers", {})
        url = f"/amazon{path}"
        return await self.client.request(method, url, params=params, headers=headers, **sent)

    async def patch(self, sku, *patches, **params):
        path = f"/listings/2021-08-01/items/{SELLER}/{quote(sku, safe='')}"
        body = {"productType": "PRODUCT", "patches": list(patches)}
        return await self.call("PATCH", path, params={"marketplaceIds": JAPAN} | params, json=body)

    async def item(self, sku, datasets="summaries,fulfillmentAvailability,attributes,issues"):
        path = f"/listings/2021-08-01/items/{SELLER}/{quote(sku, safe='')}"
        params = {"marketplaceIds": JAPAN, "includedData": datasets}
        return await self.call("GET", path, params=params)

    async def orders(self, **params):
        params = {"includedData": "FULFILLMENT,CANCELLATION"} | params
        return await self.call("GET", "/orders/2026-01-01/orders", params=params)

    async def sells(self, sku, quantity):
        """Answers the order's number."""
        return (await self.buys(sku, quantity))["number"]


def setting(quantity, op="merge", **fields):
    """A patch of the stock a merchant holds."""
    row = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity} | fields
    return {"op": op, "path": "/attributes/fulfillment_availability", "value": [row]}


async def open_shop(*, speed=1.0, state=None, settings=None):
    """A seller signed in to a sandbox of its own; the caller closes `seller.client`."""
    hand = Hand()
    app = create_app(clock=Clock(speed, hand), state=state)
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(transport=transport, base_url="http://mall.test")
    seller = Seller(client, hand)
    await seller.opens(settings)
    return seller


def shown(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def assert_fits(model, definition, body):
    """The body is as Amazon's model says, and holds no field that the model does not know."""
    assert [error.message for error in _errors(model, definition, body)] == []


def fits(model, definition, body):
    return not _errors(model, definition, body)


def _errors(model, definition, body):
    """`definition` None: the model is one schema."""
    schema = _model(model)
    if definition:
        schema = {"$ref": f"#/definitions/{definition}", "definitions": schema["definitions"]}
    return list(Draft7Validator(schema).iter_errors(body))


@cache
def _model(name):
    return _closed(json.loads((MODELS / f"{name}.json").read_text("utf-8")))


def _closed(schema):
    """Objects with listed properties take no others."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in deepcopy(schema).items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
