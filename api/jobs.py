"""ジョブ Jobs: one shape for everything that takes longer than a request."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from api.actors import Actor
from api.enums import JobKind
from api.fields import described, field, planned
from api.locales import LOCALE, Words, both, chosen
from api.nodes import Node
from api.shops import Shop
from domain.model.jobs import JobState
from domain.model.locales import Locale
from domain.model.malls import CheckOutcome, CheckPartKey

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
    JobState.WAITING: both("待機中です。", "It waits."),
    JobState.RUNNING: both("{total}件中{done}件が終わりました。", "{done} of {total} done."),
    JobState.DONE: both(
        "{done}件が終わりました（うち失敗{failed}件）。",
        "{done} done, {failed} of them failed.",
    ),
    JobState.FAILED: both("失敗しました。", "It failed."),
    JobState.CANCELLED: both("取り消されました。", "It was called off."),
}


def _progress(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    state, done, total, failed = facts
    sentence = STATES[JobState(state)][chosen(arguments, locale)]
    return sentence.format(done=done, total="?" if total is None else total, failed=failed)


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


@strawberry.type(description="How far a reflect is in one shop, in listings.")
class ReflectShopProgress:
    shop: Shop = field("The shop.")
    waiting: int = field("Not sent yet, or not answered.")
    accepted: int = field("The mall took the number and does not show it yet.")
    applied: int = field("The mall shows it.")
    refused: int = field("The mall refused it.")
    held: int = field("Not sent: its shop is halted or stopped, or it is not sent by rule.")


@strawberry.type(description="反映: numbers are sent to the malls.")
class ReflectJob(Job):
    shops: list[ReflectShopProgress] = field("How far it is, by shop.")


@strawberry.type(description="One line of a connection test.")
class CheckPart:
    key: CheckPartKey = field("What was looked at.")
    outcome: CheckOutcome = field("What came of it.")
    mall_message: str | None = field("The mall's own words.")
    expires_at: datetime | None = field("Until when it is good, where the mall tells.")


@strawberry.type(description="接続テスト: a shop's connection is tested.")
class ShopCheck(Job):
    shop: Shop = field("The shop.")
    ok: bool | None = field("Whether all is good; null: not over.")
    parts: list[CheckPart] = field("Line by line; empty until it is over.")
