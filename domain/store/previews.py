"""What would go out, counted where the rows are: no listing is read to be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from domain.model.confirmations import Limits
from domain.model.diff import NotPushed
from domain.model.previews import MOST_LINES, PreviewLine, ShopPreview
from domain.store.database import Tx


@dataclass(frozen=True, slots=True)
class Scope:
    """Which listings are meant, and what happens to them.

    `products`: the listings that show one of these, `sets`: or that show a set which holds one. `shops`: only at these;
    without listings and products, all that these have. `lifted`: only listings that this keeps back, and it does so no
    more. `cut`: they are taken off their products, and their malls keep what they show.
    `asked`: a person asks for them, which decides on edits at the malls.
    """

    listings: Sequence[UUID] = ()
    products: Sequence[UUID] = ()
    sets: bool = False
    shops: Sequence[UUID] | None = None
    lifted: NotPushed | None = None
    cut: bool = False
    asked: bool = False


NAMED = """
    WITH named AS MATERIALIZED (
        SELECT unnest(cast(:listings AS uuid[])) AS listing_id
        UNION
        SELECT k.listing_id FROM unnest(cast(:products AS uuid[])) AS p (id)
        JOIN links k ON k.account_id = :account AND k.product_id = p.id
        UNION
        SELECT k.listing_id FROM unnest(cast(:products AS uuid[])) AS p (id)
        JOIN set_parts sp ON sp.account_id = :account AND sp.part_id = p.id
        JOIN links k ON k.account_id = :account AND k.product_id = sp.set_id WHERE :sets),
    chosen AS (
        SELECT s.* FROM named n JOIN listing_sync s ON s.account_id = :account AND s.listing_id = n.listing_id)"""

ALL = "WITH chosen AS (SELECT * FROM listing_sync WHERE account_id = :account)"

STANDS = """
    stops AS MATERIALIZED (
        SELECT h.id AS shop_id, array_remove(ARRAY[
            CASE WHEN NOT a.sync_running THEN 'MASTER_STOPPED' END, CASE WHEN NOT h.in_use THEN 'SHOP_NOT_IN_USE' END,
            CASE WHEN NOT h.reflect_running THEN 'SHOP_REFLECT_STOPPED' END,
            CASE WHEN h.state IN ('HALTED', 'PROBING') THEN 'SHOP_HALTED' END], NULL) AS reasons,
            EXISTS (SELECT FROM shop_walks w WHERE w.account_id = :account AND w.shop_id = h.id) AS is_walked
        FROM shops h JOIN accounts a ON a.id = :account WHERE h.account_id = :account),
    stands AS (
        SELECT c.listing_id, c.shop_id, c.base, c.expected, CASE WHEN h.is_walked
            THEN h.reasons || array_remove(array_remove(array_remove(array_remove(
                c.not_pushed, 'MASTER_STOPPED'), 'SHOP_NOT_IN_USE'), 'SHOP_REFLECT_STOPPED'), 'SHOP_HALTED')
            ELSE c.not_pushed END AS not_pushed
        FROM chosen c JOIN stops h ON h.shop_id = c.shop_id)"""
"""Why each listing is not pushed. While its shop is walked through, its row may tell of an earlier state of the shop."""

WEIGHED = """CHOSEN, STANDS,
    told AS (
        SELECT s.listing_id, s.shop_id, s.base, s.expected,
            CASE WHEN :cut THEN NOT 'UNLINKED' = ANY (s.not_pushed)
                ELSE s.expected IS NOT NULL AND array_remove(array_remove(s.not_pushed, cast(:lifted AS text)),
                    CASE WHEN :asked THEN 'CHANGED_AT_MALL' END) = '{}' END AS goes
        FROM stands s
        WHERE (cast(:shops AS uuid[]) IS NULL OR s.shop_id = ANY (:shops))
            AND (cast(:lifted AS text) IS NULL OR :lifted = ANY (s.not_pushed))
            AND NOT EXISTS (SELECT FROM listings l
                WHERE l.account_id = :account AND l.id = s.listing_id AND l.deleted_at IS NOT NULL)),
    weighed AS (
        SELECT *, goes AND (:cut OR base IS DISTINCT FROM expected) AS changes,
            NOT :cut AND goes AND expected = 0 AND base IS DISTINCT FROM 0 AS to_zero,
            CASE WHEN goes AND NOT :cut THEN expected - base END AS rise
        FROM told)
