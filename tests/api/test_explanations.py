"""Every explanation of the town is what the rules say of its rows."""

import json

from graphql import parse

from api.plan import Planner
from api.schema import print_sdl
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Role
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.api.oracle import Oracle
from tests.api.town import a_town, rows_of

EXPLAINED = """
{ listings(first: 100) { edges { node { id explain {
    text inJapanese: text(locale: JA)
    steps { rule before after setAt setOn { __typename id ... on Product { code } ... on Listing { itemCode } }
        setBy { __typename ... on User { name } ... on ApiToken { name } ... on SystemActor { name } } }
    checks { key ok text } } } } } }
"""


async def test_explanations_follow_from_the_rows(db: Database, planner: Planner) -> None:
    account = await a_town(db)
    asker = Asker(db, planner, account)
    rows = await rows_of(db, account)
    oracle = Oracle(print_sdl(), rows, account, PERMISSIONS[Role.OWNER], Locale.EN)

    answered = await asker.ask(EXPLAINED)

    expected = oracle.answer(parse(EXPLAINED), {})
    assert expected.errors is None
    assert json.dumps(answered) == json.dumps(expected.data)
    told = [edge["node"]["explain"] for edge in answered["listings"]["edges"]]
    set_by = {
        step["setBy"]["__typename"] for each in told for step in each["steps"] if step["setBy"]
    }
    assert set_by == {"User", "ApiToken"}
    assert {len(each["steps"]) for each in told} == {0, 6}
