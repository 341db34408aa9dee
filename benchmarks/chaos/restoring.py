"""An older copy of the database is put back, while malls, shoppers and the merchant have gone on.

What was done in between is lost here and is not lost anywhere else: orders are in the malls' books, and the merchant sends
every change of a total once more by its key. Tokens that malls gave out in between are dead, so every shop gets new ones.
"""

import asyncio
import shutil
import signal
import subprocess
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos.credentials import renewed
from benchmarks.chaos.scene import Scene
from benchmarks.chaos.schedule import Strike
from renkei.supervisor import this_command

AGAIN_AFTER = 0.5
LOSS_SECONDS = 120

NOTE_AGAIN = """
INSERT INTO chaos.states (shop_id, state, at) SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
EXCEPT SELECT shop_id, state, at FROM chaos.states
"""
NOTE_NOW = "INSERT INTO chaos.states (shop_id, state) SELECT id, state FROM shops"


async def restored(scene: Scene, strike: Strike) -> None:
    async with scene.restoring:
        await _restored(scene, strike)


async def _restored(scene: Scene, strike: Strike) -> None:
    copy = scene.grounds.data / "postgres.copy"
    since = len(scene.merchant.done)
    await _while_down(scene, lambda files: _copy(files, copy))
    await asyncio.sleep(strike.lasts)
    async with scene.merchant.setting:
        states = await scene.as_superuser("SELECT shop_id, state, at FROM chaos.states")
        await _while_down(scene, lambda files: _put_back(files, copy))
        columns = zip(*(tuple(row) for row in states), strict=True) if states else ([], [], [])
        await scene.as_superuser(NOTE_AGAIN, *map(list, columns))
        await scene.as_superuser(NOTE_NOW)
        await told(scene)
        for shop in scene.market.shops:
            await renewed(scene, shop)
        await scene.merchant.repeats(since)


async def told(scene: Scene) -> None:
    """The operator says so, until somebody has heard."""
    command = this_command("resync", "--loss", str(LOSS_SECONDS))
    env = scene.grounds.crew[-1].env
    while True:
        running = await asyncio.create_subprocess_exec(
            *command, env=env, stdout=DEVNULL, stderr=DEVNULL
        )
        if await running.wait() == 0:
            return
        await asyncio.sleep(AGAIN_AFTER)


async def _while_down(scene: Scene, work: Callable[[Path], None]) -> None:
    postgres = scene.grounds.postgres
    async with scene.grounds.engine:
        postgres.process.send_signal(signal.SIGINT)
        await asyncio.to_thread(postgres.process.wait)
        await asyncio.to_thread(work, postgres.files)
        postgres.spawn()
        await asyncio.to_thread(postgres.wait_ready)


def _copy(files: Path, copy: Path) -> None:
    """With its owner and modes, by which PostgreSQL knows it."""
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", files, copy], check=True)  # noqa: S603, S607


def _put_back(files: Path, copy: Path) -> None:
    shutil.rmtree(files)
    copy.rename(files)
