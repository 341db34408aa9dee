"""共通設定: what an account says of itself, and the names that a base shop gives."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.model.errors import DomainError
from domain.model.shops import Level9Resume
from domain.services import account_settings, products
from domain.store.database import Database, Tx
from tests.domain.services.rows import NOW, OWNER, operations, row, rows
from tests.domain.services.story import a_listing, a_shop, imported, product_ids


async def settings(tx: Tx) -> dict[str, Any]:
    return await row(
        tx,
        """
        SELECT name, time_zone, reflect_edits, level9_resume, show_images, sync_new_listings, confirm_to_zero,
            confirm_changed, version
        FROM accounts WHERE id = :account
        """,
    )


NEW: dict[str, Any] = {
    "name": "お茶の店",
    "time_zone": "Europe/Berlin",
    "reflect_edits": "AT_ONCE",
    "level9_resume": Level9Resume.ON_VALID_CREDENTIALS.value,
    "show_images": False,
    "sync_new_listings": False,
    "confirm_to_zero": 0,
    "confirm_changed": 7,
}


async def test_what_is_said_is_kept_and_what_is_left_out_stays(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        before = await settings(tx)
        await account_settings.update_account(tx, OWNER, now=NOW, show_images=False)
        one = await settings(tx)
        await account_settings.update_account(tx, OWNER, now=NOW, expected_version=2, **NEW)
        all_of_it = await settings(tx)
        done = await operations(tx)
        noted = await rows(tx, "SELECT facts FROM operation_logs WHERE action = 'UPDATE_ACCOUNT'")

    assert one == before | {"show_images": False, "version": 2}
    assert all_of_it == NEW | {"version": 3}
    assert done == ["CREATE_ACCOUNT", "UPDATE_ACCOUNT", "UPDATE_ACCOUNT"]
    assert noted[0]["facts"] == {"show_images": {"before": True, "after": False}}


async def test_what_changes_nothing_is_no_new_version(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        before = await settings(tx)
        await account_settings.update_account(tx, OWNER, now=NOW, time_zone="Asia/Tokyo")

        assert await settings(tx) == before
        assert await operations(tx) == ["CREATE_ACCOUNT"]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"name": "  "}, "REQUIRED", ("name",)),
        ({"name": "x" * 256}, "INVALID_VALUE", ("name",)),
        ({"time_zone": "Tokyo"}, "INVALID_VALUE", ("time_zone",)),
        ({"time_zone": "../../etc/passwd"}, "INVALID_VALUE", ("time_zone",)),
        ({"confirm_to_zero": -1}, "INVALID_VALUE", ("confirm_to_zero",)),
        ({"confirm_changed": 2_000_000}, "INVALID_VALUE", ("confirm_changed",)),
        ({"base_shop_id": uuid4()}, "NOT_FOUND", ("base_shop_id",)),
        ({"expected_version": 2}, "VERSION_CHANGED", ("expectedVersion",)),
    ],
)
async def test_what_cannot_be_is_refused(
    db: Database, account: UUID, wrong: dict[str, Any], code: str, field: tuple[str, ...]
):
    with pytest.raises(DomainError) as refused:
        async with db.transaction(account) as tx:
            await account_settings.update_account(tx, OWNER, now=NOW, **wrong)

    assert (refused.value.code, refused.value.field) == (code, field)


async def names(tx: Tx) -> dict[str, str]:
    found = await rows(tx, "SELECT code, name FROM products ORDER BY code")
    return {each["code"]: each["name"] for each in found}


async def test_a_new_base_shop_names_what_no_person_named(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        first, second = await a_shop(tx), await a_shop(tx, "Second")
        await imported(tx, first, a_listing("TEA", name="Tea"), a_listing("MUG", name="Mug"))
        await imported(tx, second, a_listing("TEA", name="Green tea"), a_listing("MUG", name="Cup"))
        mug = (await product_ids(tx))["MUG"]
        await products.save_product(tx, OWNER, mug, name="Our mug", now=NOW)

        await account_settings.update_account(tx, OWNER, now=NOW, base_shop_id=second.id)

        assert await names(tx) == {"MUG": "Our mug", "TEA": "Green tea"}
        found = await row(tx, "SELECT folded FROM products WHERE code = 'TEA'")
        assert found == {"folded": "tea green tea"}

        await account_settings.update_account(tx, OWNER, now=NOW, base_shop_id=None)

        assert await names(tx) == {"MUG": "Our mug", "TEA": "Green tea"}
        assert (await row(tx, "SELECT base_shop_id FROM accounts")) == {"base_shop_id": None}
