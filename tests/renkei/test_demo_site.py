"""What the demo's page asks of its own address: malls' own numbers, and things done to real sandbox malls."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast
from uuid import UUID

import httpx
import pytest

import renkei.demo
from api.nodes import global_id
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from integrations.sandbox.app import create_app
from renkei.demo.captions import REPLAY, closes
from renkei.demo.plain import Plain
from renkei.demo.replay import OrderKey, Shoppers
from renkei.demo.seeding import Merchant
from renkei.demo.shadow import compared
from renkei.demo.site import Site
from renkei.demo.stage import Stage
from renkei.demo.stalls import KINDS, Stall, named, ref_at
from renkei.example_shop.catalogue import RetailProduct

API = "http://127.0.0.1:8000"
PAGE = Path(renkei.demo.__file__).parent / "page"
TOKEN = {"authorization": "Bearer rk_demo"}
ROWS = (RetailProduct("TEA", "茶", "TEA", 9, 5, {}), RetailProduct("MUG", "MUG", "MUG", 9, 1, {}))
IDS = {"TEA": UUID(int=1), "MUG": UUID(int=2)}


async def everything(order: OrderKey) -> bool:
    return True


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Every mall has 5 of TEA and 1 of MUG; there is no Renkei behind it."""
    malls = httpx.ASGITransport(create_app(speed=0))
    async with httpx.AsyncClient(transport=malls, base_url="http://malls") as control:
        stalls = {kind: Stall(kind, control) for kind in KINDS}
        for kind, stall in stalls.items():
            await stall.open(0)
            await stall.puts(
                [named(ref_at(kind, e.code)) | {"quantity": e.starting_stock} for e in ROWS]
            )
        both = compared({each.code: each.starting_stock for each in ROWS}, {}, KINDS)
        shoppers = Shoppers(stalls, everything, compared=both)
        yield Stage(cast(Merchant, None), stalls, shoppers, Plain(), ROWS, IDS, 0)


@pytest.fixture
async def site(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Site(stage, API, "rk_demo").app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_the_page_is_five_hundred_lines_and_runs_nothing_that_is_not_its_own(
    site: httpx.AsyncClient,
) -> None:
    assert sum(len(each.read_text().splitlines()) for each in PAGE.iterdir()) <= 500
    for path, kind in (
        ("", "html"),
        ("/page.js", "javascript"),
        ("/texts.js", "javascript"),
        ("/page.css", "css"),
    ):
        answer = await site.get(f"/demo{path}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert f"connect-src 'self' {API} ws://127.0.0.1:8000" in policy


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer rk_other"}])
async def test_without_the_token_nothing_is_told_or_done(
    site: httpx.AsyncClient, stage: Stage, headers: dict[str, str]
) -> None:
    assert (await site.get("/demo/state", headers=headers)).status_code == 401
    bought = await site.post("/demo/buy", json={"mall": "RAKUTEN"}, headers=headers)
    assert bought.status_code == 401
    assert stage.shoppers.compared.orders == 0


async def test_another_name_of_this_machine_is_not_answered(site: httpx.AsyncClient) -> None:
    assert (await site.get("/demo", headers={"host": "evil.test"})).status_code == 400


async def test_the_state_is_what_the_malls_say(site: httpx.AsyncClient, stage: Stage) -> None:
    stage.say(REPLAY)
    stage.happens(closes(MallKind.AMAZON))
    await stage.stalls[MallKind.AMAZON].fault("maintenance")

    told = (await site.get("/demo/state", headers=TOKEN)).json()

    numbers = {"TEA": 5, "MUG": 1}
    assert told["malls"] == {
        "RAKUTEN": {"numbers": numbers, "faults": []},
        "YAHOO_SHOPPING": {"numbers": numbers, "faults": []},
        "AMAZON": {"numbers": numbers, "faults": ["maintenance"]},
    }
    assert told["api"] == API
    assert told["products"] == [global_id("Product", each) for each in IDS.values()]
    assert told["caption"] == {
        "en": "Amazon.co.jp closes for maintenance: its numbers are kept back.",
        "ja": "Amazon.co.jpがメンテナンスに入りました。反映は保留されます。",
        "scene": 0,
        "of": 5,
    }
    assert told["counted"] == {"orders": 0, "here": 0, "shadow": 0}


async def test_the_last_unit_is_bought_at_its_mall_and_the_shadow_sells_it_again(
    site: httpx.AsyncClient,
) -> None:
    answers = []
    for mall in ("RAKUTEN", "RAKUTEN"):
        answer = await site.post("/demo/buy", json={"mall": mall, "code": "MUG"}, headers=TOKEN)
        answers.append(answer.json())
    assert answers == [{"missing": 0}, {"missing": 1}]
    await site.post("/demo/buy", json={"mall": "AMAZON", "code": "MUG"}, headers=TOKEN)
    told = (await site.get("/demo/state", headers=TOKEN)).json()
    assert told["malls"]["RAKUTEN"]["numbers"]["MUG"] == 0
    assert told["counted"] == {"orders": 2, "here": 1, "shadow": 1}


async def test_what_goes_wrong_is_seen_and_ends(site: httpx.AsyncClient) -> None:
    async def faults() -> list[str]:
        told = (await site.get("/demo/state", headers=TOKEN)).json()
        return cast(list[str], told["malls"]["RAKUTEN"]["faults"])

    async def act(name: str) -> httpx.Response:
        return await site.post(f"/demo/{name}", json={"mall": "RAKUTEN"}, headers=TOKEN)

    await act("close")
    await act("expire")
    assert await faults() == ["expired", "maintenance"]
    await act("open")
    renewed = (await act("renew")).json()
    assert await faults() == []
    assert {each["key"] for each in renewed["credentials"]} == {"service_secret", "license_key"}


@pytest.mark.parametrize("mall", [kind.value for kind in KINDS])
async def test_a_new_key_fills_every_field_of_the_form_that_the_mall_tells(
    site: httpx.AsyncClient, mall: str
) -> None:
    told = (await site.post("/demo/renew", json={"mall": mall}, headers=TOKEN)).json()
    fields = MALL_SPECS[MallKind(mall)].credential_fields
    assert {each["key"] for each in told["credentials"]} == {each.key for each in fields}


async def test_a_number_is_raised_by_hand(site: httpx.AsyncClient, stage: Stage) -> None:
    told = await site.post("/demo/raise", json={"mall": "AMAZON", "code": "TEA"}, headers=TOKEN)
    assert told.json() == {"quantity": 10}
    assert (await stage.stalls[MallKind.AMAZON].look(["TEA"])).numbers == {"TEA": 10}
    assert stage.shoppers.compared.shadow.counters[MallKind.AMAZON]["TEA"] == 10


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("no mall", b"{}"),
        ("no such mall", b'{"mall": "KAEDE"}'),
        ("a product that is not shown", b'{"mall": "RAKUTEN", "code": "SECRET"}'),
        ("no JSON", b"mall"),
        ("a list", b"[]"),
        ("too much", b'{"mall": "RAKUTEN"' + b" " * 1000 + b"}"),
    ],
)
async def test_what_cannot_be_understood_is_refused(
    site: httpx.AsyncClient, stage: Stage, case: str, body: bytes
) -> None:
    answer = await site.post("/demo/buy", content=body, headers=TOKEN)
    assert answer.status_code == 400, case
    assert stage.shoppers.compared.orders == 0, case
