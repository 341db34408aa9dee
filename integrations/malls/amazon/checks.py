"""The connection test, part by part. Each part is a call of the kind it speaks for, the cheapest that needs the role."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.model.clocks import Now
from domain.model.errors import MallLockedOut
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey
from integrations.checks import checked, clock_part, not_tested
from integrations.http import MallAnswer

from .auth import Login
from .calls import SellingPartnerApi
from .limits import GET_REPORTS, SEARCH_LISTINGS, SEARCH_ORDERS
from .listings import REPORT_TYPE
from .orders import ORDERS_PATH, iso
from .reports import REPORTS_PATH
from .stock import listings_path

AN_HOUR = timedelta(hours=1)


async def tested(
    api: SellingPartnerApi, login: Login, seller_id: str, marketplace_id: str, now: Now
) -> list[CheckPart]:
    access = await access_parts(login)
    if any(part.outcome is not CheckOutcome.OK for part in access):
        return access + not_tested(
            CheckPartKey.STOCK_READ,
            CheckPartKey.ORDERS,
            CheckPartKey.CATALOGUE,
            CheckPartKey.CLOCK,
        )
    stock, read = await checked(
        CheckPartKey.STOCK_READ, one_listing(api, seller_id, marketplace_id)
    )
    orders, _ = await checked(CheckPartKey.ORDERS, one_order(api, marketplace_id, now()))
    catalogue, _ = await checked(CheckPartKey.CATALOGUE, one_report(api))
    return [*access, stock, orders, catalogue, clock_part(read.at if read else None, now())]


async def access_parts(login: Login) -> list[CheckPart]:
    """Amazon knows the client when all it objects to is the consent; without a consent it was not asked."""
    credentials, _ = await checked(CheckPartKey.CREDENTIALS, login.tokens.anew())
    if credentials.outcome is CheckOutcome.OK:
        return [credentials, CheckPart(CheckPartKey.CONSENT, CheckOutcome.OK)]
    if isinstance(credentials.error, MallLockedOut) and credentials.error.consent:
        known = CheckOutcome.OK if credentials.error.mall_code else CheckOutcome.NOT_TESTED
        return [
            CheckPart(CheckPartKey.CREDENTIALS, known),
            replace(credentials, key=CheckPartKey.CONSENT),
        ]
    return [credentials, *not_tested(CheckPartKey.CONSENT)]


async def one_listing(api: SellingPartnerApi, seller_id: str, marketplace_id: str) -> MallAnswer:
    return await api.call(
        "GET",
        listings_path(seller_id),
        SEARCH_LISTINGS,
        params={"marketplaceIds": marketplace_id, "pageSize": "1"},
    )


async def one_order(api: SellingPartnerApi, marketplace_id: str, now: datetime) -> MallAnswer:
    return await api.call(
        "GET",
        ORDERS_PATH,
        SEARCH_ORDERS,
        params={
            "marketplaceIds": marketplace_id,
            "lastUpdatedAfter": iso(now - AN_HOUR),
            "maxResultsPerPage": "1",
        },
    )


async def one_report(api: SellingPartnerApi) -> MallAnswer:
    return await api.call(
        "GET", REPORTS_PATH, GET_REPORTS, params={"reportTypes": REPORT_TYPE, "pageSize": "1"}
    )
