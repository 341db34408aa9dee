"""What is answered, held against what the oracle says of the same rows."""

import json
from typing import Any

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


async def as_the_oracle(db: Database, planner: Planner, query: str) -> Any:
    """The data, which one statement answered to the owner of the town as the oracle does."""
    account = await a_town(db)
    rows = await rows_of(db, account)
    oracle = Oracle(print_sdl(), rows, account, PERMISSIONS[Role.OWNER], Locale.EN)

    with statements() as sent:
        answered = await Asker(db, planner, account).ask(query)

    expected = oracle.answer(parse(query), {})
    assert expected.errors is None
    assert json.dumps(answered) == json.dumps(expected.data)
    assert len(of_work(sent)) == 1
    return answered
