"""紐づけ Links: which listing belongs to which product."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.actors import Actor
from api.fields import described, field, optional
from api.listings import Listing
from api.nodes import Node
from domain.model.links import LinkReason, LinkState

if TYPE_CHECKING:
    from api.products import Product

described(
    LinkReason,
    "Why a listing belongs to its product.",
    SAME_CODE="Their codes are the same.",
    NEAR_CODE="Their codes are the same but for hyphens and width.",
    CODE_MAPPING="The code table says so.",
    SAME_JAN="Their JAN codes are the same.",
    NEAR_NAME="Their names are alike.",
    BY_HAND="A person said so.",
)


@strawberry.type(description="紐づけ: which product a listing belongs to, and since when.")
class Link(Node):
    listing: Listing = field("The listing.")
    product: Annotated["Product", strawberry.lazy("api.products")] | None = field(
        "The product; null while unlinked."
    )
    state: LinkState = field("Whether it belongs to one.")
    reason: LinkReason | None = field("Why.")
    at: datetime = field("Since when it is so.")
    actor: Actor | None = field("Who did it; null: an import.")
    copy_page: bool = field("It is meant beside another page of the same shop.")


@strawberry.type(description="紐づけ候補: a product that an unlinked listing may belong to.")
class LinkCandidate:
    product: Annotated["Product", strawberry.lazy("api.products")] = field("The product.")
    reason: LinkReason = field("Why it may.")
    score: float = field("How likely: 1 for certain, towards 0 for less alike.")


@strawberry.input(description="Which links.")
class LinkFilter:
    shop_ids: list[strawberry.ID] | None = optional("Of listings of these shops.")
    states: list[LinkState] | None = optional("In one of these states.")
    text: str | None = optional("Words in the listing's or the product's code or name.")
