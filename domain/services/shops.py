"""A shop's life: connected, changed, halted, and running again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.model import shop_forms
from domain.model.actors import Actor
from domain.model.errors import DomainError, MallError
from domain.model.events import EventKind
from domain.model.jobs import JobKind
from domain.model.mall_hosts import OWN_HOSTS, MallHosts
from domain.model.mall_specs import MALL_SPECS, MallSpec
from domain.model.malls import MallKind, ShopConfig
from domain.model.orders import CancelPolicy
from domain.model.shops import DriftPolicy, ShopState, check_transition
from domain.model.sync_errors import Level, Part
from domain.services import credentials, sync_errors, walks
from domain.services.accounts import mail_address
from domain.services.credentials import Vault
from domain.store import account_settings, doubts, intervals, jobs, logs, shops
from domain.store import walks as walk_rows
from domain.store.database import Event, Tx
from domain.store.shops import Shop

MOST_SHOPS = 100
WORTH_WAITING = timedelta(minutes=1)
"""For another shop's orders, while its numbers may fall by them."""


class ShopGone(DomainError):
    """It was disconnected, is another account's, or never was."""

    code = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class ShopChange:
    """What to change of a shop. None, or a key that is not there, leaves as it is; an empty text takes away."""

    name: str | None = None
    credentials: Mapping[str, str | None] = field(default_factory=dict)
    settings: Mapping[str, str | None] = field(default_factory=dict)
    reflect_interval_seconds: int | None = None
    order_poll_seconds: int | None = None
    match_key: Sequence[str] | None = None
    cancel_policy: CancelPolicy | None = None
    drift_policy: DriftPolicy | None = None
    notification_email: str | None = None


async def config(tx: Tx, vault: Vault, shop: Shop) -> ShopConfig:
    """What the shop's connector is given."""
    return ShopConfig(shop.mall, await credentials.opened(tx, vault, shop.id), shop.settings)


async def known(tx: Tx, shop_id: UUID) -> Shop:
    """The shop, locked until commit. Raises ShopGone."""
    shop = await shops.lock(tx, shop_id)
    if shop is None:
        raise not_found(("id",))
    return shop


async def all_known(tx: Tx, shop_ids: Sequence[UUID]) -> list[Shop]:
    """These shops, locked in id order. Raises DomainError NOT_FOUND."""
    found = await shops.lock_these(tx, shop_ids)
    ids = {shop.id for shop in found}
    for place, shop_id in enumerate(shop_ids):
        if shop_id not in ids:
            raise not_found(("shop_ids", str(place)))
    return found


async def connect(
    tx: Tx,
    vault: Vault,
    actor: Actor,
    mall: MallKind,
    name: str,
    entered: Mapping[str, str | None],
    settings: Mapping[str, str | None],
    *,
    hosts: MallHosts = OWN_HOSTS,
) -> tuple[Shop, UUID]:
    """A new shop, both switches off, and the job that tests its connection.

    Raises DomainError INVALID_VALUE, REQUIRED or CODE_TAKEN with the field's path; TOO_MANY beyond MOST_SHOPS.
    """
    await _check_room(tx)
    spec = MALL_SPECS[mall]
    name = await _free_name(tx, name, None)
    secrets = shop_forms.entered(
        spec.credential_fields, entered, path="credentials", complete=True
    ).values
    kept = shop_forms.entered(spec.setting_fields, settings, path="settings", complete=True).values
    hosts.check(spec, kept)
    elsewhere = shop_forms.points_elsewhere(spec, kept)
    shop_id = await shops.insert(tx, mall, name, kept, spec.match_keys[:1], sandbox=elsewhere)
    await shops.change(tx, shop_id, order_poll_seconds=shop_forms.usual_poll(spec, kept))
    await credentials.save_credentials(tx, vault, shop_id, secrets, actor)
    job_id = await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop_id, actor=actor)
    facts = {"mall": mall.value, "name": name, "settings": kept, "credentials": sorted(secrets)}
    await logs.operation(tx, actor.as_json(), "CONNECT_SHOP", "SHOP", [(shop_id, facts)])
    announce(tx, shop_id)
    return await known(tx, shop_id), job_id


