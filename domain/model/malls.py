"""The contract between us and a mall: what a connector is told, what it answers, what it promises.

Promises every connector keeps (the shared exam in tests/integrations/test_exam.py holds them to it):

* It translates and nothing else: no retries, no database, no idea which other malls exist.
* `push_stock` and `read_stock` make one call each (renewing an access token first is allowed), of at most
  `max_pushes_per_call` / `max_reads_per_call` items, and answer one result per item, in the order given.
* It sends absolute or relative numbers as it was told, never the one for the other.
* Every time it answers is the mall's time, aware and in UTC, with the uncertainty of the mall's clock.
* What the mall refuses for one item is a result; what stops the call is a `MallError`.
* It keeps no personal data: of an order only number, times, status, codes and quantities.
* `feeds` is there where `capabilities.feed` is, and takes absolute numbers only.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.model.order_readings import Recall, nothing_known


class MallKind(StrEnum):
    RAKUTEN = "RAKUTEN"
    YAHOO_SHOPPING = "YAHOO_SHOPPING"
    AMAZON = "AMAZON"


@dataclass(frozen=True, slots=True, order=True)
class ItemRef:
    """How a mall names one SKU: Rakuten manageNumber + variantId, Yahoo code + sub-code, Amazon seller SKU."""

    item_code: str
    variant_code: str = ""

    def __str__(self) -> str:
        return f"{self.item_code}:{self.variant_code}" if self.variant_code else self.item_code


@dataclass(frozen=True, slots=True)
class MallTime:
    """A moment on the mall's clock, as closely as we know it."""

    earliest: datetime
    latest: datetime


class WriteMode(StrEnum):
    ABSOLUTE = "ABSOLUTE"
    RELATIVE = "RELATIVE"


@dataclass(frozen=True, slots=True)
class StockPush:
    """One number to send. `quantity` is the number to show (ABSOLUTE, >= 0) or a signed delta (RELATIVE).

    `fields` are mall fields that travel with stock and that we own (Yahoo `allow_overdraft`, Amazon lead time).
    """

    ref: ItemRef
    quantity: int
    mode: WriteMode = WriteMode.ABSOLUTE
    fields: Mapping[str, str] = field(default_factory=dict)


class PushOutcome(StrEnum):
    APPLIED = "APPLIED"  # the mall answered that the number stands
    ACCEPTED = "ACCEPTED"  # queued at the mall; seen only by reading back
    REFUSED = "REFUSED"  # this item was refused, the others of the call were not touched by that


@dataclass(frozen=True, slots=True)
class PushResult:
    ref: ItemRef
    outcome: PushOutcome
    at: MallTime
    quantity: int | None = None  # what the mall says it now shows, when it says so
    mall_code: str = ""
    mall_message: str = ""


@dataclass(frozen=True, slots=True)
class StockReading:
    """What the mall's counter reads. `found` is False where the mall knows no such code."""

    ref: ItemRef
    at: MallTime
    found: bool = True
    quantity: int | None = None
    unlimited: bool = False
    fulfilled_by_mall: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)


class OrderStatus(StrEnum):
    HOLDS = "HOLDS"  # takes stock at the mall: unpaid and pending orders included
    SHIPPED = "SHIPPED"
    RELEASED = "RELEASED"  # cancelled


@dataclass(frozen=True, slots=True)
class MallOrderLine:
    """`line_id` may repeat or vanish between readings; nothing is keyed by it.

    `mall_restocks` answers whether a cancel puts the units back on the mall's own counter; None = not known.
    """

    ref: ItemRef
    quantity: int
    line_id: str = ""
    fulfilled_by_mall: bool = False
    mall_restocks: bool | None = None


