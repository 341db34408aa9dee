"""確認: a change that does much at the malls goes on only with the token of a preview that showed as much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.model.confirmations import VALID, Confirmer, Stakes, has_grown, is_needed
from domain.model.errors import DomainError
from domain.model.previews import Preview
from domain.store import previews
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Offer:
    """A preview; where the change needs a confirmation, the `token` that is one `until` then."""

    preview: Preview
    token: str | None = None
    until: datetime | None = None


class Unconfirmed(DomainError):
    """CONFIRMATION_NEEDED, or CONFIRMATION_STALE where a token came that does not say so; with what to look at."""

    def __init__(self, code: str, offer: Offer, stakes: Stakes) -> None:
        again = "" if code == "CONFIRMATION_NEEDED" else "That is no longer what you confirmed. "
        super().__init__(
            f"{again}Listings that would change: {stakes.changed}, of these to 0: {stakes.to_zero}. Shops whose orders are "
            f"not read: {stakes.orders_off}. Look at the preview, and send its confirmationToken.",
            field=("confirmation_token",),
            code=code,
            changed=stakes.changed,
            to_zero=stakes.to_zero,
            orders_off=stakes.orders_off,
        )
        self.offer = offer


async def offer(
    tx: Tx, confirmer: Confirmer, preview: Preview, bound: Sequence[object], *, now: datetime
) -> Offer:
    """`bound`: who asks for what."""
    stakes = stakes_of(preview)
    if not is_needed(stakes, await previews.limits(tx)):
        return Offer(preview)
    until = now.replace(microsecond=0) + VALID
    return Offer(preview, confirmer.token(stakes, bound, until), until)


async def check(
    tx: Tx,
    confirmer: Confirmer,
    preview: Preview,
    bound: Sequence[object],
    token: str | None,
    *,
    now: datetime,
) -> Offer:
    """Answers a preview that needs no confirmation any more. Raises Unconfirmed where `token` is none."""
    made = await offer(tx, confirmer, preview, bound, now=now)
    if made.token is None:
        return made
    stakes = stakes_of(preview)
    if token is None:
        raise Unconfirmed("CONFIRMATION_NEEDED", made, stakes)
    seen = confirmer.seen(token, bound, now)
    if seen is None or has_grown(stakes, seen):
        raise Unconfirmed("CONFIRMATION_STALE", made, stakes)
    return Offer(preview)


def stakes_of(preview: Preview) -> Stakes:
    return Stakes(
        to_zero=preview.count(lambda shop: shop.to_zero),
        changed=preview.count(lambda shop: shop.changed),
        orders_off=preview.count(lambda shop: shop.orders_off),
    )
