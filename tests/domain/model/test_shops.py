"""How a shop halts, is probed, catches up and runs."""

import pytest

from domain.model.errors import DomainError
from domain.model.shops import (
    TRANSITIONS,
    Level9Resume,
    ShopState,
    after_probe,
    check_transition,
    may_become,
)

ALLOWED = {
    ("RUNNING", "HALTED"),
    ("RUNNING", "CATCHING_UP"),
    ("HALTED", "PROBING"),
    ("PROBING", "HALTED"),
    ("PROBING", "CATCHING_UP"),
    ("CATCHING_UP", "HALTED"),
    ("CATCHING_UP", "RUNNING"),
}


@pytest.mark.parametrize("state", ShopState)
@pytest.mark.parametrize("next_state", ShopState)
def test_only_these_steps_are_taken(state, next_state):
    assert may_become(state, next_state) == ((state.value, next_state.value) in ALLOWED)


def test_a_halted_shop_does_not_simply_run_again():
    with pytest.raises(DomainError) as refused:
        check_transition(ShopState.HALTED, ShopState.RUNNING)
    assert refused.value.code == "SHOP_HALTED"
    with pytest.raises(DomainError) as refused:
        check_transition(ShopState.RUNNING, ShopState.PROBING)
    assert refused.value.code == "INVALID_VALUE"
    assert check_transition(ShopState.HALTED, ShopState.PROBING) is None


def test_four_states_are_stored():
    assert {state.value for state in TRANSITIONS} == {"RUNNING", "HALTED", "PROBING", "CATCHING_UP"}


@pytest.mark.parametrize(
    ("case", "passed", "cleared", "resume", "state"),
    [
        ("bad credentials", False, True, Level9Resume.ON_CLEAR, ShopState.HALTED),
        ("good ones, and cleared", True, True, Level9Resume.ON_CLEAR, ShopState.CATCHING_UP),
        ("good ones, not cleared", True, False, Level9Resume.ON_CLEAR, ShopState.HALTED),
        (
            "good ones are enough",
            True,
            False,
            Level9Resume.ON_VALID_CREDENTIALS,
            ShopState.CATCHING_UP,
        ),
        ("bad ones never are", False, False, Level9Resume.ON_VALID_CREDENTIALS, ShopState.HALTED),
    ],
)
def test_after_probe(case, passed, cleared, resume, state):
    assert after_probe(passed=passed, cleared=cleared, resume=resume) is state, case
