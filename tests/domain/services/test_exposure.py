"""超過表示: how long each mall showed more of a product than was left."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from domain.model.errors import MallOutcomeUnknown
from domain.model.malls import MallKind
from domain.store import dispatch
from domain.store.database import Database, Tx
from domain.store.shops import Shop
from tests.domain.services.rows import NOW, rows
from tests.domain.services.story import a_listing as listed
from tests.domain.services.story import (
    a_shop,
    an_order,
    counted,
    everywhere_right,
    imported,
    in_stock,
    product_ids,
    take,
)
from tests.domain.services.turns import answers, fails, sent

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TOKYO_MIDNIGHT = NOW + timedelta(hours=12)


async def a_pair(tx: Tx, **totals: int) -> tuple[Shop, Shop]:
    """Two shops that show the same products as they are."""
    here, there = await a_shop(tx), await a_shop(tx, "Yahoo", MallKind.YAHOO_SHOPPING)
    await in_stock(tx, here, **totals)
    await imported(tx, there, *(listed(code) for code in totals))
    await as_they_should(tx)
    return here, there


async def as_they_should(tx: Tx) -> None:
    """Malls show what changed since, too."""
    await everywhere_right(tx)
    await everywhere_right(tx)


async def exposed(tx: Tx) -> list[tuple[str, float, float, int]]:
    """(shop, seconds, longest, times) of each day on which something was, in their order."""
    found = await rows(
        tx,
        "SELECT s.name, x.milliseconds, x.longest, x.times FROM product_exposures x"
        " JOIN shops s ON s.id = x.shop_id ORDER BY x.day, s.name",
    )
    return [(x["name"], x["milliseconds"] / 1000, x["longest"] / 1000, x["times"]) for x in found]


async def since(tx: Tx) -> list[tuple[str, datetime]]:
    """(item code, since when) of the listings that are exposed."""
    found = await rows(
        tx,
        "SELECT l.item_code, s.exposed_since FROM listing_sync s JOIN listings l ON l.id = s.listing_id"
        " WHERE s.exposed_since IS NOT NULL ORDER BY 1",
    )
    return [(each["item_code"], each["exposed_since"]) for each in found]


async def test_it_lasts_from_the_sale_until_the_other_mall_was_told(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=3)

        await take(tx, here, an_order("R-1", ("tea", 1), placed_at=NOW - MINUTE))
        begun = await since(tx)
        await answers(tx, await sent(tx, there, at=NOW + SECOND), at=NOW + 2 * SECOND)

        assert begun == [("tea", NOW - MINUTE)]
        assert await since(tx) == []
        assert await exposed(tx) == [("Yahoo", 62, 62, 1)]


async def test_times_of_one_day_are_added_up(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=3)

        for nth, seconds in enumerate((30, 5)):
            at = NOW + nth * MINUTE
            await take(tx, here, an_order(f"R-{nth}", ("tea", 1), placed_at=at), at=at)
            await answers(tx, await sent(tx, there, at=at + SECOND), at=at + seconds * SECOND)

        assert await exposed(tx) == [("Yahoo", 35, 30, 2)]


async def test_a_day_ends_at_the_accounts_midnight(db: Database, account: UUID):
    """Each day has its own part of the time; as one time it belongs to the day on which it ended."""
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=3)
        before, after = TOKYO_MIDNIGHT - MINUTE, TOKYO_MIDNIGHT + 3 * MINUTE

        await take(tx, here, an_order("R-1", ("tea", 1), placed_at=before), at=before)
        await answers(tx, await sent(tx, there, at=before + SECOND), at=after)

        assert await exposed(tx) == [("Yahoo", 60, 0, 0), ("Yahoo", 180, 240, 1)]
        days = await rows(tx, "SELECT day FROM product_exposures ORDER BY day")
        assert [each["day"] for each in days] == [date(2026, 11, 20), date(2026, 11, 21)]


async def test_showing_less_than_there_is_is_none(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, _ = await a_pair(tx, TEA=9)
        await rows(tx, "UPDATE listings SET maximum = 3 RETURNING id")
        await as_they_should(tx)

        await take(tx, here, an_order("R-1", ("tea", 6)))
        enough = await since(tx)
        later, sooner = an_order("R-2", ("tea", 1)), an_order("R-3", ("tea", 1))
        await take(tx, here, later, replace(sooner, placed_at=NOW - MINUTE))

        assert enough == []
        assert await since(tx) == [("tea", NOW - MINUTE)], (
            "with the first of them too few were left"
        )


async def test_a_set_is_exposed_with_its_part(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=9)
        await imported(tx, there, listed("PAIR"))
        ids = await product_ids(tx)
        await rows(tx, f"UPDATE products SET kind = 'SET' WHERE id = '{ids['PAIR']}' RETURNING id")
        await rows(
            tx,
            "INSERT INTO set_parts (account_id, set_id, part_id, count)"
            f" VALUES (:account, '{ids['PAIR']}', '{ids['TEA']}', 2) RETURNING part_id",
        )
        await as_they_should(tx)

        await take(tx, here, an_order("R-1", ("tea", 1), placed_at=NOW - MINUTE))
        one_gone = await since(tx)
        await take(tx, here, an_order("R-2", ("tea", 1)))

        assert one_gone == [("tea", NOW - MINUTE)], "four sets still are in eight"
        assert await since(tx) == [("pair", NOW), ("tea", NOW - MINUTE)]


async def test_an_edit_that_is_not_reflected_exposes_since_it_was_made(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        await a_pair(tx, TEA=9)

        await counted(tx, NOW, TEA=4)

        assert await since(tx) == [("tea", NOW), ("tea", NOW)]


async def test_it_ends_as_far_as_is_known_when_an_answer_is_lost(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=3)

        await take(tx, here, an_order("R-1", ("tea", 1)))
        batch = await sent(tx, there, at=NOW + SECOND)
        lost = MallOutcomeUnknown("It did not answer.")
        await fails(tx, batch, lost, at=NOW + 9 * SECOND)

        assert await since(tx) == []
        assert await exposed(tx) == [("Yahoo", 9, 9, 1)]


async def test_what_is_switched_off_is_the_merchants_own_choice(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=3)
        await rows(
            tx, f"UPDATE shops SET reflect_running = false WHERE id = '{there.id}' RETURNING id"
        )

        await take(tx, here, an_order("R-1", ("tea", 1)))

        assert await since(tx) == []


async def test_it_is_forgotten_with_the_years(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        here, there = await a_pair(tx, TEA=3)
        await take(tx, here, an_order("R-1", ("tea", 1)))
        await answers(tx, await sent(tx, there, at=NOW + SECOND), at=NOW + SECOND)

    await dispatch.forget_exposures(db, before=NOW, at_most=1000)
    async with db.transaction(account) as tx:
        assert len(await exposed(tx)) == 1

    await dispatch.forget_exposures(db, before=NOW + timedelta(days=1), at_most=1000)
    async with db.transaction(account) as tx:
        assert await exposed(tx) == []
