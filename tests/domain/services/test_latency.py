"""同期の遅れ How late a mall was: from when a listing first wanted a number that is not there to when it stands."""

from datetime import timedelta
from uuid import UUID

from domain.store.database import Database
from tests.domain.services.rows import NOW, row, rows
from tests.domain.services.story import a_shop, counted, in_stock
from tests.domain.services.turns import answers, claimed, lease_of, numbers

SECOND = timedelta(seconds=1)


async def test_what_is_sent_never_waited_since_before_the_number_that_it_follows(
    db: Database, account: UUID
):
    """A listing that sells again and again while its numbers are on their way: each is as late as it is, and no more."""
    async with db.transaction(account) as tx:
        shop = await a_shop(tx)
        await in_stock(tx, shop, TEA=99)
        epoch = await lease_of(tx, shop)
        await counted(tx, NOW, TEA=98)
        sent = []
        for nth in range(1, 5):
            at = NOW + nth * 10 * SECOND
            batch = await claimed(tx, shop, epoch, at=at)
            assert batch is not None
            await counted(tx, at + SECOND, TEA=98 - nth)
            await answers(tx, batch, at=at + 2 * SECOND)
            sent += numbers(batch)

        late = await rows(
            tx,
            "SELECT extract(epoch FROM applied_at - waiting_at)::int AS seconds FROM pushes ORDER BY generation",
        )
        still = await row(tx, "SELECT waiting_since FROM listing_sync")

    assert sent == [98, 97, 96, 95]
    assert [each["seconds"] for each in late] == [12, 12, 12, 12]
    assert still == {"waiting_since": NOW + 40 * SECOND}
