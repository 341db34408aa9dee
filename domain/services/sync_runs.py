"""在庫同期履歴 Ending the runs that a lease was held for."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.model import sync_runs as rules
from domain.model.sync_runs import RunKind
from domain.store import sync_runs
from domain.store.database import Tx
from domain.store.sync_runs import Open


async def end(tx: Tx, shop_id: UUID, kind: RunKind, epoch: int, *, now: datetime) -> None:
    """The turn under this epoch is over. One that did nothing is not kept."""
    found = await sync_runs.under_way(tx, shop_id, kind)
    if found is not None and found.epoch == epoch:
        await _close(tx, found, now)


async def cut_short(
    tx: Tx, shop_id: UUID, kind: RunKind, epoch: int, *, unanswered: int = 0, now: datetime
) -> None:
    """The lease was taken under this epoch: whoever held an older one and never ended its run is dead.

    `unanswered`: numbers that were sent then and of which nobody knows what became.
    """
    found = await sync_runs.under_way(tx, shop_id, kind)
    if found is not None and found.epoch < epoch:
        run = replace(found.run, broken=True, failed=found.run.failed + unanswered)
        await _close(tx, replace(found, run=run), now)


async def given_up(tx: Tx, shop_id: UUID, *, now: datetime) -> None:
    """Nobody goes on with any run of this shop."""
    for kind in RunKind:
        found = await sync_runs.under_way(tx, shop_id, kind)
        if found is not None:
            await _close(tx, replace(found, run=replace(found.run, broken=True)), now)


async def at_once(
    tx: Tx,
    shop_id: UUID,
    kind: RunKind,
    *,
    taken: int = 0,
    refused: int = 0,
    broken: bool = False,
    error_id: UUID | None = None,
    now: datetime,
) -> None:
    """A run that needs no lease, and is over with the one call that it is."""
    await sync_runs.note(
        tx,
        shop_id,
        kind,
        0,
        taken=taken,
        refused=refused,
        broken=broken,
        error_id=error_id,
        at=now,
    )
    await end(tx, shop_id, kind, 0, now=now)


async def _close(tx: Tx, found: Open, now: datetime) -> None:
    run = rules.ended(found.run, now)
    if run.did_nothing:
        await sync_runs.forget(tx, found.id)
    elif found.before is not None and rules.goes_on(found.before, run):
        run = rules.together(found.before, run)
        await sync_runs.end(tx, found.id, run, instead_of=found.before_id)
    else:
        await sync_runs.end(tx, found.id, run, instead_of=None)
