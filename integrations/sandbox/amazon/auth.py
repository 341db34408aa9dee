"""Login with Amazon: the token endpoint `/amazon-auth/auth/o2/token`, which stands for api.amazon.com (amazon sheet §1).

An authorization code gives the seller a new refresh token: the earlier one dies, and credentials that the fault
"expired" had killed live again.
"""

from dataclasses import replace
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon.consent import living_code, spend
from integrations.sandbox.amazon.tokens import grant, new_refresh_token
from integrations.sandbox.amazon.wire import NAME
from integrations.sandbox.core import Call, Core, Mall, Operation, Refused, endpoint
from integrations.sandbox.faults import AUTH, FaultKind
from integrations.sandbox.ledger import Shop

TOKEN = Operation("token", AUTH)
BY_CODE = "authorization_code"

Form = dict[str, str]


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    return [Route("/auth/o2/token", endpoint(core, mall, TOKEN, token, identify), methods=["POST"])]


def identify(core: Core, request: Request, body: bytes) -> Shop:
    """The seller whose refresh token or code it is. Raises Refused in the words of LWA."""
    form = _form(body)
    identified_by = {"refresh_token": _refreshing, BY_CODE: _authorizing}
    by = identified_by.get(form.get("grant_type", ""))
    if by is None:
        raise _refused(400, "unsupported_grant_type", "The grant type is not supported.")
    return by(core, form)


async def token(call: Call) -> Response:
    form = _form(call.body)
    shop = call.shop
    if form["grant_type"] == BY_CODE:
        shop = _let_in_again(call, form["code"])
    return grant(call.core, shop)


def _let_in_again(call: Call, code: str) -> Shop:
    spend(call.core, code)
    call.core.faults.lift(call.shop.key, FaultKind.EXPIRED)
    credentials = {**call.shop.credentials, "refresh_token": new_refresh_token()}
    return call.ledger.save_shop(replace(call.shop, credentials=credentials))


def _refreshing(core: Core, form: Form) -> Shop:
    client, refresh_token = _client(core, form), form.get("refresh_token", "")
    shop = core.ledger.shop_with(NAME, **client, refresh_token=refresh_token)
    if shop is None or core.faults.holds(shop.key, FaultKind.EXPIRED):
        raise _bad_grant("refresh token")
    return shop


def _authorizing(core: Core, form: Form) -> Shop:
    client, code = _client(core, form), living_code(core, form.get("code", ""))
    if code is None or form.get("redirect_uri", code["redirect_uri"]) != code["redirect_uri"]:
        raise _bad_grant("authorization code")
    shop = core.ledger.shop(NAME, code["seller"])
    if any(shop.credentials[name] != value for name, value in client.items()):
        raise _bad_grant("authorization code")
    return shop


def _client(core: Core, form: Form) -> Form:
    client = {name: form.get(name, "") for name in ("client_id", "client_secret")}
    if core.ledger.shop_with(NAME, **client) is None:
        raise _refused(401, "invalid_client", "Client authentication failed")
    return client


def _form(body: bytes) -> Form:
    """The first value of each field of an urlencoded body."""
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def _bad_grant(what: str) -> Refused:
    return _refused(400, "invalid_grant", f"The request has an invalid grant parameter : {what}")


def _refused(status: int, error: str, description: str) -> Refused:
    body = {"error": error, "error_description": description}
    return Refused(JSONResponse(body, status, {"cache-control": "no-store"}))
