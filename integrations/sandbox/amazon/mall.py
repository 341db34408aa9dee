"""Amazon.co.jp's rules about its stock and orders, how it knows a caller, and how it says no (amazon sheet §1, §4, §6).

A shop's credentials are `client_id`, `client_secret`, `refresh_token` and `application_id`; its seller is the seller
id. Settings: see the package.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from integrations.sandbox.amazon.wire import DENIED, error, unauthorized
from integrations.sandbox.core import Call, Core, Mall, Refused
from integrations.sandbox.ledger import Item, Order, Shop

NAME = "amazon"
TOKENS = "access_token"
TOKEN_LIVES = timedelta(hours=1)
PENDING, UNSHIPPED, CANCELLED = "PENDING", "UNSHIPPED", "CANCELLED"
BEFORE_SHIPMENT = frozenset({"PENDING_AVAILABILITY", PENDING, UNSHIPPED})

NO_TOKEN = "Access token is missing in the request header."
TOKEN_DEAD = "The access token you provided is revoked, malformed or invalid."
TOKEN_EXPIRED = "The access token you provided has expired."


class Amazon(Mall):
    name = NAME
    first_status = PENDING
    cancelled_status = CANCELLED

    def identify(self, core: Core, request: Request, body: bytes) -> Shop:
        """The seller whom the access token was given for. Raises Refused (403, never 401)."""
        token = request.headers.get("x-amz-access-token")
        if not token:
            raise unauthorized(NO_TOKEN)
        kept = core.ledger.record(NAME, TOKENS, token)
        if kept is None:
            raise unauthorized(TOKEN_DEAD)
        if kept["until"] <= core.clock.now().timestamp():
            raise unauthorized(TOKEN_EXPIRED)
        return core.ledger.shop(NAME, kept["seller"])

    def throttled(self, call: Call) -> Response:
        """Without `x-amzn-RateLimit-Limit` and Retry-After, as seen (models#746, #1176)."""
        headers = {"x-amzn-ErrorType": "TooManyRequestsException"}
        return error(
            429,
            "QuotaExceeded",
            "You exceeded your quota for the requested resource.",
            headers=headers,
        )

    def maintenance(self, call: Call) -> Response:
        return error(503, "ServiceUnavailable", "Service is temporarily unavailable.")

    def expired(self, call: Call) -> Response:
        return unauthorized(TOKEN_DEAD).response

    def spurious(self, call: Call, code: str) -> Response:
        """`500`, `503`, or the 403 that hit all sellers for a while (models#2595)."""
        match code:
            case "500":
                return error(
                    500, "InternalFailure", "We encountered an internal error. Please try again."
                )
            case "503":
                return self.maintenance(call)
            case _:
                return error(403, "Unauthorized", DENIED)

    def credentials(self, seller: str, given: Mapping[str, Any]) -> dict[str, Any]:
        made = {
            "client_id": f"amzn1.application-oa2-client.{secrets.token_hex(16)}",
            "client_secret": f"amzn1.oa2-cs.v1.{secrets.token_hex(32)}",
            "application_id": "amzn1.sp.solution.renkei",
            "refresh_token": new_refresh_token(),
        }
        return made | dict(given)

    def renewed(self, core: Core, shop: Shop, given: Mapping[str, Any]) -> dict[str, Any]:
        self.expire(core, shop)
        return dict(shop.credentials) | {"refresh_token": new_refresh_token()} | dict(given)

    def expire(self, core: Core, shop: Shop) -> None:
        core.ledger.drop_records(NAME, TOKENS, shop.seller)

    def order_number(self, seller: str, sequence: int, at: datetime) -> str:
        """Three, seven and seven digits."""
        return f"503-{sequence // 10**7:07d}-{sequence % 10**7:07d}"

    def restocks(self, item: Item) -> bool:
        """Amazon gives the units of a cancel before shipment back by itself (§4)."""
        return True

    def cancel(
        self, core: Core, shop: Shop, order: Order, *, restock: bool | None, reason: str
    ) -> Order:
        """Raises Refused: what is shipped comes back as a return, not as a cancel."""
        if order.status not in BEFORE_SHIPMENT:
            refusal = {"error": {"code": "SHIPPED", "message": f"{order.number} is shipped."}}
            raise Refused(JSONResponse(refusal, 409))
        return super().cancel(core, shop, order, restock=restock, reason=reason)


def new_refresh_token() -> str:
    return f"Atzr|{secrets.token_urlsafe(48)}"


@dataclass(frozen=True, slots=True)
class Granted:
    """One access token as the token endpoint answers it."""

    access_token: str
    refresh_token: str

    def response(self) -> Response:
        body = {
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": int(TOKEN_LIVES.total_seconds()),
            "refresh_token": self.refresh_token,
        }
        return JSONResponse(body, headers={"cache-control": "no-store"})


def grant(core: Core, shop: Shop) -> Granted:
    """A new access token; those that have died by now are forgotten."""
    now = core.clock.now()
    for token, kept in core.ledger.records(NAME, TOKENS, shop.seller).items():
        if kept["until"] <= now.timestamp():
            core.ledger.drop_record(NAME, TOKENS, token)
    token = f"Atza|{secrets.token_urlsafe(48)}"
    until = (now + TOKEN_LIVES).timestamp()
    core.ledger.put_record(
        NAME, TOKENS, token, {"seller": shop.seller, "until": until}, shop.seller
    )
    return Granted(token, shop.credentials["refresh_token"])
