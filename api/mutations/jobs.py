"""取消 Jobs called off."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

import strawberry

from api.context import Context
from api.errors import Code, of_rule
from api.fields import optional
from api.jobs import Job
from api.load import node
from api.mutations.edge import answered, row_id, user_errors
from api.mutations.inputs import KEY
from api.user_errors import UserError
from domain.model.errors import DomainError
from domain.model.jobs import JobKind
from domain.model.roles import Permission
from domain.services import cancelling
from domain.store.database import Tx

NEEDED: Mapping[JobKind, Permission] = MappingProxyType(
    {
        JobKind.BULK_CHANGE: Permission.CATALOGUE,
        JobKind.ORDER_FETCH: Permission.SYNC_SWITCH,
    }
)
"""The right that calling a job off needs beside REFLECT: that of whoever may begin one."""


@strawberry.input(description="取消: a job to call off.")
class CancelJobInput:
    job_id: strawberry.ID = strawberry.field(
        description="Which; a BulkChange of kind BULK_CHANGE needs CATALOGUE too, an OrderFetch SYNC_SWITCH."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a job that was to be called off.")
class CancelJobPayload:
    job: Job | None = answered(
        "The job as it is now: CANCELLED, or as it ended when it was over before."
    )
    user_errors: list[UserError] = user_errors()


async def cancel_job(tx: Tx, context: Context, input: CancelJobInput) -> CancelJobPayload:
    job_id = row_id(input.job_id, "Job", "job_id")
    await _check_right(tx, context, job_id)
    await cancelling.cancel(tx, context.viewer.actor, job_id, now=context.now())
    return CancelJobPayload(job=node("Job", job_id))


async def _check_right(tx: Tx, context: Context, job_id: UUID) -> None:
    """Raises GraphQLError FORBIDDEN, DomainError NOT_FOUND."""
    needed = NEEDED.get(await cancelling.kind(tx, job_id))
    if needed is not None and needed not in context.viewer.permissions:
        words = f"You may not see or do this: it needs the right {needed.value}."
        raise of_rule(DomainError(words, code=Code.FORBIDDEN, permission=needed.value))
