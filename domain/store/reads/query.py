"""Where reading begins: the fields of the root, over a row of nothing."""

from domain.store.reads.account import EVENT_CURSOR, VIEWER
from domain.store.reads.filters import both_ways, equals, holds
from domain.store.reads.models import ByIds, Many, Model, One, Paged

QUERY = Model(
    "Query",
    "(VALUES (0)) {t} (id)",
    {
        "node": ByIds(single=True),
        "nodes": ByIds(),
        "viewer": VIEWER,
        "account": One("Account", "true"),
        "event_cursor": EVENT_CURSOR,
        "shops": Many("Shop", "true", order="{o}.id", filters={"in_use": holds("{t}.in_use")}),
        "product": One("Product", "{o}.deleted_at IS NULL", filters={"code": equals("{t}.code")}),
        "products": Paged(
            "Product",
            {**both_ways("CODE", "{t}.code")},
            on="{o}.deleted_at IS NULL",
        ),
        "listings": Paged(
            "Listing",
            {**both_ways("ITEM_CODE", "{t}.item_code")},
            on="{o}.deleted_at IS NULL",
            filters={"filter": equals("{t}.id")},
        ),
    },
    account="true",
)
