"""Testing a shop's way to its mall, and what the test decides: whether a halted shop comes back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from domain.model.actors import Actor
from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallOutcomeUnknown,
    MallThrottled,
    MallUnavailable,
)
from domain.model.jobs import JobKind, JobState
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import CheckOutcome, CheckPart, CheckPartKey
from domain.model.shops import Level9Resume, ShopState, after_probe
from domain.model.sync_errors import classify
from domain.services import expiries, shops, sync_errors, walks
from domain.store import consents, jobs, logs
from domain.store import shops as shop_rows
from domain.store.database import Tx
from domain.store.jobs import Check
from domain.store.shops import Shop

NOT_NOW = (MallUnavailable, MallThrottled, MallOutcomeUnknown)
ACCESS = (CheckPartKey.CREDENTIALS, CheckPartKey.CONSENT)


class Verdict(Enum):
    """REFUSED: the mall knows these credentials, or this consent, no more. UNSURE: it could not be asked now.
    FAILED: it was asked, and something else is wrong."""

    PASSED = auto()
    REFUSED = auto()
    UNSURE = auto()
    FAILED = auto()


async def test_connection(tx: Tx, actor: Actor, shop_id: UUID) -> UUID:
    """The job that tests the shop. Raises DomainError NOT_FOUND."""
    shop = await shops.known(tx, shop_id)
    job_id = await jobs.create(tx, JobKind.SHOP_CHECK, shop_id=shop_id, actor=actor)
    facts = {"name": shop.name}
    await logs.operation(tx, actor.as_json(), "TEST_CONNECTION", "SHOP", [(shop_id, facts)])
    return job_id


async def probe(tx: Tx, shop: Shop) -> Shop:
    """A test begins: a halted shop is PROBING for as long as it lasts. The shop as it is then, locked."""
    shop = await shops.known(tx, shop.id)
    if shop.state != ShopState.HALTED:
        return shop
    return await shops.become(tx, shop, ShopState.PROBING)


async def probed(
    tx: Tx, shop: Shop, parts: Sequence[CheckPart], check: Check, *, now: datetime
) -> None:
    """What a test found is kept in its job, and a halted shop comes back or stays halted.

    Where the mall could not be asked just now, the test of a halted shop, or one that brings a consent, waits for its
    next turn, so that a person need not ask again. A refusal decides nothing where another test was asked for meanwhile:
    the credentials may be others by now. A shop that never ran yet is not halted: its page says what is missing.
    """
    shop = await probe(tx, shop)
    found = verdict(parts)
    if found is Verdict.REFUSED and await jobs.check_waits(tx, shop.id):
        found = Verdict.UNSURE
    if found is Verdict.UNSURE and (
        shop.state == ShopState.PROBING or await _has_code(tx, check, now)
    ):
        await jobs.put_back(tx, check.id, result_of(parts))
        return
    await jobs.finish(tx, check.id, JobState.DONE, result_of(parts), at=now)
    shops.announce(tx, shop.id)
    await _note_expiry(tx, shop, parts)
    await expiries.warn_of(tx, shop.id, now=now)
    if found is Verdict.PASSED:
        await _passed(tx, shop, check, now)
    elif found is Verdict.REFUSED and not _never_ran(shop):
        await shops.halt(tx, shop, _refusal(parts), now=now)
    elif shop.state == ShopState.PROBING:
        await shops.become(tx, shop, ShopState.HALTED)


def verdict(parts: Sequence[CheckPart]) -> Verdict:
    """A clock that is wrong is told, and decides nothing."""
    bad = [part for part in _not_good(parts) if part.key is not CheckPartKey.CLOCK]
    if not bad:
        return Verdict.PASSED
    if any(part.key in ACCESS and isinstance(part.error, MallLockedOut) for part in bad):
        return Verdict.REFUSED
    if all(isinstance(part.error, NOT_NOW) for part in bad):
        return Verdict.UNSURE
    return Verdict.FAILED


def result_of(parts: Sequence[CheckPart]) -> Mapping[str, Any]:
    """As the job keeps it: `ok`, and a line for each part; `kind` names its sentence and advice."""
    return {"ok": not _not_good(parts), "parts": [_line(part) for part in parts]}


def _not_good(parts: Sequence[CheckPart]) -> list[CheckPart]:
    return [part for part in parts if part.outcome is CheckOutcome.NG]


def _line(part: CheckPart) -> Mapping[str, Any]:
    kind = classify(part.error)[1].value if isinstance(part.error, MallError) else None
    return {
        "key": part.key.value,
        "outcome": part.outcome.value,
        "kind": kind,
        "mall_message": part.mall_message,
        "expires_at": part.expires_at,
    }


def _refusal(parts: Sequence[CheckPart]) -> MallLockedOut:
    refusals = [part.error for part in parts if part.key in ACCESS]
    return next(error for error in refusals if isinstance(error, MallLockedOut))


def _never_ran(shop: Shop) -> bool:
    """Still being set up: no test was good yet, and nothing was switched on."""
    return (
        shop.state == ShopState.RUNNING
        and shop.checked_at is None
        and not (shop.orders_running or shop.reflect_running)
    )


async def _passed(tx: Tx, shop: Shop, check: Check, now: datetime) -> None:
    await shop_rows.change(tx, shop.id, checked_at=now)
    if shop.state != ShopState.PROBING:
        return
    cleared = check.input.get("resume") is True
    state = after_probe(passed=True, cleared=cleared, resume=Level9Resume(shop.level9_resume))
    await shops.become(tx, shop, state)
    if state is ShopState.CATCHING_UP:
        await shop_rows.change(tx, shop.id, orders_seen_at=None)
        if cleared:
            await sync_errors.clear_halt(tx, shop.id, check.actor, now=now)
        await walks.look_again(tx, [shop.id], now=now)
        tx.ring(shop.id, jobs.CHECK)


async def _has_code(tx: Tx, check: Check, now: datetime) -> bool:
    """The test brings a consent's code that is not exchanged yet and still good."""
    if "consent" not in check.input:
        return False
    consent = await consents.get(tx, UUID(check.input["consent"]))
    return consent is not None and consent.code is not None and now < consent.expires_at


async def _note_expiry(tx: Tx, shop: Shop, parts: Sequence[CheckPart]) -> None:
    """Until when the credentials live that a part speaks of."""
    told = {part.key: part.expires_at for part in parts if part.expires_at}
    for field in MALL_SPECS[shop.mall].credential_fields:
        until = told.get(field.lives_until) if field.lives_until else None
        if until is not None:
            await shop_rows.credential_lives(tx, shop.id, field.key, until)
