"""After a restore or a failover: what an account believes of its malls may be from another time than theirs (DESIGN §2.15).

Until its turn comes nothing is fetched, sent or read back for it. Then, in one transaction: whatever any worker holds or
has under way is nobody's; bases are forgotten by walks; watermarks step back, so that orders which were lost are fetched
again; shops that ran catch up; and the numbers of events leave out those that clients may have seen already.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.model.actors import SYSTEM
from domain.model.events import EventKind
from domain.services import walks
from domain.store import (
    account_settings,
    accounts,
    event_log,
    feeds,
    jobs,
    leases,
    logs,
    pushes,
    shops,
)
from domain.store.database import Event, Tx

FAR = 1_000_000
"""Further than what was lost can have gone: epochs of leases, numbers of events."""


async def resync(tx: Tx, *, now: datetime) -> None:
    """Nothing, where another worker did it meanwhile."""
    every = [shop.id for shop in await shops.lock_every(tx)]
    zone = ZoneInfo((await account_settings.lock(tx)).time_zone)
    since = await accounts.resync_from(tx)
    if since is None:
        return
    await leases.raise_all(tx, every, by=FAR)
    await shops.step_back(tx, every, since, now=now)
    await pushes.doubt_accepted(tx, every)
    await feeds.doubt_open(tx, every, by=FAR, now=now)
    await walks.begin(tx, every, forget=True, now=now)
    await accounts.resynced(tx)
    facts = {"since": f"{since.astimezone(zone):%Y-%m-%d %H:%M}", "shops": len(every)}
    await logs.operation(tx, SYSTEM.as_json(), "RESYNC", "ACCOUNT", [(tx.account_id, facts)])
    for shop_id in every:
        tx.ring(shop_id, jobs.CHECK)
    tx.emit(Event(EventKind.RELOAD))
    await event_log.jump(tx.execute, tx.account_id, FAR)
