"""一括更新: 取り扱いショップ What a listing is called when a product of ours is attached to a shop, without any file of its mall."""

import re
from collections.abc import Sequence

from domain.model.errors import DomainError
from domain.model.mall_specs import MALL_SPECS, MallSpec
from domain.model.malls import ItemRef, MallKind, MallListing


def check_attaches(mall: MallKind, match_key: Sequence[str]) -> None:
    """Does a product's code alone name a page of this shop? Raises DomainError NOT_SUPPORTED_BY_MALL."""
    spec = MALL_SPECS[mall]
    if not attaches(mall, match_key):
        raise DomainError(
            f"At {spec.name_en} a page of this shop has other codes than the product. Import its listings instead.",
            code="NOT_SUPPORTED_BY_MALL",
            field=("shop_id",),
            mall=spec.kind.value,
        )


def attaches(mall: MallKind, match_key: Sequence[str]) -> bool:
    spec = MALL_SPECS[mall]
    key = tuple(match_key) or spec.match_keys[:1]
    return len(key) == 1 and key[0] in spec.attach_by


def attached(mall: MallKind, match_key: Sequence[str], code: str) -> MallListing:
    """The listing of the product of this code; nothing is known of its number. Raises DomainError INVALID_VALUE where the
    mall cannot have such a code."""
    spec = MALL_SPECS[mall]
    if not re.fullmatch(spec.code_pattern, code):
        raise _not_a_code(spec, code)
    key = tuple(match_key) or spec.match_keys[:1]
    return MallListing(ItemRef(code), keys=dict.fromkeys(key, code))


def _not_a_code(spec: MallSpec, code: str) -> DomainError:
    return DomainError(
        f"{spec.name_en} has no codes such as {code[:50]}. Change the product's code, or import the listing and link it.",
        field=("products",),
        not_a_code=code[:50],
        mall=spec.kind.value,
    )
