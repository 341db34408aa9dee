"""What operations cost, over HTTP and sockets: told, kept to, shared by all processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from api.app import create_app
from domain.settings import Settings
from domain.store.database import Database
from tests.api.statements import of_work, statements
from tests.api.transport.conftest import a_token
from tests.api.transport.serving import Api
from tests.factories import an_account

WHO = {"query": "{ viewer { locale } }"}
MALLS = {
    "query": "{ a: malls { ...F } b: malls { ...F } } fragment F on Mall { credentialFields { key } settingFields { key } }"
}
PAGE = {"query": "{ products { edges { node { code } } totalCount } }"}
SAVE = """mutation ($code: String!) { saveProduct(input: {code: $code, name: $code}) {
    product { id } userErrors { code } } }"""
POOR = {"cost_maximum": 250, "cost_budget": 400, "cost_restore": 1}


@asynccontextmanager
async def served(api: Api, settings: Settings, **limits: Any) -> AsyncIterator[Api]:
    async with api.elsewhere(create_app(replace(settings, **limits))) as here:
        yield here


def cost_of(answer: Any) -> Any:
    return answer.json()["extensions"]["cost"]


def code(answer: Any) -> str:
    [error] = answer.json()["errors"]
    return str(error["extensions"]["code"])


def objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(objects, value.values()))
    return sum(map(objects, value)) if isinstance(value, list) else 0


async def test_an_answer_tells_what_it_cost_and_what_is_left(api: Api) -> None:
    cost = cost_of(await api.post(WHO))
    left = cost["throttleStatus"].pop("currentlyAvailable")
    assert cost == {
        "requestedQueryCost": 1,
        "actualQueryCost": 1,
        "throttleStatus": {"maximumAvailable": 50_000, "restoreRate": 2_500},
    }
    assert 49_900 <= left <= 50_000


async def test_what_did_not_come_is_given_back(api: Api, settings: Settings) -> None:
    async with served(api, settings, **POOR) as here:
        first = cost_of(await here.post(PAGE))
        assert (first["requestedQueryCost"], first["actualQueryCost"]) == (211, 11)
        assert first["throttleStatus"]["currentlyAvailable"] in range(370, 380)
        for _ in range(3):
            assert (await here.post(PAGE)).status_code == 200


async def test_what_came_is_counted_object_by_object(api: Api) -> None:
    for code in ("MUG", "{TEA", "CUP{"):
        await api.ask(SAVE, code=code)
    page = await api.post({"query": "{ products { edges { cursor node { code } } } }"})
    assert cost_of(page)["actualQueryCost"] in (objects(page.json()["data"]) - 1, 8)
    malls = await api.post(MALLS)
    assert cost_of(malls)["actualQueryCost"] == objects(malls.json()["data"]) - 1 + 2


async def test_a_mutation_has_its_price(api: Api) -> None:
    answer = await api.post({"query": SAVE, "variables": {"code": "MUG"}})
    cost = cost_of(answer)
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (12, 12)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "This operation costs 211 points, 200 at most"), ("ja", "コストは211で、上限の200")],
)
async def test_what_is_too_expensive_is_not_begun(
    api: Api, settings: Settings, language: str, words: str
) -> None:
    async with served(api, settings, cost_maximum=200) as here:
        answer = await here.post(PAGE, accept_language=language)
        plain = await here.post(WHO)
    [error] = answer.json()["errors"]
    assert words in error.pop("message")
    assert error == {
        "extensions": {"code": "TOO_EXPENSIVE", "params": {"cost": 211, "maximum": 200}}
    }
    assert plain.status_code == 200


async def test_who_has_spent_the_budget_is_told_when_to_come_back(
    api: Api, settings: Settings
) -> None:
    async with served(api, settings, **POOR) as here:
        while (refused := await here.post(MALLS)).status_code == 200:
            continue
        assert refused.status_code == 429
        [error] = refused.json()["errors"]
        assert error["extensions"]["code"] == "THROTTLED"
        seconds = error["extensions"]["params"]["retryAfter"]
        assert refused.headers["retry-after"] == str(seconds)
        cost = cost_of(refused)
        missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
        assert seconds in (missing, missing + 1)
        japanese = await here.post(MALLS, accept_language="ja")
        assert "利用枠が足りません" in japanese.json()["errors"][0]["message"]


async def test_all_processes_spend_the_same_budget(api: Api, settings: Settings) -> None:
    paid = cost_of(await api.post(MALLS))["actualQueryCost"]
    async with served(api, settings, **POOR) as one, served(api, settings, **POOR) as other:
        statuses = [
            (await each.post(MALLS)).status_code for _ in range(16) for each in (one, other)
        ]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) * paid <= POOR["cost_budget"] + 20


async def test_a_caller_spends_no_budget_but_its_own(
    api: Api, settings: Settings, db: Database, account: UUID
) -> None:
    """Not that of another token of the account, and of no other account."""
    tokens = [await a_token(db, account), await a_token(db, await an_account(db))]
    async with served(api, settings, **POOR) as here:
        while (await here.post(MALLS)).status_code == 200:
            continue
        others = [Api(here.http, here.address, token) for token in tokens]
        assert [(await each.post(MALLS)).status_code for each in others] == [200, 200]


async def test_a_request_seldom_costs_a_statement(api: Api) -> None:
    await api.post(WHO)
    with statements() as sent:
        for _ in range(20):
            await api.post(WHO)
    assert sum("rate_buckets" in each for each in of_work(sent)) <= 2


async def test_an_empty_budget_is_not_asked_for_again_and_again(
    api: Api, settings: Settings
) -> None:
    async with served(api, settings, **POOR) as here:
        while (await here.post(MALLS)).status_code == 200:
            continue
        with statements() as sent:
            refused = await asyncio.gather(*(here.post(MALLS) for _ in range(20)))
    assert {each.status_code for each in refused} == {429}
    assert sum("rate_buckets" in each for each in of_work(sent)) <= 2


async def test_documents_that_were_never_seen_are_paid_for(api: Api, settings: Settings) -> None:
    """Reading one is our work, whatever it asks for, and whether or not it is one of this schema."""
    async with served(api, settings, **POOR) as here:
        asked = [{"query": f"{{ nothing{nth} }}" + " " * 2_000} for nth in range(10)]
        codes = [code(await here.post(each)) for each in asked]
    assert (codes[0], codes[-1]) == ("GRAPHQL_VALIDATION_FAILED", "THROTTLED")


async def test_looking_for_what_nobody_knows_is_paid_for(api: Api, settings: Settings) -> None:
    async with served(api, settings, **POOR) as here:
        asked = [{"documentId": f"sha256:{nth:064}"} for nth in range(50)]
        codes = [code(await here.post(each)) for each in asked]
    assert (codes[0], codes[-1]) == ("DOCUMENT_NOT_FOUND", "THROTTLED")


async def test_over_a_socket_it_is_the_same(api: Api, settings: Settings) -> None:
    async with served(api, settings, **POOR) as here, here.talking() as socket:
        await socket.subscribe("1", MALLS["query"])
        answered = await socket.hear()
        assert answered["payload"]["extensions"]["cost"]["requestedQueryCost"] > 30
        assert (await socket.hear())["type"] == "complete"
        for nth in count():
            await socket.subscribe(f"s{nth}", "subscription { errorEvents { cursor } }")
            if (message := await socket.hear())["type"] == "error":
                break
            assert message["type"] == "next"
        [error] = message["payload"]
        assert error["extensions"]["code"] == "THROTTLED"
