"""Documents, read and validated once: the same text is not parsed again while it is remembered."""

from collections import OrderedDict

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
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


class Documents:
    """One serves a process. What was not asked for longest is forgotten first."""

    def __init__(self, schema: GraphQLSchema, most_characters: int = MOST_CHARACTERS) -> None:
        self._schema = schema
        self._most = most_characters
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()
        self._characters = 0

    def read(self, source: str) -> DocumentNode:
        """A document of this schema, within its limits. Raises Refused."""
        document = self._kept.get(source)
        if document is None:
            document = self._keep(source, self._checked(source))
        self._kept.move_to_end(source)
        return document

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
        errors = validate(self._schema, document, RULES)
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
