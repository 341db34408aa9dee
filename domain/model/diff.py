"""Does a listing show the wrong number, and why? And why is it not pushed?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model.base import Base, MallStockSource
from domain.model.reflect import PushState
from domain.model.shops import ShopState


class NotPushed(StrEnum):
    """Why no push goes out."""

    MASTER_STOPPED = "MASTER_STOPPED"
    SHOP_NOT_IN_USE = "SHOP_NOT_IN_USE"
    SHOP_REFLECT_STOPPED = "SHOP_REFLECT_STOPPED"
    SHOP_HALTED = "SHOP_HALTED"
    PRODUCT_UNMANAGED = "PRODUCT_UNMANAGED"
    LISTING_SYNC_OFF = "LISTING_SYNC_OFF"
    UNLINKED = "UNLINKED"
    LINK_CONFLICT = "LINK_CONFLICT"
    FULFILLED_BY_MALL = "FULFILLED_BY_MALL"
    UNLIMITED_AT_MALL = "UNLIMITED_AT_MALL"
    UNKNOWN_AT_MALL = "UNKNOWN_AT_MALL"
    CHANGED_AT_MALL = "CHANGED_AT_MALL"
    NOTHING_LIMITS = "NOTHING_LIMITS"


class DifferenceCause(StrEnum):
    EDIT_NOT_REFLECTED = "EDIT_NOT_REFLECTED"
    PUSH_FAILED = "PUSH_FAILED"
    SHOP_HALTED = "SHOP_HALTED"
    SHOP_STOPPED = "SHOP_STOPPED"
    IMPORTED_DIFFERENT = "IMPORTED_DIFFERENT"
    CHANGED_AT_MALL = "CHANGED_AT_MALL"
    NOT_APPLIED = "NOT_APPLIED"


HELD = frozenset(
    {
        NotPushed.MASTER_STOPPED,
        NotPushed.SHOP_REFLECT_STOPPED,
        NotPushed.SHOP_HALTED,
        NotPushed.CHANGED_AT_MALL,
    }
)
"""The push waits for the shop, or until an edit at the mall is decided on: a wrong number is a difference, for that cause."""

GREY = frozenset(NotPushed) - HELD
"""Not pushed by rule: whatever the mall shows, it is no difference."""

HALTED_STATES = frozenset({ShopState.HALTED, ShopState.PROBING})


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """What is known of one listing.

    `expected`: the number to show; None where no product decides it or nothing limits a set. `base`: see
    base.py. `managed`: the linked product's. `doubted`: a reading contradicts what we knew, undecided. `waits_for_reflect`: an edit counts here and was not asked
    to go out. `wanted`, `done`: generations; a push waits or runs while wanted > done. `attempts_failed`:
    of that push. `waiting_since`: when it began to wait (accepted pushes keep it until they are shown).
    `grace`: the shop's interval plus the mall's usual delay. `last_outcome`: of the newest attempt.
    """

    expected: int | None
    base: Base
    linked: bool = True
    managed: bool = True
    sync: bool = True
    conflict: bool = False
    master_running: bool = True
    shop_in_use: bool = True
    shop_reflect_running: bool = True
    shop_state: ShopState = ShopState.RUNNING
    fulfilled_by_mall: bool = False
    unlimited_at_mall: bool = False
    unknown_at_mall: bool = False
    doubted: bool = False
    waits_for_reflect: bool = False
    wanted: int = 0
    done: int = 0
    attempts_failed: int = 0
    waiting_since: datetime | None = None
    grace: timedelta = timedelta(minutes=1)
    last_outcome: PushState | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """`difference` None and `unknown_base` False: right, grey, or on its first way."""

    not_pushed: tuple[NotPushed, ...]
    difference: DifferenceCause | None
    unknown_base: bool
    on_first_way: bool


def assess(
    facts: ListingFacts, now: datetime, reasons: tuple[NotPushed, ...] | None = None
) -> Assessment:
    """`reasons`: of `not_pushed`, where they are known."""
    reasons = not_pushed(facts) if reasons is None else reasons
    first_way = not reasons and on_first_way(facts, now)
    grey = not GREY.isdisjoint(reasons)
    return Assessment(
        not_pushed=reasons,
        difference=None if grey or first_way else _difference(facts, reasons),
        unknown_base=not grey and facts.base.quantity is None,
        on_first_way=first_way,
    )


def not_pushed(facts: ListingFacts) -> tuple[NotPushed, ...]:
    """Every reason that holds, from the account down to the number; empty: it is pushed."""
    checks = (
        (NotPushed.MASTER_STOPPED, not facts.master_running),
        (NotPushed.SHOP_NOT_IN_USE, not facts.shop_in_use),
        (NotPushed.SHOP_REFLECT_STOPPED, not facts.shop_reflect_running),
        (NotPushed.SHOP_HALTED, facts.shop_state in HALTED_STATES),
        (NotPushed.UNLINKED, not facts.linked),
        (NotPushed.PRODUCT_UNMANAGED, facts.linked and not facts.managed),
        (NotPushed.LISTING_SYNC_OFF, not facts.sync),
        (NotPushed.LINK_CONFLICT, facts.conflict and not goes_out_in_conflict(facts)),
        (NotPushed.FULFILLED_BY_MALL, facts.fulfilled_by_mall),
        (NotPushed.UNLIMITED_AT_MALL, facts.unlimited_at_mall),
        (NotPushed.UNKNOWN_AT_MALL, facts.unknown_at_mall),
        (NotPushed.CHANGED_AT_MALL, facts.doubted and facts.expected != 0),
        (NotPushed.NOTHING_LIMITS, facts.linked and facts.expected is None),
    )
    return tuple(reason for reason, holds in checks if holds)


def goes_out_in_conflict(facts: ListingFacts) -> bool:
    """Several listings of one shop on one product: each is only ever lowered, and zero always is.

    With an unknown base any other number might be a raise.
    """
    if facts.expected is None:
        return False
    shown = facts.base.quantity
    return facts.expected == 0 or (shown is not None and facts.expected < shown)


def on_first_way(facts: ListingFacts, now: datetime) -> bool:
    """A push waits, runs or was accepted, has not failed yet, and is not overdue."""
    return (
        _under_way(facts)
        and facts.attempts_failed == 0
        and facts.waiting_since is not None
        and now - facts.waiting_since < facts.grace
    )


def _under_way(facts: ListingFacts) -> bool:
    accepted = facts.last_outcome in (PushState.SENT, PushState.ACCEPTED)
    return facts.wanted > facts.done or accepted


def _difference(facts: ListingFacts, reasons: tuple[NotPushed, ...]) -> DifferenceCause | None:
    if facts.base.quantity is None or facts.base.quantity == facts.expected:
        return None
    if NotPushed.SHOP_HALTED in reasons:
        return DifferenceCause.SHOP_HALTED
    if reasons:
        undecided = reasons == (NotPushed.CHANGED_AT_MALL,)
        return DifferenceCause.CHANGED_AT_MALL if undecided else DifferenceCause.SHOP_STOPPED
    return _cause_of_pushed(facts)


def _cause_of_pushed(facts: ListingFacts) -> DifferenceCause:
    """A push that failed, one that is overdue, an edit that waits; else where the number came from."""
    if facts.attempts_failed:
        return DifferenceCause.PUSH_FAILED
    if _under_way(facts):
        return DifferenceCause.NOT_APPLIED
    if facts.waits_for_reflect:
        return DifferenceCause.EDIT_NOT_REFLECTED
    if facts.last_outcome in (PushState.REFUSED, PushState.UNKNOWN):
        return DifferenceCause.PUSH_FAILED
    return _cause_by_source(facts.base.source)


def _cause_by_source(source: MallStockSource) -> DifferenceCause:
    match source:
        case MallStockSource.FILE:
            return DifferenceCause.IMPORTED_DIFFERENT
        case MallStockSource.READ_BACK:
            return DifferenceCause.CHANGED_AT_MALL
        case _:
            return DifferenceCause.NOT_APPLIED
