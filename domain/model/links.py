"""Which listing belongs to which product: matching by code, proposals, conflicts.

A link is made by itself only where the code says so. What merely looks alike is proposed, and what a
person unlinked stays unlinked.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

MOST_PROPOSALS = 5
NEAR_ENOUGH = 0.6


class LinkReason(StrEnum):
    SAME_CODE = "SAME_CODE"
    NEAR_CODE = "NEAR_CODE"
    CODE_MAPPING = "CODE_MAPPING"
    SAME_JAN = "SAME_JAN"
    NEAR_NAME = "NEAR_NAME"
    BY_HAND = "BY_HAND"


class LinkState(StrEnum):
    LINKED = "LINKED"
    UNLINKED = "UNLINKED"
    UNLINKED_BY_HAND = "UNLINKED_BY_HAND"
    CONFLICT = "CONFLICT"


SCORES: Mapping[LinkReason, float] = MappingProxyType(
    {
        LinkReason.CODE_MAPPING: 1.0,
        LinkReason.SAME_CODE: 1.0,
        LinkReason.SAME_JAN: 0.95,
        LinkReason.NEAR_CODE: 0.9,
        LinkReason.NEAR_NAME: 0.8,
    }
)
"""How sure each reason is, the more telling first; a near name is as sure as it is alike."""


@dataclass(frozen=True, slots=True)
class ListingKeys:
    """`code`: the value of the shop's same-product key."""

    code: str
    jan: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    product_id: UUID
    code: str
    jan: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`score`: 1 for certain, towards 0 for less alike."""

    product_id: UUID
    reason: LinkReason
    score: float


@dataclass(frozen=True, slots=True)
class ShopLink:
    """A link as far as conflicts go. `copy_page`: a person said that this page is meant beside another."""

    listing_id: UUID
    shop_id: UUID
    product_id: UUID
    copy_page: bool = False


def fold(text: str) -> str:
    """For search: one form for widths, case, kana, hyphens, long-vowel marks and runs of spaces."""
    even = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(even.translate(_FOLDS).split())


def fold_code(code: str) -> str:
    """For near codes: folded, and without hyphens, underscores and spaces."""
    return fold(code).translate(_CODE_FOLDS)


def match_code(keys: Mapping[str, str], match_key: Sequence[str]) -> str:
    """The value of a shop's same-product key: its columns, joined by ":". Empty where one of them is: then the code

    decides nothing.
    """
    parts = [keys.get(column, "") for column in match_key]
    return ":".join(parts) if all(parts) else ""


def link_on_import(
    state: LinkState,
    code: str,
    products_by_code: Mapping[str, UUID],
    code_mappings: Mapping[str, str],
) -> tuple[UUID, LinkReason] | None:
    """The link an import makes by itself: the code table first, then the same code; None: none.

    What is linked stays as it is; what a person unlinked is not linked again.
    """
    if state is not LinkState.UNLINKED or not code:
        return None
    reason = LinkReason.CODE_MAPPING if code in code_mappings else LinkReason.SAME_CODE
    product = products_by_code.get(code_mappings.get(code, code))
    return None if product is None else (product, reason)


def propose(
    listing: ListingKeys, candidates: Iterable[Candidate], code_mappings: Mapping[str, str]
) -> tuple[Proposal, ...]:
    """What the listing probably belongs to, best first, at most MOST_PROPOSALS."""
    found = [_compare(listing, c, code_mappings.get(listing.code)) for c in candidates]
    proposals = [proposal for proposal in found if proposal is not None]
    return tuple(sorted(proposals, key=lambda p: (-p.score, p.product_id)))[:MOST_PROPOSALS]


def conflicts(links: Iterable[ShopLink]) -> tuple[tuple[ShopLink, ...], ...]:
    """Links of one shop on one product of which more than one is not marked as a copy page."""
    groups: defaultdict[tuple[UUID, UUID], list[ShopLink]] = defaultdict(list)
    for link in links:
        groups[link.shop_id, link.product_id].append(link)
    return tuple(tuple(group) for group in groups.values() if _contradict(group))


def _contradict(group: list[ShopLink]) -> bool:
    return sum(not link.copy_page for link in group) > 1


def _compare(listing: ListingKeys, product: Candidate, mapped: str | None) -> Proposal | None:
    reason = _telling(listing, product, mapped)
    if reason is not None:
        return Proposal(product.product_id, reason, SCORES[reason])
    return _compare_names(listing.name, product)


def _telling(listing: ListingKeys, product: Candidate, mapped: str | None) -> LinkReason | None:
    """The first reason that holds, but for names that are alike."""
    if mapped is not None and mapped == product.code:
        return LinkReason.CODE_MAPPING
    if listing.code and listing.code == product.code:
        return LinkReason.SAME_CODE
    if listing.jan and listing.jan == product.jan:
        return LinkReason.SAME_JAN
    if fold_code(listing.code) and fold_code(listing.code) == fold_code(product.code):
        return LinkReason.NEAR_CODE
    return None


def _compare_names(name: str, product: Candidate) -> Proposal | None:
    likeness = _likeness(fold(name), fold(product.name))
    if likeness < NEAR_ENOUGH:
        return None
    score = round(SCORES[LinkReason.NEAR_NAME] * likeness, 3)
    return Proposal(product.product_id, LinkReason.NEAR_NAME, score)


def _likeness(left: str, right: str) -> float:
    """Shared pairs of letters (Dice): works without word breaks, as Japanese has none."""
    pairs, others = _pairs(left), _pairs(right)
    if not pairs or not others:
        return 0.0
    return 2 * len(pairs & others) / (len(pairs) + len(others))


def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


_HYPHENS = "‐‑‒–—―⁃−─━➖⸺⸻ー﹘﹣-"
_KATAKANA = {code: code - 0x60 for code in [*range(0x30A1, 0x30F7), 0x30FD, 0x30FE]}
_FOLDS = {**_KATAKANA, **{ord(mark): "-" for mark in _HYPHENS}}
_CODE_FOLDS = {ord(mark): None for mark in "-_ "}
