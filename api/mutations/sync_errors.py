"""エラー削除 Clearing what went wrong."""

from uuid import UUID

import strawberry

from api.context import Context
from api.fields import optional
from api.jobs import ShopCheck
from api.load import nodes
from api.mutations.edge import answered_list, row_ids, said, user_errors
from api.mutations.inputs import KEY, ErrorSelection
from api.sync_errors import SyncError
from api.user_errors import UserError
from domain.services import sync_errors
from domain.store.database import Tx


@strawberry.input(description="エラー削除: errors to clear.")
class ClearErrorsInput:
    errors: ErrorSelection = strawberry.field(description="Which.")
    idempotency_key: str | None = optional(KEY)


@strawberry.type(
    description="What became of errors. Level 8 is cleared now; for the level 9 of a halted shop a test begins, and when it is "
    "good the error is cleared and the shop goes on."
)
class ClearErrorsPayload:
    cleared: list[SyncError] = answered_list("Errors that are cleared now.")
    checks: list[ShopCheck] = answered_list("接続テスト: the tests that decide about the others.")
    user_errors: list[UserError] = user_errors()


async def clear_errors(tx: Tx, context: Context, input: ClearErrorsInput) -> ClearErrorsPayload:
    asked = await _meant(tx, input.errors)
    cleared = await sync_errors.clear(tx, context.viewer.actor, asked, now=context.now())
    return ClearErrorsPayload(
        cleared=nodes("SyncError", cleared.errors), checks=nodes("Job", cleared.checks)
    )


async def _meant(tx: Tx, selection: ErrorSelection) -> list[UUID]:
    """Raises DomainError NOT_FOUND or TOO_MANY."""
    ids, wanted = said(selection.ids), said(selection.filter)
    if wanted is None:
        return row_ids(ids, "SyncError", "errors", "ids")
    shops = said(wanted.shop_ids)
    path = ("errors", "filter", "shop_ids")
    return await sync_errors.uncleared(
        tx,
        levels=said(wanted.levels),
        states=said(wanted.states),
        kinds=said(wanted.kinds),
        shop_ids=None if shops is None else row_ids(shops, "Shop", *path),
    )
