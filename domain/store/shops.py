"""Shops: their switches and states, how far their orders are known, their encrypted credentials."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Shop:
    """`watermark`: orders are complete up to here, by the mall's clock. `orders_seen_at`: when, by ours, that was asked.
    `credentials_at`: when one of its credentials was changed last. `resyncs`: after a restore or a failover nobody knows yet
    from when what we believe of the account's malls is.
    """

    id: UUID
    mall: MallKind
    name: str
    sandbox: bool
    in_use: bool
    state: str
    orders_running: bool
    reflect_running: bool
    reflect_interval_seconds: int
    order_poll_seconds: int
    cancel_policy: str
    drift_policy: str
    match_key: tuple[str, ...]
    settings: Mapping[str, str]
    mall_restocks: bool | None
    effective_from: datetime | None
    watermark: datetime | None
    orders_seen_at: datetime | None
    cancels_seen_at: datetime | None
    sampled_at: datetime | None
    clock_offset_ms: int
    next_order_poll_at: datetime
    paused_until: datetime | None
    failed_calls: int
    maintenance: bool
    checked_at: datetime | None
    notification_email: str | None
    version: int
    credentials_at: datetime | None
    account_running: bool
    level9_resume: str
    resyncs: bool

    @property
    def speed(self) -> float:
        """How much faster than the real mall a sandbox shop's limits and delays run."""
        return float(self.settings.get("speed") or 1)

    @property
    def read_back_one_in(self) -> int:
        """Of so many numbers that the mall calls applied, one is looked at."""
        return int(self.settings.get("read_back_one_in") or 50)

    @property
    def writes_changes(self) -> bool:
        """Are numbers sent as changes where that is safe?"""
        on = self.settings.get("relative_writes") == "true"
        return on and MALL_SPECS[self.mall].capabilities.relative_writes

    def at_its_pace(self, until: datetime, now: datetime) -> datetime:
        """A wait, as long as it is at this shop's speed: a second at least."""
        if self.speed <= 1:
            return until
        return now + max((until - now) / self.speed, timedelta(seconds=1))

    @property
    def clock_offset(self) -> timedelta:
        """What to add to our clock to get the mall's."""
        return timedelta(milliseconds=self.clock_offset_ms)

    @property
    def fetches_orders(self) -> bool:
        return self.account_running and self.in_use and self.orders_running and not self.resyncs

    @property
    def reflects(self) -> bool:
        return self.account_running and self.in_use and self.reflect_running and not self.resyncs

    @property
    def stands_still(self) -> bool:
        """Nothing is asked of its mall, and nothing sent there."""
        return self.state in ("HALTED", "PROBING") or self.resyncs


COLUMNS = """
    s.id, s.mall, s.name, s.sandbox, s.in_use, s.state, s.orders_running, s.reflect_running, s.reflect_interval_seconds,
    s.order_poll_seconds, s.cancel_policy, s.drift_policy, s.match_key, s.settings, s.mall_restocks, s.effective_from,
    s.watermark, s.orders_seen_at, s.cancels_seen_at, s.sampled_at, s.clock_offset_ms, s.next_order_poll_at, s.paused_until, s.failed_calls,
    s.maintenance,
    s.checked_at, s.notification_email, s.version,
    (SELECT max(c.changed_at) FROM shop_credentials c WHERE c.account_id = s.account_id AND c.shop_id = s.id) AS credentials_at,
    a.sync_running AS account_running, a.level9_resume,
    a.resync_from IS NOT NULL OR (SELECT renkei_moved()) AS resyncs
"""
FROM = "FROM shops s JOIN accounts a ON a.id = s.account_id WHERE s.account_id = :account"

ONE = text(f"SELECT {COLUMNS} {FROM} AND s.id = :shop")
CONNECTED = f"{FROM} AND s.disconnected_at IS NULL"
LOCKED = text(f"SELECT {COLUMNS} {CONNECTED} AND s.id = :shop FOR NO KEY UPDATE OF s")
THESE_LOCKED = text(
    f"SELECT {COLUMNS} {CONNECTED} AND s.id = ANY (:shops) ORDER BY s.id FOR NO KEY UPDATE OF s"
)
ALL = text(f"SELECT {COLUMNS} {CONNECTED} ORDER BY s.id")
ALL_LOCKED = text(f"SELECT {COLUMNS} {CONNECTED} ORDER BY s.id FOR NO KEY UPDATE OF s")

NAMED = text(
    "SELECT id FROM shops WHERE account_id = :account AND name = :name AND disconnected_at IS NULL"
)

COUNT = text("SELECT count(*) FROM shops WHERE account_id = :account AND disconnected_at IS NULL")

INSERT = text(
    """
    INSERT INTO shops (account_id, mall, name, settings, match_key, sandbox)
    VALUES (:account, :mall, :name, cast(:settings AS jsonb), :match_key, :sandbox)
    RETURNING id
    """
)

