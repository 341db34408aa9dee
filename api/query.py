"""Where reading begins."""

from datetime import datetime

import strawberry

from api.account import Account, Viewer
from api.actors import ApiToken, User
from api.code_mappings import CodeMapping
from api.enums import DifferenceKind, Lane
from api.fields import argument, field, planned
from api.jobs import Job
from api.links import Link, LinkFilter
from api.listings import Listing, ListingFilter, ListingOrder, Push
from api.logs import LogFilter, MallUpdateLog, OperationLog, SalesLog
from api.malls import Mall, every_spec
from api.nodes import Node
from api.orders import Order, OrderFilter
from api.oversells import OversellIncident
from api.paging import paged
from api.partner import StockAt, StockEntry, StockMoment, stock_changes
from api.previewing import preview_reflect
from api.products import Product, ProductFilter, ProductGroup, ProductOrder
from api.scalars import EventCursor
from api.shops import Shop
from api.stock import StockMovement
from api.sync_errors import SyncError, SyncErrorFilter
from api.sync_runs import SyncRun
from domain.model.jobs import JobKind, JobState
from domain.model.roles import Permission
from domain.model.sync_runs import RunOutcome

PRODUCTS = {
    "filter": argument(ProductFilter | None, "Which; null: all."),
    "order_by": argument(ProductOrder | None, "In which order; by code when nothing is said."),
}
LISTINGS = {"filter": argument(ListingFilter | None, "Which; null: all.")}
LOGS = {"filter": argument(LogFilter | None, "Which lines; null: all.")}


@strawberry.type(
    description="Reading. Fields are nullable, so that one that is refused does not blank a whole screen."
)
class Query:
    node = planned(
        Node | None,
        "One node; null for what is gone or another account's.",
        {"id": argument(strawberry.ID, "Its id.")},
    )
    nodes = planned(
        list[Node | None] | None,
        "Nodes in the order of their ids; null for what is gone or another account's.",
        {"ids": argument(list[strawberry.ID], "At most 100 ids.")},
    )
    viewer: Viewer | None = field("Who is asking, and what they may do.")
    account: Account | None = field("契約: the account.")
    event_cursor: EventCursor | None = field(
        "How far this very read has seen: the same snapshot as the rest of the operation. Give it to `after:`."
    )
    malls: list[Mall] | None = field(
        "モール: forms, columns, capabilities. The same for every account.", made_by=every_spec
    )
    shops = planned(
        list[Shop] | None,
        "店舗: all shops of the account (at most 100, hence no paging).",
        {"in_use": argument(bool | None, "Only those in use, or only the others.")},
    )
    product = planned(
        Product | None, "商品: one by its code.", {"code": argument(str, "マスターコード.")}
    )
    products = paged(Product, "商品: products, sets among them.", PRODUCTS)
    set_items = paged(Product, "セット商品: `products` of kind SET.", PRODUCTS)
    product_groups = paged(ProductGroup, "確保在庫グループ, oldest first.")
    users = paged(
        User, "担当者: the people of the account, oldest first.", requires=Permission.USERS
    )
    api_tokens = paged(
        ApiToken,
        "APIトークン: the programs of the account, oldest first, those that have ended among them.",
        requires=Permission.USERS,
    )
    listings = paged(
        Listing,
        "出品・販売データ.",
        {
            **LISTINGS,
            "order_by": argument(
                ListingOrder | None, "In which order; oldest first when nothing is said."
            ),
        },
    )
    differences = paged(
        Listing,
        "差異: listings that show another number than they should, longest first.",
        {
            **LISTINGS,
            "kind": argument(
                DifferenceKind | None, "Compared with what.", DifferenceKind.FROM_QUANTITY_TO_SHOW
            ),
        },
    )
    links = paged(
        Link,
        "紐づけ, newest listings first.",
        {"filter": argument(LinkFilter | None, "Which; null: all.")},
    )
    code_mappings = paged(
        CodeMapping,
        "別品番紐づけ: the code table, oldest lines first.",
        {
            "shop_ids": argument(list[strawberry.ID] | None, "Of these shops."),
            "text": argument(
                str | None, "Words parted by , ， or 、: each is in one of the two codes."
            ),
        },
    )
    orders = paged(
        Order,
        "受注, newest first.",
        {"filter": argument(OrderFilter | None, "Which; null: all.")},
    )
    stock_movements = paged(StockMovement, "在庫変動: the ledger, newest first.", LOGS)
    operation_logs = paged(OperationLog, "操作ログ, newest first.", LOGS)
    sales_logs = paged(SalesLog, "売上ログ, newest first.", LOGS)
    mall_update_logs = paged(MallUpdateLog, "モール更新ログ, newest first.", LOGS)
    sync_errors = paged(
        SyncError,
        "エラー, newest first.",
        {"filter": argument(SyncErrorFilter | None, "Which; null: all.")},
    )
    pending_pushes = paged(
        Push,
        "在庫同期スケジュール: what waits to be sent, lane by lane, in a lane what waits longest first.",
        {
            "shop_ids": argument(list[strawberry.ID] | None, "Of these shops."),
            "lane": argument(Lane | None, "In this lane."),
        },
    )
    sync_runs = paged(
        SyncRun,
        "在庫同期履歴: what ran, newest first.",
        {
            "shop_ids": argument(list[strawberry.ID] | None, "Of these shops."),
            "outcome": argument(RunOutcome | None, "That ended so, or still run."),
        },
    )
    oversell_incidents = paged(
        OversellIncident,
        "在庫マイナス, newest first.",
        {
            "open": argument(
                bool | None, "Only those whose product is still below zero, or only the others."
            )
        },
    )
    jobs = paged(
        Job,
        "Everything that takes longer than a request, newest first.",
        {
            "kinds": argument(list[JobKind] | None, "Of these kinds."),
            "states": argument(list[JobState] | None, "In one of these states."),
        },
    )
    preview_reflect = preview_reflect
    stock = planned(
        list[StockEntry] | None,
        "取引先: what can be sold of these codes, in their order; an unknown one is answered, never an error.",
        {"codes": argument(list[str], "Master codes, at most 100.")},
        requires=Permission.STOCK_READ,
    )
    stock_changes = stock_changes
    stock_at = planned(
        StockAt | None,
        "The stock of a code as of a moment; null for an unknown code.",
        {
            "code": argument(str, "The master code."),
            "time": argument(datetime, "As of when, the moment itself included."),
            "by": argument(
                StockMoment | None, "By which of a movement's times.", StockMoment.RECORDED
            ),
        },
        requires=Permission.STOCK_READ,
    )
