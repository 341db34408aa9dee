"""紐づけ候補: what an unlinked listing may belong to."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.model.links import fold
from domain.store.database import Tx
from tests.api.conftest import Asker
from tests.api.statements import of_work, statements
from tests.factories import a_listing, a_product, a_row, a_shop, an_account

ASK = """
query Candidates($first: Int!, $rows: Int) { listings(first: $rows) { edges { node { itemCode
    linkCandidates(first: $first) { reason score product { code } } } } } }
"""
NAME = "白いマグカップ 大"


async def a_catalogue(tx: Tx) -> UUID:
    """Products that can be mistaken for each other, and a shop that lists things like them."""
    for code, name in (
        ("MUG-01", NAME),
        ("mug01", "鉄のフライパン"),
        ("4901234567894", "急須"),
        ("TEA", "有機ほうじ茶"),
    ):
        await a_product(tx, code, name=name)
    await a_product(tx, "MUG_01", name=NAME, deleted_at=datetime(2026, 11, 20, tzinfo=UTC))
    shop = await a_shop(tx)
    line = {"mall_code": "x-77", "product_code": "TEA", "folded": fold("x-77 TEA")}
    await a_row(tx, "code_mappings", shop_id=shop, **line)
    return shop


async def candidates(
    asker: Asker, first: int = 5, rows: int | None = None
) -> dict[str, list[tuple[str, str, float]]]:
    """By listing: (code, reason, score)."""
    data = await asker.ask(ASK, first=first, rows=rows)
    return {
        edge["node"]["itemCode"]: [
            (each["product"]["code"], each["reason"], each["score"])
            for each in edge["node"]["linkCandidates"]
        ]
        for edge in data["listings"]["edges"]
    }


@pytest.mark.parametrize(
    ("code", "columns", "found"),
    [
        ("x-77", {}, [("TEA", "CODE_MAPPING", 1.0)]),
        ("MUG-01", {}, [("MUG-01", "SAME_CODE", 1.0), ("mug01", "NEAR_CODE", 0.9)]),
        ("?", {"keys": {"product-id": "4901234567894"}}, [("4901234567894", "SAME_JAN", 0.95)]),
        ("?", {"keys": {"product-id": "49"}}, []),
        ("?", {"name": "白いマグカップ　小"}, [("MUG-01", "NEAR_NAME", 0.7)]),
        ("ＭＵＧ_01", {"name": NAME}, [("MUG-01", "NEAR_CODE", 0.9), ("mug01", "NEAR_CODE", 0.9)]),
        ("?", {"name": "まったく別の商品"}, []),
        ("", {"name": ""}, []),
    ],
)
async def test_the_likeliest_comes_first(
    asker: Asker, code: str, columns: dict[str, object], found: list[tuple[str, str, float]]
) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_catalogue(tx)
        await a_listing(tx, shop, "page", **{"match_code": code, **columns})

    assert await candidates(asker) == {"page": found}


async def test_a_listing_that_is_linked_has_none(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_catalogue(tx)
        tea = await a_product(tx, "POT", name=NAME)
        await a_listing(tx, shop, "linked", name=NAME, product_id=tea)
        await a_listing(tx, shop, "by-hand", match_code="TEA", link={"state": "UNLINKED_BY_HAND"})

    assert await candidates(asker) == {"linked": [], "by-hand": [("TEA", "SAME_CODE", 1.0)]}


async def test_what_is_anothers_is_no_candidate(asker: Asker) -> None:
    other = await an_account(asker.db)
    async with asker.db.transaction(other) as tx:
        await a_product(tx, "CUP", name="青いカップ")
    async with asker.db.transaction(asker.account) as tx:
        await a_listing(tx, await a_shop(tx), "page", match_code="CUP", name="青いカップ")

    assert await candidates(asker) == {"page": []}


async def test_never_more_than_five_nor_more_than_asked_for(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        for nth in range(9):
            await a_product(tx, f"A{'-' * nth}1", name="")
        await a_listing(tx, await a_shop(tx), "page", match_code="A1")

    counts = [len((await candidates(asker, first))["page"]) for first in (-1, 0, 2, 5, 100)]
    assert counts == [0, 0, 2, 5, 5]


async def test_a_page_of_a_hundred_is_one_statement(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_catalogue(tx)
        for nth in range(100):
            await a_listing(tx, shop, f"page-{nth}", name=NAME, match_code=f"MUG 0{nth % 2}")

    with statements() as sent:
        found = await candidates(asker, rows=100)

    assert len(of_work(sent)) == 1
    assert len(found) == 100
    assert all(found.values())
