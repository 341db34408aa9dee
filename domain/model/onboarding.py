"""What a new shop still needs before numbers flow, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.model.locales import Words


class OnboardingKey(StrEnum):
    """In the order in which a merchant goes."""

    CREDENTIALS = "CREDENTIALS"
    CHECK = "CHECK"
    LISTINGS_IMPORTED = "LISTINGS_IMPORTED"
    STOCK_ENTERED = "STOCK_ENTERED"
    ORDERS_STARTED = "ORDERS_STARTED"
    REFLECT_STARTED = "REFLECT_STARTED"
    FIRST_CHANGE_SEEN = "FIRST_CHANGE_SEEN"


class StepState(StrEnum):
    DONE = "DONE"
    NEXT = "NEXT"
    BLOCKED = "BLOCKED"
    LATER = "LATER"


@dataclass(frozen=True, slots=True)
class OnboardingStep:
    """`detail`: what to do now; None for what is done, or not on yet."""

    key: OnboardingKey
    state: StepState
    detail: Words | None = None


TO_DO: Mapping[OnboardingKey, Words] = MappingProxyType(
    {
        OnboardingKey.CREDENTIALS: Words(
            "店舗設定に認証情報を入力してください。",
            "Enter the credentials in the shop's settings.",
        ),
        OnboardingKey.CHECK: Words("接続テストを行ってください。", "Test the connection."),
        OnboardingKey.LISTINGS_IMPORTED: Words(
            "モールの商品データを取り込んでください。", "Import the mall's item data."
        ),
        OnboardingKey.STOCK_ENTERED: Words(
            "商品に紐づけ、総在庫数を入力してください。",
            "Link the listings to products, and enter their totals.",
        ),
        OnboardingKey.ORDERS_STARTED: Words(
            "受注連動を開始してください。", "Start to read its orders."
        ),
        OnboardingKey.REFLECT_STARTED: Words(
            "在庫反映を開始してください。", "Start to send its numbers."
        ),
        OnboardingKey.FIRST_CHANGE_SEEN: Words(
            "最初の在庫数がモールに反映されるのを待っています。",
            "Waiting until the mall shows the first number.",
        ),
    }
)
NOT_GOOD = Words(
    "前回の接続テストに問題があります。結果を確認してください。",
    "The last test of the connection was not good: see what it says.",
)


def onboarding(done: Mapping[OnboardingKey, bool], *, check_failed: bool) -> list[OnboardingStep]:
    """The first that is not done is next; a test that was not good blocks what comes after it."""
    missing = [key for key in OnboardingKey if not done[key]]
    now = missing[0] if missing else None
    blocked = now is OnboardingKey.CHECK and check_failed
    return [_step(key, done[key], key is now, blocked) for key in OnboardingKey]


def _step(key: OnboardingKey, done: bool, now: bool, blocked: bool) -> OnboardingStep:
    if done:
        return OnboardingStep(key, StepState.DONE)
    if not now:
        return OnboardingStep(key, StepState.LATER)
    if blocked:
        return OnboardingStep(key, StepState.BLOCKED, NOT_GOOD)
    return OnboardingStep(key, StepState.NEXT, TO_DO[key])
