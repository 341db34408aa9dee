"""What a merchant sees of what ran: ✓ and ✗ of every shop."""

from collections.abc import AsyncIterator

import pytest

from domain.model.malls import MallKind
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, ref_at, town

RAKUTEN, AMAZON = MallKind.RAKUTEN, MallKind.AMAZON


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    async with town(db, malls, RAKUTEN, AMAZON) as made:
        await made.has(MUG=10)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def ran(here: Town, kind: MallKind, *runs: tuple[str, str, str | None]) -> None:
    """(kind, outcome, kind of error): each of them is in the shop's history by and by."""

    async def so() -> bool:
        found = await here.query(
            "SELECT r.kind, r.outcome, e.kind AS error FROM sync_runs r LEFT JOIN sync_errors e ON e.id = r.error_id"
            " WHERE r.shop_id = :shop",
            shop=here.stalls[kind].id,
        )
        return {*runs} <= {tuple(row) for row in found}

    await eventually(so)


async def test_a_sale_is_a_fetch_here_and_a_push_there(here: Town) -> None:
    await here.stalls[RAKUTEN].sells(ref_at(RAKUTEN, "MUG"), 3)

    await here.settled("MUG", 7)

    await ran(here, RAKUTEN, ("ORDERS", "OK", None))
    await ran(here, AMAZON, ("REFLECT", "OK", None))


async def test_a_mall_under_maintenance_is_one_failure_of_each_kind_however_long(
    here: Town,
) -> None:
    await here.stalls[RAKUTEN].goes_wrong("maintenance")
    await here.stalls[AMAZON].sells(ref_at(AMAZON, "MUG"), 10)

    await ran(
        here,
        RAKUTEN,
        ("ORDERS", "FAILED", "MAINTENANCE"),
        ("REFLECT", "FAILED", "MAINTENANCE"),
    )
    await here.stalls[RAKUTEN].goes_right()

    await here.settled("MUG", 0)
    await ran(here, RAKUTEN, ("REFLECT", "OK", None))
    failed = await here.query(
        "SELECT kind, count(*) FROM sync_runs WHERE outcome = 'FAILED' GROUP BY kind ORDER BY kind"
    )
    assert [tuple(row) for row in failed] == [("ORDERS", 1), ("REFLECT", 1)]
