"""The malls' own state, as their control API tells it, in the words of the audit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.model.malls import ItemRef

BY_HAND = "merchant"


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """What an order holds now: nothing once it is cancelled. `lines`: how many it was placed with."""

    visible_at: datetime
    units: Mapping[ItemRef, int]
    lines: int


@dataclass(frozen=True, slots=True)
class MallBooks:
    """One shop at its mall. `counters`: what the mall would sell. `written_at`: when each counter was set by us."""

    shop_id: UUID
    counters: Mapping[ItemRef, int]
    orders: Mapping[str, HeldOrder]
    written_at: Mapping[ItemRef, Sequence[datetime]]
    requests: int


def read_state(shop_id: UUID, state: Mapping[str, Any]) -> MallBooks:
    return MallBooks(
        shop_id,
        {_ref(item): int(item["quantity"]) for item in state["items"]},
        {order["number"]: _order(order) for order in state["orders"]},
        _written_at(state["writes"]),
        sum(state["requests"].values()),
    )


def _ref(row: Mapping[str, Any]) -> ItemRef:
    return ItemRef(row["item_code"], row["variant_code"])


def _order(order: Mapping[str, Any]) -> HeldOrder:
    units: dict[ItemRef, int] = {}
    for line in order["lines"]:
        held = int(line["quantity"]) if order["open"] else 0
        units[_ref(line)] = units.get(_ref(line), 0) + held
    return HeldOrder(datetime.fromisoformat(order["visible_at"]), units, len(order["lines"]))


def _written_at(writes: Iterable[Mapping[str, Any]]) -> dict[ItemRef, list[datetime]]:
    times: dict[ItemRef, list[datetime]] = {}
    for write in writes:
        if write["source"] != BY_HAND:
            times.setdefault(_ref(write), []).append(datetime.fromisoformat(write["at"]))
    return times
