"""Who may do what, when work is over, and that no name drifts."""

import pytest

from domain.model.errors import DomainError
from domain.model.jobs import JobState
from domain.model.roles import PERMISSIONS, Permission, Role, check_covered


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


@pytest.mark.parametrize(
    ("given", "held", "beyond"),
    [
        ((), (), None),
        (("READ",), ("READ", "USERS"), None),
        (("READ", "USERS", "SHOPS"), ("READ",), ["SHOPS", "USERS"]),
    ],
)
def test_nobody_gives_what_they_do_not_hold(given, held, beyond):
    wanted, own = [Permission(each) for each in given], [Permission(each) for each in held]
    if beyond is None:
        check_covered(wanted, own, "scopes")
        return
    with pytest.raises(DomainError) as refused:
        check_covered(wanted, own, "scopes")
    assert (refused.value.code, refused.value.field) == ("EXCEEDS_RIGHTS", ("scopes",))
    assert refused.value.params == {"rights": beyond}


def test_an_owner_may_do_everything():
    assert PERMISSIONS[Role.OWNER] == set(Permission)


@pytest.mark.parametrize(
    ("state", "over"),
    [("WAITING", False), ("RUNNING", False), ("DONE", True), ("FAILED", True), ("CANCELLED", True)],
)
def test_a_job_is_over(state, over):
    assert JobState(state).is_over == over
