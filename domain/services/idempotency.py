"""A request that carries a key is done once: its repetitions are told what came of the first (DESIGN §2.3)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from domain.model.errors import DomainError
from domain.store import idempotency
from domain.store.database import Tx

KEPT = timedelta(days=7)
MOST_CHARACTERS = 200


async def once(
    tx: Tx, key: str, asked: bytes, work: Callable[[], Awaitable[Any]], *, now: datetime
) -> Any:
    """What `work` answers, as JSON: now, or when this key came first. A refusal keeps nothing.

    `asked`: a digest of what is asked for. Raises DomainError INVALID_VALUE, or IDEMPOTENCY_KEY_REUSED where something
    else was asked for with this key.
    """
    _check(key)
    kept = await idempotency.take(tx, key, asked, at=now)
    if kept is None:
        answer = await work()
        await idempotency.keep(tx, key, answer)
        await idempotency.forget(tx, before=now - KEPT)
        return answer
    if kept.asked != asked:
        raise DomainError(
            "This idempotencyKey was used for another request: make a new one for each.",
            field=("idempotency_key",),
            code="IDEMPOTENCY_KEY_REUSED",
        )
    return kept.answer


def _check(key: str) -> None:
    if not 0 < len(key) <= MOST_CHARACTERS:
        raise DomainError(
            f"An idempotencyKey has 1 to {MOST_CHARACTERS} characters.",
            field=("idempotency_key",),
            most=MOST_CHARACTERS,
        )
