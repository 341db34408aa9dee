"""出品・販売データ Listings: one SKU as one shop shows it, and the state of its number."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.enums import (
    DifferenceCause,
    DifferenceKind,
    Lane,
    ListingOrderField,
    OrderDirection,
)
from api.fields import argument, described, field, optional, planned
from api.listing_fields import MallFieldValue
from api.near_codes import NearCode
from api.nodes import Node
from api.shops import Shop
from domain.model.base import MallStockSource
from domain.model.diff import NotPushed
from domain.model.links import LinkState
from domain.model.malls import WriteMode
from domain.model.reflect import PushState

if TYPE_CHECKING:
    from api.explanations import Explanation
    from api.links import Link, LinkCandidate
    from api.products import Product
    from api.sync_errors import SyncError

described(
    MallStockSource,
    "Where a mall's number is known from.",
    NEVER_SEEN="It was never seen.",
    FILE="The mall's item file.",
    READ_BACK="It was read.",
    APPLIED_PUSH="We wrote it.",
    ORDER="An order moved it.",
)
described(
    NotPushed,
    "グレー: why no number is sent.",
    name="NotPushedReason",
    MASTER_STOPPED="The account's switch is off.",
    SHOP_NOT_IN_USE="The shop is not in use.",
    SHOP_REFLECT_STOPPED="The shop's reflect is off.",
    SHOP_HALTED="The shop is halted.",
    PRODUCT_UNMANAGED="The product is not managed.",
    LISTING_SYNC_OFF="Its 連携 tick is off.",
    UNLINKED="It belongs to no product.",
    LINK_CONFLICT="Several listings of one shop are on its product; only falls go out.",
    FULFILLED_BY_MALL="The mall fulfils it (FBA).",
    UNLIMITED_AT_MALL="The mall keeps no count of it.",
    UNKNOWN_AT_MALL="The mall does not know it.",
    CHANGED_AT_MALL="It was changed at the mall, and that is not decided on; only 0 goes out.",
    NOTHING_LIMITS="No managed part limits the set.",
)
described(
    LinkState,
    "紐づけ: whether a listing belongs to a product.",
    LINKED="It does.",
    UNLINKED="It does not yet.",
    UNLINKED_BY_HAND="A person parted them; imports do not link it again.",
    CONFLICT="It does, and so does another listing of the same shop.",
)
described(
    PushState,
    "How far a push is.",
    WAITING="It waits to be sent, or to be sent again.",
    SENT="It is under way.",
    ACCEPTED="The mall took it and does not show it yet.",
    APPLIED="The mall shows it.",
    REFUSED="The mall refused it.",
    UNKNOWN="No answer came: it may or may not have been applied.",
    SUPERSEDED="A newer number took its place.",
)
described(
    WriteMode,
    "How a number is sent.",
    name="PushMode",
    ABSOLUTE="The number itself.",
    RELATIVE="The change.",
)


@strawberry.type(description="在庫数: what we believe the mall's counter reads.")
class MallStock:
    quantity: int | None = field("The number; null: unknown.")
    unlimited: bool = field("The mall keeps no count of it.")
    known_at: datetime | None = field("As of when.")
    source: MallStockSource = field("Where it is known from.")


@strawberry.type(description="差異: it shows another number than it should.")
class Difference:
    expected: int = field("What it should show.")
    shown: int | None = field("What it shows; null: unknown.")
    delta: int | None = field("Shown less expected: above 0 the mall offers too many.")
    since: datetime = field("Since when.")
    cause: DifferenceCause = field("Why.")


@strawberry.type(
    description="The newest push of a listing: waiting, under way, or what became of it."
)
class Push(Node):
    listing: "Listing" = field("Of which listing.")
    state: PushState = field("How far it is.")
    lane: Lane = field("How urgent it is.")
    quantity: int | None = field("The number sent last; null: none was.")
    mode: WriteMode | None = field("How that was sent.")
    attempts: int = field("How often the present number was tried.")
    waiting_at: datetime | None = field("Since when it waits or waited.")
    sent_at: datetime | None = field("When the last attempt was sent.")
    accepted_at: datetime | None = field("When the mall took it.")
    applied_at: datetime | None = field("When the mall was known to show it.")
    next_try_at: datetime | None = field("When it is tried again; null: as soon as may be.")
    mall_code: str | None = field("The mall's code for what went wrong.")
    mall_message: str | None = field("The mall's own words.")


@strawberry.type(description="出品・販売データ: one SKU as one shop shows it.")
class Listing(Node):
    shop: Shop = field("Whose page it is.")
    product: Annotated["Product", strawberry.lazy("api.products")] | None = field(
        "The product it belongs to (紐づけ); null while unlinked."
    )
    link: Annotated["Link", strawberry.lazy("api.links")] | None = field(
        "Its link: state, reason, who and when."
    )
    item_code: str = field("The mall's code of the page.")
    variant_code: str | None = field("The mall's code of the variant; null where it has none.")
    match_code: str = field("The value of the shop's same-product key.")
    name: str | None = field("Its name at the mall.")
    sync: bool = field("連携: the tick that lets its number be sent.")
    minimum: int | None = field("下限: at or below so many sellable units it shows 0.")
    maximum: int | None = field("上限: it never shows more.")
    quantity_to_show: int | None = field(
        "反映数: what it should show; null when nothing of ours decides it."
    )
    mall_stock: MallStock = field("在庫数: what we believe the mall shows.")
    difference: Difference | None = field(
        "差異 (pink); null: none, or the newest number is on its first way."
    )
    differs_from_total: bool = field(
        "The mall's number is not the product's total, plainly compared."
    )
    not_pushed: list[NotPushed] = field("Grey: why its number is not sent; empty: it is.")
    push: Push | None = field("The newest push; null: there never was one.")
    open_errors: list[Annotated["SyncError", strawberry.lazy("api.sync_errors")]] = field(
        "Open errors that concern it, newest first."
    )
    explain: Annotated["Explanation", strawberry.lazy("api.explanations")] | None = field(
        "Why it should show what it should, and why that is sent or not. Not for grids: it reads the logs.",
        cost=10,
    )
    link_candidates = planned(
        list[Annotated["LinkCandidate", strawberry.lazy("api.links")]],
        "紐づけ候補: what it may belong to, likeliest first; none for a listing that is linked.",
        {"first": argument(int, "So many, at most 5.", 5)},
        cost=10,
    )
    near_codes: list[NearCode] = field(
        "近い商品コード: where its mall does not know it (`UNKNOWN_AT_MALL`), listings of the same shop whose codes are near, "
        "nearest first: 5 at most.",
        cost=5,
    )
    mall_fields: list[MallFieldValue] = field(
        "モール別項目: what travels with its stock, in the mall's order."
    )
    version: int = field("Rises with every change of it.")


@strawberry.input(
    description="Which listings. All that is given holds for one and the same listing."
)
class ListingFilter:
    shop_ids: list[strawberry.ID] | None = optional("Of these shops.")
    text: str | None = optional(
        "Words parted by , ， or 、: each is in its code or name, or in its product's."
    )
    links: list[LinkState] | None = optional("With a link in one of these states.")
    sync: bool | None = optional("連携: with the tick on, or off.")
    differs: DifferenceKind | None = optional("That differ, so compared.")
    causes: list[DifferenceCause] | None = optional("That differ for one of these causes.")
    not_pushed: list[NotPushed] | None = optional("Not sent for one of these reasons.")
    push_states: list[PushState] | None = optional("Whose push is so far.")
    has_open_error: bool | None = optional("With an open error, or without any.")


@strawberry.input(description="How listings are sorted.")
class ListingOrder:
    field: ListingOrderField = strawberry.field(description="By what.")
    direction: OrderDirection = strawberry.field(description="Which way.")
