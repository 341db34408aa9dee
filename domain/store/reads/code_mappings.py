"""別品番紐づけ: the table in which shops' own codes stand for products' codes."""

from domain.store.reads.filters import OLDEST_FIRST, among, patterns
from domain.store.reads.models import Filter, Model, One, Paged, Where, texts


def _said(where: Where, name: str) -> str:
    """Every word is in one of the two codes."""
    words = where.bind(name, "text[]", patterns)
    return where.fill("{t}.folded LIKE ALL (WORDS)").replace("WORDS", words)


FILTERS: dict[str, Filter] = {"shop_ids": among("{t}.shop_id", "uuid"), "text": _said}

CODE_MAPPING = Model(
    "CodeMapping",
    "code_mappings {t}",
    {
        "shop": One("Shop", "{o}.id = {t}.shop_id", key="{t}.shop_id"),
        **texts("mall_code", "product_code"),
        "product": One("Product", "{o}.code = {t}.product_code AND {o}.deleted_at IS NULL"),
    },
)

CODE_MAPPINGS = Paged("CodeMapping", OLDEST_FIRST, filters=FILTERS)
