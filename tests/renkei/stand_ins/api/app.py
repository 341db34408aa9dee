"""An API that says which process answers, so that a restart can be seen."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from domain.settings import Settings


async def who(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(os.getpid()))


def create_app(settings: Settings) -> Starlette:
    return Starlette(routes=[Route("/", who), Route("/health", who)])
