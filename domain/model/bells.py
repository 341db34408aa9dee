"""Bells: what is said, after a commit, to whoever may have work by it. A lost bell costs a poll, never a fact."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Bell:
    """Look here: a shop, or a job, of an account has work of this kind."""

    account_id: UUID
    place_id: UUID
    work: str
