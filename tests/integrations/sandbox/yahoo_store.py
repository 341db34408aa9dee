"""One store at the simulated Yahoo! Shopping, as a client of its sheet would call it."""

import base64
from functools import cache
from urllib.parse import urlencode
from xml.etree import ElementTree

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding

from integrations.sandbox.yahoo.signature import new_key_pair
from tests.integrations.sandbox.rig import NOON, open_rig

API = "/yahoo/ShoppingWebService/V1/"
TOKEN = "/yahoo-auth/yconnect/v2/token"
CONSENT = "/yahoo-auth/yconnect/v2/authorization"
BACK = "https://renkei.test/connect/yahoo?from=mall"
SELLER = "demo-store"


class YahooStore:
    def __init__(self, rig):
        self.rig = rig
        self.hand = rig.hand
        self.client = rig.client
        self.token = ""

    async def sign_in(self, **changes):
        keys = self.rig.credentials
        fields = {"grant_type": "refresh_token", "refresh_token": keys["refresh_token"]}
        secret = changes.pop("client_secret", keys["client_secret"])
        basic = base64.b64encode(f"{keys['client_id']}:{secret}".encode()).decode()
        content = urlencode(fields | changes).encode()
        answer = await self.client.post(
            TOKEN, content=content, headers={"authorization": f"Basic {basic}"}
        )
        self.token = answer.json().get("access_token", self.token)
        return answer

    async def post(self, api, content, **headers):
        bearer = {"authorization": f"Bearer {self.token}"}
        return await self.client.post(API + api, content=content, headers=bearer | headers)

    async def get(self, api, **query):
        bearer = {"authorization": f"Bearer {self.token}"}
        query = {"seller_id": SELLER} | query
        return await self.client.get(API + api, params=query, headers=bearer)

    async def set_stock(self, codes, quantities, **more):
        fields = {"seller_id": SELLER, "item_code": codes, "quantity": quantities} | more
        return await self.post("setStock", urlencode(fields).encode())

    async def get_stock(self, codes):
        fields = {"seller_id": SELLER, "item_code": codes}
        return await self.post("getStock", urlencode(fields).encode())

    async def order_list(self, condition, *, fields="OrderId", seller=SELLER, more="", **headers):
        body = (
            f"<Req><Search>{more}<Condition>{condition}</Condition><Field>{fields}</Field></Search>"
            f"<SellerId>{seller}</SellerId></Req>"
        )
        return await self.post("orderList", body.encode(), **headers)

    async def order_info(self, number, fields):
        body = (
            f"<Req><Target><OrderId>{number}</OrderId><Field>{fields}</Field></Target>"
            f"<SellerId>{SELLER}</SellerId></Req>"
        )
        return await self.post("orderInfo", body.encode())

    def signature(self, seller=SELLER, version="1", **moved):
        """The headers of public-key authentication."""
        self.hand.move(**moved)
        words = f"{seller}:{int(self.hand.at.timestamp())}".encode()
        self.hand.move(**{unit: -amount for unit, amount in moved.items()})
        public = serialization.load_pem_public_key(self.rig.credentials["public_key"].encode())
        sealed = base64.b64encode(public.encrypt(words, padding.PKCS1v15())).decode()
        return {"X-sws-signature": sealed, "X-sws-signature-version": version}


def results(answer):
    """Each Result's fields."""
    root = ElementTree.fromstring(answer.content)
    return [{field.tag: field.text for field in result} for result in root.iter("Result")]


def error(answer):
    """Status, code and message of a whole refusal."""
    root = ElementTree.fromstring(answer.content)
    fields = {field.tag.rpartition("}")[2]: field.text for field in root}
    return answer.status_code, fields.get("Code"), fields["Message"]


def order_ids(answer):
    return [node.text for node in ElementTree.fromstring(answer.content).iter("OrderId")]


@cache
def key_pair():
    """One for all tests: making one takes longer than a test."""
    return new_key_pair(NOON)


async def open_yahoo(speed=0.0, **settings):
    """Signed in; limits are lifted unless a speed is given."""
    rig = await open_rig("yahoo", SELLER, speed=speed, settings=settings, credentials=key_pair())
    store = YahooStore(rig)
    await store.sign_in()
    return store
