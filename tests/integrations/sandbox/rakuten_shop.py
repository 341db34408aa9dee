"""One shop at the simulated Rakuten, as a client of its sheet would call it."""

import base64
import json

from tests.integrations.sandbox.rig import open_rig

ORDER_TYPE = "application/json; charset=utf-8"


class RakutenShop:
    def __init__(self, rig):
        self.rig = rig
        self.hand = rig.hand

    def headers(self, **changes):
        keys = self.rig.credentials | changes
        packed = base64.b64encode(f"{keys['service_secret']}:{keys['license_key']}".encode())
        return {"authorization": f"ESA {packed.decode()}"}

    async def call(self, method, path, body=None, content_type="application/json", **keys):
        headers = self.headers(**keys) | {"content-type": content_type}
        content = b"" if body is None else json.dumps(body).encode()
        url = f"/rakuten/es/{path}"
        return await self.rig.client.request(method, url, content=content, headers=headers)

    async def upsert(self, *entries, version="2.0"):
        path = f"{version}/inventories/bulk-upsert"
        return await self.call("POST", path, {"inventories": list(entries)})

    async def order(self, api, body, content_type=ORDER_TYPE):
        return await self.call("POST", f"2.0/order/{api}/", body, content_type)


def entry(code="tee", variant="m", quantity=7, mode="ABSOLUTE", **more):
    sent = {"manageNumber": code, "variantId": variant, "mode": mode, "quantity": quantity}
    return sent | more


def search(**changes):
    return {
        "dateType": 1,
        "startDatetime": "2026-12-01T00:00:00+0900",
        "endDatetime": "2026-12-01T23:59:59+0900",
        "PaginationRequestModel": {"requestRecordsAmount": 1000, "requestPage": 1},
    } | changes


async def open_rakuten(speed=0.0, **settings):
    """Limits are lifted unless a speed is given."""
    return RakutenShop(await open_rig("rakuten", "345678", speed=speed, settings=settings))
