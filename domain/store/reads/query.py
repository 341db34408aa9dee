"""Where reading begins: the fields of the root, over a row of nothing."""

from domain.store.reads.account import EVENT_CURSOR, VIEWER
from domain.store.reads.code_mappings import CODE_MAPPINGS
from domain.store.reads.jobs import JOBS
from domain.store.reads.listings import DIFFERENCES, LINKS, LISTINGS
from domain.store.reads.logs import MALL_UPDATE_LOGS, OPERATION_LOGS, SALES_LOGS
from domain.store.reads.models import ByIds, Model, One, facts
from domain.store.reads.orders import ORDERS
from domain.store.reads.oversells import OVERSELL_INCIDENTS
from domain.store.reads.partner import STOCK, STOCK_THEN
from domain.store.reads.people import API_TOKENS, USERS
from domain.store.reads.products import PRODUCT_BY_CODE, PRODUCT_GROUPS, PRODUCTS, SET_ITEMS
from domain.store.reads.pushes import PENDING_PUSHES
from domain.store.reads.shops import SHOPS
from domain.store.reads.stock import STOCK_MOVEMENTS
from domain.store.reads.sync_errors import SYNC_ERRORS
from domain.store.reads.sync_runs import SYNC_RUNS

QUERY = Model(
    "Query",
    "(VALUES (0)) {t} (id)",
    {
        "node": ByIds(single=True),
        "nodes": ByIds(),
        "viewer": VIEWER,
        "account": One("Account", "true"),
        "event_cursor": EVENT_CURSOR,
        "malls": facts(),
        "shops": SHOPS,
        "product": PRODUCT_BY_CODE,
        "products": PRODUCTS,
        "set_items": SET_ITEMS,
        "product_groups": PRODUCT_GROUPS,
        "users": USERS,
        "api_tokens": API_TOKENS,
        "listings": LISTINGS,
        "differences": DIFFERENCES,
        "links": LINKS,
        "code_mappings": CODE_MAPPINGS,
        "orders": ORDERS,
        "stock_movements": STOCK_MOVEMENTS,
        "operation_logs": OPERATION_LOGS,
        "sales_logs": SALES_LOGS,
        "mall_update_logs": MALL_UPDATE_LOGS,
        "sync_errors": SYNC_ERRORS,
        "pending_pushes": PENDING_PUSHES,
        "sync_runs": SYNC_RUNS,
        "oversell_incidents": OVERSELL_INCIDENTS,
        "jobs": JOBS,
        "stock": STOCK,
        "stock_at": STOCK_THEN,
    },
    account="true",
)
