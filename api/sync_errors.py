"""エラー What went wrong between us and the malls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from api.actors import Actor
from api.fields import described, field, optional, planned
from api.listings import Listing
from api.locales import LOCALE, chosen
from api.nodes import Node
from api.paging import paged
from api.shops import Shop
from domain.model import sync_errors
from domain.model.locales import Locale
from domain.model.malls import MallKind
from domain.model.sync_errors import ErrorState, Level, SyncErrorKind

described(
    Level,
    "How bad an error is.",
    name="ErrorLevel",
    LEVEL_8="It goes on by itself, and closes by itself.",
    LEVEL_9="Its shop is halted.",
)
described(
    ErrorState,
    "How far an error is.",
    OPEN="Its cause is there.",
    RESOLVED="Its cause is gone; it stays visible until cleared.",
    CLEARED="エラー削除: a person cleared it.",
)
described(
    SyncErrorKind,
    "What went wrong.",
    CREDENTIALS_REFUSED="The mall refuses the credentials.",
    CREDENTIALS_EXPIRED="The credentials have lapsed, or are about to.",
    CONSENT_NEEDED="The consent at the mall has lapsed, or is about to.",
    MAINTENANCE="The mall is under maintenance.",
    THROTTLED="The mall's limit on calls is reached.",
    UNREACHABLE="The mall does not answer.",
    ANSWER_UNREADABLE="The mall's answer could not be read.",
    ITEM_REFUSED="The mall refused items.",
    UNKNOWN_AT_MALL="The mall does not know codes.",
    MULTIPLE_LISTINGS="Several listings of one shop are on one product.",
    NOT_APPLIED="The mall accepted numbers and does not show them.",
    FEED_FAILED="The mall did not finish numbers that were sent in bulk.",
    ORDER_UNREADABLE="Orders could not be read.",
    ORDER_UNLINKED="Orders came for listings that belong to no product.",
    FILE_REJECTED="The mall rejected files.",
)


def _message(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    kind, params = facts
    return sync_errors.message(SyncErrorKind(kind), params or {}, chosen(arguments, locale))


def _advice(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> list[str]:
    kind, mall = facts
    known = None if mall is None else MallKind(mall)
    return sync_errors.advice(SyncErrorKind(kind), known, chosen(arguments, locale))


@strawberry.type(description="エラー: one cause, with a count; not a thousand lines.")
class SyncError(Node):
    level: Level = field("How bad it is.")
    kind: SyncErrorKind = field("What went wrong.")
    state: ErrorState = field("How far it is.")
    shop: Shop | None = field("Where.")
    count: int = field("Items, orders or files hit so far.")
    first_at: datetime = field("When it was seen first.")
    last_at: datetime = field("When it was seen last.")
    resolved_at: datetime | None = field("When its cause was gone.")
    cleared_at: datetime | None = field("When it was cleared.")
    cleared_by: Actor | None = field("Who cleared it.")
    next_try_at: datetime | None = field("When it is tried again by itself.")
    message = planned(str, "What happened, as a sentence.", LOCALE, made_by=_message)
    advice = planned(list[str], "What to do, in order.", LOCALE, made_by=_advice)
    mall_code: str | None = field("The mall's code.")
    mall_message: str | None = field("The mall's own words.")
    affected = paged(Listing, "Listings it concerns.")


@strawberry.input(description="Which errors.")
class SyncErrorFilter:
    levels: list[Level] | None = optional("Of these levels.")
    states: list[ErrorState] | None = optional("In one of these states.")
    kinds: list[SyncErrorKind] | None = optional("Of these kinds.")
    shop_ids: list[strawberry.ID] | None = optional("Of these shops.")
