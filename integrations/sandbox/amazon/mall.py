"""Amazon.co.jp's rules about its stock and orders, how it knows a caller, and how it says no (amazon sheet §1, §4, §6).

A shop's credentials are `client_id`, `client_secret`, `refresh_token` and `application_id`; its seller is the seller
id. Settings: see the package.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from integrations.sandbox.amazon.tokens import TOKEN_DEAD, forget_all, holder, new_refresh_token
from integrations.sandbox.amazon.wire import DENIED, NAME, error, unauthorized
from integrations.sandbox.core import Call, Core, Mall, Refused
from integrations.sandbox.ledger import Item, Order, Shop

PENDING, UNSHIPPED, CANCELLED = "PENDING", "UNSHIPPED", "CANCELLED"
BEFORE_SHIPMENT = frozenset({"PENDING_AVAILABILITY", PENDING, UNSHIPPED})

NO_TOKEN = "Access token is missing in the request header."


class Amazon(Mall):
    name = NAME
    first_status = PENDING
    cancelled_status = CANCELLED

    def identify(self, core: Core, request: Request, body: bytes) -> Shop:
        """The seller whom the access token was given for. Raises Refused (403, never 401)."""
        token = request.headers.get("x-amz-access-token")
        if not token:
            raise unauthorized(NO_TOKEN)
        return holder(core, token)

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
        forget_all(core, shop)

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
