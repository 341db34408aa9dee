"""The demo's shoppers and the orders they bring, at real sandbox malls."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from domain.model.malls import MallKind
from integrations.sandbox.app import create_app
from renkei.demo.baskets import Baskets
from renkei.demo.replay import OrderKey, Shoppers, mall_of
from renkei.demo.stalls import KINDS, Stall, ref_at
from renkei.example_shop.catalogue import SETS
from renkei.example_shop.orders import RetailLine, RetailOrder
from renkei.refusal import Refusal

AT = datetime(2011, 11, 11, tzinfo=UTC)
MOST_PER_SECOND = 1000.0


async def everything(order: OrderKey) -> bool:
    return True


@pytest.fixture
async def shoppers() -> AsyncIterator[Shoppers]:
    """Every mall has 10 of 21314 and 5 of 21704."""
    transport = httpx.ASGITransport(create_app(speed=0))
    async with httpx.AsyncClient(transport=transport, base_url="http://malls") as control:
        stalls = {kind: Stall(kind, control) for kind in KINDS}
        for kind, stall in stalls.items():
            await stall.open(0)
            items = [(ref_at(kind, code), count) for code, count in (("21314", 10), ("21704", 5))]
            await stall.puts(
                [
                    {"item_code": r.item_code, "variant_code": r.variant_code, "quantity": n}
                    for r, n in items
                ]
            )
        yield Shoppers(stalls, everything)


def order(number: str, *lines: tuple[str, int], cancels: str | None = None) -> RetailOrder:
    return RetailOrder(number, AT, tuple(RetailLine(*line) for line in lines), cancels)


async def held(shoppers: Shoppers, kind: MallKind) -> list[tuple[bool, dict[str, int]]]:
    """The mall's orders: is it open, and units by code."""
    orders = (await shoppers.stalls[kind].state())["orders"]
    return [
        (each["open"], {line["item_code"]: line["quantity"] for line in each["lines"]})
        for each in orders
    ]


async def test_a_shopper_takes_what_is_left(shoppers: Shoppers) -> None:
    step = order("573744", ("21314", 4), ("21704", 8))

    refused = await shoppers.act(step)

    assert await held(shoppers, mall_of(step)) == [(True, {"21314": 4, "21704": 5})]
    assert refused == Counter({"21704": 3})
    tally = shoppers.tallies[mall_of(step)]
    assert (tally.orders, tally.lines, tally.refused, tally.sent_away) == (1, 2, 1, 0)


async def test_a_shopper_who_finds_nothing_leaves(shoppers: Shoppers) -> None:
    first, second = order("573744", ("21704", 5)), order("573744", ("21704", 1))
    await shoppers.act(first)

    await shoppers.act(second)

    assert len(await held(shoppers, mall_of(first))) == 1
    assert shoppers.tallies[mall_of(first)].sent_away == 1


async def test_repeated_lines_of_a_product_are_one_of_the_basket(shoppers: Shoppers) -> None:
    step = order("573744", ("21314", 4), ("21314", 2))

    await shoppers.act(step)

    assert await held(shoppers, mall_of(step)) == [(True, {"21314": 6})]


async def test_a_part_that_is_given_back_is_cut_and_the_whole_is_cancelled(
    shoppers: Shoppers,
) -> None:
    bought = order("573744", ("21314", 4), ("21704", 2))
    part = order("C1", ("21314", 4), cancels="573744")
    rest = order("C2", ("21704", 2), cancels="573744")

    await shoppers.replay([bought, part], MOST_PER_SECOND)
    assert await held(shoppers, mall_of(bought)) == [(True, {"21314": 0, "21704": 2})]
    await shoppers.replay([rest], MOST_PER_SECOND)

    assert [is_open for is_open, _ in await held(shoppers, mall_of(bought))] == [False]
    assert shoppers.tallies[mall_of(bought)].cancelled == 2
    assert shoppers.done == 3


async def test_what_was_never_sold_is_not_given_back(shoppers: Shoppers) -> None:
    step = order("C1", ("21314", 4), cancels="573744")

    await shoppers.act(step)

    assert await held(shoppers, mall_of(step)) == []
    assert shoppers.tallies[mall_of(step)].cancelled == 0


def test_baskets_are_real_orders_in_their_order_with_all_cancellations_of_theirs() -> None:
    baskets = Baskets(150)

    numbers = {each.number for each in baskets.orders}
    assert len(numbers) == 150
    assert [each for each in baskets.steps if each.cancels is None] == list(baskets.orders)
    assert all(each.cancels in numbers for each in baskets.steps if each.cancels is not None)
    assert [s.placed_at for s in baskets.steps] == sorted(s.placed_at for s in baskets.steps)
    sold = {line.code for each in baskets.orders for line in each.lines}
    assert sold <= {each.code for each in baskets.catalogue}
    assert sold & SETS.keys()


def test_more_orders_than_there_are_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refusal, match=r"has 3,568 orders: ask for fewer with --orders"):
        Baskets(5000)
