"""A request that carries a key is done once: its repetitions are told what came of the first (DESIGN §2.3)."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from domain.model.errors import DomainError
from domain.store import idempotency
from domain.store.database import Tx
from domain.store.idempotency import Scope

KEPT = timedelta(hours=48)
MOST_CHARACTERS = 200


async def once(
    tx: Tx, scope: Scope, asked: bytes, work: Callable[[], Awaitable[Any]], *, now: datetime
) -> Any:
    """What `work` answers, as JSON: now, or when this key came first. A refusal keeps nothing.

    `asked`: a hash of what is asked for. Raises DomainError INVALID_VALUE, IDEMPOTENCY_KEY_REUSED where something else
    was asked for with this key, IDEMPOTENCY_IN_PROGRESS while the first request is under way.
    """
    _check(scope.key)
    if not await idempotency.hold(tx, scope):
        raise _under_way()
    kept = await idempotency.kept(tx, scope, since=now - KEPT)
    if kept is None:
        answer = await work()
        await idempotency.keep(tx, scope, asked, answer, at=now)
        await idempotency.forget(tx, before=now - KEPT)
        return answer
    if kept.asked != asked:
        raise _reused()
    return kept.answer


def _under_way() -> DomainError:
    return DomainError(
        "The first request with this idempotencyKey is still under way: send it again in a moment.",
        field=("idempotency_key",),
        code="IDEMPOTENCY_IN_PROGRESS",
    )


def _reused() -> DomainError:
    return DomainError(
        "This idempotencyKey was used for another request: make a new one for each.",
        field=("idempotency_key",),
        code="IDEMPOTENCY_KEY_REUSED",
    )


def _check(key: str) -> None:
    if not 0 < len(key) <= MOST_CHARACTERS:
        raise DomainError(
            f"An idempotencyKey has 1 to {MOST_CHARACTERS} characters.",
            field=("idempotency_key",),
            most=MOST_CHARACTERS,
        )
