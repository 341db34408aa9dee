"""The rows of the order file, as they stand there."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

ORDERS_FILE = "online_retail_2011-11-01_to_12-09.csv.gz"


@dataclass(frozen=True, slots=True)
class RetailRow:
    """One line of one invoice. `code` and `name` are unfolded; `customer` is "" where the file names none.

    `at` has the minute as finest unit. The file states no zone: the shop's was GMT, which is UTC in these months.
    """

    invoice: str
    code: str
    name: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str


def read_rows(path: Path) -> Iterator[RetailRow]:
    """The rows in the file's order, which is that of time. Raises OSError, KeyError or ValueError on another file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        for cells in csv.DictReader(text):
            yield _row(cells)


def _row(cells: dict[str, str]) -> RetailRow:
    return RetailRow(
        invoice=cells["InvoiceNo"],
        code=cells["StockCode"],
        name=cells["Description"],
        quantity=int(cells["Quantity"]),
        at=datetime.fromisoformat(cells["InvoiceDate"]).replace(tzinfo=UTC),
        price=Decimal(cells["UnitPrice"]),
        customer=cells["CustomerID"],
    )
