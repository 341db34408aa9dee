"""連動の開始・停止 Starting and stopping what runs by itself."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from api.account import Account
from api.context import Context
from api.fields import described, optional
from api.load import node, nodes
from api.mutations.confirming import PREVIEW, TOKEN, confirmed
from api.mutations.edge import answered, answered_list, row_ids, said, user_errors
from api.mutations.inputs import KEY
from api.previews import ReflectPreview
from api.shops import Shop
from api.user_errors import UserError
from domain.model.shops import SyncPart
from domain.services import previews, switches
from domain.store.database import Tx

SHOPS = "Which shops, at most 100; null: 在庫連動, the account's master switch."
PARTS = "Which of a shop's switches; null: both."

described(
    SyncPart,
    "A shop's switches.",
    ORDERS="受注連動: its orders are read.",
    REFLECT="在庫反映: its numbers are sent.",
)


@strawberry.input(description="連動開始: what is to run.")
class StartSyncInput:
    shop_ids: list[strawberry.ID] | None = optional(SHOPS)
    parts: list[SyncPart] | None = optional(PARTS)
    confirmation_token: str | None = optional(TOKEN)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a start. What differs goes out at once.")
class StartSyncPayload:
    account: Account | None = answered("The account.")
    shops: list[Shop] = answered_list("The shops; all of them after the master switch.")
    preview: ReflectPreview | None = answered(PREVIEW)
    user_errors: list[UserError] = user_errors()


@strawberry.input(description="連動停止: what is to stand still.")
class StopSyncInput:
    shop_ids: list[strawberry.ID] | None = optional(SHOPS)
    parts: list[SyncPart] | None = optional(PARTS)
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of a stop. A call that is under way still ends.")
class StopSyncPayload:
    account: Account | None = answered("The account.")
    shops: list[Shop] = answered_list("The shops; all of them after the master switch.")
    user_errors: list[UserError] = user_errors()


async def start_sync(tx: Tx, context: Context, input: StartSyncInput) -> StartSyncPayload:
    shop_ids, parts = _shops(input), said(input.parts) or ()
    preview = await confirmed(
        tx,
        context,
        await previews.of_start(tx, shop_ids, parts),
        input.confirmation_token,
        "start",
        shop_ids=input.shop_ids,
        parts=input.parts,
    )
    found = await switches.start_sync(tx, context.viewer.actor, shop_ids, parts, now=context.now())
    return StartSyncPayload(
        account=node("Account", tx.account_id),
        shops=nodes("Shop", [each.id for each in found]),
        preview=preview,
    )


async def stop_sync(tx: Tx, context: Context, input: StopSyncInput) -> StopSyncPayload:
    found = await switches.stop_sync(
        tx, context.viewer.actor, _shops(input), said(input.parts) or (), now=context.now()
    )
    return StopSyncPayload(
        account=node("Account", tx.account_id), shops=nodes("Shop", [each.id for each in found])
    )


def _shops(input: StartSyncInput | StopSyncInput) -> Sequence[UUID] | None:
    """None: the master switch."""
    named = said(input.shop_ids)
    return None if named is None else row_ids(named, "Shop", "shop_ids")
