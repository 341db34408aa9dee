"""Codes, quantities and flags as they stand in mall files. Codes are text: leading zeros stay."""

import re

from integrations.files.problems import RowRefused
from integrations.files.table import Row

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,12}")
SPREADSHEET_DAMAGE = re.compile(
    r"""[+-]?\d(\.\d+)?E\+\d{2,}    # 4901234567894 shown as 4.90E+12
      | \d{1,2}月\d{1,2}日          # 1-2 taken for a date
      | \d{4}/\d{1,2}/\d{1,2}
      | \#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!)
      | \#{3,}                      # a column too narrow to show its number
    """,
    re.VERBOSE | re.IGNORECASE,
)


def code(row: Row, key: str, limit: int) -> str:
    """The code in this cell, `limit` characters at most; "" where it is blank. Raises RowRefused."""
    value = row.text(key)
    _refuse_damage(row, key, value)
    if len(value) > limit:
        raise RowRefused("CODE_TOO_LONG", row.column(key), value=value, limit=limit)
    return value


def required_code(row: Row, key: str, limit: int) -> str:
    value = code(row, key, limit)
    if not value:
        raise RowRefused("CODE_BLANK", row.column(key))
    return value


def quantity(row: Row, key: str, least: int, most: int) -> int:
    """The whole number in this cell. Blank is refused: it is not 0. Raises RowRefused."""
    value = row.text(key)
    if not value:
        raise RowRefused("QUANTITY_BLANK", row.column(key))
    _refuse_damage(row, key, value)
    if not WHOLE_NUMBER.fullmatch(value):
        raise RowRefused("QUANTITY_NOT_A_NUMBER", row.column(key), value=value)
    if not least <= int(value) <= most:
        raise RowRefused(
            "QUANTITY_OUT_OF_RANGE", row.column(key), value=value, least=least, most=most
        )
    return int(value)


def flag(row: Row, key: str) -> bool | None:
    """1 and 0 as malls write them; None where the file does not say."""
    return {"1": True, "0": False}.get(row.text(key))


def filled(row: Row, *keys: str) -> dict[str, str]:
    """These cells by key, blank ones left out."""
    return {key: value for key in keys if (value := row.text(key))}


def _refuse_damage(row: Row, key: str, value: str) -> None:
    if SPREADSHEET_DAMAGE.fullmatch(value):
        raise RowRefused("SPREADSHEET_DAMAGE", row.column(key), value=value)
