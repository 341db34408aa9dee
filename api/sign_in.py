"""Signing in and out by HTTP, beside GraphQL.

| Address | Takes | Answers |
| --- | --- | --- |
| POST /auth/sign-in | account, email, password; session: "cookie" or "bearer" | expiresAt; token of a bearer |
| POST /auth/sign-out | nothing, with the session | 204; the cookie goes |
| POST /auth/password | current, password, with the session | 204; the other sessions end |
| POST /auth/password | invitation, password | the account's person's email |

Bodies are JSON. Refusals look as those of /graphql: 400, 401, 403, 413, 415, and 429 with Retry-After.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.auth import REALM, Gate, locale_of
from api.bodies import JSON, read_body
from api.cookies import SessionCookie
from api.errors import Code, Refused, code_of, failure, refused, refused_by
from api.execution import refusal
from domain.model.actors import ActorKind
from domain.model.errors import DomainError
from domain.services import sessions
from domain.services.attempts import TooManyAttempts
from domain.services.callers import Authenticated
from domain.services.passwords import Passwords
from domain.services.sessions import Credentials, Opened, SignInFailed
from domain.store.database import Database

MOST_BYTES = 10_000
MOST_CHARACTERS = 1_000
COOKIE, BEARER = "cookie", "bearer"
PRIVATE = {"cache-control": "no-store"}

Given = Mapping[str, Any]
Work = Callable[[Request, Given], Awaitable[Response]]

log = structlog.get_logger(__name__)


class SignIn:
    """Serves /auth. One a process."""

    def __init__(
        self, db: Database, gate: Gate, cookie: SessionCookie, passwords: Passwords
    ) -> None:
        self._db = db
        self._gate = gate
        self._cookie = cookie
        self._passwords = passwords

    def routes(self) -> list[Route]:
        served: dict[str, Work] = {
            "/auth/sign-in": self._sign_in,
            "/auth/sign-out": self._sign_out,
            "/auth/password": self._password,
        }
        return [
            Route(path, self._edge(work), methods=["POST"], name=path)
            for path, work in served.items()
        ]

    def _edge(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        """Every failure is an answer; none reaches the server."""

        async def respond(request: Request) -> Response:
            try:
                self._gate.check_origin(request)
                return await work(request, _object(await read_body(request, MOST_BYTES)))
            except Refused as given:
                no = given
            except DomainError as rule:
                no = _refused(rule)
            except Exception as error:
                no = failure(error, locale_of(request.headers.get("accept-language")))
            log.info("refused", path=request.url.path, status=no.status, code=code_of(no.errors[0]))
            return _refusal(request, no)

        return respond

    async def _sign_in(self, request: Request, given: Given) -> Response:
        kind = given.get("session", COOKIE)
        if kind not in (COOKIE, BEARER):
            raise _wrong(f'session is "{COOKIE}" or "{BEARER}".')
        entered = Credentials(*(_text(given, name) for name in ("account", "email", "password")))
        opened = await sessions.sign_in(self._db, self._passwords, entered, source=_source(request))
        if kind == BEARER:
            return _answer(_until(opened) | {"token": opened.token})
        response = _answer(_until(opened))
        self._cookie.give(response, request, opened.token, opened.until)
        return response

    async def _sign_out(self, request: Request, given: Given) -> Response:
        """Who is not signed in any more is signed out."""
        try:
            await sessions.sign_out(self._db, await self._person(request))
        except Refused as no:
            if no.status != 401:
                raise
        response = Response(status_code=204, headers=PRIVATE)
        self._cookie.take(response, request)
        return response

    async def _password(self, request: Request, given: Given) -> Response:
        new = _text(given, "password")
        if "invitation" in given:
            email = await sessions.take_up_invitation(
                self._db,
                self._passwords,
                _text(given, "invitation"),
                new,
                source=_source(request),
            )
            return _answer({"email": email})
        caller = await self._person(request)
        current = _text(given, "current")
        await sessions.change_password(self._db, self._passwords, caller, current, new)
        return Response(status_code=204, headers=PRIVATE)

    async def _person(self, request: Request) -> Authenticated:
        """Raises Refused: nobody, or no person."""
        caller = await self._gate.caller(self._gate.token(request))
        if caller.actor.kind is not ActorKind.USER:
            raise refused(
                Code.FORBIDDEN,
                "This is the token of a program, which neither signs in nor out: revokeApiTokens ends it.",
                403,
            )
        return caller


def _object(given: Any) -> Given:
    """Raises Refused."""
    if not isinstance(given, dict):
        raise _wrong("Send a JSON object.")
    return given


def _text(given: Given, name: str) -> str:
    """Raises Refused."""
    value = given.get(name)
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS:
        raise _wrong(f"{name} must be a string of at most {MOST_CHARACTERS} characters.")
    return value


def _wrong(message: str) -> Refused:
    return refused(Code.BAD_REQUEST, message)


def _refused(rule: DomainError) -> Refused:
    match rule:
        case TooManyAttempts():
            return refused_by(rule, 429, Retry_After=str(rule.seconds))
        case SignInFailed():
            return refused_by(rule, 401, WWW_Authenticate=REALM)
    return refused_by(rule)


def _refusal(request: Request, no: Refused) -> Response:
    answer = refusal(no, locale_of(request.headers.get("accept-language")))
    headers = {**no.headers, **PRIVATE, "content-type": f"{JSON}; charset=utf-8"}
    return Response(answer.body, no.status, headers)


def _answer(body: Mapping[str, Any]) -> Response:
    return JSONResponse(body, headers=PRIVATE)


def _until(opened: Opened) -> dict[str, str]:
    return {"expiresAt": opened.until.isoformat().replace("+00:00", "Z")}


def _source(request: Request) -> str:
    """Of who asks, or of what stands before us where it is not trusted to say (FORWARDED_ALLOW_IPS of uvicorn)."""
    return request.client.host if request.client else ""
