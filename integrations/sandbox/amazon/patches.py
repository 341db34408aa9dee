"""What a PATCH does to a listing's `fulfillment_availability` (amazon sheet §2): shape, issues, effect.

Shape faults are HTTP 400 (`Refused`); faults of the attributes are issues of an INVALID answer;
what is left changes the row of its `fulfillment_channel_code`:

* `merge` changes the fields sent and keeps the others.
* `replace` and `add` put the row sent in the place of the row: siblings that were not sent are lost.
* `delete` of the DEFAULT row, or of all, leaves nothing for sale.

A DEFAULT row written to an FBA listing flips it to self-fulfilled (§8); after a `replace` or `add` the AMAZON_JP row
is left beside it (models#2061). A listing keeps these as the item's attributes `fulfillment_channel_code`,
`left_channel_code`, `lead_time_to_ship_max_days` and `restock_date`; the DEFAULT row's quantity is its counter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from integrations.sandbox.amazon.wire import CANNOT_BE_PARSED, invalid_input

OPERATIONS = frozenset({"add", "replace", "merge", "delete"})
ATTRIBUTE = "fulfillment_availability"
BY_MERCHANT = "DEFAULT"
BY_AMAZON = "AMAZON_JP"
CHANNELS = frozenset({BY_MERCHANT, BY_AMAZON})
SIBLINGS = ("lead_time_to_ship_max_days", "restock_date")
FIELDS = frozenset({"fulfillment_channel_code", "quantity", "marketplace_id", *SIBLINGS})

Row = Mapping[str, Any]
Issue = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    op: str
    path: str
    rows: tuple[Row, ...]

    @classmethod
    def read(cls, index: int, given: object) -> Self:
        """One of `patches`. Raises Refused (400) for a shape the model does not allow."""
        if not isinstance(given, dict) or given.get("op") not in OPERATIONS:
            raise invalid_input(CANNOT_BE_PARSED)
        path, value = given.get("path"), given.get("value", [])
        if not isinstance(path, str) or not isinstance(value, list):
            raise invalid_input(CANNOT_BE_PARSED)
        if not all(isinstance(row, dict) for row in value):
            raise invalid_input(CANNOT_BE_PARSED)
        if not value and given["op"] != "delete":
            raise invalid_input(f"Value is missing for patch at index of {index}.")
        return cls(given["op"], path, tuple(value))

    def names(self, channel: str) -> bool:
        """Whether it speaks of this channel's row; without rows it speaks of all."""
        return not self.rows or any(r["fulfillment_channel_code"] == channel for r in self.rows)


def read_patches(body: Mapping[str, Any]) -> list[Patch]:
    """The patches of a ListingsItemPatchRequest. Raises Refused (400) for a wrong shape."""
    product_type, given = body.get("productType"), body.get("patches")
    if not isinstance(product_type, str) or not product_type:
        raise invalid_input(CANNOT_BE_PARSED)
    if not isinstance(given, list) or not given:
        raise invalid_input(CANNOT_BE_PARSED)
    return [Patch.read(index, patch) for index, patch in enumerate(given)]


def issues_of(patches: Sequence[Patch]) -> list[Issue]:
    """Why the submission is INVALID; empty when it is not."""
    return [issue for patch in patches for issue in _patch_issues(patch)]


def _patch_issues(patch: Patch) -> list[Issue]:
    if patch.path != f"/attributes/{ATTRIBUTE}":
        return [_invalid(patch.path.removeprefix("/attributes/"))]
    return [issue for row in patch.rows for issue in _row_issues(patch.op, row)]


def _row_issues(op: str, row: Row) -> list[Issue]:
    channel = row.get("fulfillment_channel_code")
    if not channel:
        return [_too_few("fulfillment_channel_code")]
    if not row.keys() <= FIELDS or channel not in CHANNELS or not _well_typed(row):
        return [_invalid(ATTRIBUTE)]
    if op != "delete" and channel == BY_MERCHANT and "quantity" not in row:
        return [_missing("quantity")]
    return []


def _well_typed(row: Row) -> bool:
    days, restock = row.get("lead_time_to_ship_max_days", 0), row.get("restock_date", "2026-01-01")
    return _is_count(row.get("quantity", 0)) and _is_count(days) and _is_date(restock)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def refusal_issue() -> Issue:
    """An issue that is Amazon's own decision about this one item."""
    message = "The listing cannot be changed at the moment."
    return _issue("90000900", message, ATTRIBUTE, "INVALID_ATTRIBUTE")


def _invalid(name: str) -> Issue:
    return _issue("90000900", "The attributes are invalid.", name, "INVALID_ATTRIBUTE")


def _missing(name: str) -> Issue:
    return _issue(
        "90220", f"'{name}' is required but not supplied.", ATTRIBUTE, "MISSING_ATTRIBUTE"
    )


def _too_few(name: str) -> Issue:
    message = (
        f"The field '{name}' for the attribute '{ATTRIBUTE}' does not have enough values. "
        "The required minimum is '1' value(s)."
    )
    return _issue("99022", message, ATTRIBUTE, "INVALID_ATTRIBUTE")


def _issue(code: str, message: str, attribute: str, category: str) -> Issue:
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": [category],
    }


@dataclass(slots=True)
class Effect:
    """What patches change. `quantity` None leaves the counter; attributes are merged, None removes one."""

    quantity: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def write(self, op: str, row: Row, channel_before: str) -> None:
        self.quantity = row.get("quantity", self.quantity)
        keeps = op == "merge"
        self.attributes |= {name: row.get(name) for name in SIBLINGS if name in row or not keeps}
        self._move(row["fulfillment_channel_code"], channel_before, leaves_a_row=not keeps)

    def _move(self, to: str, channel_before: str, *, leaves_a_row: bool) -> None:
        if to == channel_before:
            return
        self.attributes["fulfillment_channel_code"] = to
        self.attributes["left_channel_code"] = channel_before if leaves_a_row else None

    def delete(self) -> None:
        self.quantity = 0
        self.attributes |= dict.fromkeys(SIBLINGS)


def effect_of(patches: Sequence[Patch], channel_before: str) -> Effect:
    """What valid patches change on a listing of this fulfillment channel."""
    effect = Effect()
    for patch in patches:
        if patch.op != "delete":
            for row in patch.rows:
                effect.write(patch.op, row, channel_before)
        elif patch.names(BY_MERCHANT):
            effect.delete()
    return effect