STEP_BACK = text(
    """
    UPDATE shops SET orders_seen_at = NULL, cancels_seen_at = NULL, next_order_poll_at = :now, next_probe_at = NULL,
        watermark = least(watermark, cast(:since AS timestamptz) + make_interval(secs => clock_offset_ms / 1000.0)),
        state = CASE WHEN in_use AND state = 'RUNNING' THEN 'CATCHING_UP' ELSE state END
    WHERE account_id = :account AND id = ANY (:shops)
    """
)

OTHERS_BEHIND = text(
    """
    SELECT EXISTS (
        SELECT FROM shops s JOIN accounts a ON a.id = s.account_id AND a.sync_running
        WHERE s.account_id = :account AND s.id <> :shop AND s.state = 'CATCHING_UP' AND s.in_use AND s.orders_running
            AND s.orders_seen_at IS NULL AND s.watermark IS NOT NULL AND s.next_order_poll_at <= cast(:soon AS timestamptz)
            AND NOT EXISTS (
                SELECT FROM sync_errors e WHERE e.account_id = s.account_id AND e.shop_id = s.id
                    AND e.resolved_at IS NULL AND e.params ->> 'part' = 'ORDERS'))
    """
)

CREDENTIALS = text(
    "SELECT key, ciphertext, changed_at FROM shop_credentials WHERE account_id = :account AND shop_id = :shop"
)

SET_CREDENTIAL = text(
    """
    INSERT INTO shop_credentials (account_id, shop_id, key, ciphertext, changed_by, expires_at)
    VALUES (:account, :shop, :key, :ciphertext, cast(:actor AS jsonb), :expires_at)
    ON CONFLICT (account_id, shop_id, key) DO UPDATE SET ciphertext = excluded.ciphertext,
        changed_by = excluded.changed_by, changed_at = clock_timestamp(), expires_at = excluded.expires_at
    """
)

RENEW_CREDENTIAL = text(
    """
    UPDATE shop_credentials SET ciphertext = :ciphertext, changed_by = cast(:actor AS jsonb),
        changed_at = clock_timestamp()
    WHERE account_id = :account AND shop_id = :shop AND key = :key
    """
)

CREDENTIAL_LIVES = text(
    """
    UPDATE shop_credentials SET expires_at = :expires_at
    WHERE account_id = :account AND shop_id = :shop AND key = :key
    """
)

EXPIRIES = text(
    """
    SELECT key, expires_at FROM shop_credentials
    WHERE account_id = :account AND shop_id = :shop AND expires_at IS NOT NULL
    """
)

REMOVE_CREDENTIALS = text(
    "DELETE FROM shop_credentials WHERE account_id = :account AND shop_id = :shop AND key = ANY (:keys)"
)

ERASE_CREDENTIALS = text(
    "DELETE FROM shop_credentials WHERE account_id = :account AND shop_id = :shop"
)


async def get(tx: Tx, shop_id: UUID) -> Shop | None:
    """Also one that was disconnected, which neither fetches orders nor reflects."""
    row = (await tx.execute(ONE, {"account": tx.account_id, "shop": shop_id})).one_or_none()
    return None if row is None else shop_of(row)


async def lock(tx: Tx, shop_id: UUID) -> Shop | None:
    """Held until commit. Take it before orders, products and sync rows. None for one that was disconnected."""
    row = (await tx.execute(LOCKED, {"account": tx.account_id, "shop": shop_id})).one_or_none()
    return None if row is None else shop_of(row)


async def lock_these(tx: Tx, shop_ids: Sequence[UUID]) -> list[Shop]:
    """Held until commit, taken in id order. Unknown, foreign and disconnected ones are left out."""
    rows = await tx.execute(THESE_LOCKED, {"account": tx.account_id, "shops": list(shop_ids)})
    return [shop_of(row) for row in rows]


async def named(tx: Tx, name: str) -> UUID | None:
    """The shop that has this name."""
    shop_id: UUID | None = await tx.scalar(NAMED, {"account": tx.account_id, "name": name})
    return shop_id


async def every(tx: Tx) -> list[Shop]:
    """All connected shops of the account, in the order they were connected."""
    return [shop_of(row) for row in await tx.execute(ALL, {"account": tx.account_id})]


async def lock_every(tx: Tx) -> list[Shop]:
    """All connected shops of the account, held until commit, taken in id order."""
    return [shop_of(row) for row in await tx.execute(ALL_LOCKED, {"account": tx.account_id})]


async def count(tx: Tx) -> int:
    """How many are connected."""
    return int(await tx.scalar(COUNT, {"account": tx.account_id}))


