"""What of a batch is not good, in the run that sent it."""

from datetime import datetime
from uuid import UUID

from domain.model.sync_runs import RunKind
from domain.services.reflect import Batch
from domain.store import sync_runs
from domain.store.database import Tx


async def note_bad(
    tx: Tx,
    batch: Batch,
    error_id: UUID | None,
    now: datetime,
    *,
    refused: int = 0,
    failed: int = 0,
    unsent: int = 0,
) -> None:
    """`unsent`: waits on, as if it had never gone out."""
    await sync_runs.note(
        tx,
        batch.shop.id,
        RunKind.REFLECT,
        batch.epoch,
        sent=-unsent,
        refused=refused,
        failed=failed,
        error_id=error_id,
        at=now,
    )
