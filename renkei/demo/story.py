"""The demo from beginning to end: seed, tell the story, replay with mishaps, settle, ask the malls; then serve on."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from domain.model.actors import SYSTEM
from domain.model.malls import MallKind
from domain.model.roles import Role
from domain.services import accounts
from domain.services.credentials import Vault
from domain.store import audit, products
from domain.store.database import Database, Tx
from integrations.bells import Bells
from renkei.demo import captions, hands, scenes, seeding, site
from renkei.demo.baskets import Baskets
from renkei.demo.latency import by_mall_logs
from renkei.demo.mishaps import mishaps, play_all
from renkei.demo.note import Note, write_note
from renkei.demo.replay import Shoppers
from renkei.demo.screen import Screen
from renkei.demo.seeding import Merchant
from renkei.demo.settling import settle
from renkei.demo.shadow import Comparison, compared
from renkei.demo.shelf import full, on_show
from renkei.demo.stage import Stage
from renkei.demo.stalls import KINDS, NAMES, Stall
from renkei.demo.summary import Outcome, Pace, summary
from renkei.demo.trickle import trickle
from renkei.demo.watch import Watch
from renkei.refusal import Refusal
from renkei.up import Running

REPLAY_SECONDS = 90
SLOWEST = 2.0
ALL_TIME = timedelta(days=3650)
READY_WITHIN = 60.0
CONTROL_SECONDS = 30.0
WHOLE_SECOND = timedelta(seconds=1)
QUERY = "{ products(first: 3) { edges { node { code name total } } } }"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for. `per_second` None: so that the replay takes about REPLAY_SECONDS. `story`: how many
    seconds it takes; 0: none is told."""

    orders: int
    once: bool = False
    quiet: bool = False
    calm: bool = False
    per_second: float | None = None
    speed: float = 60.0
    story: float = scenes.SECONDS

    @property
    def tells(self) -> bool:
        return bool(self.story) and not (self.once or self.quiet)

    @property
    def pace(self) -> Pace:
        per_second = self.per_second or max(SLOWEST, self.orders / REPLAY_SECONDS)
        polls = {kind: seeding.poll_seconds(kind, self.speed) for kind in KINDS}
        return Pace(round(per_second, 1), polls, self.speed)


async def tell(running: Running, wishes: Wishes, screen: Screen, note: Note | None) -> Outcome:
    """Ends with what came of it where `once` is wished for, else when cancelled. Raises Refusal, ControlFailed."""
    baskets = Baskets(wishes.orders)
    async with _at_the_malls(running) as (db, vault, stalls):
        begin = _seeded if note is None else _found
        merchant = await begin(db, vault, stalls, baskets, running, wishes, screen)
        token = note.token if note else await _noted(merchant, running, wishes)
        steps = baskets.steps if note is None else ()
        shoppers = Shoppers(stalls, merchant.sees, compared=await _compared(merchant))
        rows = on_show(baskets.catalogue, baskets.orders)
        ids = await _ids(merchant, [each.code for each in rows])
        shelves = full(rows, baskets.catalogue)
        stage = Stage(merchant, stalls, shoppers, screen, rows, ids, len(steps), shelves)
        async with (
            _beside(Watch(stage).look_on(), site.write_now_and_then(stage)),
            _page(stage, running, token),
        ):
            if note is None:
                await _ready(stage)
            screen.tell(_how_to_reach(running, token))
            return await _play(stage, baskets, wishes, new=note is None)


