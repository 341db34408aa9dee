"""GraphQL over HTTP (specification of 2025): what is accepted, in which words it is answered, with which status.

| Status | When |
| --- | --- |
| 200 | the operation ran; errors of fields stand beside `data` |
| 400 | it could not begin: malformed, or not a document of this schema. Clients that accept only `application/json`
        get 200 where their request was well formed, as the specification asks |
| 401, 403, 405, 406, 413, 415 | token, origin of a cookie, method, Accept, size, Content-Type |
| 429 | the budget is used up; Retry-After says for how long |
| 500, 503 | our fault, with an id to quote; 503 is worth another try |

What another site can make a browser send unasked does nothing: a POST is JSON, which takes a preflight, and a GET only
reads.
"""

from collections.abc import Mapping

import structlog
from graphql import OperationType
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.auth import Gate, locale_of
from api.bodies import JSON, read_body
from api.context import Viewer
from api.errors import Code, Refused, code_of, failure, refused
from api.execution import Engine, Operation, refusal
from api.graphiql import page
from api.plan import Answer
from api.requests import Request, nul, read_json, read_request

RESPONSE = "application/graphql-response+json"
METHODS = "GET, POST"
PARAMETERS = ("query", "documentId", "operationName", "variables", "extensions")

log = structlog.get_logger(__name__)


class GraphQLRoute:
    def __init__(self, engine: Engine, gate: Gate) -> None:
        self._engine = engine
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        response = page() if _wants_page(request) else await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: HttpRequest) -> Response:
        """Every failure is an answer; none reaches the server."""
        media = _media_type(request.headers.get("accept"))
        locale = locale_of(request.headers.get("accept-language"))
        try:
            if media is None:
                raise refused(
                    Code.NOT_ACCEPTABLE, f"Answers are {RESPONSE} or {JSON}: accept one.", 406
                )
            answer = await self._answered(request)
            return _response(answer, media, 400 if media == RESPONSE else 200)
        except Refused as given:
            no = given
        except Exception as error:
            no = failure(error, locale)
        log.info("refused", method=request.method, status=no.status, code=code_of(no.errors[0]))
        return _refused(no, refusal(no, locale), media or JSON)

    async def _answered(self, request: HttpRequest) -> Answer:
        if request.method not in METHODS.split(", "):
            raise refused(Code.METHOD_NOT_ALLOWED, f"Send {METHODS}.", 405, Allow=METHODS)
        token = self._gate.token(request)
        viewer = await self._gate.viewer(token, request.headers.get("accept-language"))
        given = _from_address(request) if request.method == "GET" else await _from_body(request)
        operation = await self._operation(given, viewer)
        _check_transport(operation, request.method)
        return await self._engine.answer(operation, viewer)

    async def _operation(self, given: Request, viewer: Viewer) -> Operation:
        try:
            return await self._engine.prepared(given, viewer)
        except Refused as no:
            if no.status != 400:
                raise
            raise WellFormed(no.errors) from no


class WellFormed(Refused):
    """Refused for what the document says, not for how it was sent."""


def _check_transport(operation: Operation, method: str) -> None:
    """Raises Refused."""
    if operation.kind is OperationType.SUBSCRIPTION:
        raise refused(
            Code.SUBSCRIPTION_NEEDS_SOCKET,
            "Subscribe over a WebSocket at this address, with the subprotocol graphql-transport-ws.",
        )
    if operation.kind is OperationType.MUTATION and method == "GET":
        raise refused(Code.METHOD_NOT_ALLOWED, "Mutations are sent by POST.", 405, Allow="POST")


async def _from_body(request: HttpRequest) -> Request:
    """Raises Refused."""
    return read_request(await read_body(request))


def _from_address(request: HttpRequest) -> Request:
    """Raises Refused."""
    given: dict[str, object] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise refused(Code.BAD_REQUEST, f"{name[:100]} is given twice.")
        if "\0" in value:
            raise nul()
        if name in PARAMETERS and value:
            given[name] = value
    for name in ("variables", "extensions"):
        if isinstance(text := given.get(name), str):
            given[name] = read_json(text.encode("utf-8", "surrogatepass"))
    return read_request(given)


def _media_type(accept: str | None) -> str | None:
    """The best liked of ours; the plain one where the client does not care. None: none of ours will do."""
    if accept is None or not accept.strip():
        return JSON
    weights = _weights(accept)
    plain = weights.get(JSON, weights.get("application/*", weights.get("*/*", 0.0)))
    full = weights.get(RESPONSE, 0.0)
    if max(plain, full) <= 0:
        return None
    return RESPONSE if full >= plain else JSON


def _wants_page(request: HttpRequest) -> bool:
    if request.method != "GET" or not request.query_params.keys().isdisjoint(PARAMETERS):
        return False
    return _weights(request.headers.get("accept", "")).get("text/html", 0.0) > 0


def _weights(accept: str) -> Mapping[str, float]:
    return dict(_range(part) for part in accept[:2000].split(","))


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (word.strip().lower() for word in part.split(";"))
    quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def _response(answer: Answer, media: str, status_of_refusal: int) -> Response:
    return Response(
        answer.body,
        200 if answer.executed else status_of_refusal,
        {
            "content-type": f"{media}; charset=utf-8",
            "cache-control": "no-store",
            "vary": "Accept, Accept-Language, Authorization, Cookie, Origin",
        },
    )


def _refused(no: Refused, answer: Answer, media: str) -> Response:
    lenient = isinstance(no, WellFormed) and media == JSON
    response = _response(answer, media, 200 if lenient else no.status)
    response.headers.update(no.headers)
    return response
