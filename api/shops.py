"""店舗 Shops: one seller account on one mall."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.actors import Actor
from api.enums import CredentialWarning
from api.fields import described, field
from api.malls import Mall, spec_of
from api.nodes import Node
from api.onboarding import OnboardingStep, steps_of
from api.schedules import FullSyncSchedule
from api.shop_actions import ShopAction, actions_of
from domain.model.breaker import BreakerState
from domain.model.orders import CancelPolicy
from domain.model.roles import Permission
from domain.model.shops import DriftPolicy, ShopState

if TYPE_CHECKING:
    from api.jobs import ShopCheck

described(
    ShopState,
    "What a shop does at present.",
    ONBOARDING="Its connection was never tested good, and nothing was started.",
    READY="Connected, and never started.",
    RUNNING="連動中.",
    STOPPED="停止中: it or the account is switched off.",
    MAINTENANCE="The mall is under maintenance.",
    HALTED="An error of level 9 halts it.",
    DISCONNECTED="連携解除: it was given up; orders and logs still name it, no list shows it.",
    PROBING="Its connection is being tested.",
    CATCHING_UP="It reads the orders it missed, then sends what differs.",
)
described(
    CancelPolicy,
    "Does our total get back what a cancelled order took?",
    IGNORE="No (default).",
    RESTORE="Yes, never more than was taken.",
)
described(
    DriftPolicy,
    "What becomes of a number that was changed at the mall.",
    OURS_WINS="Ours is sent again (default).",
    TAKE_THEIRS="It is taken as a correction of the total.",
    ASK="It is shown as a difference until somebody decides.",
)


described(
    BreakerState,
    "遮断: is the mall left alone because one call after the other failed?",
    CLOSED="通常: no.",
    OPEN="遮断中: yes, for a while; nothing is sent.",
    HALF_OPEN="試行: the next call, with one number, tells whether it is well again.",
)


@strawberry.type(
    description="遮断器: calls that fail in a row cut a shop off for a while, ever longer; then one number is tried."
)
class Breaker:
    state: BreakerState = field("Is the shop cut off?")
    failed_calls: int = field("Calls that failed in a row, for whatever reason but an item's own.")
    until: datetime | None = field("Until when nothing is sent; null: it is not cut off.")


@strawberry.type(
    description=(
        "一括送信（フィード）: many numbers on their way in one document, which the mall works off by itself. A zero goes out "
        "at once all the same; what else changes waits for its end."
    )
)
class StockFeed:
    items: int = field("Numbers that it carries.")
    sent_at: datetime = field("When it was begun.")
    looks: int = field("How often the mall was asked how far it is.")


@strawberry.type(description="What waits to be sent, by urgency.")
class PendingCount:
    to_zero: int = field("Zeros.")
    decreases: int = field("Numbers that fall.")
    others: int = field("Everything else.")
    oldest_at: datetime | None = field("Since when the oldest waits; null: nothing waits.")


@strawberry.type(
    description="How late the mall is: of the newest 1,000 numbers that it showed within 7 days, the seconds from when "
    "each was to go out until it stood there, null where none went out; and what waits now."
)
class SyncLatency:
    p50_seconds: float | None = field("Half of them were faster.")
    p95_seconds: float | None = field("95 of 100 were faster.")
    p99_seconds: float | None = field("99 of 100 were faster.")
    zero_p95_seconds: float | None = field("Of zeros alone, 95 of 100 were faster.")
    oldest_pending_seconds: float | None = field(
        "How long the oldest number that is to go out has waited by now; null: nothing waits."
    )


@strawberry.type(description="A setting of a shop.")
class SettingValue:
    key: str = field("Its name; see the mall's `settingFields`.")
    value: str | None = field("Its value.")


@strawberry.type(description="A credential of the mall's form; never the secret itself.")
class CredentialState:
    key: str = field("Its name; see the mall's `credentialFields`.")
    is_set: bool = field("It was entered, or the mall gave it.")
    changed_at: datetime | None = field("When it was set; null: it is not.")
    changed_by: Actor | None = field("Who set it; null: it is not set.")
    expires_at: datetime | None = field("Until when it lives, where that is known.")
    warning: CredentialWarning | None = field("What is to be done about it.")


@strawberry.type(description="店舗: one seller account on one mall.")
class Shop(Node):
    mall: Mall = field("The platform.", made_by=spec_of)
    name: str = field("The merchant's own name for it, unique in the account.")
    sandbox: bool = field("It is connected to a simulated mall.")
    in_use: bool = field("利用店舗設定: a shop not in use is neither read nor written.")
    state: ShopState = field("What it does at present.")
    recalculating: bool = field(
        "再計算中: after a halt, a switch or a restore its listings are worked out anew, part by part: some still stand as "
        "they were. A shop that catches up does not run before that is over."
    )
    orders_running: bool = field("受注連動: its orders are read.")
    reflect_running: bool = field("在庫反映: its numbers are sent.")
    reflect_interval_seconds: int = field("Changes are gathered for so long; zeros never wait.")
    order_poll_seconds: int = field("Its orders are asked for every so many seconds.")
    match_key: list[str] = field("The columns that serve as same-product key.")
    cancel_policy: CancelPolicy = field("What a cancelled order gives back.")
    drift_policy: DriftPolicy = field("What becomes of a number that was changed at the mall.")
    notification_email: str | None = field("Where its notices go.")
    settings: list[SettingValue] | None = field("What its form says.", requires=Permission.SHOPS)
    credentials: list[CredentialState] | None = field(
        "Every credential of its mall's form: whether it is set, since when, until when.",
        requires=Permission.SHOPS,
    )
    last_check: Annotated["ShopCheck", strawberry.lazy("api.jobs")] | None = field(
        "接続テスト: the last test of its connection."
    )
    onboarding: list[OnboardingStep] = field(
        "What is done and missing on the way to a shop that runs, in order.", made_by=steps_of
    )
    actions: list[ShopAction] = field(
        "店舗メニュー: what this viewer may do with it now, and why not.", made_by=actions_of
    )
    pending: PendingCount = field("What waits to be sent.")
    full_syncs: list[FullSyncSchedule] = field(
        "一括同期スケジュール: when all of its numbers are sent, by time of day."
    )
    sync_latency: SyncLatency = field("How late the mall is.")
    feed: StockFeed | None = field("一括送信: the numbers under way in one document; null: none.")
    breaker: Breaker = field(
        "遮断器: whether numbers are sent to it at present, as its mall answers."
    )
    effective_from: datetime | None = field(
        "Since when its orders count; what was placed before takes nothing. Null: it never started."
    )
    orders_seen_at: datetime | None = field("When its orders were read completely last.")
    cancels_seen_at: datetime | None = field(
        "When the last of its open orders was read again for a cancel; null: not yet, or its orders tell by themselves."
    )
    disconnected_at: datetime | None = field("連携解除: when it was given up; null: it was not.")
    product_count: int = field("Products that have a listing here.")
    version: int = field("Rises with every change of its settings.")
