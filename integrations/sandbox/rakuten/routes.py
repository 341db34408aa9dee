"""Rakuten's paths, and how often each may be called (fact sheet §2 to §6)."""

from starlette.routing import BaseRoute, Mount, Route

from integrations.sandbox.core import Core, Handler, Operation, endpoint
from integrations.sandbox.limits import Limit
from integrations.sandbox.rakuten import inventory, items, licenses, orders

SKU = "/manage-numbers/{manage_number}/variants/{variant_id}"
INVENTORY_VERSIONS = ("/es/2.0/inventories", "/es/2.1/inventories")


def _operation(name: str, area: str, rate: float, *, writes: bool = False) -> Operation:
    return Operation(name, area, writes, (Limit(name, rate),))


INVENTORY: tuple[tuple[str, str, Operation, Handler], ...] = (
    (
        "POST",
        "/bulk-upsert",
        _operation("inventories.bulk-upsert", "stock", 1, writes=True),
        inventory.bulk_upsert,
    ),
    ("PUT", SKU, _operation("inventories.put", "stock", 1, writes=True), inventory.put_one),
    ("GET", SKU, _operation("inventories.get", "stock", 1), inventory.get_one),
    ("POST", "/bulk-get", _operation("inventories.bulk-get", "stock", 5), inventory.bulk_get),
    (
        "GET",
        "/bulk-get/range",
        _operation("inventories.range", "stock", 5),
        inventory.find_by_quantity,
    ),
)
OTHERS: tuple[tuple[str, str, Operation, Handler], ...] = (
    (
        "POST",
        "/es/2.0/order/searchOrder/",
        _operation("searchOrder", "orders", 1),
        orders.search_order,
    ),
    ("POST", "/es/2.0/order/getOrder/", _operation("getOrder", "orders", 1), orders.get_order),
    ("GET", "/es/2.0/items/search", _operation("items.search", "catalogue", 5), items.search),
    (
        "GET",
        "/es/2.0/items/manage-numbers/{manage_number}",
        _operation("items.get", "catalogue", 5),
        items.get_item,
    ),
    (
        "GET",
        "/es/1.0/license-management/license-key/expiry-date",
        _operation("expiry-date", "license", 1),
        licenses.expiry_date,
    ),
)


def routes(core: Core) -> list[BaseRoute]:
    rakuten = core.malls["rakuten"]
    paths = [
        (method, version + path, operation, handler)
        for version in INVENTORY_VERSIONS
        for method, path, operation, handler in INVENTORY
    ]
    return [
        Mount(
            "/rakuten",
            routes=[
                Route(path, endpoint(core, rakuten, operation, handler), methods=[method])
                for method, path, operation, handler in (*paths, *OTHERS)
            ],
        )
    ]
