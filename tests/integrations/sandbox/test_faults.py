"""Which calls a fault meets, and faults of the connection on a real server."""

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from integrations.sandbox.app import create_app
from integrations.sandbox.faults import Fault, FaultKind, Faults
from tests.integrations.sandbox.rakuten_shop import RakutenShop, entry
from tests.integrations.sandbox.rig import Hand, Rig
from tests.patience import PATIENCE_SECONDS, eventually

SHOP = ("kaede", "s1")
WRITE = frozenset({"put", "stock", "writes"})
READ = frozenset({"get", "stock"})
TOKEN = frozenset({"token", "auth"})


@pytest.mark.parametrize(
    ("case", "kind", "on", "met"),
    [
        ("everything but log-in", "maintenance", [], [WRITE, READ]),
        ("an area", "maintenance", ["stock"], [WRITE, READ]),
        ("an operation", "throttle", ["get"], [READ]),
        ("log-in when named", "maintenance", ["auth"], [TOKEN]),
        ("no answer: writes", "no_answer", [], [WRITE]),
        ("no answer to reads when named", "no_answer", ["get"], [READ]),
        ("done late: writes", "late", [], [WRITE]),
        ("a partial failure: writes only", "partial", ["stock"], [WRITE]),
    ],
)
def test_which_calls_a_fault_meets(case, kind, on, met):
    fault = Fault(FaultKind(kind), frozenset(on))
    assert [tags for tags in (WRITE, READ, TOKEN) if fault.meets(tags)] == met, case


def test_a_fault_for_the_next_two_calls_is_gone_after_them():
    faults = Faults()
    faults.add(SHOP, Fault(FaultKind.THROTTLE, calls=2))
    met = [faults.meet(SHOP, FaultKind.THROTTLE, READ) is not None for _ in range(3)]
    assert met == [True, True, False]
    assert not faults.holds(SHOP, FaultKind.THROTTLE)


def test_faults_are_lifted_by_kind_and_belong_to_one_shop():
    faults = Faults()
    faults.add(SHOP, Fault(FaultKind.THROTTLE))
    faults.add(SHOP, Fault(FaultKind.SLOW))
    assert faults.meet(("kaede", "s2"), FaultKind.SLOW, READ) is None
    assert faults.lift(SHOP, FaultKind.SLOW) == 1
    assert [fault.kind for fault in faults.of(SHOP)] == [FaultKind.THROTTLE]
    assert faults.lift(SHOP) == 1


@asynccontextmanager
async def serving(app):
    """The application on a real server at a port of its own; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()


@pytest.fixture
async def shop():
    async with (
        serving(create_app(speed=0)) as address,
        httpx.AsyncClient(base_url=address, timeout=PATIENCE_SECONDS) as client,
    ):
        shop = RakutenShop(Rig(client, Hand(), "rakuten", "345678"))
        opened = await shop.rig.control("POST", "shops")
        shop.rig.credentials = opened["credentials"]
        await shop.rig.has(tee__m=5)
        yield shop


async def test_answers_carry_the_malls_date(shop):
    assert "date" in (await shop.upsert(entry())).headers


async def test_a_write_that_is_applied_and_never_answered(shop):
    await shop.rig.goes_wrong("no_answer", calls=1)
    shop.rig.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        await shop.upsert(entry(quantity=2))
    assert await shop.rig.counters() == {"tee:m": 2}
    assert (await shop.upsert(entry(quantity=3))).status_code == 204


async def test_a_write_that_is_done_after_the_next_one(shop):
    await shop.rig.goes_wrong("late", seconds=0.5, calls=1)
    shop.rig.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        await shop.upsert(entry(quantity=2))
    assert (await shop.upsert(entry(quantity=3))).status_code == 204
    assert await shop.rig.counters() == {"tee:m": 3}

    async def is_undone() -> bool:
        return bool(await shop.rig.counters() == {"tee:m": 2})

    await eventually(is_undone)


async def test_a_connection_cut_after_the_write_was_applied(shop):
    await shop.rig.goes_wrong("cut", calls=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await shop.upsert(entry(quantity=2))
    assert await shop.rig.counters() == {"tee:m": 2}
    assert (await shop.upsert(entry(quantity=3))).status_code == 204


async def test_a_slow_answer(shop):
    await shop.rig.goes_wrong("slow", seconds=0.1, calls=1)
    started = asyncio.get_running_loop().time()
    await shop.upsert(entry(quantity=2))
    assert asyncio.get_running_loop().time() - started >= 0.1


async def test_half_an_answer(shop):
    await shop.rig.goes_wrong("malformed", calls=1)
    answer = await shop.call("GET", "2.0/items/search")
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
