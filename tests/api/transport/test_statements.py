"""A mutation of many rows takes as many statements as one of a few."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest

from domain.model.malls import MallKind
from domain.services.credentials import Vault
from domain.settings import Settings
from domain.store.database import Database
from tests.api.statements import of_work, statements
from tests.api.transport.market import Market, a_market
from tests.api.transport.serving import Api
from tests.api.transport.test_examples import SOURCES, an_answer

RAKUTEN, AMAZON = MallKind.RAKUTEN, MallKind.AMAZON
FEW = range(2, 4)
MANY = range(4, 20)
MOST = 40

Some = Callable[[Market, Sequence[int]], dict[str, Any]]


def listings(mall: MallKind) -> Some:
    return lambda m, of: {"listings": {"ids": [m.listing(mall, nth) for nth in of]}}


def products(m: Market, of: Sequence[int]) -> dict[str, Any]:
    return {"products": {"ids": [m.product(nth) for nth in of]}}


def given(some: Some, **more: Any) -> Some:
    return lambda m, of: some(m, of) | more


def items(**value: int) -> Some:
    return lambda m, of: {"items": [{"productId": m.product(nth), **value} for nth in of]}


MUTATIONS: Mapping[str, Some] = {
    "save_totals": items(total=77),
    "adjust_totals": given(items(change=3), reason="RECEIVED"),
    "reflect": products,
    "link": lambda m, of: {
        "pairs": [
            {"listingId": m.listing(AMAZON, 20 + nth % 10), "productId": m.product(20 + nth % 10)}
            for nth in list(of)[:8]
        ]
    },
    "unlink": listings(RAKUTEN),
    "set_sync": given(listings(RAKUTEN), sync=False),
    "set_limits": given(listings(RAKUTEN), minimum=1, maximum=3),
    "delete_products": given(products, withListings=True),
    "delete_listings": listings(RAKUTEN),
    "save_set": lambda m, of: {
        "productId": m.set,
        "parts": [{"productId": m.product(nth), "count": 1} for nth in of],
    },
}


@pytest.fixture
async def market(db: Database, account: UUID, settings: Settings) -> Market:
    return await a_market(db, account, Vault(settings.secret_key))


async def sent_for(api: Api, name: str, input: Mapping[str, Any]) -> list[str]:
    with statements() as sent:
        an_answer(await api.ask(SOURCES[name], input=input))
    return of_work(sent)


@pytest.mark.parametrize("name", MUTATIONS)
async def test_statements_do_not_grow_with_the_rows(api: Api, market: Market, name: str) -> None:
    some = MUTATIONS[name]

    few = await sent_for(api, name, some(market, FEW))
    many = await sent_for(api, name, some(market, MANY))

    assert 0 < len(many) <= len(few) + 2
    assert len(many) <= MOST
