"""Pages: both ways, stable while rows come and go, and clear about what is no cursor."""

from base64 import b64encode
from typing import Any

import pytest

from domain.model.locales import Locale
from domain.model.roles import Permission
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.factories import a_product, a_set

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $by: ProductOrder) {
  products(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
    edges { cursor node { code } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def some_products(asker: Asker, *codes: str) -> None:
    async with asker.db.transaction(asker.account) as tx:
        for nth, code in enumerate(codes):
            await a_product(tx, code, name="同じ名前", total=nth)


async def page(asker: Asker, **variables: Any) -> tuple[list[str], dict[str, Any]]:
    found = (await asker.ask(PAGE, **variables))["products"]
    return [edge["node"]["code"] for edge in found["edges"]], found["pageInfo"]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["CODE", "NAME", "TOTAL", "SELLABLE", "UPDATED_AT"])
async def test_walking_forth_and_back_meets_every_row_once(
    asker: Asker, field: str, direction: str
) -> None:
    codes = ["A", "B", "C", "D", "E"]
    await some_products(asker, *codes)
    async with asker.db.transaction(asker.account) as tx:
        await a_set(tx, "SET", {})
    by = {"field": field, "direction": direction}

    forth: list[str] = []
    more = {"endCursor": None, "hasNextPage": True}
    while more["hasNextPage"]:
        shown, more = await page(asker, first=4, after=more["endCursor"], by=by)
        forth += shown
    back: list[str] = []
    less = {"startCursor": None, "hasPreviousPage": True}
    while less["hasPreviousPage"]:
        shown, less = await page(asker, last=4, before=less["startCursor"], by=by)
        back = shown + back

    assert sorted(forth) == [*codes, "SET"]
    assert back == forth


async def test_rows_written_between_two_pages_do_not_shift_them(asker: Asker) -> None:
    await some_products(asker, "B", "D", "F", "H")
    shown, info = await page(asker, first=2)
    assert shown == ["B", "D"]

    await some_products(asker, "A", "C", "E")

    assert (await page(asker, first=2, after=info["endCursor"]))[0] == ["E", "F"]
    shown, info = await page(asker, last=9, before=info["endCursor"])
    assert shown == ["A", "B", "C"]
    assert info["hasNextPage"] is True


async def test_an_empty_page_has_no_cursors(asker: Asker) -> None:
    await some_products(asker, "A")

    shown, info = await page(asker, first=0)

    assert (shown, info) == (
        [],
        {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    )


async def test_a_hundred_rows_are_a_page(asker: Asker) -> None:
    await some_products(asker, *(f"P{nth:03}" for nth in range(101)))

    shown, info = await page(asker)

    assert (len(shown), info["hasNextPage"]) == (100, True)


def cursor(*values: Any) -> str:
    import json

    return b64encode(json.dumps(values).encode()).decode()


ID = "01a200ad-631f-7261-9b67-f0f79a392a4a"
BAD_CURSORS = {
    "no base64": "%%%",
    "no JSON": b64encode(b"hello").decode(),
    "not a list": b64encode(b"7").decode(),
    "too short": cursor("CODE_ASC", "A"),
    "of another order": cursor("NAME_ASC", "A", ID),
    "without an id": cursor("CODE_ASC", "A", "x"),
    "an id of a wrong kind": cursor("CODE_ASC", "A", 7),
    "a key of a wrong kind": cursor("CODE_ASC", {"a": 1}, ID),
    "a NUL byte": cursor("CODE_ASC", "A\x00", ID),
    "empty": "",
}


@pytest.mark.parametrize("case", BAD_CURSORS)
async def test_what_is_no_cursor_of_the_list_is_refused_in_its_place(
    asker: Asker, case: str
) -> None:
    answer = await asker.answer(PAGE + " ", after=BAD_CURSORS[case])

    assert answer["data"] == {"products": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["products"], "BAD_CURSOR")


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("99999999999", "TOTAL"),
        ("x", "TOTAL"),
        ("infinity", "UPDATED_AT"),
        ("0001-01-01T00:00:00+14:00", "UPDATED_AT"),
        ("9999-12-31T23:59:59-14:00", "UPDATED_AT"),
        ("2026-01-01", "UPDATED_AT"),
        ("2026", "SELLABLE_X"),
    ],
)
async def test_a_forged_sort_key_is_a_bad_cursor(asker: Asker, key: str, order: str) -> None:
    field = order.removesuffix("_X")
    by = {"field": field, "direction": "ASC"}
    answer = await asker.answer(PAGE, after=cursor(f"{order}_ASC", key, ID), by=by)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_CURSOR"]


@pytest.mark.parametrize(
    "arguments", [{"first": 101}, {"first": -1}, {"last": 101}, {"first": 1, "last": 1}]
)
async def test_a_page_holds_0_to_100_rows_from_one_end(
    asker: Asker, arguments: dict[str, int]
) -> None:
    answer = await asker.answer(PAGE, **arguments)
    assert answer["data"] == {"products": None}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_PAGE"]


async def test_the_rest_of_the_screen_stays(asker: Asker, db: Database) -> None:
    await some_products(asker, "A")

    answer = await asker.answer(
        """{ bad: products(first: 1000) { totalCount } good: products { totalCount }
           product(code: "A") { code movements(after: "x") { totalCount } listings(shopIds: ["x"]) { id } } }"""
    )

    assert answer["data"] == {"bad": None, "good": {"totalCount": 1}, "product": None}
    assert [(each["path"], each["extensions"]["code"]) for each in answer["errors"]] == [
        (["bad"], "BAD_PAGE"),
        (["product"], "BAD_ID"),
    ]


@pytest.mark.parametrize(
    ("case", "query", "said"),
    [
        (
            "a page that is too long",
            "{ products(first: 101) { totalCount } }",
            "1ページは0行から100行までで指定してください。",
        ),
        (
            "both ends",
            "{ products(first: 1, last: 1) { totalCount } }",
            "first と last は同時に指定できません。どちらか一方にしてください。",
        ),
        (
            "no id",
            '{ node(id: "junk") { id } }',
            "「junk」はこのAPIのIDではないか、ここで指定できる種類のIDではありません。画面を読み込み直してください。",
        ),
    ],
)
async def test_what_cannot_be_read_is_said_in_the_readers_language(
    asker: Asker, case: str, query: str, said: str
) -> None:
    asker.locale = Locale.JA
    answer = await asker.answer(query)
    assert [each["message"] for each in answer["errors"]] == [said], case


async def test_a_field_that_is_refused_says_so_in_the_readers_language(asker: Asker) -> None:
    asker.permissions = frozenset({Permission.STOCK_READ})
    asker.locale = Locale.JA
    answer = await asker.answer("{ shops { id } }")
    [error] = answer["errors"]
    assert error["message"].startswith("権限がありません（必要な権限：READ）。")
    assert error["extensions"] == {"code": "FORBIDDEN", "params": {"permission": "READ"}}
