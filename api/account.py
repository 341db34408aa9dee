"""契約 The account, and who is asking."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from api.actors import ApiToken, User
from api.enums import ReflectEdits
from api.fields import described, field
from api.nodes import Node
from domain.model.locales import Locale
from domain.model.roles import Permission
from domain.model.shops import Level9Resume

if TYPE_CHECKING:
    from api.shops import Shop

described(
    Level9Resume,
    "What ends a level 9 once its shop's connection test is good.",
    ON_CLEAR="A person clears the error.",
    ON_VALID_CREDENTIALS="The good test alone.",
)


@strawberry.type(description="What the contract allows.")
class Plan:
    product_limit: int | None = field("Products at most; null: no limit.")
    product_count: int = field("Products there are, sets and excluded ones included.")


@strawberry.type(description="Counters for the header; each is counted only when selected.")
class Badges:
    level8_open: int = field("Open errors of level 8.")
    level9_open: int = field("Open errors of level 9: shops that are halted.")
    errors_uncleared: int = field("Errors that nobody has cleared yet, resolved ones included.")
    differences: int = field("差異: listings that show another number than they should.")
    unreflected_products: int = field("Products that were edited and not reflected yet.")
    link_conflicts: int = field("Listings that share their product with another of the same shop.")
    unlinked_listings: int = field("Listings that belong to no product.")
    oversold_products: int = field("Products whose total is below 0.")
    jobs_running: int = field("Jobs that wait or run.")


@strawberry.type(description="契約: one merchant company; everything belongs to one.")
class Account(Node):
    code: str = field("Its code at sign-in.")
    name: str = field("The company's name.")
    time_zone: str = field("The zone of its schedules and days.")
    sync_running: bool = field("在庫連動: the master switch.")
    base_shop: Annotated["Shop", strawberry.lazy("api.shops")] | None = field(
        "基本モール: whose listings name products and give their images."
    )
    reflect_edits: ReflectEdits = field(
        "Does a number that a person, a file or a token sets go out by itself? Orders always do."
    )
    level9_resume: Level9Resume = field("What ends a level 9.")
    show_images: bool = field("Whether screens show images.")
    sync_new_listings: bool = field("連携: the tick of listings that come in new.")
    confirm_to_zero: int = field(
        "A change that would send more listings than this to zero asks for a confirmation."
    )
    confirm_changed: int = field(
        "A change that would change more listings than this asks for a confirmation."
    )
    plan: Plan = field("What the contract allows.")
    badges: Badges = field("Counters for the header.")
    version: int = field("Rises with every change of its settings.")


@strawberry.type(description="Who is asking, and what they may do.")
class Viewer:
    user: User | None = field("The person; null for a token.")
    token: ApiToken | None = field("The token; null for a person.")
    email: str | None = field("The mail address that the person signs in with.")
    account: Account = field("The account they act for.")
    permissions: list[Permission] = field("What they may do.")
    locale: Locale = field("The language of sentences made for them.")
