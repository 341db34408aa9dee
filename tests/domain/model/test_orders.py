"""What an order takes from our totals, once, however often and in whatever order it is told."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model import orders
from domain.model.base import CounterChange
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, MallTime, OrderStatus
from domain.model.orders import CancelPolicy, Effect, Fact
from domain.model.sets import SetPart

HOLDS, SHIPPED, RELEASED = OrderStatus.HOLDS, OrderStatus.SHIPPED, OrderStatus.RELEASED
IGNORE, RESTORE = CancelPolicy.IGNORE, CancelPolicy.RESTORE
TEA, MUG, GIFT = (UUID(int=n) for n in (1, 2, 3))
TEA_PAGE, MUG_PAGE, GIFT_PAGE, OTHER_PAGE = (ItemRef(c) for c in ("tea", "mug", "gift", "other"))
RESOLUTIONS = {
    TEA_PAGE: ((TEA, 1),),
    MUG_PAGE: ((MUG, 1),),
    GIFT_PAGE: ((TEA, 1), (MUG, 2)),
    OTHER_PAGE: None,
}


def at(seconds: float) -> datetime:
    return datetime(2026, 4, 1, 12, tzinfo=UTC) + timedelta(seconds=seconds)


def an_order(status: OrderStatus, **quantities: int) -> MallOrder:
    lines = tuple(MallOrderLine(ItemRef(code), units) for code, units in quantities.items())
    return MallOrder("A-1", at(0), status, lines)


def seen(status: OrderStatus, moment: float, **quantities: int) -> Fact:
    return orders.observed(an_order(status, **quantities), at(moment))


@dataclass
class Ledger:
    """The totals that one order leaves behind, as services keep them."""

    policy: CancelPolicy
    fact: Fact | None = None

    def __post_init__(self) -> None:
        self.effects: dict[UUID, Effect] = {}
        self.movements: list[tuple[UUID, int]] = []

    def take_in(self, observation: Fact) -> None:
        self.fact = orders.merged(self.fact, observation)
        for product, units in orders.wanted(self.fact, RESOLUTIONS, self.policy).items():
            effect, delta = orders.next_effect(self.effects.get(product, Effect()), units)
            self.effects[product] = effect
            if delta:
                self.movements.append((product, delta))

    @property
    def totals(self) -> dict[UUID, int]:
        return {p: sum(d for q, d in self.movements if q == p) for p in (TEA, MUG, GIFT)}


def after(policy: CancelPolicy, *observations: Fact) -> dict[UUID, int]:
    ledger = Ledger(policy)
    for observation in observations:
        ledger.take_in(observation)
    return ledger.totals


@pytest.mark.parametrize(
    ("case", "observations", "ignoring", "restoring"),
    [
        ("an order takes", [seen(HOLDS, 1, tea=3)], -3, -3),
        ("twice told, once taken", [seen(HOLDS, 1, tea=3), seen(HOLDS, 2, tea=3)], -3, -3),
        ("shipping changes nothing", [seen(HOLDS, 1, tea=3), seen(SHIPPED, 2, tea=3)], -3, -3),
        ("a set takes its parts", [seen(HOLDS, 1, gift=2)], -2, -2),
        ("two lines on one product add up", [seen(HOLDS, 1, tea=1, gift=2)], -3, -3),
        ("an unlinked listing takes nothing", [seen(HOLDS, 1, other=4)], 0, 0),
        ("a cancel", [seen(HOLDS, 1, tea=3), seen(RELEASED, 2, tea=3)], -3, 0),
        (
            "a cancel told twice",
            [seen(HOLDS, 1, tea=3), seen(RELEASED, 2, tea=3), seen(RELEASED, 3, tea=3)],
            -3,
            0,
        ),
        (
            "a cancel that shows no lines any more",
            [seen(HOLDS, 1, tea=3), seen(RELEASED, 2)],
            -3,
            0,
        ),
        ("first seen cancelled", [seen(RELEASED, 2, tea=3)], 0, 0),
        ("a tombstone", [seen(RELEASED, 2, tea=3), seen(HOLDS, 1, tea=3)], 0, 0),
        ("re-opened", [seen(RELEASED, 2, tea=3), seen(HOLDS, 3, tea=3)], -3, -3),
        ("cut", [seen(HOLDS, 1, tea=3), seen(HOLDS, 2, tea=1)], -3, -1),
        ("raised", [seen(HOLDS, 1, tea=3), seen(HOLDS, 2, tea=5)], -5, -5),
        (
            "cut, then raised",
            [seen(HOLDS, 1, tea=3), seen(HOLDS, 2, tea=1), seen(HOLDS, 3, tea=4)],
            -4,
            -4,
        ),
        ("a line vanished", [seen(HOLDS, 1, tea=3, mug=1), seen(HOLDS, 2, mug=1)], -3, 0),
        ("an older reading comes late", [seen(HOLDS, 2, tea=1), seen(HOLDS, 1, tea=3)], -1, -1),
        (
            "a raise that comes after its cancel was held once",
            [seen(HOLDS, 1, tea=1), seen(RELEASED, 3, tea=3), seen(HOLDS, 2, tea=3)],
            -3,
            0,
        ),
    ],
)
def test_what_an_order_takes_of_the_tea(case, observations, ignoring, restoring):
    assert after(IGNORE, *observations)[TEA] == ignoring, case
    assert after(RESTORE, *observations)[TEA] == restoring, case


OBSERVATIONS = st.lists(
    st.tuples(
        st.sampled_from([HOLDS, SHIPPED, RELEASED]),
        st.integers(0, 4),
        st.integers(0, 4),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
).map(
    lambda states: [
        seen(status, moment, tea=tea, mug=mug, gift=gift)
        for moment, (status, tea, mug, gift) in enumerate(states)
    ]
)


@given(observations=OBSERVATIONS, data=st.data())
def test_restoring_any_order_and_repetition_of_arrival_ends_alike(observations, data):
    repeated = data.draw(st.lists(st.sampled_from(observations), max_size=4))
    arrived = data.draw(st.permutations(observations + repeated))
    assert after(RESTORE, *arrived) == after(RESTORE, *observations)


@given(observations=OBSERVATIONS, data=st.data())
def test_ignoring_any_order_and_repetition_after_the_first_ends_alike(observations, data):
    first = data.draw(st.sampled_from(observations))
    rest = [o for o in observations if o is not first]
    repeated = data.draw(st.lists(st.sampled_from(observations), max_size=4))
    arrived = data.draw(st.permutations(rest + repeated))
    assert after(IGNORE, first, *arrived) == after(IGNORE, first, *rest)


@given(observations=OBSERVATIONS)
def test_ignoring_never_gives_back_and_restoring_never_more_than_was_taken(observations):
    ignoring, restoring = Ledger(IGNORE), Ledger(RESTORE)
    for observation in observations:
        ignoring.take_in(observation)
        restoring.take_in(observation)
        assert all(total <= 0 for total in restoring.totals.values())
    assert all(delta < 0 for _, delta in ignoring.movements)
    assert all(ignoring.totals[p] <= restoring.totals[p] for p in (TEA, MUG, GIFT))


@given(
    steps=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=12),
    start=st.integers(-5, 20),
)
def test_the_ledger_sums_to_the_total_and_absorbed_units_never_move(steps, start):
    effect, total = Effect(), start
    for wanted, absorbing in steps:
        if absorbing:
            total += effect.applied  # the count that absorbs them has its own movement
            effect = orders.absorb(effect, wanted)
        else:
            effect, delta = orders.next_effect(effect, wanted)
            total += delta
        assert total == start - effect.applied
        assert effect.applied >= 0


@pytest.mark.parametrize(
    ("case", "effect", "wanted", "expected"),
    [
        ("first seen", Effect(), 3, (Effect(3), -3)),
        ("nothing new", Effect(3), 3, (Effect(3), 0)),
        ("one more", Effect(3), 4, (Effect(4), -1)),
        ("all back", Effect(3), 0, (Effect(0), 3)),
        ("a baseline order is never deducted", Effect(0, 3), 3, (Effect(0, 3), 0)),
        ("nor given back", Effect(0, 3), 0, (Effect(0, 3), 0)),
        ("what it takes more is", Effect(0, 3), 5, (Effect(2, 3), -2)),
        ("and that much comes back", Effect(2, 3), 3, (Effect(0, 3), 2)),
    ],
)
def test_next_effect(case, effect, wanted, expected):
    assert orders.next_effect(effect, wanted) == expected, case


@pytest.mark.parametrize(
    ("case", "effect", "wanted", "absorbed"),
    [
        ("an order never applied", Effect(), 3, Effect(0, 3)),
        ("one already applied", Effect(2, 1), 3, Effect(0, 3)),
        ("one cancelled meanwhile", Effect(2, 0), 0, Effect(0, 2)),
    ],
)
def test_absorb(case, effect, wanted, absorbed):
    assert orders.absorb(effect, wanted) == absorbed, case


def test_lines_are_summed_and_what_the_mall_fulfils_is_left_out():
    lines = (
        MallOrderLine(TEA_PAGE, 1),
        MallOrderLine(TEA_PAGE, 2, line_id="1"),
        MallOrderLine(MUG_PAGE, 5, fulfilled_by_mall=True),
    )
    assert orders.summed(lines) == {TEA_PAGE: 3}


@pytest.mark.parametrize(
    ("case", "product", "parts", "unmanaged", "resolution"),
    [
        ("a single product", TEA, [], frozenset(), ((TEA, 1),)),
        ("a set", GIFT, [SetPart(TEA, 1), SetPart(MUG, 2)], frozenset(), ((TEA, 1), (MUG, 2))),
        (
            "a part that is not counted",
            GIFT,
            [SetPart(TEA, 1), SetPart(MUG, 2)],
            {TEA},
            ((MUG, 2),),
        ),
        ("a set that is not counted", GIFT, [SetPart(TEA, 1)], {GIFT}, ()),
        ("a product that is not counted", TEA, [], {TEA}, ()),
    ],
)
def test_resolve(case, product, parts, unmanaged, resolution):
    assert orders.resolve(product, parts, frozenset(unmanaged)) == resolution, case


PLACED = MallTime(at(0), at(1))


def changes(known: Fact | None, observation: Fact) -> dict[ItemRef, tuple[CounterChange, ...]]:
    return orders.counter_changes(
        known, observation, PLACED, answered_at=at(60), lag=timedelta(seconds=5)
    )


@pytest.mark.parametrize(
    ("case", "known", "observation", "expected"),
    [
        ("sold when it was placed", None, seen(HOLDS, 50, tea=3), [(3, 0, 1)]),
        (
            "first seen cancelled: sold, and cancelled some time since",
            None,
            seen(RELEASED, 50, tea=3),
            [(3, 0, 1), (-3, 0, 60)],
        ),
        ("nothing new", seen(HOLDS, 40, tea=3), seen(SHIPPED, 50, tea=3), []),
        (
            "raised since the last look",
            seen(HOLDS, 40, tea=3),
            seen(HOLDS, 50, tea=5),
            [(2, 35, 60)],
        ),
        ("cut", seen(HOLDS, 40, tea=3), seen(HOLDS, 50, tea=1), [(-2, 35, 60)]),
        ("cancelled", seen(HOLDS, 40, tea=3), seen(RELEASED, 50, tea=3), [(-3, 35, 60)]),
        ("cancelled, its lines gone", seen(HOLDS, 40, tea=3), seen(RELEASED, 50), [(-3, 35, 60)]),
        (
            "raised and cancelled since the last look",
            seen(HOLDS, 40, tea=3),
            seen(RELEASED, 50, tea=5),
            [(2, 35, 60), (-5, 35, 60)],
        ),
        ("cancelled before", seen(RELEASED, 40, tea=3), seen(RELEASED, 50, tea=3), []),
        ("the line vanished", seen(HOLDS, 40, tea=3), seen(HOLDS, 50), [(-3, 35, 60)]),
        ("re-opened", seen(RELEASED, 40, tea=3), seen(HOLDS, 50, tea=3), [(3, 35, 60)]),
        ("an older observation tells nothing", seen(HOLDS, 50, tea=3), seen(HOLDS, 40, tea=5), []),
    ],
)
def test_what_an_observation_tells_of_the_malls_counter(case, known, observation, expected):
    told = [(c.units, c.at) for c in changes(known, observation).get(TEA_PAGE, ())]
    assert told == [(units, MallTime(at(a), at(b))) for units, a, b in expected], case


def test_a_sale_happened_before_we_were_told_of_it():
    told = orders.counter_changes(None, seen(HOLDS, 0, tea=1), PLACED, answered_at=at(0.4))
    assert told[TEA_PAGE] == (CounterChange(1, MallTime(at(0), at(0.4))),)


@pytest.mark.parametrize(
    ("case", "updated", "moment"),
    [
        ("the mall does not say when it was changed", None, (-2, 3)),
        ("never changed", at(0), (-2, 3)),
        ("changed since: it may have been raised then", at(30), (-2, 33)),
    ],
)
def test_sale_time(case, updated, moment):
    order = replace(an_order(HOLDS, tea=1), updated_at=updated)
    told = orders.sale_time(order, timedelta(seconds=1), timedelta(seconds=2))
    assert told == MallTime(at(moment[0]), at(moment[1])), case
