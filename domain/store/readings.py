"""Which listings a job reads the malls' numbers of, and what a reading tells of a listing besides its number."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from domain.model.malls import ItemRef
from domain.store.database import Tx
from domain.store.job_shops import JobShop


@dataclass(frozen=True, slots=True)
class ToRead:
    """A target of a job at its place; `ref`: how its mall names it."""

    place: int
    listing_id: UUID
    ref: ItemRef


BY_SHOP = text(
    """
    SELECT id, shop_id FROM listings
    WHERE account_id = :account AND id = ANY (:listings) AND deleted_at IS NULL
    ORDER BY shop_id, id
    """
)

NEXT = text(
    """
    SELECT t.place, t.target_id, l.item_code, l.variant_code FROM job_targets t
    LEFT JOIN listings l ON l.account_id = t.account_id AND l.id = t.target_id AND l.deleted_at IS NULL
    WHERE t.account_id = :account AND t.job_id = :job AND t.outcome IS NULL AND t.place BETWEEN :first AND :last
    ORDER BY t.place LIMIT :at_most
    """
)

REFUSE_REST = text(
    """
    UPDATE job_targets SET outcome = 'REFUSED', errors = cast(:errors AS jsonb)
    WHERE account_id = :account AND job_id = :job AND outcome IS NULL AND place BETWEEN :first AND :last
    """
)

NOT_OURS = text(
    """
    UPDATE listings AS l SET unlimited = l.unlimited OR r.unlimited,
        fulfilled_by_mall = l.fulfilled_by_mall OR r.fulfilled, version = l.version + 1
    FROM (SELECT s.id, r.unlimited, r.fulfilled
        FROM unnest(cast(:listings AS uuid[]), cast(:unlimited AS bool[]), cast(:fulfilled AS bool[]))
            AS r (id, unlimited, fulfilled)
        JOIN listings s ON s.account_id = :account AND s.id = r.id
        WHERE r.unlimited AND NOT s.unlimited OR r.fulfilled AND NOT s.fulfilled_by_mall
        ORDER BY s.id FOR NO KEY UPDATE OF s) AS r
    WHERE l.account_id = :account AND l.id = r.id
    """
)


async def by_shop(tx: Tx, listing_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """These listings, each shop's together; what is gone or foreign is left out."""
    parameters = {"account": tx.account_id, "listings": list(listing_ids)}
    shops: dict[UUID, list[UUID]] = {}
    for row in await tx.execute(BY_SHOP, parameters):
        shops.setdefault(row.shop_id, []).append(row.id)
    return shops


async def next_ones(tx: Tx, job: JobShop, *, at_most: int) -> tuple[list[ToRead], list[int]]:
    """The job's next targets in this shop, and the places of those that are gone."""
    rows = (await tx.execute(NEXT, _range(tx, job) | {"at_most": at_most})).all()
    there = [
        ToRead(row.place, row.target_id, ItemRef(row.item_code, row.variant_code))
        for row in rows
        if row.item_code is not None
    ]
    return there, [row.place for row in rows if row.item_code is None]


async def refuse_rest(tx: Tx, job: JobShop, error: Mapping[str, Any]) -> int:
    """Whatever has no outcome in this shop yet; how many they are."""
    errors = orjson.dumps([error], default=str).decode()
    return await tx.changed(REFUSE_REST, _range(tx, job) | {"errors": errors})


async def not_ours(tx: Tx, told: Sequence[tuple[UUID, bool, bool]]) -> None:
    """(listing, its mall shows no number for it, its mall fulfils it): such a counter is not written."""
    if told:
        await tx.execute(
            NOT_OURS,
            {
                "account": tx.account_id,
                "listings": [listing for listing, _, _ in told],
                "unlimited": [unlimited for _, unlimited, _ in told],
                "fulfilled": [fulfilled for _, _, fulfilled in told],
            },
        )


def _range(tx: Tx, job: JobShop) -> dict[str, object]:
    return {
        "account": tx.account_id,
        "job": job.job_id,
        "first": job.from_place,
        "last": job.to_place,
    }
