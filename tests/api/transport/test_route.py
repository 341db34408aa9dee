"""GraphQL over HTTP: what is accepted, and how everything else is refused."""

import gzip
from typing import Any

import orjson
import pytest

from tests.api.transport.serving import Api

FULL = "application/graphql-response+json"
PLAIN = "application/json"
WHO = "{ viewer { locale } }"
NAMED = "query Who { viewer { locale } }"
SUBSCRIBE = "subscription { errorEvents { cursor } }"


def code(answer: Any) -> str:
    body = answer.json()
    assert set(body) == {"errors"}, body
    return str(body["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (FULL, FULL),
        (PLAIN, PLAIN),
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/*", PLAIN),
        (f"{PLAIN}, {FULL}", FULL),
        (f"{FULL};q=0.5, {PLAIN}", PLAIN),
        (f"{FULL}; charset=utf-8, {PLAIN}; charset=utf-8", FULL),
        ("text/html, */*;q=0.1", PLAIN),
        (f"{PLAIN};q=oops, {FULL}", FULL),
    ],
)
async def test_the_answer_has_the_media_type_that_is_liked_best(
    api: Api, accept: str, media: str
) -> None:
    answer = await api.post({"query": WHO}, accept=accept or "*/*")
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert (answer.status_code, answer.json()["data"]) == (200, {"viewer": {"locale": "EN"}})


async def test_nothing_that_we_speak_is_accepted(api: Api) -> None:
    answer = await api.post({"query": WHO}, accept="text/csv, application/json;q=0")
    assert (answer.status_code, code(answer)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("case", "body", "expected"),
    [
        ("null", b"null", "BAD_REQUEST"),
        ("a number", b"1", "BAD_REQUEST"),
        ("a string", b'"{viewer{locale}}"', "BAD_REQUEST"),
        ("true", b"true", "BAD_REQUEST"),
        ("a batch", b'[{"query":"{__typename}"}]', "BAD_REQUEST"),
        ("nothing", b"", "BAD_REQUEST"),
        ("half of it", b'{"query":', "BAD_REQUEST"),
        ("no UTF-8", b'{"query":"\xff"}', "BAD_REQUEST"),
        ("deep", b"[" * 100_000, "BAD_REQUEST"),
        ("deep and closed", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "BAD_REQUEST"),
        ("a lone surrogate", b'{"query":"{__typename}","operationName":"\\ud800"}', "BAD_REQUEST"),
        (
            "digits",
            b'{"query":"{__typename}","variables":{"x":' + b"9" * 4_500 + b"}}",
            "BAD_REQUEST",
        ),
        ("NaN", b'{"query":"{__typename}","variables":{"x":NaN}}', "BAD_REQUEST"),
        (
            "NUL in a variable",
            b'{"query":"{__typename}","variables":{"x":"\\u0000"}}',
            "BAD_USER_INPUT",
        ),
        (
            "NUL in the document",
            b'{"query":"{product(code:\\"\\\\u0000\\"){id}}"}',
            "BAD_USER_INPUT",
        ),
        ("NUL in braces", b'{"query":"{product(code:\\"\\\\u{00}\\"){id}}"}', "BAD_USER_INPUT"),
        ("no query", b"{}", "BAD_REQUEST"),
        ("null query", b'{"query":null}', "BAD_REQUEST"),
        ("empty query", b'{"query":" "}', "BAD_REQUEST"),
        ("query a number", b'{"query":7}', "BAD_REQUEST"),
        ("operationName a number", b'{"query":"{__typename}","operationName":7}', "BAD_REQUEST"),
        ("variables a string", b'{"query":"{__typename}","variables":"{}"}', "BAD_REQUEST"),
        ("variables a list", b'{"query":"{__typename}","variables":[]}', "BAD_REQUEST"),
        ("extensions a list", b'{"query":"{__typename}","extensions":[]}', "BAD_REQUEST"),
        ("documentId a number", b'{"documentId":7}', "BAD_REQUEST"),
        ("documentId empty", b'{"documentId":""}', "BAD_REQUEST"),
        ("documentId long", b'{"documentId":"' + b"x" * 201 + b'"}', "BAD_REQUEST"),
        ("document and its id", b'{"query":"{__typename}","documentId":"x"}', "BAD_REQUEST"),
        ("no hash", b'{"extensions":{"persistedQuery":{"version":1}}}', "BAD_REQUEST"),
        (
            "half a hash",
            b'{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"abc"}}}',
            "BAD_REQUEST",
        ),
        (
            "another version",
            b'{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"' + b"a" * 64 + b'"}}}',
            "BAD_REQUEST",
        ),
    ],
)
@pytest.mark.parametrize("accept", [FULL, PLAIN])
async def test_what_is_malformed_is_refused(
    api: Api, case: str, body: bytes, expected: str, accept: str
) -> None:
    answer = await api.post(body, accept=accept)
    assert (answer.status_code, code(answer)) == (400, expected), case


