"""How much one document may ask for, and how soon too much is seen."""

import time

import pytest
from graphql import build_schema, get_introspection_query

from api.documents import Documents
from api.errors import Refused, code_of
from api.limits import (
    ALIASES,
    DEPTH,
    DIRECTIVES,
    FRAGMENTS,
    ROOT_FIELDS,
    ROOT_MUTATIONS,
    SELECTIONS,
    VARIABLES,
)

SCHEMA = build_schema(
    "type Query { a: Query b: Query n(x: Int): Int text: String } type Mutation { text: String }"
)


def nested(levels: int) -> str:
    return "{" + "a {" * (levels - 1) + "text" + "}" * levels


def fanning(fragments: int, inside: str) -> str:
    """Each fragment spreads the next twice: what they unfold to doubles with every one."""
    chain = "".join(
        f"fragment F{n} on Query {{ {inside.format(next=f'...F{n + 1}')} }} "
        for n in range(fragments)
    )
    return "{ a { ...F0 } } " + chain + f"fragment F{fragments} on Query {{ text }}"


def aliased(stem: str, times: int, field: str = "text") -> str:
    return " ".join(f"{stem}{n}: {field}" for n in range(times))


def conditional(times: int) -> str:
    return "text @skip(if: false) " * times


def spread(fragments: int) -> str:
    spreads = " ".join(f"...F{n}" for n in range(fragments))
    return f"{{ a {{ {spreads} }} }}" + "".join(
        f" fragment F{n} on Query {{ text }}" for n in range(fragments)
    )


def declared(variables: int) -> str:
    names = " ".join(f"$v{n}: Int" for n in range(variables))
    used = " ".join(f"x{n}: n(x: $v{n})" for n in range(variables))
    return f"query ({names}) {{ a {{ {used} }} }}"


def read(documents: Documents, source: str) -> str:
    """The code of what is wrong with it, "" when nothing is."""
    try:
        documents.read(source)
    except Refused as refused:
        return code_of(refused.errors[0])
    return ""


@pytest.mark.parametrize(
    ("case", "source", "expected"),
    [
        ("as deep as may be", nested(DEPTH), ""),
        ("deeper", nested(DEPTH + 1), "TOO_DEEP"),
        ("deep by fragments", fanning(30, "a {{ {next} }}"), "TOO_DEEP"),
        (
            "as many aliases as may be",
            f"{{ a {{ {aliased('text', ALIASES)} }} }}",
            "",
        ),
        (
            "more",
            f"{{ a {{ {aliased('text', ALIASES + 1)} }} }}",
            "TOO_MANY_ALIASES",
        ),
        ("as many roots as may be", f"{{ {aliased('text', ROOT_FIELDS)} }}", ""),
        ("more roots", f"{{ {aliased('text', ROOT_FIELDS + 1)} }}", "TOO_MANY_ROOT_FIELDS"),
        (
            "roots by fragments",
            "{ ...F ...G } "
            + "".join(
                f"fragment {name} on Query {{ {aliased(name, ROOT_FIELDS // 2 + 1, 'text')} }} "
                for name in "FG"
            ),
            "TOO_MANY_ROOT_FIELDS",
        ),
        ("as many mutations as may be", f"mutation {{ {aliased('text', ROOT_MUTATIONS)} }}", ""),
        (
            "more mutations",
            f"mutation {{ {aliased('text', ROOT_MUTATIONS + 1)} }}",
            "TOO_MANY_ROOT_FIELDS",
        ),
        ("as many directives as may be", f"{{ a {{ {conditional(DIRECTIVES)} }} }}", ""),
        ("more directives", f"{{ a {{ {conditional(DIRECTIVES + 1)} }} }}", "TOO_MANY_DIRECTIVES"),
        ("directives on one field", "{ text " + "@a" * 2_000 + " }", "TOO_MANY_DIRECTIVES"),
        (
            "directives by fragments",
            f"{{ a {{ ...F }} b {{ ...F }} }} fragment F on Query {{ {conditional(101)} }}",
            "TOO_MANY_DIRECTIVES",
        ),
        ("as many fragments as may be", spread(FRAGMENTS), ""),
        ("more fragments", spread(FRAGMENTS + 1), "TOO_MANY_FRAGMENTS"),
        ("as many variables as may be", declared(VARIABLES), ""),
        ("more variables", declared(VARIABLES + 1), "TOO_MANY_VARIABLES"),
        (
            "aliases by fragments",
            "{ a { ...F } b { ...F } } fragment F on Query {"
            + " ".join(f"x{n}: text" for n in range(60))
            + "}",
            "TOO_MANY_ALIASES",
        ),
        ("one field over and over", "{ a {" + "text " * 2_000 + "} }", "TOO_COMPLEX"),
        ("fields by fragments, side by side", fanning(40, "{next} {next}"), "TOO_COMPLEX"),
        (
            "fields by fragments, below each other",
            fanning(12, "a {{ {next} }} b {{ {next} }}"),
            "TOO_COMPLEX",
        ),
        ("more than the parser reads", nested(4_000), "GRAPHQL_PARSE_FAILED"),
        (
            "fragments in a circle",
            "{ ...F } fragment F on Query { a { ...F } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "a fragment nobody spreads",
            "{ text } fragment F on Query { text }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "an operation for each field",
            "".join(f"query Q{n} {{ text }} " for n in range(SELECTIONS // 4)),
            "",
        ),
        ("what explorers ask first", get_introspection_query(), ""),
    ],
)
def test_a_document_is_held_to_its_limits_at_once(case: str, source: str, expected: str) -> None:
    began = time.thread_time()
    assert read(Documents(SCHEMA), source) == expected, case
    assert time.thread_time() - began < 1, case


def test_documents_are_remembered_up_to_a_weight() -> None:
    documents = Documents(SCHEMA, most_characters=100)
    first = documents.read("{ text }")
    assert documents.read("{ text }") is first
    for n in range(10):
        documents.read(f"query Q{n} {{ text }}")
        documents.read("{ text }")
    assert documents.read("{ text }") is first
    assert len(documents) == 6


def test_refused_documents_are_not_remembered() -> None:
    documents = Documents(SCHEMA)
    assert read(documents, "{ nothing }") == "GRAPHQL_VALIDATION_FAILED"
    assert len(documents) == 0
