"""近い商品コード: what a code that the mall does not know may have been meant to be."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.model import near_codes
from domain.store.database import Tx
from tests.api.conftest import Asker
from tests.api.statements import of_work, statements
from tests.factories import a_listing, a_shop

ASK = "{ listings { edges { node { itemCode nearCodes { reason likeness listing { itemCode } } } } } }"
T0 = datetime(2026, 11, 20, tzinfo=UTC)
CATALOGUE = ("mug-0100", "MUG-200", "tea_7", "ｃｕｐ", "saucer-12", "plate", "a1", "pot:l")

CASES = [
    ("MUG-0100", [("mug-0100", "WRITTEN_OTHERWISE", 1.0), ("MUG-200", "ALIKE", 0.4)]),
    ("mug-100", [("mug-0100", "LEADING_ZEROS", 1.0), ("MUG-200", "ALIKE", 0.4)]),
    ("tea-7", [("tea_7", "WRITTEN_OTHERWISE", 1.0)]),
    ("tea-07", [("tea_7", "LEADING_ZEROS", 1.0)]),
    ("CUP", [("ｃｕｐ", "WRITTEN_OTHERWISE", 1.0)]),
    ("saucer-13", [("saucer-12", "ALIKE", 0.636)]),
    ("saucr-12", [("saucer-12", "ALIKE", 0.545)]),
    ("xplate", [("plate", "ALIKE", 0.444)]),
    ("a-1", [("a1", "WRITTEN_OTHERWISE", 1.0)]),
    ("b-1", []),
    ("kettle", []),
]


async def a_catalogue(tx: Tx, *unknown: str) -> UUID:
    shop = await a_shop(tx)
    for code in CATALOGUE:
        await a_listing(tx, shop, code)
    for code in unknown:
        await a_listing(tx, shop, code, unknown_at_mall=True)
    return shop


async def found(asker: Asker) -> dict[str, list[tuple[str, str, float]]]:
    """By listing: (code, reason, likeness)."""
    data = await asker.ask(ASK)
    return {
        edge["node"]["itemCode"]: [
            (each["listing"]["itemCode"], each["reason"], each["likeness"])
            for each in edge["node"]["nearCodes"]
        ]
        for edge in data["listings"]["edges"]
    }


async def test_codes_that_are_written_alike_come_first(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        await a_catalogue(tx, *(code for code, _ in CASES))

    assert await found(asker) == {code: [] for code in CATALOGUE} | dict(CASES)


@pytest.mark.parametrize(("code", "expected"), CASES)
def test_the_rules_say_the_same(code: str, expected: list[tuple[str, str, float]]) -> None:
    said = {other: near_codes.near(code, other) for other in CATALOGUE}
    told = [(other, near[0].value, round(near[1], 3)) for other, near in said.items() if near]
    assert sorted(told) == sorted(expected)


async def test_of_what_is_foreign_gone_or_unknown_itself_nothing_is_offered(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop, other = await a_shop(tx), await a_shop(tx, "Other")
        await a_listing(tx, shop, "mug-1", unknown_at_mall=True)
        await a_listing(tx, shop, "MUG-1", unknown_at_mall=True)
        await a_listing(tx, shop, "mug1", deleted_at=T0)
        await a_listing(tx, other, "mug_1")

    assert await found(asker) == {"mug-1": [], "MUG-1": [], "mug_1": []}


async def test_a_page_of_a_hundred_is_one_statement_and_five_each(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx)
        for nth in range(40):
            await a_listing(tx, shop, f"long-enough-{nth:05}")
        for nth in range(60):
            await a_listing(tx, shop, f"long_enough_{nth}", unknown_at_mall=True)

    with statements() as sent:
        near = await found(asker)

    assert len(of_work(sent)) == 1
    assert {len(each) for code, each in near.items() if "_" in code} == {5}
    assert near["long_enough_7"][0] == ("long-enough-00007", "LEADING_ZEROS", 1.0)
