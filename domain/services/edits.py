"""What a person, a file or a token changes counts here at once; it goes out by itself only where the account, or they,

say so (DESIGN §3). Orders and repairs do not pass here: they always go out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import DomainError
from domain.model.jobs import AT_ONCE
from domain.services import reflect_jobs
from domain.services.sync import Why, reconsider
from domain.store import sync
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Refused:
    """One of many targets that the rules refuse; the others are done."""

    target_id: UUID
    error: DomainError


@dataclass(frozen=True, slots=True)
class ListingChange:
    """`listing_ids` are as asked now; the job to follow where reflecting was asked for."""

    listing_ids: tuple[UUID, ...]
    refused: tuple[Refused, ...] = ()
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What was made or changed; the job to follow where reflecting was asked for."""

    id: UUID
    job_id: UUID | None


def not_found(what: str, *field: str) -> DomainError:
    """The same for what is deleted, foreign or never was."""
    return DomainError(f"There is no such {what}.", code="NOT_FOUND", field=field)


def missing(asked: Sequence[UUID], there: Collection[UUID], what: str) -> tuple[Refused, ...]:
    return tuple(
        Refused(each, not_found(what)) for each in dict.fromkeys(asked) if each not in there
    )


def check_version(version: int, expected: int | None) -> None:
    """Raises DomainError VERSION_CHANGED where someone else changed what the caller looked at."""
    if expected is not None and expected != version:
        raise DomainError(
            "It was changed by someone else meanwhile. Look at it and save again.",
            code="VERSION_CHANGED",
            field=("expectedVersion",),
            current=version,
            expected=expected,
        )


async def why(tx: Tx, reflect: bool | None) -> Why:
    """`reflect` None: as the account says."""
    at_once = await sync.reflects_edits(tx) if reflect is None else reflect
    return Why.HAPPENED if at_once else Why.EDITED


async def edited(
    tx: Tx, actor: Actor, listing_ids: Collection[UUID], reflect: bool | None, *, now: datetime
) -> UUID | None:
    """Looks at these listings again; with `reflect` sends them, and answers the job to follow. A job that edits sends
    what differs by itself: it is followed already."""
    if not listing_ids:
        return None
    if not reflect or tx.job_id is not None:
        await reconsider(tx, listing_ids, await why(tx, reflect), now=now)
        return None
    if len(listing_ids) > AT_ONCE:
        await reconsider(tx, listing_ids, Why.EDITED, now=now)
    return await reflect_jobs.ask(tx, actor, listing_ids, now=now)


async def products_edited(
    tx: Tx, actor: Actor, product_ids: Collection[UUID], reflect: bool | None, *, now: datetime
) -> UUID | None:
    """Every listing that shows one of these products."""
    showing = await sync.listings_showing(tx, product_ids)
    return await edited(tx, actor, showing, reflect, now=now)