"""

NEVER_COUNTED = """(SELECT p.kind = 'SINGLE' AND p.stock_version = 0 OR EXISTS (
            SELECT 1 FROM set_parts sp JOIN products part ON part.account_id = sp.account_id AND part.id = sp.part_id
            WHERE sp.account_id = :account AND sp.set_id = p.id AND part.managed AND part.stock_version = 0)
        FROM links k JOIN products p ON p.account_id = :account AND p.id = k.product_id
        WHERE k.account_id = :account AND k.listing_id = w.listing_id)"""

COUNTS = """WEIGHED
    SELECT w.shop_id, count(*) AS listings, count(*) FILTER (WHERE NOT w.goes) AS held,
        count(*) FILTER (WHERE w.changes) AS changed, count(*) FILTER (WHERE w.to_zero) AS to_zero,
        count(*) FILTER (WHERE CASE WHEN w.to_zero THEN NEVER_COUNTED END) AS never_counted,
        count(*) FILTER (WHERE w.rise > 0) AS rising, count(*) FILTER (WHERE w.rise < 0) AS falling,
        greatest(max(w.rise), 0) AS biggest_rise, greatest(max(-w.rise), 0) AS biggest_fall,
        NOT :cut AND bool_or(w.goes) AND NOT h.orders_running AS orders_off
    FROM weighed w JOIN shops h ON h.account_id = :account AND h.id = w.shop_id
    GROUP BY w.shop_id, h.orders_running ORDER BY w.shop_id
"""

SAMPLE = """WEIGHED
    SELECT w.listing_id, w.base AS shown, CASE WHEN NOT :cut THEN w.expected END AS to_show
    FROM weighed w WHERE w.changes
    ORDER BY w.to_zero DESC, abs(w.expected - w.base) DESC NULLS LAST, w.listing_id LIMIT :lines
"""


def _of_named_and_of_all(statement: str) -> Mapping[bool, TextClause]:
    """The statement of listings that are named, and of all that there are."""
    whole = statement.replace("WEIGHED", WEIGHED).replace("NEVER_COUNTED", NEVER_COUNTED)
    whole = whole.replace("STANDS", STANDS)
    return {True: text(whole.replace("CHOSEN", NAMED)), False: text(whole.replace("CHOSEN", ALL))}


COUNTS_OF = _of_named_and_of_all(COUNTS)
SAMPLE_OF = _of_named_and_of_all(SAMPLE)

FREED = text(
    """
    SELECT k.listing_id FROM links k
    JOIN listings l ON l.account_id = :account AND l.id = k.listing_id
    WHERE k.account_id = :account AND k.state = 'CONFLICT' AND k.listing_id <> ALL (:listings)
        AND (k.product_id, l.shop_id) IN (SELECT c.product_id, cl.shop_id FROM unnest(cast(:listings AS uuid[])) AS n (id)
            JOIN links c ON c.account_id = :account AND c.listing_id = n.id
            JOIN listings cl ON cl.account_id = :account AND cl.id = n.id)
        AND (SELECT count(*) FROM links o JOIN listings ol ON ol.account_id = :account AND ol.id = o.listing_id
            WHERE o.account_id = :account AND o.product_id = k.product_id AND ol.shop_id = l.shop_id
                AND NOT o.copy_page AND o.listing_id <> ALL (:listings)) <= 1
    """
)

LIMITS = text("SELECT confirm_to_zero, confirm_changed FROM accounts WHERE id = :account")


async def counts(tx: Tx, scope: Scope) -> list[ShopPreview]:
    """Shops in which some listing is meant, by id."""
    rows = await tx.execute(COUNTS_OF[_named(scope)], _values(tx, scope))
    return [ShopPreview(**row._mapping) for row in rows]


async def sample(tx: Tx, scope: Scope) -> list[PreviewLine]:
    """What goes to zero first, then what changes most."""
    values = {**_values(tx, scope), "lines": MOST_LINES}
    return [
        PreviewLine(**row._mapping) for row in await tx.execute(SAMPLE_OF[_named(scope)], values)
    ]


async def freed(tx: Tx, listing_ids: Sequence[UUID]) -> list[UUID]:
    """Listings that nothing contradicts any more once these are off their products."""
    values = {"account": tx.account_id, "listings": list(listing_ids)}
    return list((await tx.execute(FREED, values)).scalars())


async def limits(tx: Tx) -> Limits:
    """What the account is not asked about."""
    row = (await tx.execute(LIMITS, {"account": tx.account_id})).one()
    return Limits(row.confirm_to_zero, row.confirm_changed)


def _named(scope: Scope) -> bool:
    return bool(scope.listings or scope.products)


def _values(tx: Tx, scope: Scope) -> Mapping[str, Any]:
    named = {
        "listings": list(scope.listings),
        "products": list(scope.products),
        "sets": scope.sets,
    }
    return {
        "account": tx.account_id,
        "shops": None if scope.shops is None else list(scope.shops),
        "lifted": scope.lifted,
        "cut": scope.cut,
        "asked": scope.asked,
        **(named if _named(scope) else {}),
    }
