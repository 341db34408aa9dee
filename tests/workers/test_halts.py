"""Level 9: one shop stands still, as everybody can see, and comes back step by step; the others notice nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.plan import Planner
from api.schema import schema
from domain.model.actors import SYSTEM
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.services import shops
from domain.services.shops import ShopChange
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.workers.town import Stall, Town, eventually, open_errors, ref_at, town
from workers import clock

RAKUTEN, YAHOO, AMAZON = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING, MallKind.AMAZON
KINDS = (RAKUTEN, YAHOO, AMAZON)
STATES = "{ shops { mall { kind } state } }"
SLOW_SECONDS = 0.5


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Ten at every mall, and a worker that goes by its clock alone."""
    async with town(db, malls, *KINDS) as made:
        await made.has(MUG=10)
        await made.starts()
        working = asyncio.create_task(clock.run(made.ctx, sweep_seconds=0.1))
        yield made
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_a_halted_shop_comes_back_step_by_step_and_the_others_go_on(here: Town) -> None:
    kind, other = YAHOO, RAKUTEN
    stall = here.stalls[kind]
    await stall.goes_wrong("expired")
    await here.stalls[other].sells(ref_at(other, "MUG"), 4)
    await eventually(lambda: _is(_states(here), dict.fromkeys(KINDS, "RUNNING") | {kind: "HALTED"}))
    await eventually(lambda: _others_show(here, kind, 6))
    calls = await _calls(stall)
    await here.stalls[other].sells(ref_at(other, "MUG"))
    await eventually(lambda: _others_show(here, kind, 5))
    assert await stall.shows(ref_at(kind, "MUG")) == 10
    assert await _calls(stall) == calls, "nothing was asked of the halted shop's mall"
    await stall.sells(ref_at(kind, "MUG"), 2)

    seen: list[str] = []
    watching = asyncio.create_task(_watch(here, kind, seen))
    await _renews(here, kind)
    await asyncio.wait_for(watching, 30)
    await stall.goes_right()

    assert seen == ["HALTED", "PROBING", "CATCHING_UP", "RUNNING"]
    await here.settled("MUG", 3)
    assert await open_errors(here) == []


async def test_keys_that_are_renewed_while_a_number_is_under_way_halt_nobody(here: Town) -> None:
    """It went out with the old ones, which the mall takes no more when it answers; the next goes with the new ones."""
    await here.stalls[RAKUTEN].goes_wrong("slow", on=["writes"], seconds=SLOW_SECONDS)
    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"), 3)
    await eventually(lambda: _is(_under_way(here, RAKUTEN), 1))

    await _renews(here, RAKUTEN)
    await here.stalls[YAHOO].sells(ref_at(YAHOO, "MUG"))
    await here.stalls[RAKUTEN].goes_right()

    await here.settled("MUG", 6)
    assert await here.scalar("SELECT count(*) FROM sync_errors WHERE level = 9") == 0
    assert set((await _states(here)).values()) == {"RUNNING"}


async def _watch(here: Town, kind: MallKind, seen: list[str]) -> None:
    """Each state that the API shows of the shop, until it runs."""
    while "RUNNING" not in seen:
        state = (await _states(here))[kind]
        if state not in seen[-1:]:
            seen.append(state)
        await asyncio.sleep(0)


async def _states(here: Town) -> dict[MallKind, str]:
    asker = Asker(here.db, Planner(schema()._schema), here.account_id)
    found: list[dict[str, Any]] = (await asker.ask(STATES))["shops"]
    return {MallKind(each["mall"]["kind"]): each["state"] for each in found}


async def _others_show(here: Town, kind: MallKind, quantity: int) -> bool:
    shown = await here.everywhere("MUG")
    return {shown[each] for each in KINDS if each is not kind} == {quantity}


async def _calls(stall: Stall) -> dict[str, int]:
    """What was asked of the mall for this shop, refused or not."""
    told: dict[str, int] = (await stall.asks("GET", "state"))["requests"]
    return told


async def _under_way(here: Town, kind: MallKind) -> int:
    sent = "SELECT count(*) FROM pushes WHERE shop_id = :shop AND state = 'SENT'"
    return int(await here.scalar(sent, shop=here.stalls[kind].id))


async def _renews(here: Town, kind: MallKind) -> None:
    """The mall gives new keys, and is slow now; the owner enters them, and wants the shop to go on."""
    told = (await here.stalls[kind].asks("POST", "renew"))["credentials"]
    await here.stalls[kind].goes_wrong("slow", seconds=SLOW_SECONDS)
    known = {field.key for field in MALL_SPECS[kind].credential_fields}
    change = ShopChange(credentials={key: told[key] for key in told.keys() & known})
    shop_id = here.stalls[kind].id
    await here.db.run(
        here.account_id,
        lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, shop_id, change, resume=True),
    )


async def _is(what: Any, wanted: object) -> bool:
    return bool(await what == wanted)
