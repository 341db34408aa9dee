"""Amazon behind a real server: what only a connection shows (amazon sheet, last section, 7)."""

import asyncio
import socket
from email.utils import parsedate_to_datetime

import httpx
import pytest
import uvicorn

from integrations.sandbox.app import create_app
from tests.integrations.sandbox.amazon_seller import Seller, setting
from tests.patience import PATIENCE_SECONDS

SKU = "DE/36 #1"


@pytest.fixture
async def seller():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(speed=0), log_level="warning", lifespan="on")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base_url, timeout=PATIENCE_SECONDS) as client:
            seller = Seller(client)
            await seller.opens()
            await seller.lists(SKU, quantity=3)
            yield seller
        server.should_exit = True
        await serving


async def test_every_answer_says_the_malls_time(seller):
    answer = await seller.item(SKU)
    assert answer.status_code == 200
    assert parsedate_to_datetime(answer.headers["date"]).tzinfo is not None


async def test_an_encoded_slash_arrives_and_a_bare_one_is_denied(seller):
    assert (await seller.patch(SKU, setting(7))).json()["status"] == "ACCEPTED"
    bare = "/listings/2021-08-01/items/A1RENKEI/DE/36"
    params = {"marketplaceIds": "A1VC38T7YXB528"}
    assert (await seller.call("GET", bare, params=params)).status_code == 403
    assert await seller.counter(SKU) == 7


async def test_a_connection_cut_after_the_write_leaves_it_written(seller):
    await seller.control("POST", "faults", kind="cut", calls=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await seller.patch(SKU, setting(7))
    assert await seller.counter(SKU) == 7


async def test_an_answer_that_never_comes_leaves_it_written(seller):
    await seller.control("POST", "faults", kind="no_answer", calls=1)
    seller.client.timeout = 0.1
    with pytest.raises(httpx.ReadTimeout):
        await seller.patch(SKU, setting(7))
    seller.client.timeout = 5
    assert await seller.counter(SKU) == 7


async def test_an_address_of_a_document_can_be_fetched(seller):
    body = {
        "reportType": "GET_MERCHANT_LISTINGS_ALL_DATA",
        "marketplaceIds": ["A1VC38T7YXB528"],
    }
    path = "/reports/2021-06-30"
    name = (await seller.call("POST", f"{path}/reports", json=body)).json()["reportId"]
    done = (await seller.call("GET", f"{path}/reports/{name}")).json()
    document = await seller.call("GET", f"{path}/documents/{done['reportDocumentId']}")
    file = await seller.client.get(document.json()["url"])
    assert file.headers["content-type"] == "text/plain; charset=utf-8"
    assert SKU in file.text
