"""A worker with nothing to do."""

import asyncio

from domain.settings import Settings


async def run(settings: Settings) -> None:
    await asyncio.Event().wait()
