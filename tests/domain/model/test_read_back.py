"""Which numbers that a mall calls applied are looked at, and what a look tells."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.model.malls import ItemRef
from domain.model.read_back import Written, is_due, looked_at, lot, was_not_applied

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def written(nth: int, quantity: int = 5, before: int | None = 6) -> Written:
    return Written(UUID(int=nth), quantity, before, drawn=nth)


@pytest.mark.parametrize(
    ("case", "quantity", "before", "looked"),
    [
        ("a drop to zero", 0, 3, True),
        ("a zero over nobody knows what", 0, None, True),
        ("a zero where zero stands already", 0, 0, False),
        ("another fall", 1, 3, False),
        ("a rise", 3, 0, False),
    ],
)
def test_every_drop_to_zero_is_looked_at(case, quantity, before, looked):
    sent = written(1, quantity, before)
    assert (sent.id in looked_at([sent], one_in=50, due=False)) is looked, case


def test_what_may_be_for_nothing_at_the_mall_is_looked_at():
    known = written(1, 3, None)
    unheard_of = replace(written(2, 3, None), unheard_of=True)
    assert looked_at([known, unheard_of], one_in=50, due=False) == {unheard_of.id}


@pytest.mark.parametrize(
    ("case", "before", "again", "otherwise", "looked"),
    [
        ("after one without an answer", None, True, False, True),
        ("the first of all", None, False, False, False),
        ("after one that was refused", 5, True, False, False),
        ("the mall shows another number than the change makes", 5, False, True, True),
    ],
)
def test_what_is_in_doubt_is_looked_at(case, before, again, otherwise, looked):
    sent = replace(written(1, 7, before), again=again, otherwise=otherwise)
    assert (sent.id in looked_at([sent], one_in=50, due=False)) is looked, case


def test_of_all_others_one_in_so_many_is():
    many = [written(nth) for nth in range(1000)]
    assert looked_at(many, one_in=50, due=False) == {UUID(int=nth) for nth in range(0, 1000, 50)}


def test_lots_are_drawn_evenly_and_the_same_each_time():
    drawn = [lot(ItemRef("mug-01", "white"), generation) for generation in range(50_000)]
    counts = Counter(each % 50 for each in drawn)
    assert (min(counts.values()) > 900, max(counts.values()) < 1100) == (True, True)
    assert lot(ItemRef("mug-01", "white"), 7) == drawn[7]


@pytest.mark.parametrize(
    ("case", "numbers", "looked"),
    [
        ("chance chose none: the first is", [3, 4], {3}),
        ("chance chose one: it is enough", [3, 50], {50}),
        ("nothing but a drop to zero", [], set()),
    ],
)
def test_where_it_is_time_one_of_the_others_is_at_least(case, numbers, looked):
    zero = written(7, 0)
    found = looked_at([zero, *map(written, numbers)], one_in=50, due=True)
    assert found == {zero.id} | {UUID(int=nth) for nth in looked}, case


@pytest.mark.parametrize(
    ("case", "last", "due"),
    [
        ("never before", None, True),
        ("within the hour", NOW - HOUR / 2, False),
        ("an hour ago", NOW - HOUR, True),
    ],
)
def test_an_hour_never_passes_without_a_look(case, last, due):
    assert is_due(last, NOW) is due, case


@pytest.mark.parametrize(
    ("case", "before", "quantity", "believed", "shown", "lost"),
    [
        ("the mall shows what it showed before", 5, 0, 0, 5, True),
        ("and has sold two since", 9, 6, 4, 7, True),
        ("our number stands", 5, 3, 3, 3, False),
        ("somebody wrote another number", 5, 3, 3, 8, False),
        ("nobody knew what stood there", None, 3, 3, 5, False),
        ("nobody knows what should be there", 5, 3, None, 5, False),
        ("the mall shows no number", 5, 3, 3, None, False),
        ("it was the same number anyway", 3, 3, 3, 5, False),
    ],
)
def test_a_number_that_was_never_written(case, before, quantity, believed, shown, lost):
    assert was_not_applied(written(1, quantity, before), believed, shown) is lost, case