async def update(
    tx: Tx,
    vault: Vault,
    actor: Actor,
    shop_id: UUID,
    change: ShopChange,
    *,
    expected_version: int | None = None,
    resume: bool = False,
    hosts: MallHosts = OWN_HOSTS,
) -> tuple[Shop, UUID | None]:
    """The shop as it is now and, when its way to the mall changed or `resume` asks for it, the job that tests it.

    `resume`: a good test ends a halt, as clearing its error would. Raises DomainError NOT_FOUND, VERSION_CHANGED,
    INVALID_VALUE, REQUIRED or CODE_TAKEN.
    """
    shop = await known(tx, shop_id)
    _check_version(shop, expected_version)
    columns = await _columns(tx, shop, change)
    hosts.check(MALL_SPECS[shop.mall], change.settings)
    entered = shop_forms.entered(
        MALL_SPECS[shop.mall].credential_fields,
        change.credentials,
        path="credentials",
        complete=False,
    )
    await credentials.save_credentials(tx, vault, shop_id, entered.values, actor)
    await shops.remove_credentials(tx, shop_id, sorted(entered.removed))
    await shops.change(tx, shop_id, **columns, **_sooner(shop, change), version=shop.version + 1)
    await _shorten(tx, shop, change)
    if change.drift_policy is not None:
        await doubts.ask_again(tx, shop_id)
    facts = {**columns, "credentials": sorted(change.credentials)}
    await logs.operation(tx, actor.as_json(), "UPDATE_SHOP", "SHOP", [(shop_id, facts)])
    announce(tx, shop_id)
    job_id = None
    if change.credentials or "settings" in columns or resume:
        asked = {"resume": resume}
        job_id = await jobs.create(
            tx, JobKind.SHOP_CHECK, shop_id=shop_id, input=asked, actor=actor
        )
    return await known(tx, shop_id), job_id


async def halt(tx: Tx, shop: Shop, error: MallError, *, now: datetime) -> UUID | None:
    """Nothing is sent or fetched until a person acts (level 9); what the mall's counters read is unknown from here on.
    A shop that is halted, or was disconnected, stays as it is. The error that says so.

    `shop`: as it was when the mall was asked. What the mall said to credentials that were changed since is no reason.
    """
    there = await shops.lock(tx, shop.id)
    if there is None or there.state == ShopState.HALTED or there.version != shop.version:
        return None
    shop = there
    await become(tx, shop, ShopState.HALTED)
    await shops.change(tx, shop.id, orders_seen_at=None)
    await walks.look_again(tx, [shop.id], forget=True, now=now)
    return await sync_errors.report_failure(
        tx, error, Part.STOCK, shop_id=shop.id, shop_name=shop.name, now=now
    )


async def may_run(tx: Tx, shop: Shop, *, now: datetime) -> bool:
    """Of a locked shop that catches up: are its orders complete, and all of its listings looked at?

    Where others catch up too, what they sold meanwhile is waited for: its numbers follow from that.
    """
    complete = shop.orders_seen_at is not None or not shop.fetches_orders
    if shop.resyncs or not complete or await walk_rows.pending(tx, shop.id):
        return False
    return not await shops.others_behind(tx, shop.id, soon=now + WORTH_WAITING)


async def caught_up(tx: Tx, shop: Shop, *, now: datetime) -> None:
    """Orders are complete again: the shop runs, its level 9 closes, and what differs goes out. A key that lapses soon is
    still told of."""
    shop = await known(tx, shop.id)
    if shop.state == ShopState.RUNNING:
        return
    await become(tx, shop, ShopState.RUNNING)
    await sync_errors.resolve(tx, shop.id, sync_errors.HALTING, level=Level.LEVEL_9, now=now)
    await walks.look_again(tx, [shop.id], now=now)


async def maintenance(tx: Tx, shop: Shop, *, on: bool) -> None:
    """Notes that the mall says so, or says so no more."""
    if shop.maintenance != on:
        await shops.change(tx, shop.id, maintenance=on)
        announce(tx, shop.id)


