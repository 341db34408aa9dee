"""Moving totals: locked products, running balances, and one statement that writes what was moved."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.events import EventKind
from domain.model.stock import Cause
from domain.services import oversells
from domain.store import stock
from domain.store.database import Event, Tx
from domain.store.stock import Movement, ProductStock


class Ledger:
    """Made by `locked`; nothing is written before `write`."""

    def __init__(self, products: dict[UUID, ProductStock]) -> None:
        self.products = products
        self.movements: list[Movement] = []

    @classmethod
    async def locked(
        cls, tx: Tx, product_ids: Collection[UUID], *, deleted: bool = False
    ) -> "Ledger":
        """`deleted`: products that were deleted since move too."""
        return cls(await stock.lock(tx, product_ids, deleted=deleted))

    def move(
        self,
        product_id: UUID,
        delta: int,
        cause: Cause,
        *,
        effective_at: datetime,
        order_id: UUID | None = None,
        reason: str | None = None,
        actor: Actor | None = None,
    ) -> None:
        """A movement on top of the ones before it. A delta of 0 is none."""
        if delta == 0:
            return
        product = self.products[product_id]
        self.movements.append(
            Movement(
                product_id,
                product.version + 1,
                cause,
                delta,
                product.total,
                effective_at,
                order_id,
                reason,
                actor.as_json() if actor else None,
            )
        )
        self.products[product_id] = replace(
            product, total=product.total + delta, version=product.version + 1
        )

    async def write(self, tx: Tx) -> list[UUID]:
        """The ids of the movements; each is announced with the total and version it led to."""
        ids = await stock.append(tx, self.movements)
        await oversells.recovered(tx, self.movements)
        tx.emit(*(_announcement(movement) for movement in self.movements))
        return ids

    def moved(self) -> set[UUID]:
        return {movement.product_id for movement in self.movements}


def _announcement(movement: Movement) -> Event:
    payload = {"total": movement.after, "version": movement.version, "order": movement.order_id}
    return Event(
        EventKind.STOCK,
        movement.cause.value,
        movement.product_id,
        product_id=movement.product_id,
        payload=payload,
    )
