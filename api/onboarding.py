"""店舗登録から連動まで What a new shop still needs, step by step."""

from collections.abc import Mapping
from typing import Any

import strawberry

from api.fields import described, field, planned
from api.locales import LOCALE, worded
from domain.model import onboarding
from domain.model.locales import Locale
from domain.model.onboarding import OnboardingKey, StepState

described(
    OnboardingKey,
    "A step on the way to a shop that runs.",
    CREDENTIALS="認証情報: everything that its mall needs is entered.",
    CHECK="接続テスト: a test was good.",
    LISTINGS_IMPORTED="Its listings are here.",
    STOCK_ENTERED="A product that it lists has a total that somebody entered.",
    ORDERS_STARTED="受注連動 was started.",
    REFLECT_STARTED="在庫反映 was started.",
    FIRST_CHANGE_SEEN="The mall shows a number that we sent.",
)
described(
    StepState,
    "How far a step is.",
    DONE="It is done.",
    NEXT="It is to be done now.",
    BLOCKED="It was tried, and something is in the way.",
    LATER="Others come first.",
)


def steps_of(facts: Any, _: Mapping[str, Any], __: Locale) -> list[onboarding.OnboardingStep]:
    check_failed, *done = facts
    told = dict(zip(OnboardingKey, done, strict=True))
    return onboarding.onboarding(told, check_failed=bool(check_failed))


@strawberry.type(description="A step on the way to a shop that runs.")
class OnboardingStep:
    key: OnboardingKey = field("Which.")
    state: StepState = field("How far it is.")
    detail = planned(
        str | None, "What to do now; null for other steps.", LOCALE, made_by=worded("detail")
    )
