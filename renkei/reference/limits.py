"""限度 How much may be asked for at once, in the numbers that the code holds."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from api import following, partner, requests, session, sign_in
from api import limits as documents
from api.app import PATIENCE, ROOM
from api.errors import Code
from api.events.filters import MOST_FILTERED
from api.mutations.selecting import MOST_EXCEPTED
from api.selection import MOST_ITEMS
from domain.model.jobs import AT_ONCE
from domain.model.sets import MOST_PARTS
from domain.model.stock import MOST_UNITS
from domain.services import sessions
from domain.services.attempts import PERSON, PERSON_EVERYWHERE, SOURCE, Allowance
from domain.services.idempotency import MOST_CHARACTERS as KEY_CHARACTERS
from domain.services.large_jobs import MOST_OPEN
from domain.services.selections import MOST_TARGETS
from domain.settings import Settings
from domain.store.documents import MOST_DOCUMENTS
from domain.store.reads import MOST_ROWS
from renkei.reference.markdown import table, word

SET = {each.name: each.default for each in fields(Settings)}
TOO_MANY, INVALID_VALUE = "TOO_MANY", "INVALID_VALUE"


def limits() -> str:
    """What a deployment may set otherwise stands there as it is when it does not."""
    parts = (
        _of_requests(),
        _of_documents(),
        _of_lists(),
        _of_changes(),
        _of_sockets(),
        _of_people(),
    )
    rows = [_shown(*row) for part in parts for row in part]
    return table(["What", "At most", "Beyond it"], rows)


Row = tuple[str, Any, str]


def _shown(what: str, most: Any, beyond: str) -> list[str]:
    """Codes are in capitals, all else is said in words."""
    number = f"{most:,}" if isinstance(most, int) else str(most)
    return [what, number, word(beyond) if beyond.isupper() else beyond]


def _of_requests() -> Iterator[Row]:
    yield "bytes of a request", requests.MOST_BYTES, Code.TOO_LARGE
    yield "bytes of a message on a socket", requests.MOST_BYTES, "the socket closes with 1009"
    yield "bytes of a request to `/auth/…`", sign_in.MOST_BYTES, Code.TOO_LARGE
    yield "points of one operation (`RENKEI_COST_MAXIMUM`)", SET["cost_maximum"], Code.TOO_EXPENSIVE
    yield "points of a caller at once (`RENKEI_COST_BUDGET`)", SET["cost_budget"], Code.THROTTLED
    yield "points restored a second (`RENKEI_COST_RESTORE`)", SET["cost_restore"], Code.THROTTLED


def _of_documents() -> Iterator[Row]:
    yield "characters of a document", documents.SOURCE_CHARACTERS, Code.GRAPHQL_PARSE_FAILED
    yield "tokens of a document", documents.TOKENS, Code.GRAPHQL_PARSE_FAILED
    yield "levels of selections", documents.DEPTH, Code.TOO_DEEP
    yield "selections, fragments unfolded", documents.SELECTIONS, Code.TOO_COMPLEX
    yield "one response key at one level", documents.REPEATS, Code.TOO_COMPLEX
    yield "aliases, fragments unfolded", documents.ALIASES, Code.TOO_MANY_ALIASES
    yield "root fields of a query", documents.ROOT_FIELDS, Code.TOO_MANY_ROOT_FIELDS
    yield "root fields of a mutation", documents.ROOT_MUTATIONS, Code.TOO_MANY_ROOT_FIELDS
    yield "directives, fragments unfolded", documents.DIRECTIVES, Code.TOO_MANY_DIRECTIVES
    yield "fragments", documents.FRAGMENTS, Code.TOO_MANY_FRAGMENTS
    yield "variables", documents.VARIABLES, Code.TOO_MANY_VARIABLES
    yield "values in the variables, however deep", documents.VALUES, Code.VARIABLES_TOO_LARGE
    yield "characters of one text in them", documents.TEXT_CHARACTERS, Code.VARIABLES_TOO_LARGE
    yield (
        "automatic persisted documents of an account",
        MOST_DOCUMENTS,
        "the one not used longest is forgotten",
    )


def _of_lists() -> Iterator[Row]:
    yield "rows of a page", MOST_ROWS, Code.BAD_PAGE
    yield "ids or values in one argument, filter or input list", MOST_ITEMS, TOO_MANY
    yield "entries of a page of `stockChanges`", partner.MOST_ENTRIES, Code.BAD_PAGE


def _of_changes() -> Iterator[Row]:
    yield "rows that a mutation changes at once", AT_ONCE, "it becomes a job"
    yield "large jobs of an account that wait or run", MOST_OPEN, TOO_MANY
    yield "rows that a filter of a selection may find", MOST_TARGETS, TOO_MANY
    yield "rows that a selection excepts", MOST_EXCEPTED, TOO_MANY
    yield "parts of a set", MOST_PARTS, TOO_MANY
    yield "a total", MOST_UNITS, INVALID_VALUE
    yield "characters of an `idempotencyKey`", KEY_CHARACTERS, INVALID_VALUE


def _of_sockets() -> Iterator[Row]:
    yield "operations on one socket at once", session.MOST_OPERATIONS, Code.TOO_MANY_OPERATIONS
    yield "operations of one token on all its sockets", ROOM.operations, Code.TOO_MANY_OPERATIONS
    yield "sockets of one token", ROOM.sockets, "the socket closes with 1013"
    yield (
        "messages that wait for a slow reader",
        session.MOST_WAITING,
        "the socket closes with 1013",
    )
    yield "ids in the filter of a subscription", MOST_FILTERED, TOO_MANY
    yield "events of a frame", following.MOST_EVENTS, "the next frame"
    yield "frames a second", round(1 / following.FRAME_SECONDS), "they are coalesced, or wait"
    yield "seconds until `connection_init`", round(PATIENCE.init), "the socket closes with 4408"
    yield "seconds without an operation", round(PATIENCE.idle), "the socket closes with 1000"


def _of_people() -> Iterator[Row]:
    yield "sessions of a person", sessions.MOST_SESSIONS, "the one not used longest ends"
    yield from _of_attempts()


def _of_attempts() -> Iterator[Row]:
    """A network is what one customer of a provider is given, see `attempts.network`."""
    counted = {
        "as a person from one network (an IPv4 address, a /64 of IPv6)": PERSON,
        "as a person from all networks together": PERSON_EVERYWHERE,
        "from one network as anybody": SOURCE,
    }
    for whose, allowed in counted.items():
        yield f"attempts to sign in {whose}", _attempts(allowed), Code.TOO_MANY_ATTEMPTS
    yield "attempts at one's own password, to change it", _attempts(PERSON), Code.TOO_MANY_ATTEMPTS


def _attempts(allowed: Allowance) -> str:
    return f"{allowed.at_once}, then one each {round(allowed.every.total_seconds())} s"
