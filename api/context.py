"""What a resolver is given: who asks, the database, the time."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLResolveInfo

from api.feed import Feed
from domain.model.actors import Actor
from domain.model.clocks import Now, own_time
from domain.model.confirmations import Confirmer
from domain.model.fingerprints import Fingerprints
from domain.model.locales import Locale
from domain.model.mall_hosts import OWN_HOSTS, MallHosts
from domain.model.malls import MallKind
from domain.model.roles import Permission
from domain.services.credentials import Vault
from domain.store.database import Database


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `permissions` is what they may do, by role or by the scopes of their token."""

    account_id: UUID
    permissions: frozenset[Permission]
    locale: Locale
    actor: Actor


@dataclass(frozen=True, slots=True)
class Connecting:
    """What shops are connected with: where their secrets are sealed, the address at which malls send a seller's browser
    back, the origins to which it may go on, and where their addresses may lead."""

    vault: Vault
    public_url: str
    origins: tuple[str, ...]
    hosts: MallHosts = OWN_HOSTS

    def way_back(self, mall: MallKind) -> str:
        """Where the mall's page of consent returns to (see api/connect.py)."""
        return f"{self.public_url.rstrip('/')}/connect/{mall.value.lower()}"


@dataclass(slots=True)
class Context:
    """`pending`: rows that resolvers asked for in this turn of the loop (see api/load.py).

    `feed`: what a subscription follows; None where none can be begun. `connecting`: None where no shop can be connected.
    `confirmer`: None where nothing can be confirmed.
    """

    db: Database
    viewer: Viewer
    now: Now = own_time
    pending: dict[tuple[int, ...], Any] = field(default_factory=dict)
    feed: Feed | None = None
    connecting: Connecting | None = None
    confirmer: Confirmer | None = None
    fingerprints: Fingerprints = field(default_factory=Fingerprints.of_this_process)


Info = strawberry.Info[Context, None]
ResolveInfo = GraphQLResolveInfo[Context]
