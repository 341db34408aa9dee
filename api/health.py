"""Is this process up, and can it serve? What stands before it asks, every few seconds."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.settings import Settings
from domain.store.health import trouble

HasBells = Callable[[], bool]


def routes(settings: Settings, has_bells: HasBells) -> list[Route]:
    """/healthz: the process. /readyz: its database, too; without Valkey it serves, only slower."""

    async def is_up(request: Request) -> Response:
        return JSONResponse({"status": "up"})

    async def is_ready(request: Request) -> Response:
        reason = await trouble(settings.database_url)
        if reason is not None:
            return JSONResponse({"status": "unready", "reason": reason}, 503)
        if not has_bells():
            return JSONResponse({"status": "degraded", "reason": "Valkey cannot be reached."})
        return JSONResponse({"status": "ready"})

    return [Route("/healthz", is_up), Route("/readyz", is_ready)]
