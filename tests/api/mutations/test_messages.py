"""Every refusal is said in Japanese too, with its own values."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import domain
from api.user_errors import UserErrorCode
from domain.model.errors import DomainError
from domain.model.locales import Locale, Words
from domain.model.messages import JAPANESE, message
from domain.model.stock import InsufficientStock, TotalChanged

WITHOUT_A_CODE = "INVALID_VALUE"
ROOT = Path(domain.__file__).parent


def refusals() -> Iterator[tuple[str, DomainError]]:
    """Every DomainError that is raised by name under model and services, as far as the source tells: where it stands,
    and one of its code, the names of its path and of its values."""
    for path in sorted([*ROOT.glob("model/*.py"), *ROOT.glob("services/*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="DomainError"), keywords=keywords):
                    said = {each.arg or "": each.value for each in keywords}
                    yield f"{path.stem}:{node.lineno}", made(said)


def made(said: dict[str, ast.expr]) -> DomainError:
    code = said.pop("code", ast.Constant(WITHOUT_A_CODE))
    field = said.pop("field", ast.Tuple([]))
    parts = field.elts if isinstance(field, ast.Tuple) else []
    names = [part.value if isinstance(part, ast.Constant) else "0" for part in parts]
    known = str(code.value) if isinstance(code, ast.Constant) else WITHOUT_A_CODE
    return DomainError("?", code=known, field=tuple(map(str, names)), **dict.fromkeys(said, "…"))


CODES = {code.value for code in UserErrorCode}
FOUND = [pytest.param(error, id=place) for place, error in refusals() if error.code in CODES]
FALLBACK = JAPANESE[WITHOUT_A_CODE][-1][1]


def is_vague(error: DomainError) -> bool:
    """Its path is made at run time, and it names no values: the source does not tell which sentence it has."""
    return not error.params and not [part for part in error.field if not part.isdigit()]


@pytest.mark.parametrize("error", FOUND)
def test_a_refusal_has_a_japanese_sentence_that_says_what_to_do(error: DomainError):
    said = message(error, Locale.JA)

    assert "。" in said
    assert is_vague(error) or said != FALLBACK


def test_sentences_of_some_codes_fit_any_place():
    for code in ("TOTAL_CHANGED", "INSUFFICIENT_STOCK", "PLAN_LIMIT"):
        assert all(name == "" for name, _ in JAPANESE[code])


@pytest.mark.parametrize(
    ("case", "error", "expected"),
    [
        (
            "the values of the error stand in it",
            TotalChanged(3, 4),
            "総在庫数は4から3に変わっています。確認してもう一度入力してください。",
        ),
        (
            "a change is named as it was entered",
            InsufficientStock(1, -3),
            "総在庫数は1です。-3にすると0を下回ります。減らす数を直すか、実際にない場合は allowNegative を指定して調整してください。",
        ),
        (
            "a name in the path decides, written either way",
            DomainError("?", code="NOT_FOUND", field=("pairs", "0", "listingId")),
            "この出品は見つかりません。出品一覧を読み込み直してください。",
        ),
        (
            "the first whose values are there",
            DomainError("?", field=("maximum",), value=-1, least=0, most=99),
            "0から99までの数を入力してください（入力値：-1）。",
        ),
        (
            "the same place, another reason",
            DomainError("?", field=("maximum",), maximum=0),
            "最大数を0にすると何も販売されません。最大数を空にして連携を外すか、最小数を大きくしてください。",
        ),
        (
            "several values are listed",
            DomainError("?", code="PART_IN_USE", sets=("BOX", "BAG")),
            "セット商品（BOX, BAG）の構成品です。先にセットから外してください。",
        ),
        (
            "words are in the reader's language",
            DomainError("?", code="REQUIRED", label=Words("店舗ID", "Shop id")),
            "店舗IDを入力してください。",
        ),
        (
            "a code without a sentence is told as it is",
            DomainError("The tea is cold.", code="COLD"),
            "The tea is cold.",
        ),
    ],
)
def test_a_sentence_in_japanese(case: str, error: DomainError, expected: str):
    assert message(error, Locale.JA) == expected, case


def test_english_is_what_the_error_says():
    assert message(TotalChanged(3, 4), Locale.EN) == (
        "The total is 3 by now, not 4. Look at it and set it again."
    )