@dataclass(frozen=True, slots=True)
class MallOrder:
    """All lines of one order as the mall shows it now. `placed_at` is when the mall's counter fell."""

    number: str
    placed_at: datetime
    status: OrderStatus
    lines: tuple[MallOrderLine, ...]
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderWindow:
    """[since, until) on the mall's clock."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page, oldest first. `observed_at`: the mall's time when its request was sent. `total`: hits in the whole
    window as this page reported it (None where the mall does not say); a caller that sees it change walks again.
    `unreadable` names orders whose detail could not be understood, with the reason; they are not in `orders`. `unchanged`:
    numbers of orders that are, for sure, as they were read last; neither are they."""

    orders: tuple[MallOrder, ...]
    observed_at: datetime
    total: int | None = None
    last: bool = False
    unreadable: Mapping[str, str] = field(default_factory=dict)
    unchanged: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.orders or self.unreadable or self.unchanged)


@dataclass(frozen=True, slots=True)
class MallListing:
    """One SKU as the mall's catalogue shows it. `keys` holds the columns that may serve as same-product key."""

    ref: ItemRef
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    quantity: int | None = None
    unlimited: bool = False
    fulfilled_by_mall: bool = False
    mall_restocks: bool | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


class CheckPartKey(StrEnum):
    CREDENTIALS = "CREDENTIALS"
    CONSENT = "CONSENT"
    STOCK_READ = "STOCK_READ"
    ORDERS = "ORDERS"
    CATALOGUE = "CATALOGUE"
    CLOCK = "CLOCK"


class CheckOutcome(StrEnum):
    OK = "OK"
    NG = "NG"
    NOT_TESTED = "NOT_TESTED"
    NOT_NEEDED = "NOT_NEEDED"


@dataclass(frozen=True, slots=True)
class CheckPart:
    """One line of the connection test. `expires_at`: until when the credential lives, where the mall tells.
    `error` is what the mall raised when `outcome` is NG."""

    key: CheckPartKey
    outcome: CheckOutcome
    mall_message: str = ""
    expires_at: datetime | None = None
    error: Exception | None = None


class BucketScope(StrEnum):
    SELLER = "SELLER"  # per shop credentials
    APPLICATION = "APPLICATION"  # per application id, across accounts
    ADDRESS = "ADDRESS"  # per source address


@dataclass(frozen=True, slots=True)
class Bucket:
    """A mall's limit on calls: `rate` per second, `burst` at once; `per_day` where the mall counts days. Numbers are
    the real mall's; the throttle makes them faster for a sandbox shop."""

    name: str
    rate: float
    burst: int = 1
    scope: BucketScope = BucketScope.SELLER
    per_day: int | None = None


class Throttle(Protocol):
    """Shared by every worker. Connectors draw from it before each call and tell it what the mall said."""

    async def take(self, *buckets: Bucket) -> None:
        """Waits for one call's worth from each bucket. Raises MallThrottled when the wait would outlast the deadline."""
        ...

    async def told_to_wait(self, bucket: Bucket, retry_after: timedelta) -> None:
        """The mall answered "too many": nobody draws from this bucket until then."""
        ...


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Numbers in bulk: one document of up to `most` items, which the mall works off by itself. Times as in Capabilities."""

    most: int
    least: int  # so many numbers have to wait before a feed is worth its own delay
    above: int  # numbers up to this go one by one: a feed that lands late puts back what was sold meanwhile
    look_every: timedelta  # how often the mall is asked how far it is
    lost_after: timedelta  # one that has not ended by then is given up


class FeedStage(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"  # worked off, item by item
    FAILED = "FAILED"  # ended as a whole; some of it may have been applied
    UNHEARD_OF = "UNHEARD_OF"  # the mall has no such feed


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far a feed is. `processed`: items that the mall looked at; `refused`: of those the ones that it did not take, by
    their place among the feed's pushes (from 0): the mall's code and words. Both of a feed that is DONE.
    """

    stage: FeedStage
    at: MallTime
    processed: int = 0
    refused: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    mall_code: str = ""
    mall_message: str = ""


