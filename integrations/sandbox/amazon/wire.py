"""Shapes that every SP-API operation shares: errors, lists and times in queries, times in bodies."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from integrations.sandbox.core import Call, Operation, Refused
from integrations.sandbox.limits import Limit

NAME = "amazon"
"""The mall's key in the books."""

MARKETPLACE = "A1VC38T7YXB528"
"""Amazon.co.jp, the only marketplace that is simulated (amazon sheet, head)."""

MAX_BODY = 1024 * 1024
"""Bytes of a request; more answers 413. The models name the status, not the number."""

NOT_VALID = "The input you have submitted is not valid. Please check your input and try again."
CANNOT_BE_PARSED = "Request has missing or invalid parameters and cannot be parsed."
NOT_SUPPORTED = "The request payload is in an unsupported format."
TOO_LARGE = "The request size exceeded the maximum accepted size."
DENIED = "Access to requested resource is denied."


def error(
    status: int,
    code: str,
    message: str,
    details: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`{"errors": [{code, message, details}]}`, the body of every refusal (amazon sheet §2)."""
    body = {"errors": [{"code": code, "message": message, "details": details}]}
    return JSONResponse(body, status, headers)


def answer(call: Call, body: object, status: int = 200) -> Response:
    """A success, naming the request and the operation's rate (§6)."""
    headers = {
        "x-amzn-RequestId": str(uuid4()),
        "x-amzn-RateLimit-Limit": str(call.operation.limits[0].rate),
    }
    return JSONResponse(body, status, headers)


def operation(name: str, area: str, rate: float, burst: int, *, writes: bool = False) -> Operation:
    """One operation with its own bucket for each seller (§6)."""
    return Operation(name, area, writes, (Limit(name, rate, burst),))


def invalid_input(message: str = NOT_VALID) -> Refused:
    return Refused(error(400, "InvalidInput", message))


def unauthorized(details: str = "") -> Refused:
    """Dead, malformed or missing tokens, missing roles and foreign sellers: 403, never 401 (§1)."""
    return Refused(error(403, "Unauthorized", DENIED, details))


def own(call: Call) -> None:
    """Raises Refused when the path names another seller than the token's."""
    if call.request.path_params["seller"] != call.shop.seller:
        raise unauthorized()


def not_found(message: str) -> Refused:
    return Refused(error(404, "NotFound", message))


def listed(request: Request, name: str, *, at_most: int = 50) -> list[str]:
    """A csv list of the query (swagger `collectionFormat: csv`). Raises Refused when it is too long."""
    values = [v for v in request.query_params.get(name, "").split(",") if v]
    if len(values) > at_most:
        raise invalid_input(f"'{name}' takes at most {at_most} values.")
    return values


def one_of(request: Request, name: str, allowed: frozenset[str]) -> list[str]:
    """A csv list whose values the model enumerates. Raises Refused for any other value."""
    values = listed(request, name)
    if not allowed.issuperset(values):
        raise invalid_input(f"Invalid '{name}' provided.")
    return values


def marketplaces(request: Request, *, required: bool = True) -> None:
    """Raises Refused unless the query names Amazon.co.jp, or nothing where the model lets it."""
    asked = listed(request, "marketplaceIds")
    if (required and not asked) or any(one != MARKETPLACE for one in asked):
        raise invalid_input("Invalid 'marketplaceIds' provided.")


def whole(request: Request, name: str, default: int, *, least: int = 1, most: int) -> int:
    """Raises Refused for what is no whole number within the model's bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise invalid_input(f"'{name}' must be between {least} and {most}.")
    return int(text)


def moment(request: Request, name: str) -> datetime | None:
    """An ISO 8601 date-time of the query; one without an offset is UTC. Raises Refused for others."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise invalid_input() from fault
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def shown(at: datetime) -> str:
    """Whole seconds, UTC, `Z`, as the models' examples write times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def json_object(call: Call) -> dict[str, Any]:
    """The body. Raises Refused: 415 for another type, 413 when too long, 400 when it is no object."""
    if not call.request.headers.get("content-type", "").startswith("application/json"):
        raise Refused(error(415, "UnsupportedMediaType", NOT_SUPPORTED))
    if len(call.body) > MAX_BODY:
        raise Refused(error(413, "PayloadTooLarge", TOO_LARGE))
    try:
        body = json.loads(call.body)
    except ValueError as fault:
        raise invalid_input(CANNOT_BE_PARSED) from fault
    if not isinstance(body, dict):
        raise invalid_input(CANNOT_BE_PARSED)
    return body
