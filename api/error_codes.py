"""Every code with which an error may be answered, in one enum of the schema: what it means, and what to do."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from api.errors import Code
from api.fields import described
from api.user_errors import UserErrorCode

MEANINGS: Mapping[Code, str] = MappingProxyType(
    {
        Code.BAD_REQUEST: "The request is not what GraphQL over HTTP or graphql-transport-ws asks for. Mend the client.",
        Code.BAD_USER_INPUT: "A variable or an argument has the wrong type. Mend the value.",
        Code.UNAUTHENTICATED: "No token or session, or one that does not live. Sign in again.",
        Code.FORBIDDEN: "The caller lacks the right `params.permission`. Ask an owner of the account.",
        Code.ORIGIN_NOT_ALLOWED: "A page of an origin that is not allowed came with a cookie, or to sign in.",
        Code.SIGN_IN_FAILED: "Account, mail address or password is not right.",
        Code.INVITATION_OVER: "The invitation was used, is over or was replaced. Ask an owner for another.",
        Code.TOO_MANY_ATTEMPTS: "Too many attempts to sign in. Try again after `params.seconds` seconds.",
        Code.NOT_FOUND: "It does not exist, was deleted, or is another account's.",
        Code.METHOD_NOT_ALLOWED: "This HTTP method does not do that: mutations are sent by POST.",
        Code.NOT_ACCEPTABLE: "None of the media types in Accept can be answered.",
        Code.UNSUPPORTED_MEDIA_TYPE: "A body that is not application/json in UTF-8.",
        Code.TOO_LARGE: "The body is too large. Send it in parts.",
        Code.TOO_MANY_OPERATIONS: "Too many operations run on this socket. Complete some, or open another.",
        Code.TOO_DEEP: "The document nests too deep.",
        Code.TOO_COMPLEX: "The document selects too much.",
        Code.TOO_MANY_ALIASES: "The document has too many aliases.",
        Code.TOO_MANY_ROOT_FIELDS: "The operation has too many fields at its root.",
        Code.TOO_MANY_DIRECTIVES: "The document has too many directives.",
        Code.TOO_MANY_FRAGMENTS: "The document has too many fragments.",
        Code.TOO_MANY_VARIABLES: "The operation declares too many variables.",
        Code.VARIABLES_TOO_LARGE: "The values of the variables are too many or too long. Send them in parts.",
        Code.TOO_EXPENSIVE: (
            "The operation costs `params.cost`, more than `params.maximum`. Ask for smaller pages or fewer levels."
        ),
        Code.THROTTLED: "The caller's budget has too little left. Try again after `params.retryAfter` seconds.",
        Code.GRAPHQL_PARSE_FAILED: "The document is not GraphQL.",
        Code.GRAPHQL_VALIDATION_FAILED: "The document does not fit the schema.",
        Code.OPERATION_RESOLUTION_FAILURE: "It is not clear which operation of the document is meant: send `operationName`.",
        Code.INTROSPECTION_OFF: "This API does not tell its schema. Use the file `schema.graphql`.",
        Code.PERSISTED_QUERY_NOT_FOUND: "No document of this hash is known here. Send it along with the hash.",
        Code.PERSISTED_QUERY_MISMATCH: "`sha256Hash` is not that of `query`. Hash the text as it is sent.",
        Code.DOCUMENT_NOT_FOUND: "No document of this `documentId` is known here. Send the document itself.",
        Code.DOCUMENT_NOT_TRUSTED: "Only the documents that our own frontends were built with are executed here.",
        Code.SUBSCRIPTION_NEEDS_SOCKET: "Subscriptions go over a WebSocket.",
        Code.BAD_ID: "This is no id of ours, or none of the kind that belongs here. Read the screen again.",
        Code.BAD_PAGE: "A page has 0 to 100 rows, and `first` or `last`, not both.",
        Code.BAD_CURSOR: "The cursor is not of this list in this order. Read from the beginning.",
        Code.EVENT_CURSOR_EXPIRED: "What happened after the cursor is no longer kept. Read the screen again, and follow from there.",
        Code.UNAVAILABLE: "We cannot answer just now. Try again in a moment.",
        Code.INTERNAL: "Our fault. Quote `extensions.id` when you report it.",
    }
)


def _meanings() -> dict[str, str]:
    definition: Any = UserErrorCode.__strawberry_definition__  # type: ignore[attr-defined]
    of_users = {each.name: each.description for each in definition.values}
    return {code.value: MEANINGS[code] for code in Code} | of_users


ErrorCode = StrEnum("ErrorCode", {name: name for name in _meanings()})  # type: ignore[misc]
described(
    ErrorCode,
    "Every code of an error: `extensions.code` of what is refused, and `code` of `userErrors`.",
    **_meanings(),
)
