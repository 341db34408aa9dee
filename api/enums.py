"""Enums that only the schema has, or that it knows more values of than the rules do."""

from enum import StrEnum

from api.fields import described


class ReflectEdits(StrEnum):
    ON_REQUEST = "ON_REQUEST"
    AT_ONCE = "AT_ONCE"


class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class OrderSource(StrEnum):
    API = "API"
    MAIL = "MAIL"
    FILE = "FILE"


class DifferenceKind(StrEnum):
    FROM_QUANTITY_TO_SHOW = "FROM_QUANTITY_TO_SHOW"
    FROM_TOTAL = "FROM_TOTAL"


class DifferenceCause(StrEnum):
    EDIT_NOT_REFLECTED = "EDIT_NOT_REFLECTED"
    PUSH_FAILED = "PUSH_FAILED"
    SHOP_HALTED = "SHOP_HALTED"
    SHOP_STOPPED = "SHOP_STOPPED"
    IMPORTED_DIFFERENT = "IMPORTED_DIFFERENT"
    CHANGED_AT_MALL = "CHANGED_AT_MALL"
    NOT_APPLIED = "NOT_APPLIED"
    UNKNOWN = "UNKNOWN"


class Lane(StrEnum):
    TO_ZERO = "TO_ZERO"
    DECREASE = "DECREASE"
    OTHER = "OTHER"


class ProductKind(StrEnum):
    SINGLE = "SINGLE"
    SET = "SET"


class ProductOrderField(StrEnum):
    CODE = "CODE"
    NAME = "NAME"
    TOTAL = "TOTAL"
    SELLABLE = "SELLABLE"
    UPDATED_AT = "UPDATED_AT"


class ListingOrderField(StrEnum):
    ITEM_CODE = "ITEM_CODE"
    SHOP = "SHOP"
    DIFFERENCE_SINCE = "DIFFERENCE_SINCE"


class CredentialWarning(StrEnum):
    EXPIRES_SOON = "EXPIRES_SOON"
    EXPIRED = "EXPIRED"
    REFUSED = "REFUSED"
    UNCHECKED = "UNCHECKED"


described(
    ReflectEdits,
    "Does a stock number set by hand, by file or by API go out by itself? Orders always do.",
    ON_REQUEST="It counts here at once and goes out by `reflect`.",
    AT_ONCE="It goes out at once.",
)
described(OrderDirection, "A direction.", ASC="昇順: smallest first.", DESC="降順: largest first.")
described(
    OrderSource,
    "How an order came in.",
    API="By the mall's API.",
    MAIL="By the mall's mail.",
    FILE="By a file.",
)
described(
    DifferenceKind,
    "What a mall's number is compared with.",
    FROM_QUANTITY_TO_SHOW="反映数: what the listing should show.",
    FROM_TOTAL="総在庫数: the product's total, plainly.",
)
described(
    DifferenceCause,
    "Why a listing shows another number than it should.",
    EDIT_NOT_REFLECTED="It was edited here, and `reflect` was not asked for yet.",
    PUSH_FAILED="A push failed; it is tried again.",
    SHOP_HALTED="The shop is halted by an error of level 9.",
    SHOP_STOPPED="The shop or the account is switched off.",
    IMPORTED_DIFFERENT="The mall's item file came in with it.",
    CHANGED_AT_MALL="It was changed at the mall.",
    NOT_APPLIED="Our number is not there in time: it still waits to be sent, or the mall accepted it and does not show it.",
    UNKNOWN="Nobody knows what the mall shows.",
)
described(
    Lane,
    "How urgent a push is.",
    TO_ZERO="To zero: first of all.",
    DECREASE="It falls.",
    OTHER="Everything else.",
)
described(
    ProductKind,
    "What a product is.",
    SINGLE="単品: it has stock.",
    SET="セット商品: made of parts.",
)
described(
    ProductOrderField,
    "What products are sorted by; then by id.",
    CODE="マスターコード.",
    NAME="商品名.",
    TOTAL="総在庫数.",
    SELLABLE="販売可能数.",
    UPDATED_AT="The last change.",
)
described(
    ListingOrderField,
    "What listings are sorted by; then by id.",
    ITEM_CODE="The mall's code.",
    SHOP="店舗名.",
    DIFFERENCE_SINCE="Since when it differs; what does not differ comes last.",
)
described(
    CredentialWarning,
    "What is to be done about a credential.",
    EXPIRES_SOON="It lapses within 14 days.",
    EXPIRED="It has lapsed.",
    REFUSED="The mall refused the credentials since it was set; which of them, malls do not say.",
    UNCHECKED="No test of the connection has ended since it was set.",
)