@asynccontextmanager
async def _beside(*endless: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """What goes on while the block runs."""
    tasks = [asyncio.create_task(each) for each in endless]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def _page(stage: Stage, running: Running, token: str) -> AbstractAsyncContextManager[None]:
    assert running.page is not None
    return site.served(site.Site(stage, running.address, token).app(), running.page)


async def _ids(merchant: Merchant, codes: Sequence[str]) -> Mapping[str, UUID]:
    async with merchant.db.transaction(merchant.account_id) as tx:
        return await products.by_code(tx, codes)


async def _compared(merchant: Merchant) -> Comparison:
    """Both worlds begin with what there is now."""
    async with merchant.db.transaction(merchant.account_id) as tx:
        books = await audit.books(tx)
    codes = {each.id: each.code for each in books.products}
    parts: dict[str, dict[str, int]] = {}
    for part in books.parts:
        parts.setdefault(codes[part.set_id], {})[codes[part.part_id]] = part.count
    totals = {each.code: each.total for each in books.products if each.code not in parts}
    return compared(totals, parts, KINDS)


@asynccontextmanager
async def _at_the_malls(
    running: Running,
) -> AsyncIterator[tuple[Database, Vault, Mapping[MallKind, Stall]]]:
    settings = running.settings
    bells = Bells(settings.redis_url)
    db = Database.at(settings.database_url, bells, pool_size=4)
    try:
        async with httpx.AsyncClient(
            base_url=running.sandbox or "", timeout=CONTROL_SECONDS
        ) as control:
            yield db, Vault(settings.secret_key), {kind: Stall(kind, control) for kind in KINDS}
    finally:
        await bells.close()
        await db.close()


async def _seeded(
    db: Database,
    vault: Vault,
    stalls: Mapping[MallKind, Stall],
    baskets: Baskets,
    running: Running,
    wishes: Wishes,
    screen: Screen,
) -> Merchant:
    """A new account, its shops connected, filled, linked by code, counted, tested and started."""
    assert running.sandbox is not None
    before = await seeding.known_merchant(db, vault)
    if before is not None and await seeding.has_started(before):
        raise Refusal(
            f"This database has a demo account whose malls are not in {running.data.path}."
            " Name the data directory that it was made with, or another database."
        )
    screen.say(f"Seeding the account {seeding.CODE} with {len(baskets.catalogue):,} products")
    merchant = await seeding.open_shops(db, vault, stalls, running.sandbox, wishes.speed)
    for kind, stall in stalls.items():
        files = await seeding.fill_mall(stall, baskets.catalogue)
        count = await seeding.import_files(merchant, kind, files)
        names = ", ".join(name for name, _ in files)
        screen.say(f"{NAMES[kind]}: {count:,} listings imported from {names}, linked by code")
    await seeding.count_stock(merchant, baskets.catalogue)
    await seeding.start(merchant)
    return merchant


async def _found(
    db: Database,
    vault: Vault,
    stalls: Mapping[MallKind, Stall],
    baskets: Baskets,
    running: Running,
    wishes: Wishes,
    screen: Screen,
) -> Merchant:
    """The account of the first run on this data directory, as it was left."""
    assert running.sandbox is not None
    merchant = await seeding.known_merchant(db, vault)
    if merchant is None:
        raise Refusal(
            f"The data directory {running.data.path} has been used for a demo in another database."
            " Name that database, or give a new data directory with --data-dir."
        )
    screen.say(
        "The demo account is there already: it is served as it was left, nothing is replayed"
    )
    screen.say(f"To begin anew, remove {running.data.path} or give another --data-dir")
    await seeding.move(merchant, running.sandbox)
    return merchant


async def _noted(merchant: Merchant, running: Running, wishes: Wishes) -> str:
    async with merchant.db.transaction(merchant.account_id) as tx:
        token = await _token(tx)
    write_note(running.data, Note(token, wishes.orders, wishes.speed))
    return token


async def _token(tx: Tx) -> str:
    return await accounts.create_token(tx, "demo", role=Role.OWNER, actor=SYSTEM)


def _how_to_reach(running: Running, token: str) -> list[str]:
    assert running.page is not None
    return [
        "",
        f"The page   {site.address(running.page, token)}",
        f"GraphiQL   {running.address}/graphql#token={token}",
        f"curl -s {running.address}/graphql -H 'Authorization: Bearer {token}'"
        f" -H 'Content-Type: application/json' -d '{{\"query\": \"{QUERY}\"}}'",
        "",
    ]


async def _play(stage: Stage, baskets: Baskets, wishes: Wishes, *, new: bool) -> Outcome:
    if not new:
        await hands.clear_halts(stage)
        await hands.fill_up(stage, stage.full)
    if wishes.tells:
        await scenes.play(stage, wishes.story)
    if new:
        await _replay(stage, baskets, wishes)
    stage.say(captions.SETTLING)
    outcome = await _outcome(stage)
    stage.screen.tell(summary(outcome, list(stage.shoppers.tallies.values()), wishes.pace))
    if not wishes.once:
        await _serve_on(stage, baskets, wishes)
    return outcome


async def _replay(stage: Stage, baskets: Baskets, wishes: Wishes) -> None:
    pace = wishes.pace
    stage.say(captions.REPLAY)
    stage.screen.say(
        f"Replaying {len(baskets.orders):,} real orders of at most {baskets.most_lines:,} lines, and their"
        f" cancellations, {pace.per_second:g} a second, each at the mall that a hash of its number names; {pace.malls}"
    )
    played = () if wishes.calm else mishaps(baskets.catalogue)
    await asyncio.gather(
        stage.shoppers.replay(baskets.steps, pace.per_second), play_all(stage, played)
    )


async def _ready(stage: Stage) -> None:
    """Every connection was good, and every order list was read past the start: mall times come in whole seconds, and
    an order that seems to be from before the start would count as counted already."""

    async def so() -> bool:
        return all(
            shop.checked_at
            and shop.watermark
            and shop.effective_from
            and shop.watermark >= shop.effective_from + WHOLE_SECOND
            for shop in await stage.shops()
        )

    if not await stage.until(so, READY_WITHIN):
        raise Refusal("The demo's shops could not be connected to the sandbox malls; see the log.")


async def _outcome(stage: Stage) -> Outcome:
    found = await settle(stage)
    now, errors = await stage.unsettled(), await stage.errors()
    lasted = by_mall_logs(await stage.malls(), await stage.reaches(ALL_TIME))
    return Outcome(
        found,
        now.pushes,
        now.oversold,
        len(errors),
        sum(each.resolved_at is None for each in errors),
        lasted,
        stage.spells,
        stage.shoppers.compared.missing,
    )


async def _serve_on(stage: Stage, baskets: Baskets, wishes: Wishes) -> None:
    """Until cancelled, with shelves that hold something: quietly, or with a shopper now and then."""
    await hands.fill_up(stage, stage.full)
    if wishes.quiet:
        stage.say(captions.STILL)
        stage.screen.say("Serving data that stands still. Stop with Ctrl-C")
        await asyncio.Event().wait()
    stage.say(captions.TRICKLE)
    stage.screen.say("Serving on, with a shopper now and then. Stop with Ctrl-C")
    await trickle(stage, baskets)
