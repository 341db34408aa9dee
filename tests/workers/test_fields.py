"""Fields that travel with stock, as the malls themselves show them after a reflect (A10.2, A10.4)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.model.actors import SYSTEM
from domain.model.mall_fields import FieldChange, FieldOwner
from domain.model.malls import MallKind
from domain.services import listing_fields, readings
from domain.store.database import Database
from tests.workers.town import Town, at_work, eventually, named, now, ref_at, town

YAHOO, AMAZON = MallKind.YAHOO_SHOPPING, MallKind.AMAZON
LEAD_TIME, RESTOCK = "lead_time_to_ship_max_days", "restock_date"


@pytest.fixture
async def here(db: Database, malls: str) -> AsyncIterator[Town]:
    """A shop at each mall that has such fields, running."""
    async with town(db, malls, YAHOO, AMAZON) as made:
        await made.has(MUG=10, TEA=10)
        await made.starts()
        async with at_work(made.ctx):
            yield made


async def attributes(here: Town, kind: MallKind, code: str) -> dict[str, Any]:
    """What the mall keeps beside the number."""
    items = (await here.stalls[kind].asks("GET", "state"))["items"]
    whose = named(ref_at(kind, code))
    found: dict[str, Any] = next(
        item["attributes"] for item in items if whose.items() <= item.items()
    )
    return found


async def reflects(here: Town, kind: MallKind, code: str, *changes: FieldChange) -> None:
    """A person sets fields of one listing and asks for a reflect."""
    shop = here.stalls[kind].id
    listing = await here.scalar(
        "SELECT id FROM listings WHERE shop_id = :shop AND item_code = :code", shop=shop, code=code
    )

    async def work(tx: Any) -> None:
        await listing_fields.set_fields(tx, SYSTEM, [listing], changes, reflect=True, now=now())

    await here.db.run(here.account_id, work)


def value(key: str, entered: str | None) -> FieldChange:
    return FieldChange(key, entered, sets_value=True)


async def test_over_purchase_goes_out_with_the_next_reflect(here: Town) -> None:
    await reflects(here, YAHOO, "MUG", value("allow_overdraft", "1"))

    async def so() -> bool:
        return (await attributes(here, YAHOO, "MUG")).get("overdraft") is True

    await eventually(so)
    assert not (await attributes(here, YAHOO, "TEA")).get("overdraft")
    assert (await here.everywhere("MUG"))[YAHOO] == 10


async def test_lead_time_and_restock_date_go_out_with_the_next_reflect(here: Town) -> None:
    await reflects(here, AMAZON, "MUG", value(LEAD_TIME, "3"), value(RESTOCK, "2027-01-31"))

    async def so() -> bool:
        kept = await attributes(here, AMAZON, "MUG")
        return (kept.get(LEAD_TIME), kept.get(RESTOCK)) == (3, "2027-01-31")

    await eventually(so)
    kept = await attributes(here, AMAZON, "TEA")
    assert (kept.get(LEAD_TIME), kept.get(RESTOCK)) == (None, None)


async def test_what_is_the_malls_stays_as_it_is_there(here: Town) -> None:
    item = named(ref_at(AMAZON, "MUG")) | {"attributes": {LEAD_TIME: 9}}
    await here.stalls[AMAZON].asks("PUT", "items", items=[item])
    theirs = FieldChange(LEAD_TIME, "3", sets_value=True, owner=FieldOwner.MALL)

    await reflects(here, AMAZON, "MUG", theirs, value(RESTOCK, "2027-01-31"))

    async def so() -> bool:
        return (await attributes(here, AMAZON, "MUG")).get(RESTOCK) == "2027-01-31"

    await eventually(so)
    assert (await attributes(here, AMAZON, "MUG")).get(LEAD_TIME) == 9

    async def noted() -> bool:
        fields = await here.scalar(
            "SELECT fields FROM listings WHERE shop_id = :shop AND item_code = 'MUG'",
            shop=here.stalls[AMAZON].id,
        )
        return bool(fields == {LEAD_TIME: "9", RESTOCK: "2027-01-31"})

    await eventually(noted, because="an accepted number is read, and its fields with it")


async def test_a_read_of_the_malls_stock_tells_what_was_changed_there(here: Town) -> None:
    mug = await here.scalar(
        "SELECT id FROM listings WHERE shop_id = :shop AND item_code = 'MUG'",
        shop=here.stalls[YAHOO].id,
    )
    await reflects(here, YAHOO, "MUG", value("allow_overdraft", "0"))

    async def read() -> dict[str, Any]:
        await here.db.run(here.account_id, lambda tx: readings.ask(tx, SYSTEM, [mug], now=now()))
        fields: dict[str, Any] = await here.scalar(
            "SELECT fields FROM listings WHERE id = :mug", mug=mug
        )
        return fields

    async def shows(overdraft: str) -> bool:
        return (await read()).get("allow_overdraft") == overdraft

    await eventually(lambda: shows("0"))
    item = named(ref_at(YAHOO, "MUG")) | {"attributes": {"overdraft": True}}
    await here.stalls[YAHOO].asks("PUT", "items", items=[item])
    await eventually(lambda: shows("1"))

    [field] = await here.query(
        "SELECT value, changed_at_mall FROM listing_fields WHERE listing_id = :mug", mug=mug
    )
    assert (field.value, field.changed_at_mall is None) == ("0", False)
