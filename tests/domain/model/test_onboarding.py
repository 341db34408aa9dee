"""What a new shop still needs."""

import pytest

from domain.model.onboarding import NOT_GOOD, TO_DO, OnboardingKey, StepState, onboarding

KEYS = list(OnboardingKey)


@pytest.mark.parametrize("count", range(len(KEYS) + 1))
def test_the_first_that_is_missing_is_next_and_says_what_to_do(count):
    done = {key: nth < count for nth, key in enumerate(KEYS)}

    steps = onboarding(done, check_failed=False)

    states = ["DONE"] * count + ["NEXT"] + ["LATER"] * len(KEYS)
    assert [step.key for step in steps] == KEYS
    assert [step.state for step in steps] == states[: len(KEYS)]
    assert [step.detail for step in steps if step.detail] == [
        TO_DO[key] for key in KEYS[count:][:1]
    ]


def test_a_step_done_out_of_turn_stays_done():
    done = {key: key is OnboardingKey.STOCK_ENTERED for key in KEYS}
    states = {step.key: step.state for step in onboarding(done, check_failed=False)}
    assert states[OnboardingKey.CREDENTIALS] is StepState.NEXT
    assert states[OnboardingKey.STOCK_ENTERED] is StepState.DONE


@pytest.mark.parametrize(
    ("case", "credentials", "check", "expected"),
    [
        ("a bad test blocks", True, False, StepState.BLOCKED),
        ("a good one since", True, True, StepState.DONE),
        ("credentials come first", False, False, StepState.LATER),
    ],
)
def test_a_test_that_was_not_good(case, credentials, check, expected):
    done = dict.fromkeys(KEYS, False)
    done |= {OnboardingKey.CREDENTIALS: credentials, OnboardingKey.CHECK: check}
    found = {step.key: step for step in onboarding(done, check_failed=True)}
    assert found[OnboardingKey.CHECK].state is expected, case
    assert (found[OnboardingKey.CHECK].detail is NOT_GOOD) == (expected is StepState.BLOCKED)
