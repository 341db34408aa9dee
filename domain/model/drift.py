"""ずれ: a mall's counter reads otherwise than we knew. What of it orders explain, and what becomes of the rest (DESIGN §2.8).

What we believed and what was read both go on moving with the orders: one that was placed before the reading moves what we
believed alone, one that was placed later moves both. So once the orders up to the reading are known, what parts the two
was done by somebody at the mall, or our own number was never written there.
"""

from enum import StrEnum

from domain.model.base import Base, MallStockSource
from domain.model.shops import DriftPolicy
from domain.model.stock import quantity_to_show


class Verdict(StrEnum):
    """EXPLAINED: the orders account for all of it. ASK: a person decides; until then nothing but zero is sent."""

    EXPLAINED = "EXPLAINED"
    OURS = "OURS"
    THEIRS = "THEIRS"
    ASK = "ASK"


def contradicts(believed: Base, seen: Base) -> bool:
    """Does a reading that is believed say otherwise than what we knew? A file's number was never known for sure."""
    if believed.quantity is None or believed.at is None or seen.quantity is None:
        return False
    known = believed.source is not MallStockSource.FILE
    return known and seen.at != believed.at and seen.quantity != believed.quantity


def doubted(doubt: Base | None, base: Base, seen: Base) -> Base | None:
    """What was believed, while a reading contradicts it; None: nothing does. A doubt outlives further readings."""
    if doubt is not None:
        return doubt
    return base if contradicts(base, seen) else None


def is_over(doubt: Base, base: Base, expected: int | None, *, asked: bool) -> bool:
    """Nobody can tell any more, or, of what a person was asked about, the mall shows what it should after all."""
    if doubt.quantity is None or base.quantity is None:
        return True
    return asked and base.quantity in (doubt.quantity, expected)


def units(doubt: Base, seen: Base) -> int:
    """What the mall shows beyond what we knew; below zero: short of it. Both must be known."""
    assert doubt.quantity is not None
    assert seen.quantity is not None
    return seen.quantity - doubt.quantity


def shows_its_total(sellable: int, minimum: int | None, maximum: int | None, most: int) -> bool:
    """Is the number to show all that can be sold, neither cut nor hidden by a rule? Only then does an edit of it say how
    many units there are. `most`: the mall's own maximum."""
    return 0 <= sellable <= most and quantity_to_show(sellable, minimum, maximum) == sellable


def verdict(
    policy: DriftPolicy, drift: int, *, takeable: bool, not_applied: bool, counted_since: bool
) -> Verdict:
    """What becomes of `drift` units that the orders leave unexplained.

    `takeable`: it shows its total. `not_applied`: the mall shows just what it would without our last number.
    `counted_since`: a person has said since how many there are.
    """
    if drift == 0:
        return Verdict.EXPLAINED
    if not_applied or policy is DriftPolicy.OURS_WINS:
        return Verdict.OURS
    if policy is DriftPolicy.ASK:
        return Verdict.ASK
    if counted_since:
        return Verdict.OURS
    return Verdict.THEIRS if takeable else Verdict.ASK
