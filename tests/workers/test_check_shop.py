"""Tests of a shop's way to its mall: one answers whoever asked, and one whose tester died is made by the next."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.model.actors import SYSTEM
from domain.model.errors import MallLockedOut
from domain.model.jobs import JobKind
from domain.model.malls import Bucket, MallKind
from domain.services import consents, credentials, shops
from domain.store import jobs
from domain.store.database import Database, Tx
from tests.consent_page import pressed
from tests.workers.town import Stall, Town, now, open_errors, shop_of, town
from workers.check_shop import check_shop
from workers.context import Malls

RAKUTEN, YAHOO = MallKind.RAKUTEN, MallKind.YAHOO_SHOPPING
CONNECT = "https://api.example.com/connect/yahoo_shopping"


@dataclass
class Counting:
    """Keeps domain.model.malls.Throttle; remembers what was drawn."""

    drawn: list[str] = field(default_factory=list)

    async def take(self, *buckets: Bucket) -> None:
        self.drawn += [bucket.name for bucket in buckets]

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        raise AssertionError("the sandbox has no limits here")


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Nothing waits, after the test of a shop that was connected."""
    async with town(db, malls, RAKUTEN) as made:
        await check_shop(made.ctx, made.account_id, made.stalls[RAKUTEN].id)
        yield made


async def asked(here: Town, *inputs: dict[str, Any]) -> None:
    """Tests are asked for, and wait."""
    shop_id = here.stalls[RAKUTEN].id

    async def ask(tx: Tx) -> None:
        for each in inputs:
            await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop_id, input=each, actor=SYSTEM)

    await here.db.run(here.account_id, ask)


async def calls_of_a_test(here: Town) -> list[str]:
    counting = Counting()
    http = here.ctx.malls.http
    counted = Malls(here.db, here.ctx.vault, http, throttles=lambda shop, application: counting)
    ctx = replace(here.ctx, malls=counted)
    await check_shop(ctx, here.account_id, here.stalls[RAKUTEN].id)
    return counting.drawn


async def states(here: Town) -> set[str]:
    return {row.state for row in await here.query("SELECT state FROM jobs")}


async def test_however_often_somebody_asks_the_mall_is_asked_once(here: Town) -> None:
    await asked(here, {})
    of_one = await calls_of_a_test(here)
    assert of_one != []

    await asked(here, {}, {"resume": True}, {})

    assert await calls_of_a_test(here) == of_one
    assert await states(here) == {"DONE"}


async def test_one_of_many_who_ask_brings_the_shop_back(here: Town) -> None:
    shop_id = here.stalls[RAKUTEN].id

    async def halt(tx: Tx) -> None:
        await shops.halt(tx, await shop_of(tx, shop_id), MallLockedOut("Dead."), now=now())

    await here.db.run(here.account_id, halt)
    await asked(here, {}, {"resume": True}, {"resume": False})

    await check_shop(here.ctx, here.account_id, shop_id)

    assert await here.scalar("SELECT state FROM shops") == "RUNNING"
    assert await states(here) == {"DONE"}


async def test_a_test_whose_tester_died_is_made_at_once(here: Town) -> None:
    await asked(here, {})
    await here.query(
        "UPDATE jobs SET state = 'RUNNING', started_at = :at WHERE state = 'WAITING' RETURNING id",
        at=now(),
    )

    await check_shop(here.ctx, here.account_id, here.stalls[RAKUTEN].id)

    assert await states(here) == {"DONE"}


async def test_a_consent_is_tested_by_what_it_brought(db: Database, malls: str) -> None:
    """The consent before it has ended: with that the shop would be halted."""
    async with town(db, malls, YAHOO) as here:
        shop_id, ctx = here.stalls[YAHOO].id, here.ctx
        await check_shop(ctx, here.account_id, shop_id)
        ended = {"refresh_token": "ended"}
        await here.db.run(
            here.account_id, lambda tx: credentials.renewed_by_mall(tx, ctx.vault, shop_id, ended)
        )

        await consented(here, here.stalls[YAHOO])
        await check_shop(ctx, here.account_id, shop_id)

        assert await open_errors(here) == []
        assert await here.scalar("SELECT state FROM shops") == "RUNNING"
        assert await states(here) == {"DONE"}


async def consented(here: Town, stall: Stall) -> None:
    """The seller went to the mall's page and came back."""

    async def start(tx: Tx) -> str:
        vault, back = here.ctx.vault, "https://admin.example.com/"
        url, _ = await consents.start_consent(
            tx, vault, SYSTEM, stall.id, back, CONNECT, ("https://admin.example.com",), now=now()
        )
        return url

    async with httpx.AsyncClient() as browser:
        url = await here.db.run(here.account_id, start)
        query = await pressed(browser, url, stall.seller)
    code, state = query["code"][0], query["state"][0]
    await consents.consent_returned(here.db, here.ctx.vault, state, code, now=now())
