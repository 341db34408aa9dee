"""What reading a shop's files yields: listings, refused rows, and a count of the rows that are neither."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from domain.model.malls import ItemRef, MallListing
from integrations.files.problems import FileUnreadable, RowError, RowRefused
from integrations.files.table import Row

MAX_ROWS = 500_000


@dataclass(slots=True)
class ListingFile:
    """Every row is a listing, an error, or counted by kind in `other_rows`: BLANK, and for Rakuten ITEM and CHOICE.

    An item that no SKU row follows is an error beside its counted item row.
    """

    listings: list[MallListing] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    other_rows: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    _taken: dict[ItemRef, tuple[str, int]] = field(default_factory=dict, repr=False)

    def whole(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that have all their cells; the others are noted. Raises FileUnreadable TOO_MANY_ROWS."""
        for row in rows:
            self._count(row)
            if row.blank:
                self.other_rows["BLANK"] += 1
            elif why := row.wrong_width():
                self.refuse(row, why)
            else:
                yield row

    def take(self, row: Row, understand: Callable[[Row], MallListing]) -> None:
        """Adds the row's listing, or its error. A SKU that an earlier row of any file has is refused."""
        try:
            listing = understand(row)
            self._refuse_second(row, listing.ref)
        except RowRefused as why:
            self.refuse(row, why)
        else:
            self.listings.append(listing)

    def refuse(self, row: Row, why: RowRefused) -> None:
        self.errors.append(why.at(row.file, row.line))

    def _count(self, row: Row) -> None:
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise FileUnreadable("TOO_MANY_ROWS", file=row.file, limit=MAX_ROWS)

    def _refuse_second(self, row: Row, ref: ItemRef) -> None:
        here = (row.file, row.line)
        file, line = self._taken.setdefault(ref, here)
        if (file, line) != here:
            raise RowRefused("DUPLICATE_CODE", ref=ref, first_file=file, first_line=line)
