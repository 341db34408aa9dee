"""One operation from its request to its answer; the same way for HTTP and sockets.

Planned queries are one statement whose bytes are the answer (api/plan.py); all else is executed by graphql-core over the
same parsed, limited and validated document.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any

import orjson
import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
    execute,
)

from api.budgets import Budgets
from api.context import Connecting, Context, Viewer
from api.cost import LOOKING, NOTHING, Price, Prices, reading
from api.documents import Documents, operation_of
from api.errors import Refused, shown
from api.feed import Feed
from api.following import Following
from api.limits import check_variables
from api.persisted import Persisted
from api.plan import Answer, Planner
from api.requests import Request
from api.trusted import NOTHING_TRUSTED, Trusted, hash_of
from domain.model.clocks import Now, own_time
from domain.model.confirmations import Confirmer
from domain.model.fingerprints import Fingerprints
from domain.model.locales import Locale
from domain.store.database import Database

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """A request whose document is of this schema. `kind` says which transports may carry it, `price` what it may cost."""

    request: Request
    document: DocumentNode
    definition: OperationDefinitionNode
    price: Price = NOTHING

    @property
    def kind(self) -> OperationType:
        return self.definition.operation

    @property
    def name(self) -> str | None:
        return self.definition.name.value if self.definition.name else None


class Engine:
    """Answers operations. One serves a process. `budgets`: what callers may ask for; None: as much as they like.

    `trusted`: documents that may be named (see api/persisted.py).
    `introspection`: the schema is told, and guessed at in what is said of mistakes.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        db: Database,
        feed: Feed,
        now: Now = own_time,
        connecting: Connecting | None = None,
        budgets: Budgets | None = None,
        trusted: Trusted = NOTHING_TRUSTED,
        *,
        confirmer: Confirmer | None = None,
        fingerprints: Fingerprints | None = None,
        introspection: bool = True,
    ) -> None:
        self.schema = schema
        self._db = db
        self._feed = feed
        self._now = now
        self._connecting = connecting
        self._confirmer = confirmer
        self._fingerprints = fingerprints or Fingerprints.of_this_process()
        self._budgets = budgets
        self._introspection = introspection
        self._documents = Documents(schema, introspection=introspection)
        self._planner = Planner(schema, introspection=introspection)
        self._prices = Prices(schema)
        self._persisted = Persisted(db, trusted)
        self._running: set[asyncio.Task[Answer]] = set()
        self._read_ahead(trusted)

    async def prepared(self, request: Request, viewer: Viewer) -> Operation:
        """The operation, for whose document the viewer pays where it is new to this process. Raises Refused."""
        spelled = await self._spelled(request, viewer)
        if self._budgets is not None and spelled.query not in self._documents:
            await self._budgets.pay(viewer, reading(spelled.query))
        operation = self.operation(spelled)
        await self._persisted.keep(request, viewer)
        return operation

    def operation(self, request: Request) -> Operation:
        """Raises Refused: not a document of this schema, no such operation in it, or more than may be asked for."""
        check_variables(request.variables)
        document = self._documents.read(request.query)
        definition = operation_of(document, request.operation_name)
        operation = Operation(request, document, definition)
        return operation if self._budgets is None else self._priced(operation, self._budgets)

    def _priced(self, operation: Operation, budgets: Budgets) -> Operation:
        """Raises Refused: it costs more than any may."""
        request = operation.request
        price = self._prices.of(
            request.query, operation.document, operation.definition, request.variables
        )
        budgets.check(price)
        return replace(operation, price=price)

    async def _spelled(self, request: Request, viewer: Viewer) -> Request:
        try:
            return await self._persisted.spelled(request, viewer)
        except Refused:
            if self._budgets is not None:
                await self._budgets.pay(viewer, LOOKING)
            raise

    def _read_ahead(self, trusted: Trusted) -> None:
        """So that nobody pays for reading them. What does not fit is old or not ours: it is refused when it is asked for."""
        for document in set(trusted.documents.values()):
            try:
                self._documents.read(document)
            except Refused as no:
                log.warning("trusted_document_unfit", hash=hash_of(document), problem=str(no))

    async def answer(self, operation: Operation, viewer: Viewer) -> Answer:
        """Of a query or mutation. A mutation that has begun ends, whoever still waits for it. Raises Refused."""
        began = time.perf_counter()
        try:
            return await self._paid(operation, viewer)
        finally:
            log.info(
                "operation",
                account=str(viewer.account_id),
                kind=operation.kind.value,
                operation=operation.name,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )

    async def _paid(self, operation: Operation, viewer: Viewer) -> Answer:
        if self._budgets is None:
            return await self._lasting(operation, viewer)
        bill = await self._budgets.charge(viewer, operation.price)
        return bill.settled(await self._lasting(operation, viewer))

    async def _lasting(self, operation: Operation, viewer: Viewer) -> Answer:
        if operation.kind is not OperationType.MUTATION:
            return await self._answered(operation, viewer)
        running = asyncio.ensure_future(self._answered(operation, viewer))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return await asyncio.shield(running)

    async def executed(
        self, operation: Operation, viewer: Viewer, root: Any = None
    ) -> ExecutionResult:
        """By graphql-core; of a subscription, `root` is one event of its stream."""
        result = execute(
            self.schema,
            operation.document,
            root,
            self.context(viewer),
            dict(operation.request.variables),
            operation.request.operation_name,
            hide_suggestions=not self._introspection,
        )
        return await result if isawaitable(result) else result

    async def subscribed(self, operation: Operation, viewer: Viewer) -> Following[Any]:
        """Its beginning is paid for; what follows is not. Raises Refused."""
        if self._budgets is not None:
            await self._budgets.charge(viewer, operation.price)
        made = Executor.build(
            self.schema,
            operation.document,
            context_value=replace(self.context(viewer), feed=self._feed),
            raw_variable_values=dict(operation.request.variables),
            operation_name=operation.request.operation_name,
            hide_suggestions=not self._introspection,
        )
        stream = made if isinstance(made, list) else create_source_event_stream(made)
        if isawaitable(stream):
            stream = await stream
        match stream:
            case Following():
                return stream
            case ExecutionResult(errors=list(errors)) | list(errors):
                raise Refused(errors)
        raise TypeError(f"{operation.name} is resolved by no Following")

    def context(self, viewer: Viewer) -> Context:
        return Context(
            self._db,
            viewer,
            self._now,
            connecting=self._connecting,
            confirmer=self._confirmer,
            fingerprints=self._fingerprints,
        )

    async def _answered(self, operation: Operation, viewer: Viewer) -> Answer:
        request = operation.request
        planned = await self._planner.answer(
            self.context(viewer),
            request.query,
            operation.document,
            request.operation_name,
            request.variables,
        )
        if planned is not None:
            return planned
        return answer_of(await self.executed(operation, viewer), viewer.locale)


def answer_of(result: ExecutionResult, locale: Locale) -> Answer:
    """A result as JSON; `data` is left out of what could not begin."""
    if result.data is None and _never_began(result.errors or ()):
        return Answer(errors_body(result.errors or (), locale), executed=False)
    errors = [shown(error, locale) for error in result.errors or ()]
    body = {"errors": errors, "data": result.data} if errors else {"data": result.data}
    return Answer(orjson.dumps(body))


def refusal(refused: Refused, locale: Locale) -> Answer:
    errors = [shown(error, locale) for error in refused.errors]
    body = {"errors": errors, **({"extensions": ext} if (ext := refused.extensions) else {})}
    return Answer(orjson.dumps(body), executed=False)


def errors_body(errors: Any, locale: Locale) -> bytes:
    return orjson.dumps({"errors": [shown(error, locale) for error in errors]})


def _never_began(errors: "tuple[GraphQLError, ...] | list[GraphQLError]") -> bool:
    """Errors of fields have a path; variables that cannot be read have none."""
    return bool(errors) and all(error.path is None for error in errors)
