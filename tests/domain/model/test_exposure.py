"""When a mall shows more than is left, and since when."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.model.base import Base, MallStockSource
from domain.model.diff import NotPushed
from domain.model.exposure import Fall, falls, is_exposed, sets_left, since
from domain.model.malls import MallTime
from domain.model.sets import PartStock, SetPart

T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)
CUP, TEA = uuid4(), uuid4()


def minutes(count: float) -> datetime:
    return T0 + timedelta(minutes=count)


def shows(quantity: int | None, at: datetime | None = T0 - timedelta(days=1)) -> Base:
    """The mall shows so many since then."""
    when = MallTime(at, at) if at else None
    return Base(quantity, when, MallStockSource.APPLIED_PUSH)


@pytest.mark.parametrize(
    ("case", "shown", "left", "not_pushed", "exposed"),
    [
        ("it shows what is left", 3, 3, (), False),
        ("it shows less: a reserve, a maximum, a push that is on its way", 2, 3, (), False),
        ("it shows one more than is left", 4, 3, (), True),
        ("a minimum wants 0 shown, and all that it shows is there", 3, 3, (), False),
        ("nothing is left", 1, 0, (), True),
        ("nothing is left and nothing is shown", 0, 0, (), False),
        ("too much was sold already, and no more can be", 0, -2, (), False),
        ("too much was sold already, and more can be", 1, -2, (), True),
        ("nobody knows what it shows", None, 0, (), False),
        ("nobody can say what is left", 5, None, (), False),
        ("its shop is halted", 4, 3, (NotPushed.SHOP_HALTED,), True),
        ("an edit at the mall is to be decided on", 4, 3, (NotPushed.CHANGED_AT_MALL,), True),
        ("the merchant stopped it", 4, 3, (NotPushed.SHOP_REFLECT_STOPPED,), False),
        (
            "halted, and stopped as well",
            4,
            3,
            (NotPushed.MASTER_STOPPED, NotPushed.SHOP_HALTED),
            False,
        ),
        ("its tick is off", 4, 3, (NotPushed.LISTING_SYNC_OFF,), False),
        ("the mall's own warehouse sells it", 4, 3, (NotPushed.FULFILLED_BY_MALL,), False),
    ],
)
def test_a_mall_shows_more_than_is_left(
    case: str, shown: int | None, left: int | None, not_pushed: Sequence[NotPushed], exposed: bool
) -> None:
    told = [each.value for each in not_pushed]
    assert is_exposed(shows(shown), left, told) is exposed, case


@pytest.mark.parametrize(
    ("case", "totals", "left"),
    [
        ("the scarcest part decides", {CUP: 7, TEA: 9}, 3),
        ("what is kept back of a part is there all the same", {CUP: 6, TEA: 3}, 3),
        ("an oversold part", {CUP: -1, TEA: 9}, -1),
    ],
)
def test_sets_that_are_left(case: str, totals: Mapping[UUID, int], left: int) -> None:
    stock = {id: PartStock(total, reserve=2) for id, total in totals.items()}
    assert sets_left([SetPart(CUP, 2), SetPart(TEA, 1)], stock) == left, case


def test_a_part_that_is_not_kept_here_limits_no_set() -> None:
    stock = {CUP: PartStock(0, 0, managed=False)}
    assert sets_left([SetPart(CUP, 2)], stock) is None


SOLD = falls(5, [(minutes(-1), -1), (minutes(-3), -2)])


def test_sales_are_put_in_the_order_in_which_they_were_made() -> None:
    assert [Fall(3, minutes(-3)), Fall(2, minutes(-1))] == SOLD


@pytest.mark.parametrize(
    ("case", "before", "base", "sold", "began"),
    [
        ("without an order: when it was recorded", None, shows(5), (), T0),
        ("the first unit was gone", None, shows(5), ((SOLD, 1),), minutes(-3)),
        ("the first sale left what it shows", None, shows(3), ((SOLD, 1),), minutes(-1)),
        ("of a set that takes two", None, shows(2), ((SOLD, 2),), minutes(-3)),
        ("the first of its parts", None, shows(5), (([], 1), (SOLD, 1)), minutes(-3)),
        ("another product sold", None, shows(9), (), T0),
        ("it shows so only since", None, shows(5, minutes(-2)), ((SOLD, 1),), minutes(-2)),
        ("a file said so, nobody knows of when", None, shows(5, None), ((SOLD, 1),), minutes(-3)),
        ("the mall's clock is ahead of ours", None, shows(5, minutes(9)), ((SOLD, 1),), T0),
        ("it was exposed already", minutes(-60), shows(5), ((SOLD, 1),), minutes(-60)),
    ],
)
def test_since_when(
    case: str,
    before: datetime | None,
    base: Base,
    sold: Sequence[tuple[Sequence[Fall], int]],
    began: datetime,
) -> None:
    assert since(before, base, 2 if base.quantity != 2 else 1, (), sold=sold, now=T0) == began, case


@pytest.mark.parametrize("base", [shows(2), shows(1), shows(None)])
def test_it_ends_when_no_more_is_shown_or_nobody_knows(base: Base) -> None:
    assert since(minutes(-60), base, 2, (), now=T0) is None
