"""What the caller can mend: a stable code, where in the input, and a sentence that says what to do."""

from enum import StrEnum

import strawberry
from strawberry.utils.str_converters import to_camel_case

from api.fields import described
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.messages import message, shown

FORMS = ("credentials", "settings")
"""Below these stand keys of a mall's form, not names of ours."""


class UserErrorCode(StrEnum):
    NOT_FOUND = "NOT_FOUND"
    INVALID_VALUE = "INVALID_VALUE"
    REQUIRED = "REQUIRED"
    TOO_MANY = "TOO_MANY"
    CODE_TAKEN = "CODE_TAKEN"
    TOTAL_CHANGED = "TOTAL_CHANGED"
    COUNTED_SINCE = "COUNTED_SINCE"
    VERSION_CHANGED = "VERSION_CHANGED"
    SELECTION_GREW = "SELECTION_GREW"
    CONFIRMATION_NEEDED = "CONFIRMATION_NEEDED"
    CONFIRMATION_STALE = "CONFIRMATION_STALE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    SET_HAS_NO_STOCK = "SET_HAS_NO_STOCK"
    SET_IN_SET = "SET_IN_SET"
    SET_EMPTY = "SET_EMPTY"
    PART_IN_USE = "PART_IN_USE"
    SHOP_NOT_IN_USE = "SHOP_NOT_IN_USE"
    ALREADY_RUNNING = "ALREADY_RUNNING"
    PLAN_LIMIT = "PLAN_LIMIT"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    NOT_SUPPORTED_BY_MALL = "NOT_SUPPORTED_BY_MALL"
    UNKNOWN_AT_MALL = "UNKNOWN_AT_MALL"
    MALL_FAILED = "MALL_FAILED"
    MALL_STOCK_UNKNOWN = "MALL_STOCK_UNKNOWN"
    CANNOT_TAKE_THEIRS = "CANNOT_TAKE_THEIRS"
    ORDERS_NOT_IN = "ORDERS_NOT_IN"
    EXCEEDS_RIGHTS = "EXCEEDS_RIGHTS"
    LAST_OWNER = "LAST_OWNER"


described(
    UserErrorCode,
    "What is wrong, as a stable word.",
    NOT_FOUND="It does not exist, was deleted, or is another account's.",
    INVALID_VALUE="A value that is not possible here.",
    REQUIRED="Something that is needed was not said.",
    TOO_MANY="More at once than is taken.",
    CODE_TAKEN="The code, name or address belongs to another.",
    TOTAL_CHANGED="The total is another by now than `expectedTotal`.",
    COUNTED_SINCE="Its total was counted or set after `countedAt`: that stands.",
    VERSION_CHANGED="Someone else changed it: the version is another by now than `expectedVersion`.",
    SELECTION_GREW="A filter finds more by now than `expectedCount`: look at the list again.",
    CONFIRMATION_NEEDED="確認: it does much at the malls. Look at `preview`, and send its `confirmationToken`.",
    CONFIRMATION_STALE="The `confirmationToken` is of another change, too old, or more would happen by now than was seen: look at "
    "`preview` again.",
    INSUFFICIENT_STOCK="The total would fall below zero.",
    SET_HAS_NO_STOCK="セット商品 have no stock of their own.",
    SET_IN_SET="A set cannot be part of a set.",
    SET_EMPTY="A set needs a part.",
    PART_IN_USE="It is part of a set that stays.",
    SHOP_NOT_IN_USE="利用店舗設定: the shop is not in use.",
    ALREADY_RUNNING="The same is under way already: wait, or cancel that first.",
    PLAN_LIMIT="The plan has no room for more products.",
    IDEMPOTENCY_KEY_REUSED="Something else was asked for with this `idempotencyKey`.",
    IDEMPOTENCY_IN_PROGRESS="The first request with this `idempotencyKey` is still under way: send it again in a moment.",
    NOT_SUPPORTED_BY_MALL="The mall has no such thing.",
    UNKNOWN_AT_MALL="The mall has nothing of this code.",
    MALL_FAILED="It could not be read, again and again: the mall did not answer, or we failed.",
    MALL_STOCK_UNKNOWN="Nobody knows what the mall shows: read it first.",
    CANNOT_TAKE_THEIRS="The mall's number does not say how many there are: a set, a limit, a reserve or another listing stands between.",
    ORDERS_NOT_IN="The orders up to the reading are not in yet, and it may be a sale: try again in some minutes.",
    EXCEEDS_RIGHTS="It needs rights that the caller has not: nobody gives more than they hold.",
    LAST_OWNER="契約者: an account keeps one owner who is not disabled.",
)


@strawberry.type(description="A value of an error's sentence.")
class ErrorParam:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="The value.")


@strawberry.type(description="What the caller can mend.")
class UserError:
    code: UserErrorCode = strawberry.field(description="What is wrong, as a stable word.")
    field: list[str] = strawberry.field(
        description='Path into the input, such as ["items", "3", "total"]; empty: the whole of it.'
    )
    message: str = strawberry.field(
        description="What is wrong and what to do, in the caller's language."
    )
    params: list[ErrorParam] = strawberry.field(
        description="The values of the sentence, for clients that write their own."
    )


def user_error(error: DomainError, locale: Locale) -> UserError:
    """Raises ValueError for an error that no caller can mend."""
    return UserError(
        code=UserErrorCode(error.code),
        field=_path(error.field),
        message=message(error, locale),
        params=[
            ErrorParam(name=to_camel_case(name), value=shown(value, locale))
            for name, value in error.params.items()
        ],
    )


def _path(field: tuple[str, ...]) -> list[str]:
    return (
        list(field) if field[:1] in [(each,) for each in FORMS] else list(map(to_camel_case, field))
    )
