"""Who holds a token: a program with one of its own, or a person who is signed in; and what they may do by now."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from domain.model.actors import Actor, ActorKind
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services.secret_words import hash_of
from domain.store import sessions, tokens
from domain.store.database import Database
from domain.store.sessions import LivingSession
from domain.store.tokens import LivingToken

TOKEN_PREFIX = "rk_"
SESSION_PREFIX = "rs_"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who asks, in which account, what they may do there, and the language they chose. `session`: a person's."""

    account_id: UUID
    actor: Actor
    permissions: frozenset[Permission]
    locale: Locale | None = None
    session: UUID | None = None


async def authenticate(db: Database, token: str) -> Authenticated | None:
    """Who holds it; None where nobody does, or it was revoked or is over. Its use is noted."""
    living, unnoted = await _living(db, [token])
    await note_use(db, unnoted)
    return living.get(token)


async def still_allowed(db: Database, held: Collection[str]) -> dict[str, Authenticated]:
    """Those of these tokens that live, with what each may do now; their use is not noted."""
    living, _ = await _living(db, held)
    return living


async def note_use(db: Database, held: Collection[str]) -> None:
    """That these are in use, of each at most once a minute."""
    if not held:
        return
    async with db.connection() as connection:
        await tokens.used(connection, [hash_of(token) for token in held])


async def _living(
    db: Database, held: Collection[str]
) -> tuple[dict[str, Authenticated], list[str]]:
    """Whose they are, and those whose use is not noted yet."""
    hashes = {hash_of(token): token for token in held}
    people = [hashed for hashed, token in hashes.items() if token.startswith(SESSION_PREFIX)]
    programs = [hashed for hashed, token in hashes.items() if token.startswith(TOKEN_PREFIX)]
    found: dict[bytes, LivingSession | LivingToken] = {}
    async with db.connection() as connection:
        found |= await sessions.find(connection, people) if people else {}
        found |= await tokens.find(connection, programs) if programs else {}
    living = {hashes[hashed]: _authenticated(each) for hashed, each in found.items()}
    return living, [hashes[hashed] for hashed, each in found.items() if each.unnoted]


def _authenticated(living: LivingSession | LivingToken) -> Authenticated:
    match living:
        case LivingSession():
            actor = Actor(ActorKind.USER, living.name, living.user_id)
            may = PERMISSIONS[living.role]
            return Authenticated(living.account_id, actor, may, living.locale, living.session_id)
        case LivingToken(role=None):
            may = frozenset(map(Permission, living.scopes))
        case LivingToken(role=str(role)):
            may = PERMISSIONS[Role(role)]
    actor = Actor(ActorKind.TOKEN, living.name, living.token_id)
    return Authenticated(living.account_id, actor, may)