async def insert(
    tx: Tx,
    mall: MallKind,
    name: str,
    settings: Mapping[str, str],
    match_key: Sequence[str],
    *,
    sandbox: bool,
) -> UUID:
    """Both switches off. Raises IntegrityError where the account has a shop of this name."""
    shop_id: UUID = await tx.scalar(
        INSERT,
        {
            "account": tx.account_id,
            "mall": mall.value,
            "name": name,
            "settings": orjson.dumps(dict(settings)).decode(),
            "match_key": list(match_key),
            "sandbox": sandbox,
        },
    )
    return shop_id


CHANGEABLE = frozenset(
    {
        "name", "in_use", "state", "orders_running", "reflect_running", "reflect_interval_seconds", "order_poll_seconds",
        "cancel_policy", "drift_policy", "match_key", "settings", "mall_restocks", "effective_from", "watermark",
        "orders_seen_at", "cancels_seen_at", "sampled_at", "clock_offset_ms", "next_order_poll_at", "next_probe_at", "paused_until", "failed_calls", "maintenance",
        "checked_at", "notification_email", "sandbox", "version", "disconnected_at",
    }
)  # fmt: skip


async def change(tx: Tx, shop_id: UUID, **values: Any) -> None:
    """Sets the named columns of CHANGEABLE."""
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise ValueError(f"not columns of a shop that may change: {sorted(unknown)}")
    if "settings" in values:
        values["settings"] = orjson.dumps(dict(values["settings"])).decode()
    assignments = ", ".join(
        f"{name} = cast(:{name} AS jsonb)" if name == "settings" else f"{name} = :{name}"
        for name in values
    )
    statement = f"UPDATE shops SET {assignments} WHERE account_id = :account AND id = :shop"  # noqa: S608
    await tx.execute(text(statement), values | {"account": tx.account_id, "shop": shop_id})


async def step_back(tx: Tx, shop_ids: Collection[UUID], since: datetime, *, now: datetime) -> None:
    """Of locked shops: orders are complete up to `since`, by our clock, at most; those that ran catch up. A halt stays."""
    values = {"account": tx.account_id, "shops": list(shop_ids), "since": since, "now": now}
    await tx.execute(STEP_BACK, values)


async def others_behind(tx: Tx, shop_id: UUID, *, soon: datetime) -> bool:
    """Does another shop catch up, whose orders are not complete yet, are asked for by then, and came without an error?"""
    values = {"account": tx.account_id, "shop": shop_id, "soon": soon}
    return bool(await tx.scalar(OTHERS_BEHIND, values))


async def credentials(tx: Tx, shop_id: UUID) -> dict[str, tuple[bytes, datetime]]:
    """Key to (ciphertext, when it was entered)."""
    rows = await tx.execute(CREDENTIALS, {"account": tx.account_id, "shop": shop_id})
    return {row.key: (row.ciphertext, row.changed_at) for row in rows}


async def set_credential(
    tx: Tx,
    shop_id: UUID,
    key: str,
    ciphertext: bytes,
    actor: Mapping[str, Any],
    expires_at: datetime | None,
) -> None:
    await tx.execute(
        SET_CREDENTIAL,
        {
            "account": tx.account_id,
            "shop": shop_id,
            "key": key,
            "ciphertext": ciphertext,
            "actor": orjson.dumps(actor).decode(),
            "expires_at": expires_at,
        },
    )


async def renew_credential(
    tx: Tx, shop_id: UUID, key: str, ciphertext: bytes, actor: Mapping[str, Any]
) -> None:
    """Another value of a credential that is there; it lives as long as the one before."""
    values = {"shop": shop_id, "key": key, "ciphertext": ciphertext}
    await tx.execute(
        RENEW_CREDENTIAL,
        {"account": tx.account_id, "actor": orjson.dumps(actor).decode()} | values,
    )


async def credential_lives(tx: Tx, shop_id: UUID, key: str, until: datetime) -> None:
    values = {"shop": shop_id, "key": key, "expires_at": until}
    await tx.execute(CREDENTIAL_LIVES, {"account": tx.account_id} | values)


async def expiries(tx: Tx, shop_id: UUID) -> dict[str, datetime]:
    """Until when credentials live, by key, of those of which it is known."""
    rows = await tx.execute(EXPIRIES, {"account": tx.account_id, "shop": shop_id})
    return {row.key: row.expires_at for row in rows}


async def remove_credentials(tx: Tx, shop_id: UUID, keys: Sequence[str]) -> None:
    values = {"account": tx.account_id, "shop": shop_id, "keys": list(keys)}
    await tx.execute(REMOVE_CREDENTIALS, values)


async def erase_credentials(tx: Tx, shop_id: UUID) -> None:
    """Every secret of the shop."""
    await tx.execute(ERASE_CREDENTIALS, {"account": tx.account_id, "shop": shop_id})


def shop_of(row: Any) -> Shop:
    """From the COLUMNS of its row; what else the row holds is left out."""
    values = {name: row[name] for name in Shop.__dataclass_fields__}
    return Shop(
        **values | {"mall": MallKind(values["mall"]), "match_key": tuple(values["match_key"])}
    )
