"""Every explanation of the town is what the rules say of its rows."""

from api.plan import Planner
from domain.store.database import Database
from tests.api.beside import as_the_oracle

EXPLAINED = """
{ listings(first: 100) { edges { node { id explain {
    text inJapanese: text(locale: JA)
    steps { rule before after setAt setOn { __typename id ... on Product { code } ... on Listing { itemCode } }
        setBy { __typename ... on User { name } ... on ApiToken { name } ... on SystemActor { name } } }
    checks { key ok text } } } } } }
"""


async def test_explanations_follow_from_the_rows(db: Database, planner: Planner) -> None:
    answered = await as_the_oracle(db, planner, EXPLAINED)

    told = [edge["node"]["explain"] for edge in answered["listings"]["edges"]]
    set_by = {
        step["setBy"]["__typename"] for each in told for step in each["steps"] if step["setBy"]
    }
    assert set_by == {"User", "ApiToken"}
    assert {len(each["steps"]) for each in told} == {0, 6}
