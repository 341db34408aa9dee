"""What callers of the API may still ask for: leaky buckets in `rate_buckets` that every process draws from.

A process draws more than it needs, spends that by itself, and puts back what is left with its next draw: one statement
for many requests. The emptier the bucket, the smaller the slice that one process takes.
"""

from dataclasses import dataclass

from sqlalchemy import text

from domain.store.database import Database
from domain.store.haste import HURRIES

DRAW = text(
    f"""
    INSERT INTO rate_buckets AS b (key, tokens, updated_at)
    VALUES (:key, cast(:budget AS float) - cast(:need AS float)
        - least(cast(:slice AS float), (cast(:budget AS float) - cast(:need AS float)) / 4), statement_timestamp())
    ON CONFLICT (key) DO UPDATE SET (tokens, updated_at) = (
        SELECT f.filled - CASE WHEN f.filled >= cast(:need AS float)
                THEN cast(:need AS float) + least(cast(:slice AS float), (f.filled - cast(:need AS float)) / 4) ELSE 0 END,
            greatest(b.updated_at, statement_timestamp())
        FROM (SELECT least(cast(:budget AS float), b.tokens + cast(:returned AS float) + cast(:restored AS float)
            * greatest(0, extract(epoch FROM statement_timestamp() - b.updated_at))) AS filled) AS f)
    RETURNING new.tokens AS rest, least(cast(:budget AS float), coalesce(old.tokens + cast(:returned AS float)
        + cast(:restored AS float) * greatest(0, extract(epoch FROM statement_timestamp() - old.updated_at)),
        cast(:budget AS float))) - new.tokens AS drawn, {HURRIES}
    """  # noqa: S608  constants
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """`points`: 0 when the bucket did not hold what was needed. `rest`: what it holds now; below 0 where answers were dearer
    than was thought."""

    points: float
    rest: float


async def draw(
    db: Database,
    key: str,
    *,
    need: float,
    extra: float,
    returned: float,
    budget: int,
    restored: int,
) -> Drawn:
    """`need` and up to `extra` beyond it, or nothing; what is `returned` (a debt, below 0) is put in before.

    `budget`: the most that the bucket holds, at least `need`. `restored`: points a second.
    """
    async with db.connection() as connection:
        row = (
            await connection.execute(
                DRAW,
                {
                    "key": key,
                    "need": need,
                    "slice": extra,
                    "returned": returned,
                    "budget": budget,
                    "restored": restored,
                },
            )
        ).one()
    return Drawn(float(row.drawn), float(row.rest))
