"""Documents, read and validated once: the same text is not parsed again while it is remembered."""

from collections import OrderedDict
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    ValidationRule,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.errors import Code, Refused, coded, refused
from api.limits import PARSING, TooMuch, check

MOST_CHARACTERS = 2_000_000
"""Of all remembered documents together: a tree weighs far more than its text."""

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


class NoIntrospection(ValidationRule):
    """Where the schema is not told: `__typename` goes on working."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.name.value in ("__schema", "__type"):
            words = "This API does not tell its schema: ask its operator for schema.graphql."
            facts = {"code": Code.INTROSPECTION_OFF.value}
            self.report_error(GraphQLError(words, node, extensions=facts))


class Documents:
    """One serves a process. What was not asked for longest is forgotten first.

    `introspection`: the schema is told, and guessed at in what is said of mistakes.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        most_characters: int = MOST_CHARACTERS,
        *,
        introspection: bool = True,
    ) -> None:
        self._schema = schema
        self._most = most_characters
        self._introspection = introspection
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()
        self._characters = 0

    def read(self, source: str) -> DocumentNode:
        """A document of this schema, within its limits. Raises Refused."""
        document = self._kept.get(source)
        if document is None:
            document = self._keep(source, self._checked(source))
        self._kept.move_to_end(source)
        return document

    def __contains__(self, source: str) -> bool:
        """It is remembered, so that reading it costs nothing."""
        return source in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def _checked(self, source: str) -> DocumentNode:
        try:
            document = parse(source, **PARSING)
            check(document)
        except TooMuch as too_much:
            raise Refused([too_much.error]) from too_much
        except GraphQLError as error:
            raise Refused(coded(Code.GRAPHQL_PARSE_FAILED, [error])) from error
        rules = RULES if self._introspection else (NoIntrospection, *RULES)
        errors = validate(self._schema, document, rules, hide_suggestions=not self._introspection)
        if errors:
            raise Refused(coded(Code.GRAPHQL_VALIDATION_FAILED, errors))
        return document

    def _keep(self, source: str, document: DocumentNode) -> DocumentNode:
        self._kept[source] = document
        self._characters += len(source)
        while self._characters > self._most:
            oldest, _ = self._kept.popitem(last=False)
            self._characters -= len(oldest)
        return document


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that is meant. Raises Refused."""
    operation = get_operation_ast(document, name)
    if operation is None:
        message = (
            f"The document has no operation named {name[:100]!r}."
            if name
            else "The document has several operations: say by operationName which one is meant."
        )
        raise refused(Code.OPERATION_RESOLUTION_FAILURE, message)
    return operation
