"""The state of a shop: what is stored, how it moves, and what is shown."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from domain.model.errors import DomainError


class ShopState(StrEnum):
    """RUNNING, HALTED, PROBING and CATCHING_UP are stored; the others are how they are shown, DISCONNECTED before all.

    HALTED: an open level 9. PROBING: its connection is tested. CATCHING_UP: sure zeros, then orders
    from the watermark, then what differs, absolute.
    """

    ONBOARDING = "ONBOARDING"
    READY = "READY"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    MAINTENANCE = "MAINTENANCE"
    HALTED = "HALTED"
    PROBING = "PROBING"
    CATCHING_UP = "CATCHING_UP"
    DISCONNECTED = "DISCONNECTED"


class SyncPart(StrEnum):
    """What a shop's two switches start and stop: taking orders in, and sending numbers out."""

    ORDERS = "ORDERS"
    REFLECT = "REFLECT"


class DriftPolicy(StrEnum):
    """Whose number wins when a mall's counter was changed by another hand."""

    OURS_WINS = "OURS_WINS"
    TAKE_THEIRS = "TAKE_THEIRS"
    ASK = "ASK"


class Level9Resume(StrEnum):
    """Does a good probe alone resume a halted shop, or must a person clear the error too?"""

    ON_CLEAR = "ON_CLEAR"
    ON_VALID_CREDENTIALS = "ON_VALID_CREDENTIALS"


TRANSITIONS: Mapping[ShopState, frozenset[ShopState]] = MappingProxyType(
    {
        ShopState.RUNNING: frozenset({ShopState.HALTED, ShopState.CATCHING_UP}),
        ShopState.HALTED: frozenset({ShopState.PROBING}),
        ShopState.PROBING: frozenset({ShopState.HALTED, ShopState.CATCHING_UP}),
        ShopState.CATCHING_UP: frozenset({ShopState.HALTED, ShopState.RUNNING}),
    }
)
"""Stored state to the stored states it may become. RUNNING → CATCHING_UP: after a restore or a resync."""


def may_become(state: ShopState, next_state: ShopState) -> bool:
    return next_state in TRANSITIONS.get(state, frozenset())


def check_transition(state: ShopState, next_state: ShopState) -> None:
    """Raises DomainError SHOP_HALTED or INVALID_VALUE where the table has no such step."""
    if may_become(state, next_state):
        return
    code = "SHOP_HALTED" if state is ShopState.HALTED else "INVALID_VALUE"
    raise DomainError(
        f"The shop is {state.value} and cannot become {next_state.value}.",
        code=code,
        state=state.value,
        wanted=next_state.value,
    )


def after_probe(*, passed: bool, cleared: bool, resume: Level9Resume) -> ShopState:
    """A failed probe halts again; a good one goes on if the error was cleared, or if that is not asked."""
    resumes = cleared or resume is Level9Resume.ON_VALID_CREDENTIALS
    return ShopState.CATCHING_UP if passed and resumes else ShopState.HALTED
