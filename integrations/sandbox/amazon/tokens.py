"""The tokens of Login with Amazon: access tokens live an hour, refresh tokens until they are revoked (amazon sheet §1)."""

import secrets
from datetime import timedelta

from starlette.responses import JSONResponse, Response

from integrations.sandbox.amazon.wire import NAME, unauthorized
from integrations.sandbox.core import Core
from integrations.sandbox.ledger import Shop

KIND = "access_token"
LIVES = timedelta(hours=1)
TOKEN_DEAD = "The access token you provided is revoked, malformed or invalid."
TOKEN_EXPIRED = "The access token you provided has expired."


def new_refresh_token() -> str:
    return f"Atzr|{secrets.token_urlsafe(48)}"


def grant(core: Core, shop: Shop) -> Response:
    """The token endpoint's answer with a new access token; those that have died by now are forgotten."""
    now = core.clock.now()
    for old, kept in core.ledger.records(NAME, KIND, shop.seller).items():
        if kept["until"] <= now.timestamp():
            core.ledger.drop_record(NAME, KIND, old)
    token = f"Atza|{secrets.token_urlsafe(48)}"
    kept = {"seller": shop.seller, "until": (now + LIVES).timestamp()}
    core.ledger.put_record(NAME, KIND, token, kept, shop.seller)
    return _answer(token, shop.credentials["refresh_token"])


def _answer(access_token: str, refresh_token: str) -> Response:
    body = {
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": int(LIVES.total_seconds()),
        "refresh_token": refresh_token,
    }
    return JSONResponse(body, headers={"cache-control": "no-store"})


def holder(core: Core, token: str) -> Shop:
    """The shop that an access token was given for. Raises Refused (403) when it is dead."""
    kept = core.ledger.record(NAME, KIND, token)
    if kept is None:
        raise unauthorized(TOKEN_DEAD)
    if kept["until"] <= core.clock.now().timestamp():
        raise unauthorized(TOKEN_EXPIRED)
    return core.ledger.shop(NAME, kept["seller"])


def forget_all(core: Core, shop: Shop) -> None:
    core.ledger.drop_records(NAME, KIND, shop.seller)
