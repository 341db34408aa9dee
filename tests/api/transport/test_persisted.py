"""Documents that are named instead of sent: trusted ones, and those that clients bring themselves."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from api.trusted import hash_of
from domain.settings import Settings
from domain.store import documents
from domain.store.database import Database
from tests.api.statements import of_work, statements
from tests.api.transport.conftest import a_token
from tests.api.transport.serving import Api
from tests.factories import an_account

WHO = "query Who { viewer { locale } }"
LOCALE = {"viewer": {"locale": "EN"}}
UNKNOWN = "query Never { viewer { locale } }"
SAVE = 'mutation { saveProduct(input: {code: "MUG", name: "Mug"}) { userErrors { code } } }'
FULL = "application/graphql-response+json"


def apollo(document: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(document)}}


def code(answer: Any) -> tuple[int, str]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"]


@pytest.fixture
async def strict(settings: Settings, api: Api, tmp_path: Path) -> AsyncIterator[Api]:
    """At a server that executes trusted documents alone."""
    manifest = tmp_path / "queries.json"
    manifest.write_text(json.dumps({"who": WHO, "save": SAVE, "old": "{ gone }"}))
    app = create_app(replace(settings, trusted_documents=manifest, only_trusted_documents=True))
    async with api.elsewhere(app) as here:
        yield here


@pytest.mark.parametrize(
    ("case", "request_"),
    [
        ("by the id of the manifest", {"documentId": "who"}),
        ("by its hash", {"documentId": f"sha256:{hash_of(WHO)}"}),
        ("by Apollo's protocol", {"extensions": apollo(WHO)}),
        (
            "in upper case",
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(WHO).upper()}}},
        ),
        ("sent whole", {"query": WHO}),
        ("sent whole with its hash", {"query": WHO, "extensions": apollo(WHO)}),
    ],
)
async def test_a_trusted_document_is_executed(
    strict: Api, case: str, request_: dict[str, Any]
) -> None:
    assert (await strict.post(request_)).json()["data"] == LOCALE, case
    shown = {
        name: json.dumps(each) if isinstance(each, dict) else each
        for name, each in request_.items()
    }
    assert (await strict.get(shown)).json()["data"] == LOCALE, case


@pytest.mark.parametrize(
    ("case", "request_", "expected"),
    [
        ("another document", {"query": UNKNOWN}, "DOCUMENT_NOT_TRUSTED"),
        (
            "another with its hash",
            {"query": UNKNOWN, "extensions": apollo(UNKNOWN)},
            "DOCUMENT_NOT_TRUSTED",
        ),
        ("the schema", {"query": "{ __schema { types { name } } }"}, "DOCUMENT_NOT_TRUSTED"),
        ("an unknown id", {"documentId": "nobody"}, "DOCUMENT_NOT_FOUND"),
        ("an unknown hash", {"extensions": apollo(UNKNOWN)}, "PERSISTED_QUERY_NOT_FOUND"),
        ("one that the schema has outgrown", {"documentId": "old"}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_nothing_else_is_where_only_those_are(
    strict: Api, case: str, request_: dict[str, Any], expected: str
) -> None:
    assert code(await strict.post(request_, accept=FULL)) == (400, expected), case
    async with strict.talking() as socket:
        await socket.say(type="subscribe", id="1", payload=request_)
        message = await socket.hear()
        assert message["type"] == "error"
        assert [each["extensions"]["code"] for each in message["payload"]] == [expected]


async def test_over_a_socket_they_are_named_too(strict: Api) -> None:
    async with strict.talking() as socket:
        await socket.say(type="subscribe", id="1", payload={"documentId": "who"})
        assert (await socket.hear())["payload"]["data"] == LOCALE


async def test_a_trusted_mutation_is_not_sent_by_get(strict: Api) -> None:
    assert code(await strict.get({"documentId": "save"})) == (405, "METHOD_NOT_ALLOWED")


async def test_a_browser_that_names_a_document_meets_no_explorer(strict: Api) -> None:
    answer = await strict.get({"documentId": "who"}, accept="text/html, */*;q=0.1")
    assert answer.json()["data"] == LOCALE


async def test_what_a_client_brought_once_is_named_from_then_on(api: Api) -> None:
    named = {"extensions": apollo(WHO)}
    first = await api.post(named, accept=FULL)
    assert code(first) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert first.json()["errors"][0]["message"] == "PersistedQueryNotFound"

    assert (await api.post({"query": WHO, **named})).json()["data"] == LOCALE
    assert (await api.post(named)).json()["data"] == LOCALE
    assert (await api.get({"extensions": json.dumps(apollo(WHO))})).json()["data"] == LOCALE
    assert (await api.post({"documentId": f"sha256:{hash_of(WHO)}"})).json()["data"] == LOCALE


async def test_another_process_knows_it_and_asks_for_it_once(api: Api, settings: Settings) -> None:
    await api.post({"query": WHO, "extensions": apollo(WHO)})
    async with api.elsewhere(create_app(settings)) as other:
        with statements() as sent:
            for _ in range(3):
                answer = await other.post({"extensions": apollo(WHO)}, accept_language="en")
                assert answer.json()["data"] == LOCALE
    assert sum("UPDATE documents" in each for each in of_work(sent)) == 1


async def test_another_account_does_not_know_it(api: Api, db: Database) -> None:
    await api.post({"query": WHO, "extensions": apollo(WHO)})
    stranger = Api(api.http, api.address, await a_token(db, await an_account(db)))
    assert code(await stranger.post({"extensions": apollo(WHO)}, accept=FULL)) == (
        400,
        "PERSISTED_QUERY_NOT_FOUND",
    )


@pytest.mark.parametrize(
    ("case", "query", "named", "expected"),
    [
        ("the hash of another", WHO, UNKNOWN, "PERSISTED_QUERY_MISMATCH"),
        ("no document of ours", "{ gone }", "{ gone }", "GRAPHQL_VALIDATION_FAILED"),
        ("no document", "{", "{", "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_what_is_not_kept(api: Api, case: str, query: str, named: str, expected: str) -> None:
    brought = await api.post({"query": query, "extensions": apollo(named)}, accept=FULL)
    assert code(brought) == (400, expected), case
    again = await api.post({"extensions": apollo(named)}, accept=FULL)
    assert code(again) == (400, "PERSISTED_QUERY_NOT_FOUND")


async def test_an_unknown_id_is_told_in_the_readers_language(api: Api) -> None:
    answer = await api.post({"documentId": "nobody"}, accept_language="ja")
    assert "登録されていません" in answer.json()["errors"][0]["message"]


async def test_an_account_keeps_so_many_and_forgets_what_was_not_asked_for_longest(
    db: Database, account: UUID
) -> None:
    async def kept(*names: bytes) -> None:
        for name in names:
            async with db.transaction(account) as tx:
                await documents.keep(tx, name, name.decode(), most=3)

    async def known(*names: bytes) -> list[str | None]:
        async with db.transaction(account) as tx:
            return [await documents.find(tx, name) for name in names]

    await kept(b"a", b"b", b"c")
    assert await known(b"a") == ["a"]
    await kept(b"d")
    assert await known(b"a", b"b", b"c", b"d") == ["a", None, "c", "d"]
    await kept(b"d", b"d")
    assert await known(b"a", b"c", b"d") == ["a", "c", "d"]
