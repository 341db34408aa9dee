"""Sellers v1: getMarketplaceParticipations, what a connection test asks (amazon sheet §6)."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon.wire import MARKETPLACE, answer, operation
from integrations.sandbox.core import Call, Core, Mall, endpoint

GET = operation("getMarketplaceParticipations", "catalogue", 0.016, 15)
JAPAN = {
    "id": MARKETPLACE,
    "name": "Amazon.co.jp",
    "countryCode": "JP",
    "defaultCurrencyCode": "JPY",
    "defaultLanguageCode": "ja_JP",
    "domainName": "www.amazon.co.jp",
}


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    path = "/sellers/v1/marketplaceParticipations"
    return [Route(path, endpoint(core, mall, GET, participations), methods=["GET"])]


async def participations(call: Call) -> Response:
    """The shop's setting `participating` false: the seller's account in Japan is suspended."""
    takes_part = bool(call.shop.settings.get("participating", True))
    participation = {"isParticipating": takes_part, "hasSuspendedListings": not takes_part}
    one = {"marketplace": JAPAN, "participation": participation, "storeName": call.shop.seller}
    return answer(call, {"payload": [one]})
