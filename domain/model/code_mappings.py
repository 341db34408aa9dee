"""別品番紐づけ: a line of the table in which a shop's own code stands for a product's code."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.model.errors import DomainError
from domain.model.texts import MOST_NAME, checked_text


@dataclass(frozen=True, slots=True)
class CodePair:
    """`mall_code`: the value of the shop's same-product key."""

    mall_code: str
    product_code: str


def checked_pairs(pairs: Sequence[CodePair]) -> list[CodePair]:
    """Without the blanks around them. Raises DomainError REQUIRED or INVALID_VALUE at the place of the first bad one."""
    checked: list[CodePair] = []
    for place, pair in enumerate(pairs):
        mall = _checked(pair.mall_code, place, "mall_code")
        if any(each.mall_code == mall for each in checked):
            raise DomainError(
                f"{mall} is named twice. Name it once.",
                field=("save", str(place), "mall_code"),
                twice=mall,
            )
        checked.append(CodePair(mall, _checked(pair.product_code, place, "product_code")))
    return checked


def _checked(code: str, place: int, name: str) -> str:
    path = ("save", str(place), name)
    try:
        code = checked_text(code, name, MOST_NAME)
    except DomainError as error:
        raise DomainError(error.message, field=path, most=MOST_NAME) from error
    if not code:
        raise DomainError("Enter a code.", code="REQUIRED", field=path)
    return code
