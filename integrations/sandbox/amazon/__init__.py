"""Amazon.co.jp's SP-API and Login with Amazon, simulated from the mall's fact sheet and Amazon's API models.

`/amazon` stands for sellingpartnerapi-fe.amazon.com, `/amazon-auth` for api.amazon.com and Seller Central.

A shop's settings, all with defaults: `apply_delay` (listings), `pending` (orders), `report_delay`, `report_cache`,
`report_language`, `report_encoding` (reports), `feed_delay` (feeds), `gzip_documents`, `redirect_uri` (consent),
`participating` (sellers). An item's attributes: `fulfillment_channel_code` (DEFAULT or AMAZON_JP),
`lead_time_to_ship_max_days`, `restock_date`, `asin`, `price`.
"""

from starlette.routing import BaseRoute, Mount

from integrations.sandbox.amazon import (
    auth,
    feeds,
    listing_search,
    listings,
    orders,
    reports,
    sellers,
)
from integrations.sandbox.amazon.consent import Consent
from integrations.sandbox.amazon.documents import Presigned
from integrations.sandbox.amazon.mall import Amazon
from integrations.sandbox.amazon.wire import NAME
from integrations.sandbox.core import Core

__all__ = ["Amazon", "routes"]


def routes(core: Core) -> list[BaseRoute]:
    mall = core.malls[NAME]
    parts = (listings, listing_search, orders, reports, feeds, sellers)
    operations = [route for part in parts for route in part.routes(core, mall)]
    return [
        Mount("/amazon", routes=[*operations, *Presigned(core).routes()]),
        Mount("/amazon-auth", routes=[*auth.routes(core, mall), *Consent(core).routes()]),
    ]
