"""What PostgreSQL says of texts is what the rules say: how they are folded, and how alike they are."""

from itertools import islice, pairwise
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.model.links import Candidate, ListingKeys, fold, propose
from domain.store.database import Database
from renkei.example_shop.catalogue import FOODS_FILE, read_foods
from tests.factories import a_product

FOODS = Path(__file__).parents[3] / "examples" / "data" / FOODS_FILE
WORDS = [
    "",
    "  Blue   Cup\t大\n",
    "ｶｯﾌﾟ ＡＢＣ－１",
    "カップ・ー・コーヒー—Ａ",
    "ヴァイオリン ヽヾ ヶ ヵ",
    "Ⅻ ㎏ ①",
    "ÀÉÎ ñ",
    "\u3000全角　空白\u3000",
]


def food_names(count: int) -> list[str]:
    return list(islice(read_foods(FOODS), count))


async def test_texts_are_folded_alike(db: Database) -> None:
    entered = [*WORDS, *food_names(500)]
    async with db.connection() as connection:
        rows = await connection.execute(
            text(
                "SELECT renkei_fold(w) FROM unnest(cast(:words AS text[])) WITH ORDINALITY AS w (w, n) ORDER BY n"
            ),
            {"words": entered},
        )
        assert list(rows.scalars()) == list(map(fold, entered))


async def test_names_are_as_alike_as_the_rules_say(db: Database) -> None:
    names = [*WORDS, *food_names(200)]
    async with db.connection() as connection:
        for one, other in pairwise(names):
            alike = await connection.scalar(
                text(
                    "SELECT round(0.8 * renkei_likeness(renkei_fold(:one), renkei_fold(:other)), 3)"
                ),
                {"one": one, "other": other},
            )
            proposed = propose(
                ListingKeys("", name=one), [Candidate(UUID(int=1), "", name=other)], {}
            )
            assert [each.score for each in proposed] == ([float(alike)] if alike >= 0.48 else [])


@pytest.mark.parametrize("name", ["有機ほうじ茶ティーバッグ 20個入", "ＢＬＵＥ　ＣＵＰ"])
async def test_the_likeliest_names_are_found_in_japanese_too(
    db: Database, account: UUID, name: str
) -> None:
    async with db.transaction(account) as tx:
        await a_product(tx, "A", name="鉄のフライパン")
        tea = await a_product(tx, "B", name="有機ほうじ茶ティーバッグ 50個入")
        cup = await a_product(tx, "C", name="Blue cup, large")
        found = await tx.execute(
            text("SELECT id FROM renkei_alike_products(renkei_fold(:name), 20)"), {"name": name}
        )
        assert list(found.scalars()) == [tea if "茶" in name else cup]
