"""Products and their groups: what they are called, and what is kept back of them. Totals are the ledger's (stock.py)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.model.events import StockChange
from domain.store import stock_events
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Product:
    """One product, locked. `reserve` is its own, None where its group decides."""

    id: UUID
    code: str
    name: str
    named_by_hand: bool
    kind: str
    managed: bool
    total: int
    reserve: int | None
    group_id: UUID | None
    image_url: str | None
    folded: str
    version: int


@dataclass(frozen=True, slots=True)
class NewProduct:
    code: str
    name: str
    folded: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """How many products the account has and may have (None: any number), and whose listings name them."""

    count: int
    limit: int | None
    base_shop_id: UUID | None

    @property
    def room(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.count)


@dataclass(frozen=True, slots=True)
class Group:
    id: UUID
    name: str
    reserve: int
    version: int


HOLD = text(
    "SELECT product_limit, base_shop_id FROM accounts WHERE id = :account FOR NO KEY UPDATE"
)
COUNT = text("SELECT count(*) FROM products WHERE account_id = :account AND deleted_at IS NULL")
BASE_SHOP = text("SELECT base_shop_id FROM accounts WHERE id = :account")

ADD = text(
    """
    INSERT INTO products AS p (account_id, code, name, folded)
    SELECT :account, r.code, r.name, r.folded
    FROM unnest(cast(:codes AS text[]), cast(:names AS text[]), cast(:folded AS text[])) AS r (code, name, folded)
    ORDER BY r.code
    ON CONFLICT (account_id, code) DO UPDATE SET deleted_at = NULL, version = p.version + 1,
        updated_at = clock_timestamp()
    WHERE p.deleted_at IS NOT NULL
    RETURNING p.id, p.code
    """
)

BY_CODE = text(
    "SELECT id, code FROM products WHERE account_id = :account AND code = ANY (:codes) AND deleted_at IS NULL"
)
TAKEN = text("SELECT EXISTS (SELECT FROM products WHERE account_id = :account AND code = :code)")

LOCK = text(
    """
    SELECT id, code, name, named_by_hand, kind, managed, total, reserve, group_id, image_url, folded, version
    FROM products WHERE account_id = :account AND id = ANY (:products) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
    """
)

MISNAMED = text(
    """
    SELECT p.id, p.code, p.name, p.named_by_hand, p.kind, p.managed, p.total, p.reserve, p.group_id, p.image_url,
        p.folded, p.version
    FROM unnest(cast(:products AS uuid[]), cast(:names AS text[])) AS r (id, name)
    JOIN products p ON p.account_id = :account AND p.id = r.id
    WHERE p.deleted_at IS NULL AND NOT p.named_by_hand AND p.name <> r.name AND (:even_named OR p.name = '')
    ORDER BY p.id FOR NO KEY UPDATE OF p
    """
)

SAVE = text(
    """
    UPDATE products AS p SET code = r.code, name = r.name, named_by_hand = r.named_by_hand, kind = r.kind,
        managed = r.managed, reserve = r.reserve, group_id = r.group_id, image_url = r.image_url, folded = r.folded,
        version = p.version + 1, updated_at = clock_timestamp()
    FROM unnest(cast(:ids AS uuid[]), cast(:codes AS text[]), cast(:names AS text[]), cast(:by_hand AS bool[]),
        cast(:kinds AS text[]), cast(:managed AS bool[]), cast(:reserves AS int[]), cast(:groups AS uuid[]),
        cast(:images AS text[]), cast(:folded AS text[]))
        AS r (id, code, name, named_by_hand, kind, managed, reserve, group_id, image_url, folded)
    WHERE p.account_id = :account AND p.id = r.id
    RETURNING p.id, CASE WHEN old.code <> new.code THEN old.code END AS freed, old.name <> new.name AS renamed,
        (old.kind, old.managed, coalesce(old.reserve, (SELECT g.reserve FROM product_groups g
            WHERE g.account_id = :account AND g.id = old.group_id), 0))
        <> (new.kind, new.managed, coalesce(new.reserve, (SELECT g.reserve FROM product_groups g
            WHERE g.account_id = :account AND g.id = new.group_id), 0)) AS renumbered
    """
)

DELETE = text(
    """
    UPDATE products SET deleted_at = :at, kind = 'SINGLE', version = version + 1, updated_at = clock_timestamp()
    WHERE account_id = :account AND id = ANY (:products)
    """
)

ADD_GROUP = text(
    """
    INSERT INTO product_groups (account_id, name) VALUES (:account, :name)
    ON CONFLICT (account_id, name) DO NOTHING RETURNING id
    """
)

SETS_FIRST = text(
    """
    SELECT id FROM products WHERE account_id = :account AND id = ANY (:products) ORDER BY kind = 'SET' DESC, id
    """
)

LOCK_GROUP = text(
    """
    SELECT id, name, reserve, version FROM product_groups WHERE account_id = :account AND id = :group FOR UPDATE
    """
)

GROUP_TAKEN = text(
    "SELECT EXISTS (SELECT FROM product_groups WHERE account_id = :account AND name = :name AND id <> :group)"
)

SAVE_GROUP = text(
    """
    WITH saved AS (
        UPDATE product_groups SET name = :name, reserve = :reserve, version = version + 1
        WHERE account_id = :account AND id = :group
        RETURNING id, old.reserve <> new.reserve AS renumbered)
    UPDATE products AS p SET updated_at = clock_timestamp() FROM saved
    WHERE p.account_id = :account AND p.group_id = saved.id AND saved.renumbered AND p.reserve IS NULL
        AND p.deleted_at IS NULL
    RETURNING p.id
    """
)

OF_GROUP = text(
    """
    SELECT id FROM products WHERE account_id = :account AND group_id = :group AND deleted_at IS NULL
    """
)


async def hold_catalogue(tx: Tx) -> Catalogue:
    """Nobody else makes products or changes codes until commit. Take it before products are locked."""
    row = (await tx.execute(HOLD, {"account": tx.account_id})).one()
    count = await tx.scalar(COUNT, {"account": tx.account_id})
    return Catalogue(count, row.product_limit, row.base_shop_id)


async def base_shop(tx: Tx) -> UUID | None:
    """The shop whose listings name the products."""
    shop_id: UUID | None = await tx.scalar(BASE_SHOP, {"account": tx.account_id})
    return shop_id


async def add(tx: Tx, products: Sequence[NewProduct]) -> dict[str, UUID]:
    """By code, those made now; a deleted product of the code comes back with its history. A code in use is left out."""
    if not products:
        return {}
    rows = await tx.execute(
        ADD,
        {
            "account": tx.account_id,
            "codes": [product.code for product in products],
            "names": [product.name for product in products],
            "folded": [product.folded for product in products],
        },
    )
    made = {row.code: row.id for row in rows}
    stock_events.changed(tx, made.values(), StockChange.ADDED)
    return made


async def by_code(tx: Tx, codes: Collection[str]) -> dict[str, UUID]:
    if not codes:
        return {}
    rows = await tx.execute(BY_CODE, {"account": tx.account_id, "codes": list(codes)})
    return {row.code: row.id for row in rows}


async def taken(tx: Tx, code: str) -> bool:
    """Has any product this code, a deleted one included? Sure while the catalogue is held."""
    return bool(await tx.scalar(TAKEN, {"account": tx.account_id, "code": code}))


async def lock(tx: Tx, product_ids: Collection[UUID]) -> dict[UUID, Product]:
    """By id; held until commit, taken in id order (DESIGN §2.11). Deleted and foreign products are left out."""
    if not product_ids:
        return {}
    rows = await tx.execute(LOCK, {"account": tx.account_id, "products": list(product_ids)})
    return {row.id: Product(**row._mapping) for row in rows}


async def misnamed(tx: Tx, names: Mapping[UUID, str], *, even_named: bool) -> list[Product]:
    """Products that no person named and that are called otherwise; those without a name only, unless `even_named`.
    Held until commit."""
    rows = await tx.execute(
        MISNAMED,
        {
            "account": tx.account_id,
            "products": list(names),
            "names": list(names.values()),
            "even_named": even_named,
        },
    )
    return [Product(**row._mapping) for row in rows]


async def save(tx: Tx, products: Sequence[Product]) -> None:
    """Writes products that were locked, each as one more version; all but `total`."""
    if not products:
        return
    saved = (await tx.execute(SAVE, {"account": tx.account_id} | _columns(products))).all()
    stock_events.changed(tx, [row.id for row in saved if row.renumbered], StockChange.NUMBERS)
    named = [row.id for row in saved if (row.freed or row.renamed) and not row.renumbered]
    stock_events.changed(tx, named, StockChange.NAMED)
    for row in saved:
        if row.freed:
            stock_events.code_freed(tx, row.freed)


async def delete(tx: Tx, product_ids: Sequence[UUID], *, at: datetime) -> None:
    """Ledger and logs stay; the code brings them back."""
    if product_ids:
        await tx.execute(
            DELETE, {"account": tx.account_id, "products": list(product_ids), "at": at}
        )
        stock_events.changed(tx, product_ids, StockChange.DELETED)


async def sets_first(tx: Tx, product_ids: Sequence[UUID]) -> list[UUID]:
    """The same products, those that are sets before what they may be made of."""
    rows = await tx.execute(SETS_FIRST, {"account": tx.account_id, "products": list(product_ids)})
    return list(rows.scalars())


async def add_group(tx: Tx, name: str) -> UUID | None:
    """None where the account has a group of this name."""
    group_id: UUID | None = await tx.scalar(ADD_GROUP, {"account": tx.account_id, "name": name})
    return group_id


async def lock_group(tx: Tx, group_id: UUID) -> Group | None:
    """Held until commit. Take it before products."""
    row = (
        await tx.execute(LOCK_GROUP, {"account": tx.account_id, "group": group_id})
    ).one_or_none()
    return None if row is None else Group(**row._mapping)


async def group_taken(tx: Tx, name: str, group_id: UUID) -> bool:
    """Has another group this name?"""
    parameters = {"account": tx.account_id, "name": name, "group": group_id}
    return bool(await tx.scalar(GROUP_TAKEN, parameters))


async def save_group(tx: Tx, group_id: UUID, name: str, reserve: int) -> None:
    """Its products must be locked: what is kept back of them changes."""
    rows = await tx.execute(
        SAVE_GROUP,
        {"account": tx.account_id, "group": group_id, "name": name, "reserve": reserve},
    )
    stock_events.changed(tx, rows.scalars(), StockChange.NUMBERS)


async def of_group(tx: Tx, group_id: UUID) -> list[UUID]:
    rows = await tx.execute(OF_GROUP, {"account": tx.account_id, "group": group_id})
    return list(rows.scalars())


def _columns(products: Sequence[Product]) -> dict[str, list[Any]]:
    return {
        "ids": [product.id for product in products],
        "codes": [product.code for product in products],
        "names": [product.name for product in products],
        "by_hand": [product.named_by_hand for product in products],
        "kinds": [product.kind for product in products],
        "managed": [product.managed for product in products],
        "reserves": [product.reserve for product in products],
        "groups": [product.group_id for product in products],
        "images": [product.image_url for product in products],
        "folded": [product.folded for product in products],
    }
