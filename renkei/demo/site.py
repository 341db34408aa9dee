"""The demo's page, and what it cannot ask of the API: what the malls themselves say, and what is done to them.

An origin of its own, on this machine only. Everything but the page's files wants the demo's token.

    GET  /demo                 the page; its script and its style beside it
    GET  /demo/state           where the API is, the products, each mall's own numbers and faults, the caption, both counters
    POST /demo/buy             {mall, code}   a shopper buys one            → {missing}: 1 when the mall had none left
    POST /demo/close, /open    {mall}         maintenance begins, ends
    POST /demo/expire          {mall}         the key expires
    POST /demo/renew           {mall}         the mall gives a new key      → {credentials: [{key, value}]}
    POST /demo/raise           {mall, code}   somebody types a higher number into the mall's own screen

Malls are named as the API names them.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from api.nodes import global_id
from domain.model.malls import MallKind
from renkei import serving
from renkei.demo import hands
from renkei.demo.captions import SCENES
from renkei.demo.seeding import form_of
from renkei.demo.shadow import WRITES_EVERY
from renkei.demo.stage import Stage
from renkei.demo.stalls import ControlFailed

FILES = Path(__file__).parent / "page"
PAGES: Mapping[str, str] = {
    "/demo": "index.html",
    "/demo/page.js": "page.js",
    "/demo/texts.js": "texts.js",
    "/demo/page.css": "page.css",
}
RAISED_BY = 5
MOST_BODY = 1000

Act = Callable[[Stage, MallKind, str], Awaitable[Mapping[str, Any]]]


class Site:
    """`api`: where the page reaches the API."""

    def __init__(self, stage: Stage, api: str, token: str) -> None:
        self._stage, self._api, self._token = stage, api, token

    def app(self) -> Starlette:
        acts = [Route(f"/demo/{name}", self._acting(act), methods=["POST"]) for name, act in ACTS]
        return Starlette(
            routes=[
                *(Route(path, self._file(name)) for path, name in PAGES.items()),
                Route("/demo/state", self._state),
                *acts,
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])],
        )

    def _file(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        headers = {
            "content-security-policy": policy(self._api),
            "referrer-policy": "no-referrer",
            "cache-control": "no-cache",
        }

        async def answer(request: Request) -> Response:
            return FileResponse(FILES / name, headers=headers)

        return answer

    def _acting(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if not self._may(request):
                return Response(status_code=401)
            try:
                kind, code = await self._named(request)
                return JSONResponse(await act(self._stage, kind, code))
            except (KeyError, TypeError, ValueError):
                return Response(status_code=400)
            except ControlFailed as error:
                return JSONResponse({"message": str(error)}, 503)

        return answer

    async def _named(self, request: Request) -> tuple[MallKind, str]:
        """A mall, and a product on show, the first where none is named."""
        if int(request.headers.get("content-length", MOST_BODY)) >= MOST_BODY:
            raise ValueError
        told = await request.json()
        if not isinstance(told, dict):
            raise TypeError
        code = told.get("code", self._stage.rows[0].code)
        if code not in {each.code for each in self._stage.rows}:
            raise ValueError
        return MallKind(told["mall"]), code

    async def _state(self, request: Request) -> Response:
        if not self._may(request):
            return Response(status_code=401)
        try:
            return JSONResponse(await self._told(), headers={"cache-control": "no-store"})
        except ControlFailed as error:
            return JSONResponse({"message": str(error)}, 503)

    async def _told(self) -> dict[str, Any]:
        stage = self._stage
        codes = [each.code for each in stage.rows]
        looks = await asyncio.gather(*(stall.look(codes) for stall in stage.stalls.values()))
        return {
            "api": self._api,
            "products": [global_id("Product", stage.row_ids[code]) for code in codes],
            "malls": {
                kind.value: asdict(look) for kind, look in zip(stage.stalls, looks, strict=True)
            },
            "caption": asdict(stage.caption) | {"of": SCENES} if stage.caption else None,
            "counted": {
                "orders": stage.shoppers.compared.orders,
                "here": stage.shoppers.compared.here.missing,
                "shadow": stage.shoppers.compared.shadow.till.missing,
            },
        }

    def _may(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return secrets.compare_digest(given, f"Bearer {self._token}".encode())


def policy(api: str) -> str:
    """What the page's files may do: nothing that stands within the page, nothing from elsewhere."""
    socket_of_api = "ws" + api.removeprefix("http")
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
        f" form-action 'none'; frame-ancestors 'none'; connect-src 'self' {api} {socket_of_api}"
    )


_invoices = itertools.count(1)


async def _buy(stage: Stage, kind: MallKind, code: str) -> Mapping[str, Any]:
    missing = await stage.shoppers.buy(kind, f"page-{next(_invoices)}", {code: 1})
    return {"missing": missing.total()}


async def _close(stage: Stage, kind: MallKind, code: str) -> Mapping[str, Any]:
    await stage.stalls[kind].fault("maintenance")
    return {}


async def _open(stage: Stage, kind: MallKind, code: str) -> Mapping[str, Any]:
    await stage.stalls[kind].lift("maintenance")
    return {}


async def _expire(stage: Stage, kind: MallKind, code: str) -> Mapping[str, Any]:
    await stage.stalls[kind].fault("expired")
    return {}


async def _renew(stage: Stage, kind: MallKind, code: str) -> Mapping[str, Any]:
    given = form_of(kind, await stage.stalls[kind].renew())
    return {"credentials": [{"key": key, "value": value} for key, value in given.items()]}


async def _raise(stage: Stage, kind: MallKind, code: str) -> Mapping[str, Any]:
    number = (await stage.stalls[kind].look([code])).numbers[code] + RAISED_BY
    await hands.type_in(stage, kind, code, number)
    return {"quantity": number}


ACTS: tuple[tuple[str, Act], ...] = (
    ("buy", _buy),
    ("close", _close),
    ("open", _open),
    ("expire", _expire),
    ("renew", _renew),
    ("raise", _raise),
)


@asynccontextmanager
async def served(app: Starlette, listener: socket) -> AsyncIterator[None]:
    """For as long as the block runs, on its loop."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task


async def write_now_and_then(stage: Stage) -> None:
    """The shadow's malls are told every number; until cancelled."""
    while True:
        await asyncio.sleep(WRITES_EVERY)
        stage.shoppers.compared.shadow.write()


def address(listener: socket, token: str) -> str:
    """With the token in the fragment, which no browser sends anywhere."""
    return f"{serving.address(listener)}/demo#token={token}"
