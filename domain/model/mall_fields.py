"""Fields of a mall's own that travel with stock: which there are, what may be entered, and who owns them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.model.errors import DomainError
from domain.model.locales import Words
from domain.model.mall_specs import MALL_SPECS, FormFieldKind, MallColumn
from domain.model.malls import MallKind

LEAD_TIME = "lead_time_to_ship_max_days"


class FieldOwner(StrEnum):
    """US: our value goes out with every number. MALL: it is never written."""

    US = "US"
    MALL = "MALL"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What to change of a field. `sets_value` False, or `owner` None, leaves as it is; `value` None: we have none, and
    nothing is sent."""

    key: str
    value: str | None = None
    sets_value: bool = False
    owner: FieldOwner | None = None


def travelling(mall: MallKind) -> Mapping[str, MallColumn]:
    """By key, the columns that are sent with stock at this mall."""
    columns = MALL_SPECS[mall].columns
    return {column.key: column for column in columns if column.sent_with_stock}


def column_of(mall: MallKind, key: str) -> MallColumn:
    """The column that is shown beside a value; KeyError for a key that the mall has not."""
    return travelling(mall)[key]


def checked_change(mall: MallKind, change: FieldChange) -> FieldChange:
    """As it is to be kept. Raises DomainError NOT_SUPPORTED_BY_MALL or INVALID_VALUE."""
    column = travelling(mall).get(change.key)
    if column is None or not column.editable:
        raise _not_there(mall, change.key)
    value = (change.value or "").strip() or None
    if value is not None and not _fits(column, value):
        raise DomainError(
            f"{value[:50]} is no {column.label_en}. {column.help_en}".strip(),
            field=("value",),
            key=change.key,
            entered=value[:50],
            label=Words(column.label_ja, column.label_en),
            help=Words(column.help_ja, column.help_en),
        )
    return FieldChange(change.key, value, change.sets_value, change.owner)


def _not_there(mall: MallKind, key: str) -> DomainError:
    keys = [name for name, column in travelling(mall).items() if column.editable]
    return DomainError(
        f"{MALL_SPECS[mall].name_en} takes no {key[:50]} with stock. It takes: {', '.join(keys) or 'nothing'}.",
        code="NOT_SUPPORTED_BY_MALL",
        field=("key",),
        key=key[:50],
        keys=tuple(keys),
    )


def _fits(column: MallColumn, value: str) -> bool:
    if column.pattern is not None and not re.fullmatch(column.pattern, value):
        return False
    return column.kind is not FormFieldKind.DATE or _is_date(value)


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
