"""Announcing that a product's stock is to be looked at again, for reasons that are no movement.

Called by the statements that write products, groups and sets, so that nobody who changes one can forget it.
"""

from collections.abc import Iterable
from uuid import UUID

from domain.model.events import EventKind, StockChange
from domain.store.database import Event, Tx

SAYS_ALL = (StockChange.ADDED, StockChange.NUMBERS, StockChange.DELETED)


def changed(tx: Tx, product_ids: Iterable[UUID], change: StockChange) -> None:
    """One event a product and transaction, unless what was announced of it says as much."""
    known = {event.node_id for event in tx.events if event.change in SAYS_ALL}
    tx.emit(
        *(
            Event(EventKind.STOCK, change.value, each, product_id=each)
            for each in dict.fromkeys(product_ids)
            if each not in known
        )
    )


def code_freed(tx: Tx, code: str) -> None:
    """Nothing is called so any more: whoever asks by this code is to be told."""
    tx.emit(Event(EventKind.STOCK, StockChange.CODE_FREED.value, payload={"code": code}))
