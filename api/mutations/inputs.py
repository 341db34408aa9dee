"""What several mutations take."""

import strawberry

from api.fields import optional
from api.sync_errors import SyncErrorFilter

REFLECT = "反映: send it to the malls now, or not; as the account says when nothing is said."
KEY = (
    "Your own name for this very request, at most 200 characters: sent again by you within 48 hours it changes nothing, "
    "and answers what came of it. IDEMPOTENCY_IN_PROGRESS: the first is still under way."
)
VERSION = (
    "The `version` that was on the screen: refused with VERSION_CHANGED when it is another by now."
)


@strawberry.input(description="Which products: ticked rows.")
class ProductSelection:
    ids: list[strawberry.ID] = strawberry.field(description="Their ids, at most 100.")


@strawberry.input(description="Which listings: ticked rows.")
class ListingSelection:
    ids: list[strawberry.ID] = strawberry.field(description="Their ids, at most 100.")


@strawberry.input(description="Which errors: ticked rows, or all that a filter finds.", one_of=True)
class ErrorSelection:
    ids: list[strawberry.ID] | None = optional("Their ids, at most 100.")
    filter: SyncErrorFilter | None = optional(
        "All that it finds and nobody has cleared yet, the oldest 1,000; `{}`: every one."
    )


@strawberry.input(description="A field of a mall's form and what was entered in it.")
class KeyValueInput:
    key: str = strawberry.field(
        description="Its key, from the mall's `credentialFields` or `settingFields`."
    )
    value: str = strawberry.field(description="What was entered; an empty text takes it away.")
