"""What a job is given: the database, the malls, the time."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from domain.model.clocks import Now, own_time
from domain.model.malls import Mall, ShopConfig, Throttle
from domain.services import credentials
from domain.services import shops as shop_service
from domain.services.credentials import Vault
from domain.settings import LOSS_WINDOW
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from integrations import registry
from integrations.connections import Http
from workers.places import Queue
from workers.throttle import StoredThrottle

MOST_MALLS = 500

Throttles = Callable[[Shop, str], Throttle]
"""What a shop's calls draw from, given the application that makes them."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A shop's mall as it was made from `config`, and the queue that its calls stand in. `shop`: as it was when that was
    looked at last."""

    shop: Shop
    config: ShopConfig
    mall: Mall
    queue: Queue


@dataclass(slots=True)
class Malls:
    """Connected malls by shop, the least used forgotten first: each keeps its access token for as long as it lives.

    `throttles` None: the buckets in the store, which all workers share.
    """

    db: Database
    vault: Vault
    http: Http
    now: Now = own_time
    throttles: Throttles | None = None
    _known: OrderedDict[UUID, Connected] = field(default_factory=OrderedDict)

    async def of(self, account_id: UUID, shop: Shop) -> Mall:
        """The shop's mall, made anew when its credentials or settings have changed."""
        known = self._as_known(shop)
        if known is not None:
            return known.mall
        async with self.db.transaction(account_id) as tx:
            return await self.within(tx, shop)

    async def within(self, tx: Tx, shop: Shop) -> Mall:
        """Like `of`, as this transaction sees the shop."""
        known = self._as_known(shop) or await self._looked_up(tx, shop)
        return known.mall

    def _as_known(self, shop: Shop) -> Connected | None:
        """Nothing that a mall is made from has changed since it was looked at."""
        known = self._known.get(shop.id)
        if known is None or _made_from(known.shop) != _made_from(shop):
            return None
        self._known.move_to_end(shop.id)
        return known

    async def _looked_up(self, tx: Tx, shop: Shop) -> Connected:
        config = await shop_service.config(tx, self.vault, shop)
        known = self._known.pop(shop.id, None)
        if known is None or known.config != config:
            known = self._connect(tx.account_id, shop, config)
        self._known[shop.id] = known = replace(known, shop=shop)
        while len(self._known) > MOST_MALLS:
            self._known.popitem(last=False)
        return known

    async def queue(self, account_id: UUID, shop: Shop) -> tuple[Mall, Queue]:
        """Where the shop's calls stand, and whose calls they are, by what was known of the shop last."""
        known = self._known.get(shop.id)
        while known is None:
            await self.of(account_id, shop)
            known = self._known.get(shop.id)
        return known.mall, known.queue

    def _connect(self, account_id: UUID, shop: Shop, config: ShopConfig) -> Connected:
        async def save(renewed: Mapping[str, str]) -> None:
            async with self.db.transaction(account_id) as tx:
                await credentials.renewed_by_mall(tx, self.vault, shop.id, renewed)

        application = config.credentials.get("client_id", str(shop.id))
        throttle = (self.throttles or self._stored)(shop, application)
        queue = Queue(throttle, shop.speed)
        mall = registry.connect(config, self.http, queue, save, self.now)
        return Connected(shop, config, mall, queue)

    def _stored(self, shop: Shop, application: str) -> Throttle:
        return StoredThrottle(self.db, str(shop.id), application, shop.speed, self.now)


def _made_from(shop: Shop) -> tuple[object, ...]:
    return shop.version, shop.credentials_at, shop.settings


@dataclass(frozen=True, slots=True)
class Context:
    """`holder` names this process in leases. `now`: of the clock that all workers share (domain/store/clock.py).
    `loss_window`: how much a restore or a failover may lose beside what came after the database was seen last.
    """

    db: Database
    malls: Malls
    vault: Vault
    holder: str
    now: Now = own_time
    loss_window: timedelta = LOSS_WINDOW
