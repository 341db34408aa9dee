"""近い商品コード What a code that the mall does not know may have been meant to be."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from api.fields import described, field
from domain.model.near_codes import NearReason

if TYPE_CHECKING:
    from api.listings import Listing

described(
    NearReason,
    "How a code is near to another.",
    name="NearCodeReason",
    WRITTEN_OTHERWISE="It differs in width, case, hyphens or blanks alone.",
    LEADING_ZEROS="It differs in those and in the zeros that its numbers begin with alone.",
    ALIKE="It differs in a letter or two.",
)


@strawberry.type(
    description="近い商品コード: a listing of the same shop whose code is near to one that the mall does not know."
)
class NearCode:
    listing: Annotated["Listing", strawberry.lazy("api.listings")] = field(
        "The listing; its `link` says whether it belongs to a product already."
    )
    reason: NearReason = field("How near its code is.")
    likeness: float = field(
        "How much alike the codes are: 1 but for their writing, towards 0 for less alike."
    )
