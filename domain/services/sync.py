"""Looking at listings again, in the transaction that changed what their numbers follow from.

Everything that may change what a listing should show, or what we believe it shows, ends here: the rows are locked, the
numbers are read in a statement of their own, and what follows is written in one statement: the quantity to show, whether
a push waits, the difference. What a push will send is therefore always the row's own newest `expected`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import lru_cache
from uuid import UUID

from domain.model import drift, exposure, reflect
from domain.model.base import SURELY_LATER
from domain.model.diff import Assessment, ListingFacts, assess, not_pushed
from domain.model.events import DiffChange, EventKind
from domain.model.exposure import Fall, Falls
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.model.reflect import Lane, PushState
from domain.model.sets import SetPart, sellable_sets
from domain.model.shops import ShopState
from domain.model.stock import quantity_to_show, sellable
from domain.services import sync_errors
from domain.store import exposures, job_listings, jobs, sync
from domain.store.database import Event, Tx
from domain.store.exposures import Ended
from domain.store.sync import Numbers, SyncRow

UNKNOWN = "UNKNOWN"
ROWS_AT_ONCE = 5_000
GRACES_AT_MOST = 1_000


class Why(Enum):
    """HAPPENED: an order, a link, a repair: what differs goes out. EDITED: it waits to be reflected.
    ASKED: it goes out even where the mall seems to show it already. SWEPT: so too, after all that is urgent. SETTLED: a push ended; an edit that waits still
    waits. LOOKED: nothing changed but the time."""

    HAPPENED = auto()
    EDITED = auto()
    ASKED = auto()
    SWEPT = auto()
    SETTLED = auto()
    LOOKED = auto()


FOR_ITSELF = (Why.ASKED, Why.SWEPT)
"""Somebody wants the number to be sent, whatever the mall shows."""

STOOD = (PushState.APPLIED.value, PushState.ACCEPTED.value)
"""How a push ends that the mall took."""

Change = Callable[[SyncRow], SyncRow]


def unchanged(row: SyncRow) -> SyncRow:
    return row


async def reconsider(
    tx: Tx,
    listing_ids: Collection[UUID],
    why: Why,
    *,
    now: datetime,
    change: Change = unchanged,
    falls: Falls = exposure.NONE,
) -> list[SyncRow]:
    """Locks the listings' rows, lets `change` note what was learnt of each, and writes what follows.

    A whole account may be looked at: a few thousand rows a statement, in id order all the same. `falls`: what orders
    took just now.
    """
    rows: list[SyncRow] = []
    for some in _parts(sorted(listing_ids)):
        rows += await _reconsider(tx, some, why, change, falls, now)
    return rows


async def _reconsider(
    tx: Tx, listing_ids: Sequence[UUID], why: Why, change: Change, falls: Falls, now: datetime
) -> list[SyncRow]:
    before = await sync.lock(tx, listing_ids)
    if not before:
        return []
    numbers = await sync.numbers(tx, [row.listing_id for row in before])
    learnt = [change(row) for row in before]
    asked = _asked_for(before, learnt, numbers)
    after = [
        _looked_at(row, numbers[row.listing_id], why, falls, now, asked=row.listing_id in asked)
        for row in learnt
    ]
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    await _write(tx, moved, numbers, now)
    await _give_up(tx, asked, after)
    return after


async def _write(
    tx: Tx,
    moved: Sequence[tuple[SyncRow, SyncRow]],
    numbers: Mapping[UUID, Numbers],
    now: datetime,
) -> None:
    """The rows that are others now, and what follows from how they were."""
    await sync.save(tx, [new for _, new in moved])
    for old, new in moved:
        _announce(tx, old, new, numbers[new.listing_id], now)
    await exposures.note(tx, _ended(moved, numbers, now))
    await _mend(tx, moved, now)


def _asked_for(
    before: Sequence[SyncRow], learnt: Sequence[SyncRow], numbers: Mapping[UUID, Numbers]
) -> set[UUID]:
    """Those that wait, or did, and that somebody waits for."""
    return {
        new.listing_id
        for old, new in zip(before, learnt, strict=True)
        if (old.waits or new.waits) and numbers[new.listing_id].asked
    }


async def _give_up(tx: Tx, asked: Collection[UUID], rows: Sequence[SyncRow]) -> None:
    """What was asked for and may not be pushed any more: the jobs that wait for it wait no longer."""
    held = [
        (row.listing_id, "HELD")
        for row in rows
        if row.listing_id in asked and row.not_pushed and not row.waits
    ]
    for answered in await job_listings.answer(tx, held):
        await jobs.progress(tx, answered.job_id, done=answered.done, failed=answered.failed)


def _parts(listing_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(listing_ids), ROWS_AT_ONCE):
        yield listing_ids[start : start + ROWS_AT_ONCE]


async def _mend(tx: Tx, moved: Sequence[tuple[SyncRow, SyncRow]], now: datetime) -> None:
    """A listing that failed and now shows the right number, without a push of ours, is well again too."""
    well: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for old, new in moved:
        if old.failures and not new.failures and new.base.quantity == new.expected:
            well[new.shop_id].append(new.listing_id)
    for shop_id, listing_ids in well.items():
        await sync_errors.mended(tx, shop_id, listing_ids, now=now)


def expected_of(numbers: Numbers) -> int | None:
    """The quantity to show, as far as the mall counts; None where no product decides it, or nothing limits a set."""
    if numbers.product_id is None:
        return None
    free = _sellable(numbers)
    if free is None:
        return None
    most = MALL_SPECS[MallKind(numbers.mall)].capabilities.max_quantity
    return min(quantity_to_show(free, numbers.minimum, numbers.maximum), most)


def facts_of(row: SyncRow, numbers: Numbers) -> ListingFacts:
    return ListingFacts(
        expected=row.expected,
        base=row.base,
        linked=numbers.product_id is not None,
        managed=numbers.managed,
        sync=numbers.sync,
        conflict=numbers.link_state == "CONFLICT",
        master_running=numbers.account_running,
        shop_in_use=numbers.shop_in_use,
        shop_reflect_running=numbers.shop_reflects,
        shop_state=ShopState(numbers.shop_state),
        fulfilled_by_mall=numbers.fulfilled_by_mall,
        unlimited_at_mall=numbers.unlimited,
        unknown_at_mall=numbers.unknown_at_mall,
        doubted=row.believed is not None,
        waits_for_reflect=row.edited,
        wanted=row.wanted,
        done=row.done,
        attempts_failed=row.failures,
        waiting_since=row.waiting_since,
        grace=grace(numbers.mall, numbers.speed, numbers.interval_seconds),
        last_outcome=PushState(row.push_state) if row.push_state else None,
    )


@lru_cache(maxsize=GRACES_AT_MOST)
def grace(mall: str, speed: float, interval_seconds: int) -> timedelta:
    """The shop's interval and the mall's usual delay: until then a push is on its first way."""
    delay = MALL_SPECS[MallKind(mall)].capabilities.usual_delay
    return timedelta(seconds=interval_seconds) + max(delay / speed, timedelta(seconds=5))


def _sellable(numbers: Numbers) -> int | None:
    if numbers.kind == "SET":
        return sellable_sets(numbers.parts, numbers.part_stock, numbers.reserve)
    return sellable(numbers.total, numbers.reserve)


def _looked_at(
    row: SyncRow, numbers: Numbers, why: Why, falls: Falls, now: datetime, *, asked: bool
) -> SyncRow:
    """`asked`: somebody waits for its push to be sent."""
    before, row = row, _doubt_looked_at(_with(row, expected=expected_of(numbers)), why)
    reasons = not_pushed(facts_of(row, numbers))
    if reasons:
        row = at_rest(row, edited=row.edited)
    elif why is not Why.LOOKED:
        lane = _lane_of_sweep(row) if why is Why.SWEPT else _lane(before, row)
        row = _decided(row, numbers, why, lane, asked=asked, now=now)
    row = _assessed(row, assess(facts_of(row, numbers), now, reasons), now)
    return _exposed(row, numbers, falls, now)


def _doubt_looked_at(row: SyncRow, why: Why) -> SyncRow:
    """Who asks for a number to be sent has decided. Whatever else ends a doubt, ours is sent."""
    if row.believed is None:
        return row
    over = drift.is_over(row.believed, row.base, row.expected, asked=row.asked)
    return replace(row, believed=None, asked=False) if over or why is Why.ASKED else row


def _decided(
    row: SyncRow, numbers: Numbers, why: Why, lane: Lane, *, asked: bool, now: datetime
) -> SyncRow:
    if why in FOR_ITSELF:
        return _marked(row, numbers, why, lane, now)
    differs = row.base.quantity is None or row.base.quantity != row.expected
    if not differs and not (asked and row.waits):
        return at_rest(row, edited=False)
    if row.waits and (why is Why.SETTLED or not differs):
        return _with(row, lane=lane)
    if why is Why.EDITED and not (row.waits and row.push_id is None):
        return replace(row, edited=True)
    if why is Why.SETTLED and row.edited:
        return row
    return _marked(row, numbers, why, lane, now)


def at_rest(row: SyncRow, *, edited: bool) -> SyncRow:
    """Nothing needs to go out; a push that is under way still settles."""
    if not row.waits or row.push_id is not None:
        return _with(row, edited=edited)
    return replace(
        row,
        claimed=row.wanted,
        done=row.wanted,
        waiting_since=None,
        next_try_at=None,
        attempts=0,
        failures=0,
        edited=edited,
    )


def _marked(row: SyncRow, numbers: Numbers, why: Why, lane: Lane, now: datetime) -> SyncRow:
    """One generation more is wanted, by itself unless somebody asked for it or edits. Zeros and what was asked for go at
    once; the rest after the shop's interval; a backoff is kept. After a write that leaves the counter unknown, the next
    one waits until it can be believed, unless the number falls meanwhile; so does, but for a zero, what follows one that
    may still land."""
    repeats = lane is Lane.DECREASE and _is_repeated(row) and not numbers.interval_seconds
    next_try = row.next_try_at if row.waits and not repeats else None
    if next_try is None and numbers.interval_seconds:
        next_try = now + timedelta(seconds=numbers.interval_seconds)
    zero_at_once = lane is Lane.TO_ZERO and (row.lane != lane or not row.failures)
    if why in FOR_ITSELF or zero_at_once:
        next_try = None
    may_land = row.push_state == PushState.UNKNOWN.value and lane is not Lane.TO_ZERO
    if row.base.quantity is None and (why is Why.SETTLED or may_land):
        believed_from = _believed_from(row, numbers, now)
        next_try = max(next_try or believed_from, believed_from)
    return replace(
        row,
        wanted=row.wanted + 1,
        own=row.own if why in (*FOR_ITSELF, Why.EDITED) else row.wanted + 1,
        lane=lane,
        waiting_since=row.waiting_since if row.waits and row.waiting_since else now,
        next_try_at=next_try,
        edited=False,
    )


def _is_repeated(row: SyncRow) -> bool:
    """Did the number before it stand, so that what waits only repeats it, to be believed?"""
    return row.base.quantity is None and row.push_state in STOOD


def _believed_from(row: SyncRow, numbers: Numbers, now: datetime) -> datetime:
    """From then on a write is later than any change of the counter that we know of (base.after_write)."""
    changed_until = row.base.changed_until
    if changed_until is None:
        return now + SURELY_LATER
    return max(changed_until - timedelta(milliseconds=numbers.clock_offset_ms), now) + SURELY_LATER


def _lane(before: SyncRow, row: SyncRow) -> Lane:
    """`before`: with the number that was to be shown until now. What waits because it fell goes on doing so."""
    assert row.expected is not None
    fell = before.expected is not None and row.expected < before.expected
    waits = row.waits and row.lane == Lane.DECREASE and row.expected == before.expected
    return reflect.lane(row.expected, row.base.quantity, fell=fell or waits)


def _lane_of_sweep(row: SyncRow) -> Lane:
    """The last one, but for a zero that the mall does not show; what waits already keeps its turn."""
    needed = Lane.OTHER
    if row.expected == 0 and row.base.quantity != 0:
        needed = Lane.TO_ZERO
    return Lane(min(needed, row.lane)) if row.waits else needed


def _assessed(row: SyncRow, assessment: Assessment, now: datetime) -> SyncRow:
    difference = assessment.difference.value if assessment.difference else None
    if difference is None and assessment.unknown_base and not assessment.on_first_way:
        difference = UNKNOWN
    since = None
    if difference is not None:
        since = row.difference_since or now
    reasons = tuple(reason.value for reason in assessment.not_pushed)
    return _with(row, not_pushed=reasons, difference=difference, difference_since=since)


def _with(row: SyncRow, **values: object) -> SyncRow:
    """Itself where it has these values already: most rows do, and a copy of so many fields is dear."""
    if all(getattr(row, name) == value for name, value in values.items()):
        return row
    return replace(row, **values)  # type: ignore[arg-type]  # fields by name


def _exposed(row: SyncRow, numbers: Numbers, falls: Falls, now: datetime) -> SyncRow:
    left = _left(numbers)
    sold = _sold(numbers, falls)
    since = exposure.since(row.exposed_since, row.base, left, row.not_pushed, sold=sold, now=now)
    return row if since == row.exposed_since else replace(row, exposed_since=since)


def _left(numbers: Numbers) -> int | None:
    """The units that there are, whatever is kept back of them; None where they are not kept here."""
    if numbers.product_id is None or not numbers.managed:
        return None
    if numbers.kind == "SET":
        return exposure.sets_left(numbers.parts, numbers.part_stock)
    return numbers.total


def _sold(numbers: Numbers, falls: Falls) -> Iterator[tuple[Sequence[Fall], int]]:
    """What was sold just now of what the listing takes, and how many of it that is."""
    own = [SetPart(numbers.product_id, 1)] if numbers.product_id else []
    for part in (*own, *numbers.parts):
        if part.product_id in falls:
            yield falls[part.product_id], part.count


def _ended(
    moved: Sequence[tuple[SyncRow, SyncRow]], numbers: Mapping[UUID, Numbers], now: datetime
) -> list[Ended]:
    """Of a listing that was taken from its product meanwhile nothing is kept."""
    return [
        Ended(product_id, new.shop_id, old.exposed_since, now)
        for old, new in moved
        if old.exposed_since is not None and new.exposed_since is None
        if (product_id := numbers[new.listing_id].product_id) is not None
    ]


def _announce(tx: Tx, old: SyncRow, new: SyncRow, numbers: Numbers, now: datetime) -> None:
    if new.waits and new.push_id is None and (new.next_try_at is None or new.next_try_at <= now):
        tx.ring(new.shop_id, "REFLECT")
    change = _change(old, new)
    if change is not None:
        tx.emit(
            Event(
                EventKind.DIFF,
                change,
                new.listing_id,
                new.shop_id,
                numbers.product_id,
                _payload(new),
            )
        )


def _change(old: SyncRow, new: SyncRow) -> DiffChange | None:
    """The most telling of what changed; None when a screen would show nothing new."""
    if (old.difference is None) != (new.difference is None):
        return DiffChange.CLOSED if new.difference is None else DiffChange.OPENED
    if old.difference != new.difference:
        return DiffChange.CHANGED
    if old.base.quantity != new.base.quantity or old.expected != new.expected:
        return DiffChange.MALL_STOCK if old.expected == new.expected else DiffChange.CHANGED
    if (old.waits, old.push_state) != (new.waits, new.push_state):
        return DiffChange.PUSH_STATE
    return None


def _payload(row: SyncRow) -> Mapping[str, object]:
    return {"expected": row.expected, "shown": row.base.quantity, "cause": row.difference}
