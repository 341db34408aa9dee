"""Orders that a Yahoo! store split: whichever part is asked for, what was sold is told once."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from domain.model.errors import MallMalformed
from domain.model.malls import ItemRef, MallOrder, MallOrderLine, OrderStatus
from integrations.malls.yahoo_shopping.splits import MOST_PARTS, Part, told_as

T0 = datetime(2026, 2, 1, tzinfo=UTC)
MUG, TEE = ItemRef("mug"), ItemRef("tee")
HOLDS, SHIPPED, RELEASED = OrderStatus.HOLDS, OrderStatus.SHIPPED, OrderStatus.RELEASED


def part(
    number: str,
    units: Mapping[ItemRef, int],
    status: OrderStatus = HOLDS,
    parent: str = "",
    children: str = "",
) -> Part:
    lines = tuple(MallOrderLine(ref, count) for ref, count in units.items())
    order = MallOrder(number, T0, status, lines, updated_at=T0)
    return Part(order, parent, tuple(children.split()))


async def told(number: str, *parts: Part) -> dict[str, tuple[OrderStatus, dict[ItemRef, int]]]:
    """By number: status and units, as they are to be counted."""
    by_number = {each.order.number: each for each in parts}

    async def read(asked: str) -> Part:
        return by_number[asked]

    return {order.number: (order.status, _units(order)) for order in await told_as(number, read)}


def _units(order: MallOrder) -> dict[ItemRef, int]:
    units: dict[ItemRef, int] = {}
    for line in order.lines:
        units[line.ref] = units.get(line.ref, 0) + line.quantity
    return units


async def test_an_order_that_was_not_split_is_told_as_it_is() -> None:
    assert await told("1", part("1", {MUG: 3})) == {"1": (HOLDS, {MUG: 3})}


IN_TWO = (part("1", {MUG: 2, TEE: 1}, children="2"), part("2", {MUG: 1}, parent="1"))
IN_THREE = (
    part("1", {MUG: 1}, children="2"),
    part("2", {MUG: 1}, parent="1", children="3"),
    part("3", {MUG: 1}, parent="2"),
)


@pytest.mark.parametrize(
    ("case", "asked", "parts", "found"),
    [
        ("the first", "1", IN_TWO, {"1": (HOLDS, {MUG: 3, TEE: 1})}),
        ("its part", "2", IN_TWO, {"1": (HOLDS, {MUG: 3, TEE: 1}), "2": (HOLDS, {})}),
        ("a part of a part", "3", IN_THREE, {"1": (HOLDS, {MUG: 3}), "3": (HOLDS, {})}),
        ("a part with a part", "2", IN_THREE, {"1": (HOLDS, {MUG: 3}), "2": (HOLDS, {})}),
        (
            "a part is shipped, the other is not",
            "1",
            (part("1", {MUG: 2}, SHIPPED, children="2"), part("2", {MUG: 1}, parent="1")),
            {"1": (HOLDS, {MUG: 3})},
        ),
        (
            "all are shipped",
            "1",
            (part("1", {MUG: 2}, SHIPPED, children="2"), part("2", {MUG: 1}, SHIPPED, "1")),
            {"1": (SHIPPED, {MUG: 3})},
        ),
        (
            "a part is cancelled: the first was cut by that much",
            "1",
            (part("1", {MUG: 2}, children="2"), part("2", {MUG: 1}, RELEASED, "1")),
            {"1": (HOLDS, {MUG: 2})},
        ),
        (
            "the first is cancelled and its part is not",
            "2",
            (part("1", {MUG: 2}, RELEASED, children="2"), part("2", {MUG: 1}, SHIPPED, "1")),
            {"1": (SHIPPED, {MUG: 1}), "2": (SHIPPED, {})},
        ),
        (
            "all are cancelled",
            "2",
            (part("1", {MUG: 2}, RELEASED, children="2"), part("2", {MUG: 1}, RELEASED, "1")),
            {"1": (RELEASED, {MUG: 3}), "2": (RELEASED, {})},
        ),
    ],
)
async def test_the_first_is_told_with_the_units_of_all(
    case: str,
    asked: str,
    parts: tuple[Part, ...],
    found: dict[str, tuple[OrderStatus, dict[ItemRef, int]]],
) -> None:
    assert await told(asked, *parts) == found, case


@pytest.mark.parametrize(
    ("case", "parts"),
    [
        ("parts of each other", (part("1", {}, parent="2"), part("2", {}, parent="1"))),
        ("its own part", (part("1", {}, children="1"),)),
        (
            "more parts than are read",
            (
                part("1", {}, children=" ".join(f"c{nth}" for nth in range(MOST_PARTS))),
                *(part(f"c{nth}", {}, parent="1") for nth in range(MOST_PARTS)),
            ),
        ),
    ],
)
async def test_what_cannot_be_put_together_is_unreadable(
    case: str, parts: tuple[Part, ...]
) -> None:
    with pytest.raises(MallMalformed):
        await told("1", *parts)
