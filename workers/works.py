"""The kinds of work by name; what there is to do, each reads from the rows of its shop or job."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from uuid import UUID

from domain.services.feeds import FEED
from domain.store.job_shops import ShopWork
from domain.store.job_targets import TARGETS
from domain.store.walks import WALK
from workers.bulk import do_targets
from workers.check_shop import check_shop
from workers.context import Context
from workers.feeds import tend_feed
from workers.import_orders import fetch_orders
from workers.initial_orders import fetch_initial_orders
from workers.read_back import read_back
from workers.read_stock import read_stock
from workers.reflect import push_waiting
from workers.walk import walk_shop

Work = Callable[[Context, UUID, UUID], Awaitable[None]]

WORK: Mapping[str, Work] = MappingProxyType(
    {
        "ORDERS": fetch_orders,
        "REFLECT": push_waiting,
        "READ_BACK": read_back,
        "CHECK": check_shop,
        FEED: tend_feed,
        TARGETS: do_targets,
        WALK: walk_shop,
        ShopWork.INITIAL_ORDERS.value: fetch_initial_orders,
        ShopWork.READ_STOCK.value: read_stock,
    }
)
