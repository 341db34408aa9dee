"""共通設定 The account's own settings."""

import strawberry

from api.account import Account
from api.context import Context
from api.enums import ReflectEdits
from api.fields import optional
from api.load import node
from api.mutations.edge import answered, given, named, said, user_errors
from api.mutations.inputs import KEY, VERSION
from api.user_errors import UserError
from domain.model.shops import Level9Resume
from domain.services import account_settings, schedules
from domain.store.database import Tx


@strawberry.input(description="共通設定. What is left out stays as it is.")
class UpdateAccountInput:
    expected_version: int | None = optional(VERSION)
    name: str | None = optional("会社名.")
    time_zone: str | None = optional("The zone of its schedules and days, such as Asia/Tokyo.")
    base_shop_id: strawberry.ID | None = optional(
        "基本モール: the shop whose listings name products and give their images. Products that nobody named by hand "
        "are renamed at once. Null: no shop."
    )
    reflect_edits: ReflectEdits | None = optional(
        "Does a number that a person, a file or a token sets go out by itself? What waits already goes on waiting."
    )
    level9_resume: Level9Resume | None = optional("What ends a level 9.")
    show_images: bool | None = optional("画像表示: whether screens show images.")
    sync_new_listings: bool | None = optional(
        "連携: the tick of listings that come in new, by import or by `attachListings`. Off for a trial with a few."
    )
    confirm_to_zero: int | None = optional(
        "A change that would send more listings than this to zero asks for a confirmation."
    )
    confirm_changed: int | None = optional(
        "A change that would change more listings than this asks for a confirmation."
    )
    idempotency_key: str | None = optional(KEY)


@strawberry.type(description="What became of the account's settings.")
class UpdateAccountPayload:
    account: Account | None = answered("The account as it is now.")
    user_errors: list[UserError] = user_errors()


PLAIN = (
    "name",
    "time_zone",
    "reflect_edits",
    "level9_resume",
    "show_images",
    "sync_new_listings",
    "confirm_to_zero",
    "confirm_changed",
)


async def update_account(
    tx: Tx, context: Context, input: UpdateAccountInput
) -> UpdateAccountPayload:
    wanted = {name: value for name, value in given(input, *PLAIN).items() if value is not None}
    if input.base_shop_id is not strawberry.UNSET:
        wanted["base_shop_id"] = named(input.base_shop_id, "Shop", "base_shop_id")
    await account_settings.update_account(
        tx,
        context.viewer.actor,
        expected_version=said(input.expected_version),
        now=context.now(),
        **wanted,
    )
    if "time_zone" in wanted:
        await schedules.zone_changed(tx, now=context.now())
    return UpdateAccountPayload(account=node("Account", tx.account_id))
