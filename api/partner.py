"""取引先 What a partner's token sees, and nothing else: what can be sold, by code."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from api.context import Info
from api.fields import Requires, described, field
from api.load import load_root
from api.scalars import EventCursor
from domain.model.errors import DomainError
from domain.model.roles import Permission
from domain.store import stock_changes as store
from domain.store.events import CursorExpired
from domain.store.reads import read_stock_cursor, stock_cursor
from domain.store.stock_changes import StockPage, StockPlace

MOST_ENTRIES = 1_000


class StockStatus(StrEnum):
    IN_STOCK = "IN_STOCK"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    NOT_SOLD = "NOT_SOLD"
    UNKNOWN_CODE = "UNKNOWN_CODE"


class StockMoment(StrEnum):
    RECORDED = "RECORDED"
    EFFECTIVE = "EFFECTIVE"


described(
    StockStatus,
    "Whether a code can be sold.",
    IN_STOCK="在庫あり: some can be sold.",
    OUT_OF_STOCK="在庫なし: none can be sold now.",
    NOT_SOLD="Its stock is not managed here: nothing is said of it.",
    UNKNOWN_CODE="There is no such product, or not any more.",
)
described(
    StockMoment,
    "By which of its times a movement counts.",
    RECORDED="When it was recorded here: what was known at the moment.",
    EFFECTIVE="When it took effect: an order when it was placed at the mall, however late it was read.",
)


@strawberry.type(description="What can be sold of one code.")
class StockEntry:
    code: str = field("マスターコード, as it was asked for.")
    status: StockStatus = field("Whether it can be sold.")
    sellable: int | None = field(
        "販売可能数, never below 0; null where it is not sold, or the code is unknown."
    )
    changed_at: datetime | None = field(
        "When it, or a part of it, was changed last; null for an unknown code."
    )
    did_you_mean: str | None = field(
        "For an unknown code: the code that differs only in width, case or hyphens."
    )


@strawberry.type(description="What changed, or a page of the whole stock.")
class StockChanges:
    codes: strawberry.Private[list[str]]
    cursor: EventCursor = strawberry.field(
        description="Where to go on: give it to `after`. It lives 7 days."
    )
    has_more: bool = strawberry.field(description="There is more already: ask again at once.")
    reload: bool = strawberry.field(
        description="The whole stock begins with this page: forget what you knew before. So it is without `after`, and "
        "when too much changed at once to be told one by one."
    )

    @strawberry.field(description="Each code once, with what holds of it now.")
    async def entries(self, info: Info) -> list[StockEntry]:
        shown: list[StockEntry] = await load_root(info._raw_info, "stock", {"codes": self.codes})
        return shown


@strawberry.type(description="The stock of one code as of a moment.")
class StockAt:
    code: str = field("マスターコード.")
    time: datetime = field("As of when.")
    total: int | None = field("総在庫数 by the ledger; null for a set.")
    sellable: int | None = field(
        "販売可能数, never below 0: the total then, less what is kept back today; of a set what its parts of today allowed."
    )


After = Annotated[
    EventCursor | None,
    strawberry.argument(
        description="The cursor of the page before. Without it the whole stock comes, page by page; then what changed."
    ),
]
First = Annotated[int | None, strawberry.argument(description="Entries at most: 1 to 1,000.")]


@strawberry.field(
    description="取引先: what changed since a cursor, for those who poll. EVENT_CURSOR_EXPIRED: begin anew, without `after`.",
    directives=[Requires(permission=Permission.STOCK_READ)],
)
async def stock_changes(
    info: Info, after: After = strawberry.UNSET, first: First = MOST_ENTRIES
) -> StockChanges | None:
    """Raises DomainError BAD_PAGE, BAD_CURSOR or EVENT_CURSOR_EXPIRED."""
    most = _checked(first)
    place = read_stock_cursor(after) if after else None
    page = await _page(info, place, most)
    return StockChanges(
        codes=list(page.codes),
        cursor=EventCursor(stock_cursor(page.place)),
        has_more=page.more,
        reload=page.reload,
    )


async def _page(info: Info, place: StockPlace | None, most: int) -> StockPage:
    try:
        async with info.context.db.transaction(info.context.viewer.account_id) as tx:
            return await store.page(tx, place, most)
    except CursorExpired as expired:
        raise DomainError(
            "What changed after this cursor is no longer kept. Ask stockChanges again from the start, without after.",
            code=expired.code,
            query="stockChanges",
        ) from expired


def _checked(first: int | None) -> int:
    if first is None:
        return MOST_ENTRIES
    if not 1 <= first <= MOST_ENTRIES:
        raise DomainError(
            f"A page holds 1 to {MOST_ENTRIES} rows.", code="BAD_PAGE", least=1, most=MOST_ENTRIES
        )
    return first
