"""先に見る What a reflect, a switch or a bulk change would do to the malls."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from api.listings import Listing
from api.load import node
from api.shops import Shop
from domain.model.previews import PreviewLine as Line
from domain.model.previews import ShopPreview as Counts
from domain.services.confirmations import Offer


@strawberry.type(description="What would happen at one shop, in listings.")
class ShopPreview:
    shop: Shop = strawberry.field(description="The shop.")
    changed: int = strawberry.field(description="Listings whose number changes.")
    to_zero: int = strawberry.field(description="Of those, the ones that go to 0.")
    rising: int = strawberry.field(description="Of those, the ones that rise.")
    held: int = strawberry.field(description="Not sent, or by then still not (see `notPushed`).")
    orders_off: bool = strawberry.field(
        description="受注連動 is off: numbers go out while its sales are not seen. Needs a confirmation."
    )
    orders_since: datetime | None = strawberry.field(
        description="Its orders are read again from then on, and take what was sold since; null: they are read already, "
        "stay off, or begin now."
    )


@strawberry.type(description="What would happen to one listing.")
class PreviewLine:
    listing: Listing | None = strawberry.field(description="The listing; null once it is deleted.")
    from_: int | None = strawberry.field(
        name="from", description="What its mall shows; null: unknown."
    )
    to: int | None = strawberry.field(
        description="What it would show; null: nothing here decides it any more, and its mall keeps what it shows."
    )


@strawberry.type(
    description="What a change would do to the malls, in listings. Of an unlink or a deletion: how many would follow nothing here "
    "any more; their malls keep what they show. What contradicted an unlinked page and may rise by that is counted with them."
)
class ReflectPreview:
    listings: int = strawberry.field(description="Listings that are meant.")
    changed: int = strawberry.field(
        description="Listings whose number changes, as far as is known; an unknown one counts."
    )
    to_zero: int = strawberry.field(description="Of those, the ones that go to 0.")
    never_counted: int = strawberry.field(
        description="Of those to 0, the ones that go there only because nobody has entered stock of their product yet."
    )
    rising: int = strawberry.field(description="Listings whose number rises.")
    falling: int = strawberry.field(description="Listings whose number falls.")
    biggest_rise: int = strawberry.field(description="By how many units at most.")
    biggest_fall: int = strawberry.field(description="By how many units at most.")
    held: int = strawberry.field(description="Not sent, or by then still not (see `notPushed`).")
    by_shop: list[ShopPreview] = strawberry.field(description="Shop by shop.")
    sample: list[PreviewLine] = strawberry.field(
        description="At most 20 of the changed: what goes to 0 first, then what changes most."
    )
    confirmation_needed: bool = strawberry.field(
        description="It does more than the account does without being asked: over 50 to 0 or 500 changed, where nothing else "
        "is set; or a shop's orders are not read."
    )
    confirmation_token: str | None = strawberry.field(
        description="確認: send it with the very same change to let it through, as long as no more would happen than stands "
        "here. Good for who asked, until `validUntil`. Null: none is needed."
    )
    valid_until: datetime | None = strawberry.field(description="Until when the token is good.")


def shown(offer: Offer) -> ReflectPreview:
    seen = offer.preview
    return ReflectPreview(
        listings=seen.count(lambda shop: shop.listings),
        changed=seen.count(lambda shop: shop.changed),
        to_zero=seen.count(lambda shop: shop.to_zero),
        never_counted=seen.count(lambda shop: shop.never_counted),
        rising=seen.count(lambda shop: shop.rising),
        falling=seen.count(lambda shop: shop.falling),
        biggest_rise=seen.most(lambda shop: shop.biggest_rise),
        biggest_fall=seen.most(lambda shop: shop.biggest_fall),
        held=seen.count(lambda shop: shop.held),
        by_shop=_by_shop(seen.shops),
        sample=_lines(seen.sample),
        confirmation_needed=offer.token is not None,
        confirmation_token=offer.token,
        valid_until=offer.until,
    )


def _by_shop(counts: Sequence[Counts]) -> list[ShopPreview]:
    return [
        ShopPreview(
            shop=node("Shop", each.shop_id),
            changed=each.changed,
            to_zero=each.to_zero,
            rising=each.rising,
            held=each.held,
            orders_off=each.orders_off,
            orders_since=each.orders_since,
        )
        for each in counts
    ]


def _lines(lines: Sequence[Line]) -> list[PreviewLine]:
    return [
        PreviewLine(listing=node("Listing", each.listing_id), from_=each.shown, to=each.to_show)
        for each in lines
    ]
