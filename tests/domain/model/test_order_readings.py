"""What of an order that was read before is read, or noted, again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.model.malls import ItemRef, MallOrder, MallOrderLine, OrderStatus
from domain.model.order_readings import LastRead, is_worth_noting, need_not_be_read
from domain.model.orders import fingerprint

T = datetime(2026, 2, 1, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LINE = MallOrderLine(ItemRef("tea", "green"), 2, "1")
ORDER = MallOrder("1", T, OrderStatus.HOLDS, (LINE,), T)


def read(at: datetime, updated_at: datetime | None = T) -> LastRead:
    return LastRead(at, updated_at, 7)


@pytest.mark.parametrize(
    ("case", "last", "listed", "asked_at", "expected"),
    [
        ("never read", None, T, T + MINUTE, False),
        ("as it was read", read(T + 3 * SECOND), T, T + MINUTE, True),
        ("updated since", read(T + 3 * SECOND), T + SECOND, T + MINUTE, False),
        ("the list does not say", read(T + 3 * SECOND), None, T + MINUTE, False),
        ("it did not say when it was read", read(T, None), T, T + MINUTE, False),
        ("neither says", read(T, None), None, T + MINUTE, False),
        ("read in the second of its update", read(T + 2 * SECOND), T, T + 3 * SECOND, False),
        ("which is not over yet", read(T + SECOND), T, T + 2 * SECOND, True),
    ],
)
def test_need_not_be_read(
    case: str, last: LastRead | None, listed: datetime | None, asked_at: datetime, expected: bool
) -> None:
    assert need_not_be_read(last, listed, asked_at) is expected, case


@pytest.mark.parametrize(
    ("case", "last", "seen_at", "expected"),
    [
        ("just now", read(T + MINUTE), T + 2 * MINUTE, False),
        ("long ago", read(T + MINUTE), T + 2 * MINUTE + SECOND, True),
        ("just now, in the second of its update", read(T + SECOND), T + 2 * SECOND, True),
        ("just now, by a mall that has no such time", read(T, None), T + SECOND, False),
        ("by a page that came late", read(T + SECOND), T, False),
    ],
)
def test_is_worth_noting(case: str, last: LastRead, seen_at: datetime, expected: bool) -> None:
    assert is_worth_noting(last, seen_at, within=MINUTE) is expected, case


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("cancelled", replace(ORDER, status=OrderStatus.RELEASED)),
        ("updated", replace(ORDER, updated_at=T + SECOND)),
        ("cut", replace(ORDER, lines=(replace(LINE, quantity=1),))),
        ("another variant", replace(ORDER, lines=(replace(LINE, ref=ItemRef("tea", "black")),))),
        ("another item", replace(ORDER, lines=(replace(LINE, ref=ItemRef("mug", "green")),))),
        ("a line more", replace(ORDER, lines=(LINE, LINE))),
        ("no line", replace(ORDER, lines=())),
        ("shipped by the mall", replace(ORDER, lines=(replace(LINE, fulfilled_by_mall=True),))),
        ("put back by the mall", replace(ORDER, lines=(replace(LINE, mall_restocks=True),))),
    ],
)
def test_what_says_something_else_has_another_fingerprint(case: str, order: MallOrder) -> None:
    assert fingerprint(order) != fingerprint(ORDER), case


def test_ids_of_lines_say_nothing() -> None:
    """They do not survive real malls."""
    renamed = replace(ORDER, lines=(replace(LINE, line_id="2"),))
    assert fingerprint(renamed) == fingerprint(ORDER)
    assert -(2**63) <= fingerprint(ORDER) < 2**63
