"""How much one document may ask for, and how soon too much is seen."""

import time

import pytest
from graphql import build_schema, get_introspection_query

from api.documents import Documents
from api.errors import Refused, code_of
from api.limits import ALIASES, DEPTH, SELECTIONS

SCHEMA = build_schema("type Query { a: Query b: Query n(x: Int): Int text: String }")


def nested(levels: int) -> str:
    return "{" + "a {" * (levels - 1) + "text" + "}" * levels


def fanning(fragments: int, inside: str) -> str:
    """Each fragment spreads the next twice: what they unfold to doubles with every one."""
    chain = "".join(
        f"fragment F{n} on Query {{ {inside.format(next=f'...F{n + 1}')} }} "
        for n in range(fragments)
    )
    return "{ ...F0 } " + chain + f"fragment F{fragments} on Query {{ text }}"


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
            "{" + " ".join(f"x{n}: text" for n in range(ALIASES)) + "}",
            "",
        ),
        (
            "more",
            "{" + " ".join(f"x{n}: text" for n in range(ALIASES + 1)) + "}",
            "TOO_MANY_ALIASES",
        ),
        (
            "aliases by fragments",
            "{ a { ...F } b { ...F } } fragment F on Query {"
            + " ".join(f"x{n}: text" for n in range(60))
            + "}",
            "TOO_MANY_ALIASES",
        ),
        ("one field over and over", "{" + "text " * 2_000 + "}", "TOO_COMPLEX"),
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
    began = time.perf_counter()
    assert read(Documents(SCHEMA), source) == expected, case
    assert time.perf_counter() - began < 1, case


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
