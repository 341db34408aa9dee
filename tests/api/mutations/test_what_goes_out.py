"""What a person sets waits for `reflect` unless the account sends it at once; whatever it is that was set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from domain.model.sets import SetPart
from domain.services import links, sets
from domain.services.sync import Why, reconsider
from tests.api.mutations.desk import Desk, Held
from tests.api.mutations.test_rights import document
from tests.domain.services.rows import NOW, OWNER, row, rows


@dataclass(frozen=True, slots=True)
class World:
    """Of each product ten, shown as they are; a box of two teas, shown five times; a cup that is not synchronised and
    shows one; a page of jars that belongs to nothing and shows one."""

    desk: Desk
    mug: Held
    tea: Held
    box: Held
    cup: Held
    jar: Held


@pytest.fixture
async def world(desk: Desk) -> World:
    shop = await desk.a_shop()
    held = {
        code: await desk.a_product(shop, code, total=units)
        for code, units in {"MUG": 10, "TEA": 10, "BOX": 0, "CUP": 10, "JAR": 10}.items()
    }
    async with desk.db.transaction(desk.account) as tx:
        parts = [SetPart(held["TEA"].product_id, 2)]
        box = held["BOX"]
        await sets.save_set(tx, OWNER, box.product_id, code="BOX", parts=parts, now=NOW)
        await links.unlink(tx, OWNER, [held["JAR"].listing_id], now=NOW)
        await rows(tx, SYNC_OFF, listing=held["CUP"].listing_id)
        await rows(tx, SHOWS, listings=[box.listing_id], base=5)
        await rows(tx, SHOWS, listings=[held["CUP"].listing_id, held["JAR"].listing_id], base=1)
        every = [each.listing_id for each in held.values()]
        await reconsider(tx, every, Why.SETTLED, now=NOW)
        assert await waits(desk, every, tx) == []
    return World(desk, *(held[code] for code in ("MUG", "TEA", "BOX", "CUP", "JAR")))


SYNC_OFF = "UPDATE listings SET sync = false WHERE id = :listing RETURNING id"
SHOWS = """UPDATE listing_sync SET base = :base, wanted = 0, done = 0, claimed = 0, edited = false
    WHERE listing_id = ANY (:listings) RETURNING listing_id"""
Edit = Callable[[World], tuple[dict[str, Any], Held]]
"""The input, and the listing that then differs."""

EDITS: Mapping[str, Edit] = {
    "setStock": lambda w: ({"items": [{"productId": w.mug.product, "total": 3}]}, w.mug),
    "setStock of a part": lambda w: ({"items": [{"productId": w.tea.product, "total": 3}]}, w.box),
    "adjustStock": lambda w: ({"items": [{"productId": w.mug.product, "change": 2}], "reason": "FOUND"}, w.mug),
    "countStock": lambda w: ({"items": [{"productId": w.mug.product, "counted": 4}], "countedAt": NOW.isoformat(), "basis": "FREE"}, w.mug),
    "saveProduct": lambda w: ({"id": w.mug.product, "reserve": 4}, w.mug),
    "saveProductGroup": lambda w: ({"name": "Cups", "reserve": 4, "addProducts": {"ids": [w.mug.product]}}, w.mug),
    "saveSetItem": lambda w: ({"productId": w.box.product, "parts": [{"productId": w.tea.product, "count": 5}]}, w.box),
    "deleteSetItems": lambda w: ({"productIds": [w.box.product]}, w.box),
    "setListingLimits": lambda w: ({"listings": {"ids": [w.mug.listing]}, "maximum": 3}, w.mug),
    "setListingSync": lambda w: ({"listings": {"ids": [w.cup.listing]}, "sync": True}, w.cup),
    "linkListings": lambda w: ({"pairs": [{"listingId": w.jar.listing, "productId": w.jar.product}]}, w.jar),
}  # fmt: skip


async def waits(desk: Desk, listing_ids: list[UUID], tx: Any) -> list[UUID]:
    found = await rows(
        tx,
        "SELECT listing_id FROM listing_sync WHERE wanted > done AND listing_id = ANY (:listings)",
        listings=listing_ids,
    )
    return [each["listing_id"] for each in found]


SAYS = [("ON_REQUEST", None, False), ("AT_ONCE", None, True)]
"""What the account says, what the caller asks for, and whether it is sent."""

CASES = [
    *((edit, *says) for edit in EDITS for says in SAYS),
    *(
        (edit, "ON_REQUEST", True, True)
        for edit in ("setStock", "setListingLimits", "linkListings")
    ),
    *((edit, "AT_ONCE", False, False) for edit in ("setStock", "setListingLimits", "linkListings")),
]


@pytest.mark.parametrize(("edit", "says", "asked", "goes_out"), CASES)
async def test_an_edit(
    world: World, edit: str, says: str, asked: bool | None, goes_out: bool
) -> None:
    mutation = edit.split()[0]
    input, changed = EDITS[edit](world)
    desk = world.desk
    async with desk.db.transaction(desk.account) as tx:
        await rows(tx, "UPDATE accounts SET reflect_edits = :says RETURNING id", says=says)

    told = await desk.execute(document(mutation), input=input | {"reflect": asked})

    assert told[mutation]["userErrors"] == []
    async with desk.db.transaction(desk.account) as tx:
        found = await row(
            tx,
            "SELECT wanted > done AS waits, expected <> base AS differs, difference FROM listing_sync"
            " WHERE listing_id = :listing",
            listing=changed.listing_id,
        )
    cause = None if goes_out else "EDIT_NOT_REFLECTED"
    assert found == {"waits": goes_out, "differs": True, "difference": cause}
