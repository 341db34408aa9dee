"""What a caller is told when something is wrong: a stable code, a sentence, and nothing that is not theirs to know.

* Refused          a request that cannot begin: malformed, unknown caller, not a document of this schema
* GraphQLError     a field that could not be answered; the rest of the answer stands

What is our own fault is answered with an id, under which the log holds the rest.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError, Node
from strawberry.utils.str_converters import to_camel_case

from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.messages import message
from domain.store.outages import out_of_reach

log = structlog.get_logger(__name__)


class Code(StrEnum):
    """`extensions.code` of what is refused as a whole, or of a field that cannot be read; see api/error_codes.py."""

    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    INVITATION_OVER = "INVITATION_OVER"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY_OPERATIONS = "TOO_MANY_OPERATIONS"
    TOO_DEEP = "TOO_DEEP"
    TOO_COMPLEX = "TOO_COMPLEX"
    TOO_MANY_ALIASES = "TOO_MANY_ALIASES"
    TOO_MANY_ROOT_FIELDS = "TOO_MANY_ROOT_FIELDS"
    TOO_MANY_DIRECTIVES = "TOO_MANY_DIRECTIVES"
    TOO_MANY_FRAGMENTS = "TOO_MANY_FRAGMENTS"
    TOO_MANY_VARIABLES = "TOO_MANY_VARIABLES"
    VARIABLES_TOO_LARGE = "VARIABLES_TOO_LARGE"
    TOO_EXPENSIVE = "TOO_EXPENSIVE"
    THROTTLED = "THROTTLED"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    INTROSPECTION_OFF = "INTROSPECTION_OFF"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_MISMATCH = "PERSISTED_QUERY_MISMATCH"
    DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    SUBSCRIPTION_NEEDS_SOCKET = "SUBSCRIPTION_NEEDS_SOCKET"
    BAD_ID = "BAD_ID"
    BAD_PAGE = "BAD_PAGE"
    BAD_CURSOR = "BAD_CURSOR"
    EVENT_CURSOR_EXPIRED = "EVENT_CURSOR_EXPIRED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


AS_THEY_ARE = frozenset({Code.UNAVAILABLE, Code.INTERNAL, Code.PERSISTED_QUERY_NOT_FOUND})
"""Their sentences are whole in each language."""

PERSISTED_QUERY_NOT_FOUND = "PersistedQueryNotFound"
"""A word of Apollo's protocol, by which clients know that they are to send the document."""

SENTENCES: Mapping[tuple[Code, Locale], str] = MappingProxyType(
    {
        (Code.PERSISTED_QUERY_NOT_FOUND, Locale.EN): PERSISTED_QUERY_NOT_FOUND,
        (Code.PERSISTED_QUERY_NOT_FOUND, Locale.JA): PERSISTED_QUERY_NOT_FOUND,
        (
            Code.INTERNAL,
            Locale.EN,
        ): "Something went wrong on our side. Quote {id} when you report it.",
        (
            Code.INTERNAL,
            Locale.JA,
        ): "サーバー側で問題が起きました。お問い合わせの際は {id} をお伝えください。",
        (
            Code.UNAVAILABLE,
            Locale.EN,
        ): "The database cannot be reached. Try again in a moment ({id}).",
        (
            Code.UNAVAILABLE,
            Locale.JA,
        ): "データベースに接続できません。しばらくしてからもう一度お試しください（{id}）。",
    }
)


class Refused(Exception):
    """The request is answered with `errors` alone. `status`: what HTTP says of it. `extensions`: of the whole answer."""

    def __init__(
        self,
        errors: Sequence[GraphQLError],
        status: int = 400,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.status = status
        self.headers = headers
        self.extensions: Mapping[str, Any] = {}


def refused(code: Code, message: str, status: int = 400, **headers: str) -> Refused:
    """One error; header names as keywords, `WWW_Authenticate="Bearer"`."""
    error = GraphQLError(message, extensions={"code": code.value})
    return Refused([error], status, _named(headers))


def refused_by(rule: DomainError, status: int = 400, **headers: str) -> Refused:
    """What a rule of the domain refuses as a whole."""
    return Refused([of_rule(rule)], status, _named(headers))


def _named(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def of_rule(rule: DomainError, node: Node | None = None) -> GraphQLError:
    """What a rule refuses; it is said in its reader's language when it is shown."""
    return GraphQLError(rule.message, node, original_error=rule, extensions=_facts(rule))


def _facts(rule: DomainError) -> dict[str, Any]:
    params = {to_camel_case(name): value for name, value in rule.params.items()}
    return {"code": rule.code, "params": params}


def coded(code: Code, errors: Sequence[GraphQLError]) -> list[GraphQLError]:
    """Errors of the library with the code of the step that found them."""
    for error in errors:
        error.extensions = {"code": code.value, **(error.extensions or {})}
    return list(errors)


def failure(error: BaseException, locale: Locale) -> Refused:
    """Our own failure: logged under the id that the caller is told."""
    shown = _own_fault(error, locale)
    return Refused([shown], 503 if code_of(shown) == Code.UNAVAILABLE else 500)


def shown(error: GraphQLError, locale: Locale) -> Mapping[str, Any]:
    """One entry of `errors`."""
    return said(error, locale).formatted


def code_of(error: GraphQLError) -> str:
    return str((error.extensions or {}).get("code", ""))


def said(
    error: GraphQLError, locale: Locale, path: Sequence[str | int] | None = None
) -> GraphQLError:
    """With its code, in this language, and nothing that is not the caller's to know. `path`: where its own says none."""
    at = error.path or (list(path) if path else None)
    rule = _rule_of(error)
    if rule is not None:
        return GraphQLError(message(rule, locale), error.nodes, path=at, extensions=_facts(rule))
    if not code_of(error):
        match error.original_error:
            case None | GraphQLError():
                coded(Code.BAD_USER_INPUT, [error])
            case original:
                return _own_fault(original, locale, error)
    words = _explained(code_of(error), error.message, locale)
    return GraphQLError(
        words, error.nodes, error.source, error.positions, at, extensions=error.extensions
    )


def _explained(code: str, detail: str, locale: Locale) -> str:
    """Details are said in English alone: before them stands what is wrong, in the reader's language."""
    if locale is Locale.EN or code in AS_THEY_ARE:
        return detail
    words = message(DomainError(detail, code=code), locale)
    return detail if words == detail else f"{words}（{detail}）"


def _rule_of(error: GraphQLError) -> DomainError | None:
    """What graphql-core put an error around, once or twice."""
    origin: Exception | None = error
    while isinstance(origin, GraphQLError):
        origin = origin.original_error
    return origin if isinstance(origin, DomainError) else None


def _own_fault(
    error: BaseException, locale: Locale, at: GraphQLError | None = None
) -> GraphQLError:
    incident = uuid4().hex[:12]
    code = Code.UNAVAILABLE if out_of_reach(error) else Code.INTERNAL
    path = at.path if at else None
    traced = {"exc_info": error} if code is Code.INTERNAL else {"error": type(error).__name__}
    log.error("request_failed", id=incident, code=code.value, path=path, **traced)
    return GraphQLError(
        SENTENCES[code, locale].format(id=incident),
        at.nodes if at else None,
        path=path,
        extensions={"code": code.value, "id": incident},
    )