@pytest.mark.parametrize(
    ("case", "request_", "expected"),
    [
        ("syntax", {"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ("empty selection", {"query": "{ }"}, "GRAPHQL_PARSE_FAILED"),
        ("too many tokens", {"query": "{" + "a " * 6_000 + "}"}, "GRAPHQL_PARSE_FAILED"),
        ("too long", {"query": WHO + "#" + "x" * 60_000}, "GRAPHQL_PARSE_FAILED"),
        ("unknown field", {"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ("unknown fragment", {"query": "{ ...nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        (
            "only fragments",
            {"query": "fragment F on Query { __typename }"},
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "variable missing",
            {"query": "query ($code: String!) { product(code: $code) { id } }"},
            "BAD_USER_INPUT",
        ),
        (
            "no such operation",
            {"query": NAMED, "operationName": "Other"},
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            "which one?",
            {"query": NAMED + " query B { __typename }"},
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            "values without end",
            {"query": WHO, "variables": {"x": [[]] * 10_001}},
            "VARIABLES_TOO_LARGE",
        ),
        (
            "a text that is too long",
            {"query": WHO, "variables": {"x": ["x" * 100_001]}},
            "VARIABLES_TOO_LARGE",
        ),
        ("subscription", {"query": SUBSCRIBE}, "SUBSCRIPTION_NEEDS_SOCKET"),
    ],
)
async def test_what_cannot_begin_has_no_data(
    api: Api, case: str, request_: dict[str, Any], expected: str
) -> None:
    full = await api.post(request_, accept=FULL)
    plain = await api.post(request_, accept=PLAIN)
    assert (full.status_code, code(full)) == (400, expected), case
    assert code(plain) == expected, case
    assert plain.status_code == (400 if expected == "SUBSCRIPTION_NEEDS_SOCKET" else 200), case


@pytest.mark.parametrize(
    ("case", "extra"),
    [
        ("null everywhere", {"operationName": None, "variables": None, "extensions": None}),
        ("empty name", {"operationName": ""}),
        ("unknown members", {"id": 7}),
        ("extensions", {"extensions": {"tracing": True, "persistedQuery": None}}),
        ("no name of a document", {"documentId": None}),
    ],
)
async def test_what_may_be_left_out_may_be_null(api: Api, case: str, extra: dict[str, Any]) -> None:
    answer = await api.post({"query": WHO, **extra})
    assert answer.json()["data"] == {"viewer": {"locale": "EN"}}, case


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON;charset="UTF-8"', 200),
        ("application/json; charset=shift_jis", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
async def test_only_json_in_utf8_is_read(api: Api, content_type: str, status: int) -> None:
    answer = await api.post({"query": WHO}, content_type=content_type)
    assert answer.status_code == status


async def test_a_packed_body_is_refused(api: Api) -> None:
    packed = gzip.compress(orjson.dumps({"query": WHO}))
    answer = await api.post(packed, content_encoding="gzip")
    assert (answer.status_code, code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_of_more_than_a_mebibyte_is_refused(api: Api) -> None:
    answer = await api.post(b" " * 1_100_000)
    assert (answer.status_code, code(answer)) == (413, "TOO_LARGE")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD"])
async def test_other_methods_are_told_which_there_are(api: Api, method: str) -> None:
    answer = await api.send(method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_queries_come_by_get_too(api: Api) -> None:
    asked = {
        "query": "query A($n: Int) { products(first: $n) { totalCount } } query B { __typename }"
    }
    answer = await api.get(
        {**asked, "operationName": "A", "variables": '{"n":1}', "extensions": "{}"}
    )
    assert answer.json()["data"] == {"products": {"totalCount": 0}}


@pytest.mark.parametrize(
    ("case", "params", "status", "expected"),
    [
        ("no query", [("variables", "{}")], 400, "BAD_REQUEST"),
        ("no JSON", [("query", WHO), ("variables", "{")], 400, "BAD_REQUEST"),
        ("a list", [("query", WHO), ("variables", "[]")], 400, "BAD_REQUEST"),
        ("twice", [("query", WHO), ("query", WHO)], 400, "BAD_REQUEST"),
        ("subscription", [("query", SUBSCRIBE)], 400, "SUBSCRIPTION_NEEDS_SOCKET"),
        (
            "mutation",
            [
                (
                    "query",
                    "mutation { clearErrors(input: {errors: {ids: []}}) { userErrors { code } } }",
                )
            ],
            405,
            "METHOD_NOT_ALLOWED",
        ),
        ("NUL", [("query", "{__typename} #\0")], 400, "BAD_USER_INPUT"),
    ],
)
async def test_what_get_does_not_do(
    api: Api, case: str, params: list[tuple[str, str]], status: int, expected: str
) -> None:
    answer = await api.get(params)
    assert (answer.status_code, code(answer)) == (status, expected), case


async def test_errors_of_fields_stand_beside_the_data(api: Api) -> None:
    answer = await api.post(
        {"query": '{ viewer { locale } node(id: "nonsense") { id } }'}, accept=FULL
    )
    body = answer.json()
    assert answer.status_code == 200
    assert body["data"] == {"viewer": {"locale": "EN"}, "node": None}
    assert [(each["path"], each["extensions"]["code"]) for each in body["errors"]] == [
        (["node"], "BAD_ID")
    ]


async def test_a_browser_meets_the_explorer(api: Api) -> None:
    page = await api.get(accept="text/html,application/xhtml+xml,*/*;q=0.8", authorization="")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for address in (part.split('"')[0] for part in page.text.split('="/graphiql/')[1:]):
        assert (await api.http.get(f"/graphiql/{address}")).status_code == 200, address
    assert "://" not in page.text
