"""One turn of a walk through a shop's listings, part by part, until none is left or the turn is over."""

from uuid import UUID

from domain.services import walks
from domain.store.database import Tx
from domain.store.walks import Walk
from workers.context import Context
from workers.turns import again_and_again, turn

TURN_SECONDS = 45


async def walk_shop(ctx: Context, account_id: UUID, shop_id: UUID) -> None:
    """It can die at any line and be run again. Another worker's turn is left alone. A failure of ours is counted, and
    raised."""
    async with turn(
        ctx, account_id, shop_id, walks.take_up, walks.put_down, stumbled=walks.stumbled
    ) as walk:
        if walk is not None:
            await again_and_again(TURN_SECONDS, lambda: _do_part(ctx, account_id, walk))


async def _do_part(ctx: Context, account_id: UUID, walk: Walk) -> bool:
    async def work(tx: Tx) -> bool:
        return await walks.do_part(tx, walk, now=ctx.now())

    return await ctx.db.run(account_id, work)
