"""ジョブ How far jobs of all kinds are."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from api.events.filters import among, read_ids
from api.events.frames import CURSOR, ORDERED, RELOAD, framed
from api.following import Topic, living
from api.jobs import Job
from api.load import node
from api.scalars import EventCursor
from domain.model.events import EventKind
from domain.store.events import LoggedEvent


@strawberry.type(description="One job went on.")
class JobEvent:
    job: Job = strawberry.field(description="The job as it is now.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Jobs that went on.")
class JobEvents:
    cursor: EventCursor = strawberry.field(description=CURSOR)
    events: list[JobEvent] = strawberry.field(description=ORDERED)
    reload: bool = strawberry.field(description=RELOAD)


def job_topic(ids: Sequence[str] | None) -> Topic[JobEvents]:
    """Raises DomainError TOO_MANY or BAD_ID."""
    return Topic(
        EventKind.JOB,
        wants=among(lambda event: event.node_id, read_ids(ids, "Job")),
        among=living(EventKind.JOB),
        show=framed(JobEvents, _shown),
        coalesce=True,
    )


def _shown(event: LoggedEvent) -> JobEvent:
    return JobEvent(job=node("Job", event.node_id), at=event.at)
