"""Two connections at once, each held where it matters until the other is seen to wait. Nothing is lost, nobody sees a

deadlock, and every number that is left is right.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from domain.model.malls import MallTime, PushOutcome, PushResult
from domain.model.sets import SetPart
from domain.model.stock import Cause
from domain.services import links, reflect, sets, settling, stock
from domain.services.ledger import Ledger
from domain.services.reflect import Batch
from domain.services.stock import NewTotal
from domain.store import leases
from domain.store.database import Database, Tx
from domain.store.leases import LeaseKind
from domain.store.outages import sqlstate
from domain.store.shops import Shop
from domain.store.stock import unbalanced
from tests.domain.services.rows import NOW, OWNER, row, rows
from tests.domain.services.story import (
    Shown,
    a_listing,
    a_shop,
    an_order,
    imported,
    in_stock,
    lines,
    meanwhile,
    product_ids,
    shown,
    take,
    totals,
)

SOON = NOW + timedelta(minutes=5)
UNIQUE = "23505"


async def tea_at(db: Database, account: UUID, name: str = "Rakuten", **totals: int) -> Shop:
    async def work(tx: Tx) -> Shop:
        shop = await a_shop(tx, name)
        await in_stock(tx, shop, **(totals or {"TEA": 5}))
        return shop

    return await db.run(account, work)


async def lease_of(tx: Tx, shop: Shop) -> int:
    epoch = await leases.take(tx, shop.id, LeaseKind.REFLECT, "test", timedelta(minutes=1))
    assert epoch is not None
    return epoch


async def claim(tx: Tx, shop: Shop, epoch: int) -> Batch | None:
    return await reflect.claim(tx, shop, epoch, at_most=10, now=SOON)


async def applied(tx: Tx, batch: Batch) -> None:
    """The mall took everything that was sent."""
    at = MallTime(SOON, SOON)
    results = [PushResult(each.ref, PushOutcome.APPLIED, at) for each in batch.attempts]
    await settling.settle(tx, batch, results, now=SOON)


async def sets_tea(tx: Tx, total: int) -> None:
    tea = (await product_ids(tx))["TEA"]
    await stock.set_totals(tx, OWNER, [NewTotal(tea, total)], reflect=True, now=SOON)


async def look(db: Database, account: UUID, shop: Shop, ref: str = "tea") -> Shown:
    return await db.run(account, lambda tx: shown(tx, shop, ref))


async def quantities(batch: Batch | None) -> list[int]:
    return [] if batch is None else [each.quantity for each in batch.attempts]


class TestAChangeIsNeverLost:
    """Between a claim and its settling, whichever comes first."""

    async def test_a_change_after_the_claim_still_waits_when_it_settles(
        self, db: Database, account: UUID
    ):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))
        sent = await db.run(account, lambda tx: claim(tx, shop, epoch))
        assert sent is not None
        await db.run(account, lambda tx: sets_tea(tx, 3))
        await db.run(account, lambda tx: applied(tx, sent))

        between = await look(db, account, shop)
        again = await db.run(account, lambda tx: claim(tx, shop, epoch))

        assert (between.expected, between.base, between.waits) == (3, 4, True)
        assert (await quantities(sent), await quantities(again)) == ([4], [3])

    async def test_a_change_waits_for_a_claim_that_is_being_made(self, db: Database, account: UUID):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))
        sent: list[Batch | None] = []

        async def claims(tx: Tx) -> None:
            sent.append(await claim(tx, shop, epoch))

        await meanwhile(db, account, claims, lambda tx: sets_tea(tx, 3))
        [batch] = sent
        assert batch is not None
        await db.run(account, lambda tx: applied(tx, batch))

        after = await look(db, account, shop)
        assert await quantities(batch) == [4]
        assert (after.expected, after.base, after.waits) == (3, 4, True)

    async def test_a_claim_leaves_what_is_being_changed_and_finds_it_afterwards(
        self, db: Database, account: UUID
    ):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))

        async with db.transaction(account) as tx:
            await sets_tea(tx, 3)
            during = await db.run(account, lambda other: claim(other, shop, epoch))
        after = await db.run(account, lambda tx: claim(tx, shop, epoch))

        assert (during, await quantities(after)) == (None, [3])

    async def test_a_change_while_it_settles_waits_and_is_kept(self, db: Database, account: UUID):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))
        sent = await db.run(account, lambda tx: claim(tx, shop, epoch))
        assert sent is not None

        await meanwhile(db, account, lambda tx: applied(tx, sent), lambda tx: sets_tea(tx, 3))

        after = await look(db, account, shop)
        assert (after.expected, after.base, after.waits) == (3, 4, True)

    async def test_settling_while_it_changes_waits_and_ends_nothing_newer(
        self, db: Database, account: UUID
    ):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))
        sent = await db.run(account, lambda tx: claim(tx, shop, epoch))
        assert sent is not None

        await meanwhile(db, account, lambda tx: sets_tea(tx, 3), lambda tx: applied(tx, sent))

        after = await look(db, account, shop)
        assert (after.expected, after.base, after.waits) == (3, 4, True)

    async def test_two_attempts_on_one_listing_are_never_open(self, db: Database, account: UUID):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))

        async with db.transaction(account) as tx:
            first = await claim(tx, shop, epoch)
            second = await db.run(account, lambda other: claim(other, shop, epoch))
        third = await db.run(account, lambda tx: claim(tx, shop, epoch))
        with pytest.raises(asyncpg.PostgresError) as error:
            await db.run(account, _forged)

        assert (await quantities(first), second, third) == ([4], None, None)
        assert sqlstate(error.value) == UNIQUE


async def _forged(tx: Tx) -> None:
    """A second attempt beside an open one, past all our rules."""
    await rows(
        tx,
        """
        INSERT INTO pushes (account_id, listing_id, shop_id, call_id, generation, epoch, mode, quantity, state)
        SELECT account_id, listing_id, shop_id, uuidv7(), generation, epoch, mode, quantity, 'SENT' FROM pushes
        RETURNING id
        """,
    )


class TestSalesAtOnce:
    async def test_the_last_unit_sold_twice_is_kept_below_zero(self, db: Database, account: UUID):
        here = await tea_at(db, account, TEA=1)
        there = await tea_at(db, account, "Second", TEA=1)

        await meanwhile(
            db,
            account,
            lambda tx: take(tx, here, an_order("1", ("tea", 1))),
            lambda tx: take(tx, there, an_order("1", ("tea", 1))),
        )

        assert await db.run(account, totals) == {"TEA": -1}
        assert await db.run(account, unbalanced) == []
        for shop in (here, there):
            assert (await look(db, account, shop)).expected == 0

    async def test_orders_with_their_lines_crossed_wait_for_each_other(
        self, db: Database, account: UUID
    ):
        """Products are locked in one order, whatever the lines say."""
        here = await tea_at(db, account, TEA=50, MUG=50)
        there = await tea_at(db, account, "Second", TEA=50, MUG=50)
        forth = [an_order(f"{n}", ("tea", 1), ("mug", 1)) for n in range(5)]
        back = [an_order(f"{n}", ("mug", 1), ("tea", 1)) for n in range(5)]

        await meanwhile(
            db, account, lambda tx: take(tx, here, *forth), lambda tx: take(tx, there, *back)
        )

        assert await db.run(account, totals) == {"MUG": 40, "TEA": 40}
        assert await db.run(account, unbalanced) == []

    async def test_parts_sold_at_once_leave_their_set_right(self, db: Database, account: UUID):
        shop = await tea_at(db, account, TEA=10, MUG=10)
        other = await tea_at(db, account, "Second", TEA=10, MUG=10)

        async def boxed(tx: Tx) -> None:
            await imported(tx, shop, a_listing("BOX"))
            ids = await product_ids(tx)
            parts = [SetPart(ids["TEA"], 1), SetPart(ids["MUG"], 1)]
            await sets.save_set(tx, OWNER, ids["BOX"], parts=parts, now=NOW)

        await db.run(account, boxed)

        await meanwhile(
            db,
            account,
            lambda tx: take(tx, shop, an_order("1", ("tea", 3))),
            lambda tx: take(tx, other, an_order("1", ("mug", 6))),
        )

        assert (await look(db, account, shop, "box")).expected == 4

    async def test_many_things_at_once_reach_nobody_as_a_deadlock(
        self, db: Database, account: UUID
    ):
        """Orders of two shops, totals set both ways round, a claim and its settling: all at once, again and again."""
        here = await tea_at(db, account, TEA=500, MUG=500)
        there = await tea_at(db, account, "Second", TEA=500, MUG=500)
        epoch = await db.run(account, lambda tx: lease_of(tx, here))

        async def sells(shop: Shop, number: int, *refs: str) -> None:
            order = an_order(f"{number}", *((ref, 1) for ref in refs))
            await db.run(account, lambda tx: take(tx, shop, order))

        async def pushes() -> None:
            sent = await db.run(account, lambda tx: claim(tx, here, epoch))
            if sent is not None:
                await db.run(account, lambda tx: applied(tx, sent))

        for number in range(8):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(sells(here, number, "tea", "mug"))
                tasks.create_task(sells(there, number, "mug", "tea"))
                tasks.create_task(pushes())

        assert await db.run(account, totals) == {"MUG": 484, "TEA": 484}
        assert await db.run(account, unbalanced) == []
        for shop in (here, there):
            assert (await look(db, account, shop)).expected == 484


class TestWhatIsSentAndWhatIsReadAtOnce:
    """A file of the shop that is read while a push settles, either way round."""

    @pytest.mark.parametrize("settles_first", [True, False])
    async def test_a_file_and_a_settling_wait_for_each_other(
        self, db: Database, account: UUID, settles_first: bool
    ):
        shop = await tea_at(db, account)
        epoch = await db.run(account, lambda tx: lease_of(tx, shop))
        await db.run(account, lambda tx: sets_tea(tx, 4))
        sent = await db.run(account, lambda tx: claim(tx, shop, epoch))
        assert sent is not None

        async def settles(tx: Tx) -> None:
            await applied(tx, sent)

        async def reads(tx: Tx) -> None:
            await imported(tx, shop, a_listing("TEA", 4), now=SOON)

        order = (settles, reads) if settles_first else (reads, settles)
        await meanwhile(db, account, *order)

        after = await look(db, account, shop)
        assert (after.expected, after.base, after.waits, after.difference) == (4, 4, False, None)

    async def test_what_deadlocks_all_the_same_is_done_again(self, db: Database, account: UUID):
        """Two that lock against every rule: both are done in the end."""
        await tea_at(db, account, TEA=5, MUG=5)
        ids = await db.run(account, product_ids)
        begun: dict[str, asyncio.Event] = {code: asyncio.Event() for code in ids}
        attempts: list[str] = []

        async def crosses(tx: Tx, first: str, then: str) -> None:
            attempts.append(first)
            await ledger_of(tx, ids[first])
            begun[first].set()
            await begun[then].wait()
            await ledger_of(tx, ids[then])

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(db.run(account, lambda tx: crosses(tx, "TEA", "MUG")))
            tasks.create_task(db.run(account, lambda tx: crosses(tx, "MUG", "TEA")))

        assert len(attempts) == 3
        assert await db.run(account, totals) == {"MUG": 3, "TEA": 3}


async def ledger_of(tx: Tx, product_id: UUID) -> None:
    ledger = await Ledger.locked(tx, [product_id])
    ledger.move(product_id, -1, Cause.ADJUSTED, effective_at=NOW)
    await ledger.write(tx)


class TestLinksAndOrdersTakeTurns:
    async def unlinked(self, db: Database, account: UUID) -> tuple[Shop, tuple[UUID, UUID]]:
        shop = await tea_at(db, account)
        await db.run(
            account,
            lambda tx: imported(tx, shop, a_listing("?", ref="tea2"), create_products=False),
        )
        page = (await look(db, account, shop, "tea2")).listing_id
        tea = (await db.run(account, product_ids))["TEA"]
        return shop, (page, tea)

    async def test_an_order_that_comes_while_its_listing_is_linked_meets_the_link(
        self, db: Database, account: UUID
    ):
        shop, pair = await self.unlinked(db, account)

        await meanwhile(
            db,
            account,
            lambda tx: links.link(tx, OWNER, [pair], copy_page=True, now=NOW),
            lambda tx: take(tx, shop, an_order("1", ("tea2", 2))),
        )

        assert await db.run(account, totals) == {"TEA": 3}
        assert await db.run(account, lambda tx: lines(tx, "1")) == [("tea2", 2, "APPLIED")]

    async def test_a_link_that_is_made_while_an_order_comes_takes_it_in(
        self, db: Database, account: UUID
    ):
        shop, pair = await self.unlinked(db, account)

        await meanwhile(
            db,
            account,
            lambda tx: take(tx, shop, an_order("1", ("tea2", 2))),
            lambda tx: links.link(tx, OWNER, [pair], copy_page=True, now=NOW),
        )

        assert await db.run(account, totals) == {"TEA": 3}
        assert await db.run(account, lambda tx: lines(tx, "1")) == [("tea2", 2, "APPLIED")]

    async def test_a_number_never_moves_past_a_link_that_is_being_made(
        self, db: Database, account: UUID
    ):
        shop, pair = await self.unlinked(db, account)

        await meanwhile(
            db,
            account,
            lambda tx: links.link(tx, OWNER, [pair], copy_page=True, now=NOW),
            lambda tx: sets_tea(tx, 2),
        )

        assert (await look(db, account, shop, "tea2")).expected == 2

    async def test_two_files_of_a_shop_at_once_make_one_row_of_each_code(
        self, db: Database, account: UUID
    ):
        shop = await db.run(account, a_shop)
        found = [a_listing("TEA", 1), a_listing("MUG", 1)]

        await meanwhile(
            db,
            account,
            lambda tx: imported(tx, shop, *found),
            lambda tx: imported(tx, shop, *reversed(found)),
        )

        counts = await db.run(
            account,
            lambda tx: row(
                tx,
                "SELECT (SELECT count(*) FROM products) AS products, (SELECT count(*) FROM listings) AS listings",
            ),
        )
        assert counts == {"products": 2, "listings": 2}
        assert (await look(db, account, shop)).link == "LINKED"
