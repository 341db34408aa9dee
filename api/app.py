"""The composition root of the API: what serves, made of settings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from api import connect, health, invitations
from api.auth import Gate
from api.bodies import JSON
from api.broadcast import Broadcaster
from api.budgets import Allowance, Budgets
from api.context import Connecting
from api.cookies import SessionCookie
from api.errors import Code, refused
from api.execution import Engine, refusal
from api.feed import Feed
from api.graphiql import files
from api.origins import Origins
from api.route import GraphQLRoute
from api.schema import schema
from api.seats import Room, Seats
from api.session import Desk, Patience
from api.sign_in import SignIn
from api.sockets import SocketRoute
from api.trusted import read_trusted
from api.watch import Watch
from domain.model.confirmations import Confirmer
from domain.model.fingerprints import Fingerprints
from domain.model.locales import Locale
from domain.model.mall_hosts import MallHosts
from domain.services.credentials import Vault
from domain.services.passwords import Passwords
from domain.settings import Settings
from domain.store.clock import DatabaseClock
from domain.store.database import Database
from integrations.bells import Bells

CORS_SECONDS = 600
PATIENCE = Patience()
ROOM = Room()


def create_app(
    settings: Settings,
    patience: Patience = PATIENCE,
    room: Room = ROOM,
    own: Callable[[], float] = monotonic,
) -> Starlette:
    """`own`: the seconds of this host's clock."""
    bells = Bells(settings.redis_url)
    db = Database.at(settings.database_url, bells, pool_size=settings.database_pool)
    clock = DatabaseClock(db, own)
    feed = Feed(db, bells)
    watch = Watch(db)
    vault = Vault(settings.secret_key)
    origins = (*settings.allowed_origins, connect.origin_of(settings.public_url))
    hosts = MallHosts(settings.mall_hosts)
    connecting = Connecting(vault, settings.public_url, origins, hosts)
    allowance = Allowance(settings.cost_maximum, settings.cost_budget, settings.cost_restore)
    engine = Engine(
        schema()._schema,
        db,
        feed,
        connecting=connecting,
        confirmer=Confirmer(settings.secret_key),
        fingerprints=Fingerprints(settings.secret_key),
        budgets=Budgets(db, allowance),
        trusted=read_trusted(settings.trusted_documents, alone=settings.only_trusted_documents),
        introspection=settings.introspection,
        now=clock.now,
    )
    known = Origins(origins, settings.public_url)
    cookie = SessionCookie(settings.public_url)
    gate = Gate(db, known, cookie)
    passwords = Passwords()
    desk = Desk(engine, Broadcaster(engine), gate, watch, Seats(room), patience)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await clock.look()
        async with asyncio.TaskGroup() as always:
            running = [always.create_task(each) for each in (feed.run(), watch.run(), clock.keep())]
            yield
            for task in running:
                task.cancel()
        passwords.close()
        await bells.close()
        await db.close()

    return Starlette(
        routes=[
            Route("/", _to_graphql),
            Route("/graphql", GraphQLRoute(engine, gate)),
            WebSocketRoute("/graphql", SocketRoute(desk, known)),
            *SignIn(db, gate, cookie, passwords).routes(),
            *invitations.routes(),
            Mount("/graphiql", files()),
            connect.route(db, vault, origins, clock.now),
            *health.routes(settings, lambda: feed.has_bells),
        ],
        middleware=[_cors(settings)],
        exception_handlers={HTTPException: _no_such_address},
        lifespan=lifespan,
    )


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "accept-language"],
        allow_credentials=True,
        expose_headers=["retry-after", "www-authenticate"],
        max_age=CORS_SECONDS,
    )


async def _to_graphql(request: Request) -> Response:
    return RedirectResponse("/graphql")


async def _no_such_address(request: Request, error: Exception) -> Response:
    """What the router refuses, in the words of this API."""
    assert isinstance(error, HTTPException)
    code = Code.METHOD_NOT_ALLOWED if error.status_code == 405 else Code.NOT_FOUND
    answer = refusal(refused(code, f"{error.detail}. The API is at /graphql."), Locale.EN)
    headers = {**(error.headers or {}), "content-type": f"{JSON}; charset=utf-8"}
    return Response(answer.body, error.status_code, headers)
