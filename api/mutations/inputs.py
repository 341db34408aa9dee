"""What several mutations take."""

import strawberry

from api.fields import optional
from api.listings import ListingFilter
from api.products import ProductFilter
from api.sync_errors import SyncErrorFilter

REFLECT = "反映: send it to the malls now, or not; as the account says when nothing is said. True needs the right REFLECT too."
KEY = (
    "Your own name for this very request, at most 200 characters: sent again by you within 48 hours it changes nothing, "
    "and answers what came of it. IDEMPOTENCY_IN_PROGRESS: the first is still under way."
)
JOB = (
    "The job to follow: a BulkChange where more than 100 are meant (what it changes and what it refuses stands there); "
    "else a ReflectJob, where reflecting was asked for."
)
VERSION = (
    "The `version` that was on the screen: refused with VERSION_CHANGED when it is another by now."
)


EXCEPT = "Those that were unticked: not these. At most 1,000."
EXPECTED_COUNT = (
    "How many the screen said that will be, those of `except` not counted. When more are hit by now, nothing is done: "
    "SELECTION_GREW. Fewer are fine."
)


@strawberry.input(description="All products that a filter finds: 200,000 at most.")
class MatchingProducts:
    filter: ProductFilter = strawberry.field(
        description="That of the list `products`; `{}`: every product."
    )
    except_: list[strawberry.ID] | None = strawberry.field(
        name="except", default=strawberry.UNSET, description=EXCEPT
    )
    expected_count: int = strawberry.field(description=EXPECTED_COUNT)


@strawberry.input(description="All listings that a filter finds: 200,000 at most.")
class MatchingListings:
    filter: ListingFilter = strawberry.field(
        description="That of the list `listings`; `{}`: every listing."
    )
    except_: list[strawberry.ID] | None = strawberry.field(
        name="except", default=strawberry.UNSET, description=EXCEPT
    )
    expected_count: int = strawberry.field(description=EXPECTED_COUNT)


@strawberry.input(
    description="Which products: ticked rows, or all that a filter finds.", one_of=True
)
class ProductSelection:
    ids: list[strawberry.ID] | None = optional("Their ids, at most 100.")
    matching: MatchingProducts | None = optional("All that a filter finds.")


@strawberry.input(
    description="Which listings: ticked rows, or all that a filter finds.", one_of=True
)
class ListingSelection:
    ids: list[strawberry.ID] | None = optional("Their ids, at most 100.")
    matching: MatchingListings | None = optional("All that a filter finds.")


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
