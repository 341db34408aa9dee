"""What each kind of fault does, and how it ends."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.chaos.credentials import expired
from benchmarks.chaos.grounds import Member
from benchmarks.chaos.kinds import Kind
from benchmarks.chaos.restoring import restored, told
from benchmarks.chaos.scene import Scene
from benchmarks.chaos.schedule import Strike
from domain.model.bells import Bell
from integrations.bells import Bells
from renkei.demo.stalls import ref_at

READ_AFTER = 1.0
RUNG_LATE = 1.5
RUNG = ("ORDERS", "REFLECT", "READ_BACK", "CHECK")

END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = 'renkei_app' AND pid <> pg_backend_pid() AND pid % 2 = $1
"""

PAGES_AGAIN = """
UPDATE shops SET watermark = watermark - interval '2 minutes', next_order_poll_at = clock_timestamp() WHERE id = $1
RETURNING id
"""

Act = Callable[[Scene, Strike], Awaitable[None]]


async def strike(scene: Scene, strike: Strike, begun: float) -> None:
    """At its time, from its beginning to its end."""
    clock = asyncio.get_running_loop()
    await asyncio.sleep(max(0.0, begun + strike.at - clock.time()))
    scene.struck[strike.kind.value] += 1
    await ACTS[strike.kind](scene, strike)


def _at_the_mall(fault: str) -> Act:
    """One that the sandbox knows: for some calls, or until it is lifted."""

    async def act(scene: Scene, strike: Strike) -> None:
        stall = scene.shop(strike.place).stall
        told: dict[str, Any] = dict(strike.told)
        if (codes := told.pop("codes", None)) is not None:
            told["items"] = [ref_at(stall.kind, code).item_code for code in codes]
        await stall.fault(fault, **told)
        if strike.lasts:
            await asyncio.sleep(strike.lasts)
            await stall.lift(fault)

    return act


async def _expired(scene: Scene, strike: Strike) -> None:
    await expired(scene, scene.shop(strike.place), strike.lasts)


async def _tokens_expired(scene: Scene, strike: Strike) -> None:
    await scene.shop(strike.place).stall.ask("POST", "expire")


async def _edited(scene: Scene, strike: Strike) -> None:
    """Somebody types a number into the mall's own screen; a little later the merchant has the shop's stock read."""
    shop, told = scene.shop(strike.place), dict[str, Any](strike.told)
    await shop.stall.edit(ref_at(shop.stall.kind, told["code"]), told["quantity"])
    await asyncio.sleep(READ_AFTER)
    await scene.merchant.reads(shop.id)


async def _killed(member: Member, strike: Strike) -> None:
    """It is gone for a while, then starts again."""
    member.held = True
    member.signal(signal.SIGKILL)
    await member.ended()
    await asyncio.sleep(strike.lasts)
    member.held = False
    if member.has_ended():
        member.start()


async def _worker_killed(scene: Scene, strike: Strike) -> None:
    await _killed(scene.grounds.crew[strike.place], strike)


async def _api_killed(scene: Scene, strike: Strike) -> None:
    await _killed(scene.grounds.windows[strike.place], strike)


async def _worker_paused(scene: Scene, strike: Strike) -> None:
    worker = scene.grounds.crew[strike.place]
    worker.signal(signal.SIGSTOP)
    await asyncio.sleep(strike.lasts)
    worker.signal(signal.SIGCONT)


async def _worker_skewed(scene: Scene, strike: Strike) -> None:
    """Stopped as an operator stops it; it comes back with its clock set to another time."""
    worker = scene.grounds.crew[strike.place]
    worker.signal(signal.SIGCONT)
    worker.signal(signal.SIGTERM)
    await worker.ended()


async def _valkey_killed(scene: Scene, strike: Strike) -> None:
    valkey, engine = scene.grounds.valkey, scene.grounds.engine
    async with engine:
        valkey.process.kill()
        await asyncio.to_thread(valkey.process.wait)
        await asyncio.sleep(strike.lasts)
        valkey.spawn()
        await asyncio.to_thread(valkey.wait_ready)


def _database_ended(how: signal.Signals) -> Act:
    async def act(scene: Scene, strike: Strike) -> None:
        postgres, engine = scene.grounds.postgres, scene.grounds.engine
        async with engine:
            postgres.process.send_signal(how)
            await asyncio.to_thread(postgres.process.wait)
            await asyncio.sleep(strike.lasts)
            postgres.spawn()
            await asyncio.to_thread(postgres.wait_ready)

    return act


async def _sessions_ended(scene: Scene, strike: Strike) -> None:
    await scene.as_superuser(END_SESSIONS, strike.place % 2)


async def _connections_cut(scene: Scene, strike: Strike) -> None:
    scene.grounds.relay.cut()


async def _pages_again(scene: Scene, strike: Strike) -> None:
    await scene.as_superuser(PAGES_AGAIN, scene.shop(strike.place).id)


async def _bells_again(scene: Scene, strike: Strike) -> None:
    """For everything at every shop, twice, and once more when nobody thinks of it."""
    bells = Bells(scene.grounds.settings.redis_url)
    account_id = scene.market.account_id
    rung = [Bell(account_id, shop.id, work) for shop in scene.market.shops for work in RUNG]
    try:
        await bells(account_id, True, rung + rung)
        await asyncio.sleep(RUNG_LATE)
        await bells(account_id, True, rung)
    finally:
        await bells.close()


async def _request_again(scene: Scene, strike: Strike) -> None:
    told = dict[str, Any](strike.told)
    await scene.merchant.adjust(told["code"], told["change"], twice=True)


async def _resynced(scene: Scene, strike: Strike) -> None:
    """As after a restore that lost nothing: whatever is believed of the malls may be from another time."""
    await told(scene)


ACTS: Mapping[Kind, Act] = MappingProxyType(
    {
        Kind.THROTTLE: _at_the_mall("throttle"),
        Kind.MAINTENANCE: _at_the_mall("maintenance"),
        Kind.EXPIRED: _expired,
        Kind.TOKENS_EXPIRED: _tokens_expired,
        Kind.SPURIOUS: _at_the_mall("spurious"),
        Kind.PARTIAL: _at_the_mall("partial"),
        Kind.NOT_APPLIED: _at_the_mall("not_applied"),
        Kind.NO_ANSWER: _at_the_mall("no_answer"),
        Kind.CUT: _at_the_mall("cut"),
        Kind.SLOW: _at_the_mall("slow"),
        Kind.MALFORMED: _at_the_mall("malformed"),
        Kind.LATE_ORDERS: _at_the_mall("late_orders"),
        Kind.EDITED: _edited,
        Kind.WORKER_KILLED: _worker_killed,
        Kind.WORKER_PAUSED: _worker_paused,
        Kind.WORKER_SKEWED: _worker_skewed,
        Kind.API_KILLED: _api_killed,
        Kind.VALKEY_KILLED: _valkey_killed,
        Kind.DATABASE_RESTARTED: _database_ended(signal.SIGINT),
        Kind.DATABASE_CRASHED: _database_ended(signal.SIGQUIT),
        Kind.SESSIONS_ENDED: _sessions_ended,
        Kind.CONNECTIONS_CUT: _connections_cut,
        Kind.PAGES_AGAIN: _pages_again,
        Kind.BELLS_AGAIN: _bells_again,
        Kind.REQUEST_AGAIN: _request_again,
        Kind.RESYNCED: _resynced,
        Kind.RESTORED: restored,
    }
)
