"""近い商品コード: codes of a shop's catalogue that a code its mall does not know may have been meant to be."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from domain.model.links import fold_code

MOST = 5
NEIGHBOURS = 10
"""Codes looked at on either side, in the order of their beginnings and in that of their ends."""

NEAR_ENOUGH = 0.3
"""Of the threes of letters that either has, so many are in both. One letter more, less or otherwise in six leaves as many."""


class NearReason(StrEnum):
    WRITTEN_OTHERWISE = "WRITTEN_OTHERWISE"
    LEADING_ZEROS = "LEADING_ZEROS"
    ALIKE = "ALIKE"


RANKS: Mapping[NearReason, int] = MappingProxyType(
    {reason: nth for nth, reason in enumerate(NearReason)}
)


def near(code: str, other: str) -> tuple[NearReason, float] | None:
    """How a code is near to another, and how much alike they are; None: it is not."""
    if fold_code(code) == fold_code(other):
        return NearReason.WRITTEN_OTHERWISE, 1.0
    if _key(code) == _key(other):
        return NearReason.LEADING_ZEROS, 1.0
    alike = _alike(_threes(_key(code)), _threes(_key(other)))
    return (NearReason.ALIKE, alike) if alike >= NEAR_ENOUGH else None


def _key(code: str) -> str:
    """Folded, and without the zeros that its numbers begin with."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", fold_code(code))


def _alike(threes: frozenset[str], others: frozenset[str]) -> float:
    return len(threes & others) / len(threes | others) if threes | others else 0.0


def _threes(key: str) -> frozenset[str]:
    """Of each word, which two blanks come before and one after."""
    words = (f"  {word} " for word in re.findall(r"[^\W_]+", key))
    return frozenset(word[i : i + 3] for word in words for i in range(len(word) - 2))
