"""ジョブ Jobs: one shape for everything that takes longer than a request."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import strawberry

from api.actors import Actor
from api.fields import argument, described, field, planned
from api.listings import Push
from api.locales import LOCALE, chosen
from api.nodes import Node
from api.paging import paged
from api.shops import Shop
from api.user_errors import UserError, user_error
from domain.model import checks
from domain.model.errors import DomainError
from domain.model.jobs import JobKind, JobState
from domain.model.locales import Locale, Words
from domain.model.malls import CheckOutcome, CheckPartKey, MallKind
from domain.model.reflect import PushState
from domain.model.sync_errors import SyncErrorKind

described(
    JobKind,
    "What a job does.",
    REFLECT="反映: numbers are sent to the malls.",
    SHOP_CHECK="接続テスト: a shop's connection is tested.",
    BULK_CHANGE="一括変更: many products or listings are changed.",
    ORDER_FETCH="初期受注取得: shops' orders from before they take part are fetched.",
    READ_MALL_STOCK="モール在庫の読み取り: what the malls show is read.",
)
described(
    JobState,
    "How far a job is.",
    WAITING="It waits.",
    RUNNING="It runs.",
    DONE="It is done.",
    FAILED="It failed.",
    CANCELLED="A person called it off.",
)
described(
    CheckPartKey,
    "What a connection test looks at.",
    CREDENTIALS="Does the mall take the credentials?",
    CONSENT="Does the seller's consent hold?",
    STOCK_READ="Can numbers be read?",
    ORDERS="Can orders be read?",
    CATALOGUE="Can items be read?",
    CLOCK="Do the clocks agree?",
)
described(
    CheckOutcome,
    "What came of a part of a connection test.",
    OK="Good.",
    NG="Not good.",
    NOT_TESTED="It was not tested.",
    NOT_NEEDED="This mall does not need it.",
)

STATES: Mapping[JobState, Words] = {
    JobState.WAITING: Words("待機中です。", "It waits."),
    JobState.RUNNING: Words("{total}件中{done}件が終わりました。", "{done} of {total} done."),
    JobState.DONE: Words(
        "{done}件が終わりました（うち失敗{failed}件）。",
        "{done} done, {failed} of them failed.",
    ),
    JobState.FAILED: Words("失敗しました。", "It failed."),
    JobState.CANCELLED: Words("取り消されました。", "It was called off."),
}


SO_FAR = Words("{done}件が終わりました。", "{done} done so far.")


def _progress(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    state, done, total, failed = facts
    unknown = total is None and state == JobState.RUNNING
    sentence = (SO_FAR if unknown else STATES[JobState(state)]).of(chosen(arguments, locale))
    return sentence.format(done=done, total=total, failed=failed)


def _part(facts: Any) -> tuple[CheckPartKey, CheckOutcome, SyncErrorKind | None]:
    key, outcome, kind = facts
    known = None if kind is None else SyncErrorKind(kind)
    return CheckPartKey(key), CheckOutcome(outcome), known


def _part_message(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str | None:
    return checks.message(*_part(facts), chosen(arguments, locale))


def _part_advice(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> list[str]:
    *part, mall = facts
    return checks.advice(*_part(part), MallKind(mall), chosen(arguments, locale))


@strawberry.type(description="How far a job is, in numbers.")
class Progress:
    total: int | None = field("What there is to do; null: not known.")
    done: int = field("What has its outcome.")
    failed: int = field("What of that has a bad one.")
    seconds_left: int | None = field("How long it may still take; null: not known.")
    text = planned(str, "How far it is, as a sentence.", LOCALE, made_by=_progress)


@strawberry.interface(description="Something that takes longer than a request.")
class Job(Node):
    kind: JobKind = field("What it does.")
    state: JobState = field("How far it is.")
    progress: Progress = field("How far it is, in numbers.")
    created_at: datetime = field("When it was asked for.")
    finished_at: datetime | None = field("When it was over.")
    created_by: Actor | None = field("Who asked for it.")
    cancellable: bool = field("取消: `cancelJob` can call it off now.")


@strawberry.type(description="How far a reflect is in one shop, in listings.")
class ReflectShopProgress:
    shop: Shop = field("The shop.")
    waiting: int = field("Not sent yet, or not answered.")
    accepted: int = field("The mall took the number and does not show it yet.")
    applied: int = field("The mall shows it.")
    refused: int = field("The mall refused it.")
    held: int = field("Not sent: its shop is halted or stopped, or it is not sent by rule.")
    cancelled: int = field("Not sent: the reflect was called off before.")


@strawberry.type(description="反映: numbers are sent to the malls.")
class ReflectJob(Job):
    shops: list[ReflectShopProgress] = field("How far it is, by shop.")
    pushes = paged(
        Push,
        "The pushes of its listings as they are by now: what a later change sent stands here too.",
        {"states": argument(list[PushState] | None, "In one of these states.")},
    )


def _failure(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> list[UserError]:
    [errors] = facts
    told = [user_error(DomainError.of_json(each), locale) for each in errors or ()]
    return [replace(each, field=[]) for each in told]


@strawberry.type(
    description="A target of a bulk change on which nothing was changed, or that could not be read, and why."
)
class BulkFailure:
    target: Node | None = field("The product or listing; null: it is gone.")
    user_errors = planned(
        list[UserError], "Why; `field` is empty: no input names it.", {}, made_by=_failure
    )


@strawberry.type(
    description="一括変更: one change of more than 100 products or listings, done in parts; or モール在庫の読み取り, of any number. "
    "It goes on whatever is refused of it."
)
class BulkChange(Job):
    action: str = field("What is done to each, as a stable word: SET_LIMITS, say.")
    failures = paged(
        BulkFailure, "Targets on which nothing was changed, in the order of the doing."
    )


@strawberry.type(description="One line of a connection test.")
class CheckPart:
    key: CheckPartKey = field("What was looked at.")
    outcome: CheckOutcome = field("What came of it.")
    message = planned(
        str | None,
        "What is wrong, as a sentence; null for what is good.",
        LOCALE,
        made_by=_part_message,
    )
    advice = planned(
        list[str],
        "What to do, in order; empty for what is good.",
        LOCALE,
        made_by=_part_advice,
    )
    mall_message: str | None = field("The mall's own words.")
    expires_at: datetime | None = field("Until when it is good, where the mall tells.")


@strawberry.type(description="接続テスト: a shop's connection is tested.")
class ShopCheck(Job):
    shop: Shop = field("The shop.")
    ok: bool | None = field("Whether all is good; null: not over.")
    parts: list[CheckPart] = field("Line by line; empty until it is over.")
