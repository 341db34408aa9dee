"""共通設定 An account's own settings, and what follows from a new base shop."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from domain.model.account_settings import checked_limit, checked_time_zone
from domain.model.actors import Actor
from domain.model.texts import checked_name
from domain.services import bulk, edits, product_names
from domain.store import account_settings, listings, logs, shops
from domain.store.account_settings import AccountSettings
from domain.store.database import Tx

NAMED_AT_ONCE = 1_000


class Settings(TypedDict, total=False):
    """What is left out stays. `base_shop_id` None: no shop names the products."""

    name: str
    time_zone: str
    base_shop_id: UUID | None
    reflect_edits: str
    level9_resume: str
    show_images: bool
    sync_new_listings: bool
    confirm_to_zero: int
    confirm_changed: int


async def update_account(
    tx: Tx,
    actor: Actor,
    *,
    expected_version: int | None = None,
    now: datetime,
    **settings: Unpack[Settings],
) -> AccountSettings:
    """The settings as they are now. Products that no person named take the names of a new base shop's listings; many of
    them do so in a job.

    Raises DomainError NOT_FOUND, VERSION_CHANGED, REQUIRED, INVALID_VALUE or TOO_MANY.
    """
    wanted = _checked(settings)
    await _hold_base(tx, wanted.get("base_shop_id"))
    before = await account_settings.lock(tx)
    edits.check_version(before.version, expected_version)
    after = replace(before, **wanted)
    changed = _changed(before, after)
    if not changed:
        return before
    await account_settings.save(tx, after)
    await logs.operation(
        tx, actor.as_json(), "UPDATE_ACCOUNT", "ACCOUNT", [(tx.account_id, changed)]
    )
    if after.base_shop_id is not None and "base_shop_id" in changed:
        await _name_products(tx, actor, after.base_shop_id, now)
    return replace(after, version=before.version + 1)


async def _name_products(tx: Tx, actor: Actor, base_shop_id: UUID, now: datetime) -> None:
    names = await listings.names_of(tx, base_shop_id)
    if len(names) <= NAMED_AT_ONCE:
        await product_names.rename(tx, names, even_named=True)
    else:
        await bulk.begin(tx, actor, "NAME_PRODUCTS", sorted(names), now=now)


def _checked(settings: Settings) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(settings)
    if "name" in wanted:
        wanted["name"] = checked_name(wanted["name"])
    if "time_zone" in wanted:
        checked_time_zone(wanted["time_zone"])
    for limit in ("confirm_to_zero", "confirm_changed"):
        if limit in wanted:
            checked_limit(wanted[limit], limit)
    return wanted


async def _hold_base(tx: Tx, shop_id: UUID | None) -> None:
    """A shop that is to name products may not be disconnected meanwhile."""
    if shop_id is not None and await shops.lock(tx, shop_id) is None:
        raise edits.not_found("shop", "base_shop_id")


def _changed(before: AccountSettings, after: AccountSettings) -> Mapping[str, Any]:
    names = AccountSettings.__dataclass_fields__
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: {"before": old, "after": new} for name, (old, new) in pairs.items() if old != new}