class Feeds(Protocol):
    """Numbers in bulk, at a mall that takes them."""

    async def begin(self, pushes: Sequence[StockPush]) -> str:
        """Hands the numbers over: the mall's name of the feed. Raises MallOutcomeUnknown where it may have been taken."""
        ...

    async def state(self, name: str) -> FeedState: ...


class CancelSupport(StrEnum):
    SEEN = "SEEN"  # changed-since finds cancels
    SEEN_ON_REREAD = "SEEN_ON_REREAD"  # open orders must be read again
    NOT_SEEN = "NOT_SEEN"


@dataclass(frozen=True, slots=True)
class Rereads:
    """How many orders are asked for by their numbers, so that no limit is used up by it: `at_once` in one go, and
    `a_minute` as long as there are more."""

    at_once: int
    a_minute: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a mall can do, as data. Times are the mall's at speed 1; a sandbox shop may run faster (setting `speed`)."""

    max_pushes_per_call: int
    max_reads_per_call: int
    relative_writes: bool
    max_quantity: int
    usual_delay: timedelta  # from accepted to shown
    order_overlap: timedelta  # windows reach back this far behind the watermark
    order_lag: timedelta  # windows end this long before the mall's now
    order_time_resolution: timedelta  # a time stamp of the mall means [t, t + resolution)
    order_freshness: timedelta  # writes other than zero need orders seen this recently
    order_poll: timedelta  # a new shop's orders are asked for so often
    max_order_window: timedelta
    rereads: Rereads
    cancels: CancelSupport
    answers_applied: (
        bool  # True: a success answer means the number stands; False: it is only queued
    )
    # Calls of one shop that may be under way together, where each carries little.
    calls_at_once: int = 1
    # A field that travels with stock has a value for each item of a call, or for none of them.
    fields_for_all_or_none: bool = False
    # For so long after we gave a call up the mall may still do what it asked. No sheet says; ours, and chosen to be safe.
    late_landing: timedelta = timedelta(minutes=1)
    # A number for a code that the mall does not know is accepted like any other.
    takes_unknown_codes: bool = False
    # None: the mall takes no numbers in bulk.
    feed: FeedLimits | None = None

    @property
    def reads_stock(self) -> bool:
        """Does the mall tell what it shows?"""
        return self.max_reads_per_call > 0

    @property
    def max_pushes_at_once(self) -> int:
        return self.max_pushes_per_call * self.calls_at_once


@dataclass(frozen=True, slots=True)
class ShopConfig:
    """What a connector is given of a shop: decrypted credentials, settings (endpoints among them)."""

    kind: MallKind
    credentials: Mapping[str, str]
    settings: Mapping[str, str]


SaveCredentials = Callable[[Mapping[str, str]], Awaitable[None]]
"""Called with the credentials that the mall itself renewed (a new refresh token); kept encrypted."""


class Mall(Protocol):
    """One shop at one mall. `write_buckets`: what a call of `push_stock` draws from, in this order."""

    capabilities: Capabilities
    write_buckets: tuple[Bucket, ...]

    @property
    def feeds(self) -> Feeds | None: ...

    async def push_stock(self, pushes: Sequence[StockPush]) -> list[PushResult]: ...

    async def read_stock(self, refs: Sequence[ItemRef]) -> list[StockReading]: ...

    def orders_placed(
        self, window: OrderWindow, recall: Recall = nothing_known
    ) -> AsyncIterator[OrderPage]:
        """Orders that entered the mall's list in the window (changed in it, where the mall can say that). By `recall` a
        mall that tells one order a call is spared those that its list shows to be unchanged.
        """
        ...

    async def orders_by_number(self, numbers: Sequence[str]) -> OrderPage:
        """These orders as they are now (at most 100 numbers): for cancels that no window shows."""
        ...

    def listings(self) -> AsyncIterator[Sequence[MallListing]]: ...

    async def test_connection(self) -> list[CheckPart]: ...

    async def exchange_code(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        """Changes a consent code into credentials to keep. Raises MallRefused where the mall has no consent page."""
        ...
