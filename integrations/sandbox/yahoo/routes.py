"""Yahoo's paths, and how often each may be called: about once a second each, then a block (fact sheet §6)."""

from starlette.routing import BaseRoute, Mount, Route

from integrations.sandbox.core import Core, Handler, Operation, endpoint
from integrations.sandbox.limits import Limit
from integrations.sandbox.yahoo import catalogue, orders, stock, stock_file
from integrations.sandbox.yahoo.consent import Consent, client, token

BLOCK = 30.0
TOKEN = Operation("token", "auth")
CONSENT_PATH = "/yconnect/v2/authorization"


def _operation(name: str, area: str, *, writes: bool = False) -> Operation:
    return Operation(name, area, writes, (Limit(name, rate=1, block=BLOCK),))


OPERATIONS: tuple[tuple[str, Operation, Handler], ...] = (
    ("POST", _operation("setStock", "stock", writes=True), stock.set_stock),
    ("POST", _operation("getStock", "stock"), stock.get_stock),
    ("POST", _operation("orderList", "orders"), orders.order_list),
    ("POST", _operation("orderInfo", "orders"), orders.order_info),
    ("GET", _operation("orderCount", "orders"), orders.order_count),
    ("GET", _operation("stCategoryList", "catalogue"), catalogue.category_list),
    ("GET", _operation("myItemList", "catalogue"), catalogue.my_item_list),
    ("GET", _operation("getItem", "catalogue"), catalogue.get_item),
    ("POST", _operation("downloadRequest", "catalogue"), stock_file.download_request),
    ("GET", _operation("downloadSubmit", "catalogue"), stock_file.download_submit),
)


def routes(core: Core) -> list[BaseRoute]:
    """The store API under /yahoo, the log-in host under /yahoo-auth."""
    yahoo, consent = core.malls["yahoo"], Consent(core)
    store = [
        Route(
            f"/ShoppingWebService/V1/{operation.name}",
            endpoint(core, yahoo, operation, handler),
            methods=[method],
        )
        for method, operation, handler in OPERATIONS
    ]
    log_in = [
        Route(CONSENT_PATH, consent.page, methods=["GET"]),
        Route(CONSENT_PATH, consent.agree, methods=["POST"]),
        Route("/yconnect/v2/token", endpoint(core, yahoo, TOKEN, token, client), methods=["POST"]),
    ]
    return [Mount("/yahoo", routes=store), Mount("/yahoo-auth", routes=log_in)]
