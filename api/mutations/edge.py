"""The edge of every mutation: its field in the schema, its one transaction, and the ids that it was given.

A mutation is a function of a transaction, the context and its input, which answers a payload. It may be called again
where the database asks for it. What the rules refuse becomes a payload of nothing but `userErrors`, and nothing moved.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from inspect import Parameter, Signature, get_annotations
from types import MappingProxyType
from typing import Any
from uuid import UUID

import strawberry

from api.context import Context, Info
from api.fields import Requires, argument
from api.mutations.repeats import SECRET, asked_for, read, written
from api.nodes import BadId, read_id
from api.previews import shown
from api.selection import MOST_ITEMS, forbidden
from api.user_errors import UserError, user_error
from domain.model.errors import DomainError
from domain.model.locales import Locale
from domain.model.roles import Permission
from domain.services.confirmations import Unconfirmed
from domain.services.edits import Refused, not_found
from domain.services.idempotency import once
from domain.store.database import Tx
from domain.store.idempotency import Scope

Work = Callable[[Tx, Context, Any], Awaitable[Any]]

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "Product": "product",
        "Listing": "listing",
        "Shop": "shop",
        "SyncError": "error",
        "ProductGroup": "group",
        "User": "person",
        "ApiToken": "token",
        "Job": "job",
        "CodeMapping": "line",
        "FullSyncSchedule": "schedule",
    }
)


def mutation(work: Work, description: str, *, requires: Permission, repeats: bool = False) -> Any:
    """A field that does `work`; null for those who lack the right.

    `repeats`: a request that comes again with its idempotencyKey is done again; its answer is too secret to be kept.
    """
    kinds = get_annotations(work, eval_str=True)
    payload = kinds["return"]

    async def resolve(info: Info, input: Any) -> Any:
        context = info.context
        _check_sends(info, input)

        async def done(tx: Tx) -> Any:
            key = said(input.idempotency_key)
            if key is None or repeats:
                return await work(tx, context, input)
            scope = Scope(caller(context), info.field_name, key)
            return await _once(tx, context, scope, input, work, payload)

        try:
            return await context.db.run(context.viewer.account_id, done)
        except Unconfirmed as error:
            return payload(preview=shown(error.offer), user_errors=[_told(error, context)])
        except DomainError as error:
            return payload(user_errors=[_told(error, context)])

    accepted = argument(kinds["input"], "What is meant.")
    _say(resolve, accepted.replace(name="input"), payload | None)
    return strawberry.mutation(
        resolver=resolve, description=description, directives=(Requires(permission=requires),)
    )


def _check_sends(info: Info, input: Any) -> None:
    """Whoever may change a number may not send it for that. Raises GraphQLError FORBIDDEN."""
    sends = getattr(input, "reflect", None) is True
    if sends and Permission.REFLECT not in info.context.viewer.permissions:
        raise forbidden(Permission.REFLECT, info._raw_info.field_nodes[0])


def _told(error: DomainError, context: Context) -> UserError:
    return user_error(error, context.viewer.locale)


async def _once(
    tx: Tx, context: Context, scope: Scope, input: Any, work: Work, payload: Any
) -> Any:
    """The first answer itself, or what was kept of it: secrets that are shown once are not."""
    first: list[Any] = []

    async def act() -> Any:
        first.append(await work(tx, context, input))
        return written(first[0])

    asked = context.fingerprints.of(asked_for(input))
    kept = await once(tx, scope, asked, act, now=context.now())
    return first[0] if first else read(payload, kept)


def caller(context: Context) -> str:
    """The person or token that asks, as a word."""
    actor = context.viewer.actor
    return f"{actor.kind.value}:{actor.id}"


def _say(resolve: Callable[..., Any], accepted: Parameter, answer: Any) -> None:
    """What Strawberry reads a resolver's argument and type from."""
    info = accepted.replace(name="info", annotation=Info)
    resolve.__signature__ = Signature([info, accepted], return_annotation=answer)  # type: ignore[attr-defined]
    resolve.__annotations__ = {"info": Info, "input": accepted.annotation, "return": answer}


def user_errors() -> Any:
    """The field of every payload."""
    return strawberry.field(
        default_factory=list, description="What the caller can mend; empty: all is done."
    )


def answered(description: str) -> Any:
    """A field of a payload that a refusal leaves empty."""
    return strawberry.field(default=None, description=description)


def answered_once(description: str) -> Any:
    """A secret of a payload: shown this once, never kept; a repeated request is answered null."""
    return strawberry.field(default=None, description=description, metadata={SECRET: True})


def answered_list(description: str) -> Any:
    return strawberry.field(default_factory=list, description=description)


def said(value: Any) -> Any:
    """What an optional field of an input says; None where it was left out."""
    return None if value is strawberry.UNSET else value


def given(input: Any, *names: str) -> dict[str, Any]:
    """The fields of these names that were not left out, null among them."""
    values = {name: getattr(input, name) for name in names}
    return {name: value for name, value in values.items() if value is not strawberry.UNSET}


def row_id(asked: strawberry.ID, model: str, *field: str) -> UUID:
    """Raises DomainError NOT_FOUND: what is no id of this kind names nothing that there is."""
    try:
        return read_id(asked, model).id
    except BadId as error:
        raise not_found(WORDS[model], *field) from error


def named(asked: strawberry.ID | None, model: str, *field: str) -> UUID | None:
    """The row of an id that may be left out. Raises DomainError NOT_FOUND."""
    told = said(asked)
    return None if told is None else row_id(told, model, *field)


def row_ids(asked: Sequence[strawberry.ID], model: str, *field: str) -> list[UUID]:
    """Raises DomainError NOT_FOUND or TOO_MANY."""
    check_count(asked, *field)
    return [row_id(each, model, *field, str(place)) for place, each in enumerate(asked)]


def check_count(asked: Sequence[Any], *field: str, most: int = MOST_ITEMS) -> None:
    """Raises DomainError TOO_MANY."""
    if len(asked) > most:
        raise DomainError(
            f"At most {most} at once: send the rest in further requests.",
            code="TOO_MANY",
            field=field,
            most=most,
            count=len(asked),
        )


def at(error: DomainError, *field: str) -> DomainError:
    """The same error at its place in the input."""
    return DomainError(error.message, code=error.code, field=field, **error.params)


def refusals(
    refused: Iterable[Refused], asked: Sequence[UUID], locale: Locale, *field: str
) -> list[UserError]:
    """Those of many targets that the rules refuse, each at its place below `field`."""
    return [
        user_error(at(each.error, *field, str(asked.index(each.target_id))), locale)
        for each in refused
    ]
