"""Stories that nobody wrote: shoppers, cancels and mishaps at three malls in any order, and a worker that comes and goes.

However it went, it ends well: every mall shows the number it should, the ledger adds up, each order of the malls' own
books has taken what it holds, once, and nothing waits, differs or is wrong any more.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from domain.model.actors import SYSTEM
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.model.orders import CancelPolicy
from domain.services import shops, sync_errors
from domain.services.shops import ShopChange
from domain.store.database import Database
from domain.store.stock import unbalanced
from tests.workers.town import Stall, Town, eventually, named, now, open_errors, ref_at, town
from workers import clock
from workers.context import Malls

KINDS = tuple(MallKind)
CODES = ("MUG", "TEA", "POT")
STOCK = {"MUG": 30, "TEA": 12, "POT": 3}
STEPS = 50
DEADLINE_SECONDS = 1.0
"""How long a call may take here; a mall that never answers would keep a story for a quarter of a minute."""

Step = Callable[["Story"], Awaitable[None]]


@dataclass
class Story:
    here: Town
    dice: random.Random
    numbers: dict[MallKind, list[str]] = field(default_factory=dict)
    working: "asyncio.Task[None] | None" = None

    def somewhere(self) -> tuple[MallKind, Stall]:
        kind = self.dice.choice(KINDS)
        return kind, self.here.stalls[kind]

    async def begin_work(self) -> None:
        """A new worker: it knows nothing, and rings nobody."""
        ctx = self.here.ctx
        malls = Malls(ctx.db, ctx.vault, ctx.malls.http)
        fresh = replace(ctx, holder=f"test-{secrets.token_hex(4)}", malls=malls)
        self.working = asyncio.create_task(clock.run(fresh, sweep_seconds=0.1))

    async def end_work(self) -> None:
        assert self.working is not None
        self.working.cancel()
        await asyncio.gather(self.working, return_exceptions=True)


async def someone_buys(story: Story) -> None:
    kind, stall = story.somewhere()
    codes = story.dice.sample(CODES, story.dice.randint(1, 2))
    lines = [named(ref_at(kind, code)) | {"quantity": story.dice.randint(1, 2)} for code in codes]
    answer = await stall.control.post(
        "/_control/purchase", json={"mall": stall.mall, "seller": stall.seller, "lines": lines}
    )
    if answer.is_success:
        story.numbers.setdefault(kind, []).append(str(answer.json()["number"]))
    else:
        assert answer.json()["error"]["code"] == "SOLD_OUT"


async def someone_cancels(story: Story) -> None:
    kind, stall = story.somewhere()
    numbers = story.numbers.get(kind)
    if numbers:
        number = numbers.pop(story.dice.randrange(len(numbers)))
        await stall.asks("POST", "cancel", number=number)


async def the_mall_fails(story: Story) -> None:
    kind, stall = story.somewhere()
    faults: list[dict[str, Any]] = [
        {"kind": "throttle", "calls": 3},
        {"kind": "cut", "calls": 2},
        {"kind": "no_answer", "calls": 1},
        {"kind": "maintenance", "calls": 4},
        {"kind": "malformed", "calls": 2},
        {"kind": "late_orders", "calls": 2, "seconds": 2},
        {"kind": "partial", "calls": 2, "items": [ref_at(kind, "TEA").item_code]},
        {"kind": "not_applied", "calls": 1},
    ]
    fault = story.dice.choice(faults)
    await stall.goes_wrong(fault.pop("kind"), **fault)


async def the_key_expires(story: Story) -> None:
    _, stall = story.somewhere()
    await stall.goes_wrong("expired")


async def the_owner_renews_the_keys(story: Story) -> None:
    for kind, stall in story.here.stalls.items():
        told = (await stall.asks("POST", "renew"))["credentials"]
        keys = {each.key for each in MALL_SPECS[kind].credential_fields}
        await _updates(story.here, stall, {key: told[key] for key in told.keys() & keys})
    await _clears_everything(story.here)


async def the_worker_dies(story: Story) -> None:
    await story.end_work()
    await story.begin_work()


async def all_is_quiet(story: Story) -> None:
    """For as long as it takes until something was sent or fetched."""
    seen = "SELECT max(orders_seen_at) FROM shops"
    before = await story.here.scalar(seen)

    async def so() -> bool:
        return bool(await story.here.scalar(seen) != before)

    await eventually(so)


HAPPENINGS: tuple[tuple[Step, int], ...] = (
    (someone_buys, 12),
    (someone_cancels, 6),
    (the_mall_fails, 5),
    (the_key_expires, 1),
    (the_owner_renews_the_keys, 1),
    (the_worker_dies, 1),
    (all_is_quiet, 3),
)


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """Totals get back what is cancelled, so that the malls' open orders say what they must be. Every number is read back:
    of a mall that says that it stands, nothing else tells that it does not."""
    async with town(db, malls, *KINDS, patience=DEADLINE_SECONDS, one_in="1") as made:
        for stall in made.stalls.values():
            await _updates(made, stall, {}, cancel_policy=CancelPolicy.RESTORE)
        await made.has(**STOCK)
        await made.starts()
        yield made


@pytest.mark.parametrize("seed", range(4))
async def test_every_story_ends_well(here: Town, seed: int) -> None:
    story = Story(here, random.Random(seed))
    steps, weights = zip(*HAPPENINGS, strict=True)
    await story.begin_work()
    try:
        for step in story.dice.choices(steps, weights, k=STEPS):
            await step(story)
        for stall in here.stalls.values():
            await stall.goes_right()
        await _ends_well(story)
    finally:
        await story.end_work()


async def _ends_well(story: Story) -> None:
    here = story.here
    try:
        await eventually(lambda: _is_over(here))
    except TimeoutError:
        raise AssertionError(await _what_is_left(here)) from None
    sold = await _sold(here)
    for code in CODES:
        total = STOCK[code] - sold[code]
        assert await here.total(code) == total
        assert await here.everywhere(code) == dict.fromkeys(KINDS, max(0, total))
    async with here.db.transaction(here.account_id) as tx:
        assert await unbalanced(tx) == []
    assert await _applied(here) == await _held(here)


async def _is_over(here: Town) -> bool:
    """Every order is in, every mall shows what it should, and nothing is wrong; a person clears what needs one."""
    nines = [kind for level, kind in await open_errors(here) if level == 9]
    if nines:
        await _clears_everything(here)
    sold = await _sold(here)
    shown = [await here.everywhere(code) for code in CODES]
    right = all(
        set(each.values()) == {max(0, STOCK[code] - sold[code])}
        for code, each in zip(CODES, shown, strict=True)
    )
    return right and not await here.unsettled() and not await open_errors(here)


async def _what_is_left(here: Town) -> str:
    told = {
        "sold": await _sold(here),
        "totals": {code: await here.total(code) for code in CODES},
        "malls": [await here.everywhere(code) for code in CODES],
        "rows": await here.unsettled(),
        "errors": await open_errors(here),
        "shops": await here.query(
            "SELECT mall, state, paused_until, next_order_poll_at FROM shops"
        ),
        "effects": (await _applied(here), await _held(here)),
    }
    return "\n".join(f"{name}: {each}" for name, each in told.items())


Held = dict[tuple[MallKind, str, str], int]
"""Mall, order and product to units."""


async def _held(here: Town) -> Held:
    """What the malls' own books say that each order holds now."""
    held: Held = {}
    for kind, stall in here.stalls.items():
        codes = {(ref := ref_at(kind, code)).item_code + ref.variant_code: code for code in CODES}
        for order in (await stall.asks("GET", "state"))["orders"]:
            for line in order["lines"] if order["open"] else ():
                code = codes[line["item_code"] + line["variant_code"]]
                key = (kind, order["number"], code)
                held[key] = held.get(key, 0) + line["quantity"]
    return held


async def _applied(here: Town) -> Held:
    """What each order has taken here."""
    rows = await here.query(
        "SELECT s.mall, o.number, p.code, e.applied FROM order_effects e JOIN orders o ON o.id = e.order_id"
        " JOIN shops s ON s.id = o.shop_id JOIN products p ON p.id = e.product_id WHERE e.applied > 0"
    )
    return {(MallKind(row.mall), row.number, row.code): row.applied for row in rows}


async def _sold(here: Town) -> dict[str, int]:
    sold = dict.fromkeys(CODES, 0)
    for (_, _, code), units in (await _held(here)).items():
        sold[code] += units
    return sold


async def _updates(here: Town, stall: Stall, credentials: dict[str, str], **more: Any) -> None:
    change = ShopChange(credentials=credentials, **more)
    await here.db.run(
        here.account_id, lambda tx: shops.update(tx, here.ctx.vault, SYSTEM, stall.id, change)
    )


async def _clears_everything(here: Town) -> None:
    ids = [each.id for each in await here.query("SELECT id FROM sync_errors WHERE state = 'OPEN'")]
    await here.db.run(here.account_id, lambda tx: sync_errors.clear(tx, SYSTEM, ids, now=now()))
