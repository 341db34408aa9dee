"""Every code of an error is in one enum, with its meaning and its sentences."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLError

import api
import domain
from api.error_codes import ErrorCode
from api.errors import AS_THEY_ARE, SENTENCES, Code, said
from api.schema import schema
from domain.model.locales import Locale
from domain.model.messages import JAPANESE

ELSEWHERE = {
    "CONSENT_NEEDED",
    "FATAL",
    "FILE_UNREADABLE",
    "ROLE_MAY_BYPASS",
    "ROLE_NOT_FIT",
    "SCHEMA_TOO_NEW",
    "SCHEMA_TOO_OLD",
    "SETTINGS_WRONG",
}
"""Told on a page of its own words, on the command line or in logs; no request of GraphQL is answered with them."""

CODES = [code.value for code in ErrorCode]


def codes_in_the_source() -> Iterator[tuple[str, str]]:
    """Where a code is written out, as `code="…"` of a call or `code = "…"` of an error's class."""
    for root in (api, domain):
        for path in sorted(Path(root.__file__ or "").parent.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                        yield f"{path.name}:{node.lineno}", code
                    case ast.Assign(
                        targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))
                    ):
                        yield f"{path.name}:{node.lineno}", code


@pytest.mark.parametrize(
    "code", [pytest.param(code, id=place) for place, code in codes_in_the_source()]
)
def test_a_code_that_the_source_names_is_in_the_enum(code: str) -> None:
    assert code in {*CODES, *ELSEWHERE}


def test_the_enum_is_in_the_schema_with_what_each_means() -> None:
    kind = schema()._schema.get_type("ErrorCode")
    assert isinstance(kind, GraphQLEnumType)
    assert {name: bool(value.description) for name, value in kind.values.items()} == dict.fromkeys(
        CODES, True
    )


def test_every_code_has_a_sentence_in_japanese() -> None:
    whole = {code.value for code in AS_THEY_ARE}
    assert set(JAPANESE) == set(CODES) - whole
    assert {(code, locale) for code, locale in SENTENCES} == {
        (code, locale) for code in map(Code, whole) for locale in Locale
    }


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        (Locale.EN, "Cannot query field 'x'."),
        (Locale.JA, "クエリがこのAPIのスキーマに合っていません。（Cannot query field 'x'.）"),
    ],
)
def test_what_the_library_says_has_a_sentence_before_it(locale: Locale, expected: str) -> None:
    error = GraphQLError(
        "Cannot query field 'x'.", extensions={"code": "GRAPHQL_VALIDATION_FAILED"}
    )
    assert said(error, locale).message == expected
