"""Automatic persisted operations: documents that clients of the account have sent before, by their SHA-256."""

from sqlalchemy import text

from domain.store.database import Tx

MOST_DOCUMENTS = 1_000
"""Of an account; what was not asked for longest is forgotten first."""

FIND = text(
    """
    UPDATE documents SET used_at = clock_timestamp() WHERE account_id = :account AND hash = :hash RETURNING document
    """
)

KEEP = text(
    """
    WITH forgotten AS (
        DELETE FROM documents WHERE account_id = :account AND hash IN (
            SELECT hash FROM documents WHERE account_id = :account AND hash <> :hash
            ORDER BY used_at DESC, hash OFFSET :others FOR UPDATE SKIP LOCKED))
    INSERT INTO documents (account_id, hash, document) VALUES (:account, :hash, :document)
    ON CONFLICT (account_id, hash) DO UPDATE SET used_at = clock_timestamp()
    """
)


async def find(tx: Tx, hash: bytes) -> str | None:
    """The document, which counts as used now."""
    found: str | None = await tx.scalar(FIND, {"account": tx.account_id, "hash": hash})
    return found


async def keep(tx: Tx, hash: bytes, document: str, most: int = MOST_DOCUMENTS) -> None:
    """`hash`: the SHA-256 of `document`, in UTF-8."""
    given = {"account": tx.account_id, "hash": hash, "document": document, "others": most - 1}
    await tx.execute(KEEP, given)
