"""Sets: products made of counts of other products. A set has no total of its own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.model.errors import DomainError
from domain.model.stock import sellable

MOST_PARTS = 100
MOST_PER_SET = 9_999


@dataclass(frozen=True, slots=True)
class SetPart:
    product_id: UUID
    count: int


@dataclass(frozen=True, slots=True)
class PartStock:
    """`reserve` is the effective one (the part's own, else its group's)."""

    total: int
    reserve: int
    managed: bool = True


def sets_in_parts(parts: Sequence[SetPart], stock: Mapping[UUID, PartStock]) -> int | None:
    """How many sets the parts allow before the set's own reserve; negative when a part is oversold.

    A part that is not managed does not limit. None: nothing limits, so nothing can be said.
    """
    limits = [_limit(part, stock[part.product_id]) for part in parts]
    return min((limit for limit in limits if limit is not None), default=None)


def sellable_sets(
    parts: Sequence[SetPart], stock: Mapping[UUID, PartStock], set_reserve: int
) -> int | None:
    """The scarcest part decides, then the set's reserve is kept back; never below 0.

    None when no managed part limits the set: it is not pushed.
    """
    limit = sets_in_parts(parts, stock)
    return None if limit is None else max(0, sellable(limit, set_reserve))


def check_set(
    product_id: UUID,
    parts: Sequence[SetPart],
    *,
    sets: Collection[UUID],
    is_part: bool,
    total: int,
) -> None:
    """May this product be a set of these parts?

    `sets` are the products among the parts that are sets; `is_part`: another set holds this product;
    `total` is what it holds itself. Raises DomainError SET_EMPTY, TOO_MANY, SET_IN_SET, INVALID_VALUE
    or SET_HAS_NO_STOCK.
    """
    _check_size(parts)
    _check_flat(product_id, parts, sets, is_part=is_part)
    _check_counts(parts)
    if total != 0:
        raise DomainError(
            f"This product holds {total}; a set has no stock of its own. Bring its total to 0 first.",
            code="SET_HAS_NO_STOCK",
            total=total,
        )


def check_holds_stock(*, is_set: bool) -> None:
    """Raises DomainError SET_HAS_NO_STOCK where someone sets, adjusts or counts a set."""
    if is_set:
        raise DomainError(
            "A set has no stock of its own. Change the stock of its parts.", code="SET_HAS_NO_STOCK"
        )


def _limit(part: SetPart, stock: PartStock) -> int | None:
    return sellable(stock.total, stock.reserve) // part.count if stock.managed else None


def _check_size(parts: Sequence[SetPart]) -> None:
    if not parts:
        raise DomainError("Name at least one part.", field=("parts",), code="SET_EMPTY")
    if len(parts) > MOST_PARTS:
        raise DomainError(
            f"A set has at most {MOST_PARTS} parts.",
            field=("parts",),
            code="TOO_MANY",
            most=MOST_PARTS,
            count=len(parts),
        )


def _check_flat(
    product_id: UUID, parts: Sequence[SetPart], sets: Collection[UUID], *, is_part: bool
) -> None:
    if is_part:
        raise DomainError(
            "This product is part of another set. Take it out of that set first.", code="SET_IN_SET"
        )
    for index, part in enumerate(parts):
        if part.product_id == product_id or part.product_id in sets:
            raise DomainError(
                "A set cannot be part of a set. Name the single products instead.",
                field=("parts", str(index)),
                code="SET_IN_SET",
            )


def _check_counts(parts: Sequence[SetPart]) -> None:
    seen: set[UUID] = set()
    for index, part in enumerate(parts):
        if not 1 <= part.count <= MOST_PER_SET:
            raise DomainError(
                f"A set holds 1 to {MOST_PER_SET} of each part.",
                field=("parts", str(index), "count"),
                value=part.count,
                most=MOST_PER_SET,
            )
        if part.product_id in seen:
            raise DomainError(
                "The same part is named twice. Name it once, with the sum as its count.",
                field=("parts", str(index)),
            )
        seen.add(part.product_id)