async def become(tx: Tx, shop: Shop, state: ShopState) -> Shop:
    """One step of the stored state, with nothing to wait for. Raises DomainError where there is no such step."""
    check_transition(ShopState(shop.state), state)
    await shops.change(tx, shop.id, state=state.value, next_probe_at=None)
    announce(tx, shop.id)
    return replace(shop, state=state.value)


async def _columns(tx: Tx, shop: Shop, change: ShopChange) -> dict[str, Any]:
    """The columns that differ from what the shop has."""
    spec = MALL_SPECS[shop.mall]
    wanted: dict[str, Any] = {}
    if change.name is not None:
        wanted["name"] = await _free_name(tx, change.name, shop.id)
    if change.settings:
        settings = _settings(spec, shop, change.settings)
        wanted |= {
            "settings": settings,
            "sandbox": shop_forms.points_elsewhere(spec, settings),
        }
    if change.reflect_interval_seconds is not None:
        seconds = shop_forms.checked_interval(change.reflect_interval_seconds)
        wanted["reflect_interval_seconds"] = seconds
    if change.order_poll_seconds is not None:
        wanted["order_poll_seconds"] = shop_forms.checked_poll(change.order_poll_seconds)
    if change.match_key is not None:
        wanted["match_key"] = shop_forms.checked_match_key(spec, change.match_key)
    if change.cancel_policy is not None:
        wanted["cancel_policy"] = change.cancel_policy.value
    if change.drift_policy is not None:
        wanted["drift_policy"] = change.drift_policy.value
    if change.notification_email is not None:
        wanted["notification_email"] = _notified(change.notification_email)
    return wanted


def _sooner(shop: Shop, change: ShopChange) -> dict[str, Any]:
    """Who asks for orders more often from now on does not wait for the next question of before."""
    seconds = change.order_poll_seconds
    if seconds is None or seconds >= shop.order_poll_seconds:
        return {}
    sooner = timedelta(seconds=shop.order_poll_seconds - seconds)
    return {"next_order_poll_at": shop.next_order_poll_at - sooner}


async def _shorten(tx: Tx, shop: Shop, change: ShopChange) -> None:
    """So it is with numbers that wait for the shop's interval."""
    seconds = change.reflect_interval_seconds
    if seconds is not None and seconds < shop.reflect_interval_seconds:
        by = timedelta(seconds=shop.reflect_interval_seconds - seconds)
        await intervals.shorten(tx, shop.id, by)


def _settings(spec: MallSpec, shop: Shop, values: Mapping[str, str | None]) -> dict[str, str]:
    entered = shop_forms.entered(spec.setting_fields, values, path="settings", complete=False)
    kept = {key: value for key, value in shop.settings.items() if key not in entered.removed}
    return kept | dict(entered.values)


def _notified(email: str) -> str | None:
    return mail_address(email, "notification_email") if email.strip() else None


async def _free_name(tx: Tx, name: str, shop_id: UUID | None) -> str:
    name = shop_forms.checked_name(name)
    if await shops.named(tx, name) not in (None, shop_id):
        raise DomainError(
            f"There is a shop {name} already: choose another name.",
            field=("name",),
            code="CODE_TAKEN",
            value=name,
        )
    return name


async def _check_room(tx: Tx) -> None:
    """Of two that come at once the second waits here."""
    await account_settings.lock(tx)
    count = await shops.count(tx)
    if count >= MOST_SHOPS:
        raise DomainError(
            f"An account has at most {MOST_SHOPS} shops. Disconnect one that is not needed any more.",
            code="TOO_MANY",
            field=("name",),
            most=MOST_SHOPS,
            shops=count,
        )


def _check_version(shop: Shop, expected: int | None) -> None:
    if expected is not None and expected != shop.version:
        raise DomainError(
            f"{shop.name} was changed meanwhile: look at it again, then repeat your change.",
            field=("expected_version",),
            code="VERSION_CHANGED",
            expected=expected,
            version=shop.version,
        )


def not_found(path: tuple[str, ...]) -> ShopGone:
    return ShopGone("There is no such shop: read the list of shops again.", field=path)


def announce(tx: Tx, shop_id: UUID) -> None:
    """Tells those who follow the shop to look at it again."""
    tx.emit(Event(EventKind.SHOP, node_id=shop_id, shop_id=shop_id))
