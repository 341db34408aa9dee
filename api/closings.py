"""Why sockets end: what each close code means, and what a client does then."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from api.messages import Close


class Then(StrEnum):
    """RESUME: open another and subscribe after the last cursor. STOP: the same again would end the same."""

    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Closing:
    then: Then
    meaning: str


CLOSINGS: Mapping[Close, Closing] = MappingProxyType(
    {
        Close.NORMAL: Closing(
            Then.RESUME, "No operation ran for long. Open another when there is one."
        ),
        Close.TOO_BIG: Closing(Then.STOP, "A message was too big. Send less at once."),
        Close.TRY_AGAIN: Closing(
            Then.RESUME,
            "You read too slowly, too many sockets are open with the token, or the database cannot be reached: the reason "
            "says which.",
        ),
        Close.BAD_REQUEST: Closing(
            Then.STOP, "A message that the protocol does not know. Mend the client."
        ),
        Close.UNAUTHORIZED: Closing(
            Then.STOP, "`subscribe` came before `connection_ack`. Mend the client."
        ),
        Close.FORBIDDEN: Closing(
            Then.STOP,
            "No token, or one that does not live; its rights have changed; or a cookie came from a page that may not use it. "
            "Sign in again, then resume.",
        ),
        Close.SUBPROTOCOL_NOT_ACCEPTABLE: Closing(
            Then.STOP,
            "The subprotocol is not `graphql-transport-ws`. Browsers that asked for another see 1006 instead.",
        ),
        Close.INIT_TIMEOUT: Closing(
            Then.STOP, "No `connection_init` came in time. Send it when the socket opens."
        ),
        Close.SUBSCRIBER_EXISTS: Closing(
            Then.STOP, "The id of a `subscribe` is in use. Make a new one for each."
        ),
        Close.TOO_MANY_INITS: Closing(Then.STOP, "`connection_init` came twice. Mend the client."),
        Close.INTERNAL: Closing(Then.STOP, "Our fault. Quote the id in the reason."),
    }
)
