"""超過表示: for how long malls showed more of a product than was left, as its page says."""

from api.plan import Planner
from domain.store.database import Database
from tests.api.beside import as_the_oracle

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
    answered = await as_the_oracle(db, planner, EXPOSED)

    cup = next(x["node"] for x in answered["products"]["edges"] if x["node"]["code"] == "CUP")
    told = ("none", "week", "month", "more", "ever")
    assert [cup[name]["seconds"] for name in told] == [1.5, 62.501, 62.508, 86462.508, 86462.508]
