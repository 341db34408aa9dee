"""Accepted is not applied: which of the numbers that a mall calls applied are looked at all the same (DESIGN §2.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zlib import crc32

from domain.model.malls import ItemRef

AT_LEAST_EVERY = timedelta(hours=1)
"""However few numbers a shop is sent, one of them is looked at in this time."""


@dataclass(frozen=True, slots=True)
class Written:
    """A number that the mall says it shows. `before`: what we believed it showed until then; None: nobody knew.
    `again`: an attempt before it failed. `otherwise`: a change was sent, and the mall answered that it shows something
    else: a sale that is not here yet, or an edit; until the orders are in nobody can tell. `unheard_of`: the mall, which
    takes numbers for whatever code, has never told of the item. `drawn`: its lot, of which one in so many is looked at.
    """

    id: UUID
    quantity: int
    before: int | None
    again: bool = False
    otherwise: bool = False
    unheard_of: bool = False
    drawn: int = 0

    @property
    def drops_to_zero(self) -> bool:
        """A zero that is not there sells what nobody has."""
        return self.quantity == 0 and self.before != 0

    @property
    def is_in_doubt(self) -> bool:
        """One before it may have been applied after it, it does not make the number that it should, or it may be for
        nothing that stands at the mall."""
        return self.otherwise or self.unheard_of or (self.again and self.before is None)


def lot(item: ItemRef, generation: int) -> int:
    """As good as chance, and the same whenever the same happens again."""
    return crc32(f"{item.item_code} {item.variant_code} {generation}".encode())


def is_due(last: datetime | None, now: datetime) -> bool:
    """Is it time to look at one number of the shop, whatever chance says? `last`: when it was so before."""
    return last is None or now - last >= AT_LEAST_EVERY


def looked_at(written: Sequence[Written], *, one_in: int, due: bool) -> set[UUID]:
    """Every drop to zero and all that is in doubt, one in `one_in` of all others, and where it is `due` one of them at
    least."""
    always = {each.id for each in written if each.drops_to_zero or each.is_in_doubt}
    others = [each for each in written if each.id not in always]
    chosen = {each.id for each in others if each.drawn % one_in == 0}
    if due and not chosen:
        chosen.update(each.id for each in others[:1])
    return always | chosen


def was_not_applied(written: Written, believed: int | None, shown: int | None) -> bool:
    """The mall shows just what it would without our number: it was never written, and nobody edited anything.

    `believed`: what the counter should read by now, as the mall's own sales moved our number; `shown`: what it reads.
    """
    if written.before is None or believed is None or shown is None:
        return False
    missing = written.before - written.quantity
    return missing != 0 and shown - believed == missing
