"""Waiting until nothing moves any more, then asking the malls themselves."""

import asyncio

from renkei.demo.audit import Audit, audit
from renkei.demo.stage import Stage

SETTLED_WITHIN = 120.0
LISTEN_AGAIN = 1.0


async def settle(stage: Stage, within: float = SETTLED_WITHIN) -> Audit:
    """The audit that balances, or the last one when none does in time.

    Orders that a mall has cancelled or cut are found by reading them again, so an audit may fail though nothing waits:
    it is repeated until the time is over.
    """
    clock = asyncio.get_running_loop()
    end = clock.time() + within
    while True:
        await stage.until(lambda: _still(stage), max(0.0, end - clock.time()))
        found = audit(await stage.malls(), await stage.books())
        if (found.balanced and await _still(stage)) or clock.time() >= end:
            return found
        await asyncio.sleep(LISTEN_AGAIN)


async def _still(stage: Stage) -> bool:
    now = await stage.unsettled()
    return not (now.waiting or now.unread or now.differences) and await stage.all_run()
