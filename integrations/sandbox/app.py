"""All simulated malls in one application: each under its prefix, the control API under /_control."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from integrations.sandbox import amazon, control, rakuten, yahoo
from integrations.sandbox.clock import Clock
from integrations.sandbox.core import Core, Mall
from integrations.sandbox.ledger import Ledger


def create_app(
    *, state: Path | None = None, speed: float = 1.0, clock: Clock | None = None
) -> Starlette:
    """`state`: the file that keeps the malls' books (None: in memory). `speed` as in Clock; `clock` overrides it."""
    clock = clock or Clock(speed)
    malls: tuple[Mall, ...] = (rakuten.Rakuten(clock), yahoo.Yahoo(clock), amazon.Amazon())
    core = Core(Ledger(clock, state), clock, {mall.name: mall for mall in malls})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await core.close()

    return Starlette(
        routes=[
            *control.routes(core),
            *rakuten.routes(core),
            *yahoo.routes(core),
            *amazon.routes(core),
        ],
        lifespan=lifespan,
    )
