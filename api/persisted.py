"""Documents that a request names instead of sending them.

| A request brings | It means |
| --- | --- |
| `documentId` | a trusted document by the id of its manifest, or `sha256:` and the hash of any that is known |
| `extensions.persistedQuery` | the same by Apollo's protocol: the hash alone, or with the document that is to be kept |
| `query` alone | the document itself |

Documents that clients bring themselves are kept for their account alone (domain/store/documents.py). Where only trusted
documents are executed, nothing is kept, and a document that is sent whole must be one of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from api.context import Viewer
from api.errors import PERSISTED_QUERY_NOT_FOUND, Code, Refused, refused
from api.recent import Recent
from api.requests import Request
from api.trusted import Trusted, hash_of
from domain.store import documents
from domain.store.database import Database

MOST_REMEMBERED = 400
REMEMBERED_SECONDS = 3_600.0
"""So long a process knows a document without noting that it is used."""

SHA256 = "sha256:"


@dataclass(frozen=True, slots=True)
class Remembered:
    document: str
    until: float


class Persisted:
    """One serves a process. `clock`: seconds that only grow."""

    def __init__(
        self, db: Database, trusted: Trusted, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._trusted = trusted
        self._clock = clock
        self._remembered: Recent[Remembered] = Recent(MOST_REMEMBERED)

    async def spelled(self, request: Request, viewer: Viewer) -> Request:
        """With the document that it names. Raises Refused."""
        if request.query:
            self._check(request)
            return request
        name = request.document_id or request.hash or ""
        document = await self._named(name.removeprefix(SHA256), viewer.account_id)
        if document is None:
            raise _unknown(request)
        return replace(request, query=document)

    async def keep(self, request: Request, viewer: Viewer) -> None:
        """What was sent along with its hash, and has been found to be a document of this schema."""
        if not request.query or request.hash is None or self._trusted.alone:
            return
        if await self._named(request.hash, viewer.account_id) is None:
            async with self._db.transaction(viewer.account_id) as tx:
                await documents.keep(tx, bytes.fromhex(request.hash), request.query)
            self._remember(request.hash, viewer.account_id, request.query)

    def _check(self, request: Request) -> None:
        if request.hash is None and not self._trusted.alone:
            return
        hashed = hash_of(request.query)
        if request.hash not in (None, hashed):
            raise refused(
                Code.PERSISTED_QUERY_MISMATCH,
                f"sha256Hash is not that of query, which is {hashed}. Hash its text in UTF-8 as it is sent.",
            )
        if self._trusted.alone and hashed not in self._trusted.documents:
            raise _untrusted()

    async def _named(self, name: str, account_id: UUID) -> str | None:
        trusted = self._trusted.documents.get(name)
        if trusted is not None or self._trusted.alone or not _is_hash(name):
            return trusted
        remembered = self._remembered.get((account_id, name))
        if remembered is not None and remembered.until > self._clock():
            return remembered.document
        async with self._db.transaction(account_id) as tx:
            kept = await documents.find(tx, bytes.fromhex(name))
        return kept and self._remember(name, account_id, kept)

    def _remember(self, name: str, account_id: UUID, document: str) -> str:
        until = self._clock() + REMEMBERED_SECONDS
        return self._remembered.keep((account_id, name), Remembered(document, until)).document


def _is_hash(name: str) -> bool:
    return len(name) == 64 and all(digit in "0123456789abcdef" for digit in name)


def _unknown(request: Request) -> Refused:
    if request.document_id is None:
        return refused(Code.PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_FOUND)
    return refused(
        Code.DOCUMENT_NOT_FOUND, "No document of this id is known here: send the document itself."
    )


def _untrusted() -> Refused:
    return refused(
        Code.DOCUMENT_NOT_TRUSTED,
        "This API executes the documents that its own frontends were built with, and no others.",
    )
