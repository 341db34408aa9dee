"""Who may do what, when work is over, and that no name drifts."""

import pytest

from domain.model.jobs import JobState
from domain.model.roles import PERMISSIONS, Permission, Role


@pytest.mark.parametrize(
    ("permission", "viewer", "staff"),
    [
        (Permission.READ, True, True),
        (Permission.STOCK_READ, True, True),
        (Permission.STOCK_WRITE, False, True),
        (Permission.REFLECT, False, True),
        (Permission.CATALOGUE, False, True),
        (Permission.CLEAR_ERRORS, False, True),
        (Permission.FILES, False, True),
        (Permission.SYNC_SWITCH, False, False),
        (Permission.SHOPS, False, False),
        (Permission.SETTINGS, False, False),
        (Permission.USERS, False, False),
    ],
)
def test_permissions(permission, viewer, staff):
    allowed = [permission in PERMISSIONS[role] for role in (Role.VIEWER, Role.STAFF, Role.OWNER)]
    assert allowed == [viewer, staff, True]


def test_an_owner_may_do_everything():
    assert PERMISSIONS[Role.OWNER] == set(Permission)


@pytest.mark.parametrize(
    ("state", "over"),
    [("WAITING", False), ("RUNNING", False), ("DONE", True), ("FAILED", True), ("CANCELLED", True)],
)
def test_a_job_is_over(state, over):
    assert JobState(state).is_over == over
