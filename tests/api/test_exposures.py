"""超過表示: for how long malls showed more of a product than was left, as its page says."""

import json

from graphql import parse

from api.plan import Planner
from api.schema import print_sdl
from domain.model.locales import Locale
from domain.model.roles import PERMISSIONS, Role
from domain.store.database import Database
from tests.api.conftest import Asker
from tests.api.oracle import Oracle
from tests.api.statements import of_work, statements
from tests.api.town import a_town, rows_of

EXPOSED = """
{ products(first: 100) { edges { node { code
    none: exposure(days: -1) { ...Times } week: exposure(days: 7) { ...Times } month: exposure { ...Times }
    more: exposure(days: 31) { ...Times } ever: exposure(days: 9999) { seconds } } } } }
fragment Times on Exposure { seconds longestSeconds times since
    byShop { shop { name } seconds longestSeconds times since } }
"""


async def test_it_follows_from_the_rows_of_the_days_that_are_asked_for(
    db: Database, planner: Planner
) -> None:
    account = await a_town(db)
    rows = await rows_of(db, account)
    oracle = Oracle(print_sdl(), rows, account, PERMISSIONS[Role.OWNER], Locale.EN)

    with statements() as sent:
        answered = await Asker(db, planner, account).ask(EXPOSED)

    expected = oracle.answer(parse(EXPOSED), {})
    assert expected.errors is None
    assert json.dumps(answered) == json.dumps(expected.data)
    cup = next(x["node"] for x in answered["products"]["edges"] if x["node"]["code"] == "CUP")
    told = ("none", "week", "month", "more", "ever")
    assert [cup[name]["seconds"] for name in told] == [1.5, 62.501, 62.508, 86462.508, 86462.508]
    assert len(of_work(sent)) == 1
