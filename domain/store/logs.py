"""The logs that people read: operations, sales, mall updates. Append-only, partitioned by month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.malls import ItemRef
from domain.store.database import Tx

ROWS_AT_ONCE = 20_000

BY_NOW = "id < renkei_uuid_at(statement_timestamp() + interval '1 day')"
"""What was written by now: the months that lie ahead are not even looked into."""

EDITED = """
    cast(:listings AS uuid[]) || ARRAY(
        SELECT product_id FROM links WHERE account_id = :account AND listing_id = ANY (:listings) AND product_id IS NOT NULL)
"""
"""Listings and their products, as one array: looked up one by one, however much else was not sent yet."""


@dataclass(frozen=True, slots=True)
class Sale:
    """Units one order took of one code, or gave back (below zero): a cancel is a line of its own."""

    order_id: UUID
    ref: ItemRef
    listing_id: UUID | None
    product_id: UUID | None
    units: int


OPERATION = text(
    """
    INSERT INTO operation_logs (account_id, actor, action, target_kind, target_id, job_id, facts)
    SELECT :account, cast(:actor AS jsonb), :action, :target_kind, o.target, :job, o.facts
    FROM unnest(cast(:targets AS uuid[]), cast(:facts AS jsonb[])) AS o (target, facts)
    """
)

REFLECTED = text(
    f"""
    UPDATE operation_logs SET reflected_at = :at
    WHERE account_id = :account AND {BY_NOW} AND reflected_at IS NULL AND target_id = ANY ({EDITED})
    """  # noqa: S608  constants
)

SALES = text(
    """
    INSERT INTO sales_logs (account_id, shop_id, order_id, item_code, variant_code, listing_id, product_id, units, at)
    SELECT :account, :shop, s.order_id, s.item_code, s.variant_code, s.listing_id, s.product_id, s.units, :at
    FROM unnest(cast(:orders AS uuid[]), cast(:items AS text[]), cast(:variants AS text[]), cast(:listings AS uuid[]),
        cast(:products AS uuid[]), cast(:units AS int[]))
        AS s (order_id, item_code, variant_code, listing_id, product_id, units)
    """
)


async def operation(
    tx: Tx,
    actor: Mapping[str, Any],
    action: str,
    target_kind: str,
    targets: Sequence[tuple[UUID | None, Mapping[str, Any]]],
    *,
    job_id: UUID | None = None,
) -> None:
    """One line a target: who did what to it, as facts; the sentence is made when it is read.

    `job_id`: the job that it belongs to, where that is not the one being done.
    """
    said = {
        "account": tx.account_id,
        "actor": orjson.dumps(actor).decode(),
        "action": action,
        "target_kind": target_kind,
        "job": job_id or tx.job_id,
    }
    for start in range(0, len(targets), ROWS_AT_ONCE):
        some = targets[start : start + ROWS_AT_ONCE]
        facts = [orjson.dumps(facts, default=str).decode() for _, facts in some]
        await tx.execute(
            OPERATION, {**said, "targets": [target for target, _ in some], "facts": facts}
        )


async def reflected(tx: Tx, listing_ids: Sequence[UUID], at: datetime) -> None:
    """What was changed on these listings and their products has gone out (A9.1)."""
    if listing_ids:
        await tx.execute(
            REFLECTED, {"account": tx.account_id, "listings": list(listing_ids), "at": at}
        )


async def sales(tx: Tx, shop_id: UUID, lines: Sequence[Sale], at: datetime) -> None:
    if lines:
        await tx.execute(
            SALES,
            {
                "account": tx.account_id,
                "shop": shop_id,
                "orders": [line.order_id for line in lines],
                "items": [line.ref.item_code for line in lines],
                "variants": [line.ref.variant_code for line in lines],
                "listings": [line.listing_id for line in lines],
                "products": [line.product_id for line in lines],
                "units": [line.units for line in lines],
                "at": at,
            },
        )
