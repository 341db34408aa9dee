"""What does much at the malls is done only by who has seen it: needed, confirmed, done; stale, foreign, expired."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.model.locales import Locale
from domain.model.roles import Permission
from domain.store.database import Database
from tests.api.mutations.desk import Desk, Held, engine_over
from tests.domain.services.rows import NOW, waiting
from tests.domain.services.story import a_shop, in_stock

COUNTS = """
    listings changed toZero neverCounted rising falling biggestRise biggestFall held confirmationNeeded
    byShop { shop { name } changed toZero rising held ordersOff ordersSince }
    sample { from to listing { itemCode shop { name } } }
"""
PREVIEW = f"""
query Preview($input: PreviewReflectInput!, $shopIds: [ID!]) {{
    previewReflect(input: $input, shopIds: $shopIds) {{ {COUNTS} confirmationToken validUntil }} }}
"""


def mutation(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"""mutation M($input: {kind}!) {{ {name}(input: $input) {{
        preview {{ {COUNTS} confirmationToken validUntil }} userErrors {{ code field message }} }} }}"""


SET_STOCK = "mutation S($input: SetStockInput!) { setStock(input: $input) { userErrors { code } } }"
SET_SYNC = "mutation S($input: SetListingSyncInput!) { setListingSync(input: $input) { userErrors { code } } }"
STOP = "mutation S($input: StopSyncInput!) { stopSync(input: $input) { userErrors { code } } }"


@dataclass(frozen=True)
class Scene:
    """A shop at which MUG shows 3 where it should show 0. Nothing may change without a confirmation."""

    desk: Desk
    shop: str
    mug: Held
    tea: Held

    async def done(self, document: str, **input: Any) -> None:
        [payload] = (await self.desk.execute(document, input=input)).values()
        assert payload["userErrors"] == []

    async def preview(self, **input: Any) -> Any:
        return (await self.desk.execute(PREVIEW, input=input))["previewReflect"]

    async def mutate(self, name: str, **input: Any) -> Any:
        return (await self.desk.execute(mutation(name), input=input))[name]

    async def waits(self) -> bool:
        async with self.desk.db.transaction(self.desk.account) as tx:
            return bool((await waiting(tx, self.mug.listing_id))["waits"])


async def limits(desk: Desk, to_zero: int, changed: int) -> None:
    async with desk.db.transaction(desk.account) as tx:
        await tx.execute(
            text("UPDATE accounts SET confirm_to_zero = :to_zero, confirm_changed = :changed"),
            {"to_zero": to_zero, "changed": changed},
        )


@pytest.fixture
async def scene(desk: Desk) -> Scene:
    shop = await desk.a_shop()
    mug, tea = [await desk.a_product(shop, code, total=3) for code in ("MUG", "TEA")]
    scene = Scene(desk, desk.id("Shop", shop), mug, tea)
    await scene.done(SET_STOCK, items=[{"productId": mug.product, "total": 0}], reflect=False)
    await limits(desk, to_zero=0, changed=0)
    return scene


@dataclass(frozen=True)
class Change:
    """A mutation, what it takes, how its preview asks for it, and what must be so before."""

    mutation: str
    input: Callable[[Scene], dict[str, Any]]
    asked: Callable[[Scene], dict[str, Any]]
    before: Callable[[Scene], tuple[str, dict[str, Any]]] | None = None
    sends: bool = True


CHANGES: Mapping[str, Change] = {
    "reflect": Change(
        "reflect",
        lambda s: {"products": {"ids": [s.mug.product]}},
        lambda s: {"products": {"ids": [s.mug.product]}},
    ),
    "reflect of listings": Change(
        "reflect",
        lambda s: {"listings": {"ids": [s.mug.listing]}},
        lambda s: {"listings": {"ids": [s.mug.listing]}},
    ),
    "reflect of all that a filter finds": Change(
        "reflect",
        lambda s: {"products": {"matching": {"filter": {"total": {"eq": 0}}, "expectedCount": 1}}},
        lambda s: {"products": {"matching": {"filter": {"total": {"eq": 0}}, "expectedCount": 1}}},
    ),
    "a tick": Change(
        "setListingSync",
        lambda s: {"listings": {"ids": [s.mug.listing]}, "sync": True, "reflect": True},
        lambda s: {"syncOn": {"ids": [s.mug.listing]}},
        lambda s: (SET_SYNC, {"listings": {"ids": [s.mug.listing]}, "sync": False}),
    ),
    "a shop": Change(
        "startSync",
        lambda s: {"shopIds": [s.shop]},
        lambda s: {"start": {"shopIds": [s.shop], "parts": None}},
        lambda s: (STOP, {"shopIds": [s.shop]}),
    ),
    "the master switch": Change(
        "startSync", lambda s: {}, lambda s: {"start": {}}, lambda s: (STOP, {})
    ),
    "a full sync": Change(
        "startFullSync",
        lambda s: {"shopIds": [s.shop]},
        lambda s: {"fullSyncShopIds": [s.shop]},
    ),
    "an unlink": Change(
        "unlinkListings",
        lambda s: {"listings": {"ids": [s.mug.listing]}},
        lambda s: {"unlink": {"ids": [s.mug.listing]}},
        sends=False,
    ),
    "a deletion": Change(
        "deleteProducts",
        lambda s: {"products": {"ids": [s.mug.product]}, "withListings": True},
        lambda s: {"deleteProducts": {"ids": [s.mug.product]}},
        sends=False,
    ),
}


async def prepared(scene: Scene, change: Change) -> None:
    if change.before is not None:
        document, input = change.before(scene)
        await scene.done(document, **input)


def without_token(preview: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("confirmationToken", "confirmationNeeded", "validUntil")
    return {name: value for name, value in preview.items() if name not in left_out}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_does_much_is_looked_at_confirmed_and_done(scene: Scene, name: str):
    change = CHANGES[name]
    await prepared(scene, change)
    before = await scene.desk.everything()

    refused = await scene.mutate(change.mutation, **change.input(scene))
    looked = await scene.preview(**change.asked(scene))
    assert await scene.desk.everything() == before
    done = await scene.mutate(
        change.mutation, **change.input(scene), confirmationToken=looked["confirmationToken"]
    )

    [error] = refused["userErrors"]
    assert (error["code"], error["field"]) == ("CONFIRMATION_NEEDED", ["confirmationToken"])
    assert refused["preview"] == looked
    assert (looked["confirmationNeeded"], looked["changed"]) == (True, 1)
    assert looked["validUntil"] == "2026-11-20T03:10:00.000000Z"
    assert done["userErrors"] == []
    gone = [{**line, "listing": None} for line in looked["sample"]]
    seen = looked if name != "a deletion" else {**looked, "sample": gone}
    assert without_token(done["preview"]) == without_token(seen)
    assert (done["preview"]["confirmationNeeded"], done["preview"]["confirmationToken"]) == (
        False,
        None,
    )
    assert await scene.waits() is change.sends
    assert await scene.desk.everything() != before


@pytest.mark.parametrize("name", CHANGES)
async def test_the_token_that_a_refusal_brings_is_one(scene: Scene, name: str):
    change = CHANGES[name]
    await prepared(scene, change)
    refused = await scene.mutate(change.mutation, **change.input(scene))

    token = refused["preview"]["confirmationToken"]
    done = await scene.mutate(change.mutation, **change.input(scene), confirmationToken=token)

    assert done["userErrors"] == []


@pytest.mark.parametrize("name", CHANGES)
async def test_another_changes_token_is_none(scene: Scene, name: str):
    change = CHANGES[name]
    await prepared(scene, change)
    other = "an unlink" if name != "an unlink" else "a deletion"
    token = (await scene.preview(**CHANGES[other].asked(scene)))["confirmationToken"]
    assert token
    before = await scene.desk.everything()

    refused = await scene.mutate(change.mutation, **change.input(scene), confirmationToken=token)

    [error] = refused["userErrors"]
    assert (error["code"], error["field"]) == ("CONFIRMATION_STALE", ["confirmationToken"])
    assert refused["preview"] == await scene.preview(**change.asked(scene))
    assert await scene.desk.everything() == before


@pytest.mark.parametrize("name", CHANGES)
async def test_what_does_little_is_done_at_once(scene: Scene, name: str):
    change = CHANGES[name]
    await prepared(scene, change)
    await limits(scene.desk, to_zero=1, changed=1)

    done = await scene.mutate(change.mutation, **change.input(scene))

    assert done["userErrors"] == []
    assert done["preview"]["changed"] == 1


REFLECT = CHANGES["reflect"]


async def refusal_of(scene: Scene, token: str, **more: Any) -> list[str]:
    answer = await scene.mutate("reflect", **REFLECT.input(scene), confirmationToken=token, **more)
    return [each["code"] for each in answer["userErrors"]]


async def a_token(scene: Scene) -> str:
    token: str = (await scene.preview(**REFLECT.asked(scene)))["confirmationToken"]
    return token


async def test_a_token_is_good_for_ten_minutes(scene: Scene, db: Database):
    token = await a_token(scene)
    just, late = (
        replace(scene, desk=replace(scene.desk, engine=engine_over(db, NOW + after)))
        for after in (timedelta(minutes=9, seconds=59), timedelta(minutes=10))
    )

    assert await refusal_of(late, token) == ["CONFIRMATION_STALE"]
    assert await refusal_of(just, token) == []


async def test_a_token_is_good_for_whom_it_was_made_alone(scene: Scene, neighbour: Desk):
    token = await a_token(scene)
    colleague = await Desk.opened(scene.desk.engine, scene.desk.db, scene.desk.account)
    stranger = replace(neighbour, actor=scene.desk.actor)
    there = await stranger.a_product(await stranger.a_shop(), "CUP", total=3)
    await limits(stranger, to_zero=0, changed=0)
    theirs = Scene(stranger, scene.shop, there, there)
    await theirs.done(SET_STOCK, items=[{"productId": there.product, "total": 0}], reflect=False)

    assert await refusal_of(replace(scene, desk=colleague), token) == ["CONFIRMATION_STALE"]
    assert await refusal_of(theirs, token) == ["CONFIRMATION_STALE"]
    assert await refusal_of(scene, token) == []


async def test_a_token_is_good_for_the_very_same_rows_and_shops(scene: Scene):
    token = await a_token(scene)
    more = {"products": {"ids": [scene.mug.product, scene.tea.product]}}

    wider = await scene.mutate("reflect", **more, confirmationToken=token)

    assert [each["code"] for each in wider["userErrors"]] == ["CONFIRMATION_STALE"]
    assert await refusal_of(scene, token, shopIds=[scene.shop]) == ["CONFIRMATION_STALE"]
    assert await refusal_of(scene, token, shopIds=None) == []


async def test_a_preview_at_certain_shops_lets_through_a_reflect_at_these(scene: Scene):
    looked = await scene.desk.execute(PREVIEW, input=REFLECT.asked(scene), shopIds=[scene.shop])
    token = looked["previewReflect"]["confirmationToken"]

    assert await refusal_of(scene, token, shopIds=[scene.shop]) == []


async def test_what_grew_since_is_looked_at_again_and_what_shrank_goes_on(scene: Scene):
    both = {"products": {"ids": [scene.mug.product, scene.tea.product]}}
    token = (await scene.preview(**both))["confirmationToken"]
    tea = {"productId": scene.tea.product}
    await scene.done(SET_STOCK, items=[{**tea, "total": 5}], reflect=False)

    grown = await scene.mutate("reflect", **both, confirmationToken=token)
    await scene.done(SET_STOCK, items=[{**tea, "total": 3}], reflect=False)
    same = await scene.mutate("reflect", **both, confirmationToken=token)

    assert [each["code"] for each in grown["userErrors"]] == ["CONFIRMATION_STALE"]
    assert (grown["preview"]["changed"], grown["preview"]["confirmationNeeded"]) == (2, True)
    assert same["userErrors"] == []


async def test_a_key_that_was_refused_is_free_and_one_that_was_done_answers_again(scene: Scene):
    asked = {**REFLECT.input(scene), "idempotencyKey": "once"}
    refused = await scene.mutate("reflect", **asked)
    token = refused["preview"]["confirmationToken"]

    first = await scene.mutate("reflect", **asked, confirmationToken=token)
    again = await scene.mutate("reflect", **asked, confirmationToken=token)

    assert [each["code"] for each in refused["userErrors"]] == ["CONFIRMATION_NEEDED"]
    assert first["userErrors"] == []
    assert again == first


async def test_a_reflect_of_a_shop_whose_orders_are_not_read_says_so(scene: Scene):
    await limits(scene.desk, to_zero=50, changed=500)
    await scene.done(STOP, shopIds=[scene.shop], parts=["ORDERS"])

    refused = await scene.mutate("reflect", **REFLECT.input(scene))
    token = refused["preview"]["confirmationToken"]
    done = await scene.mutate("reflect", **REFLECT.input(scene), confirmationToken=token)

    [error] = refused["userErrors"]
    assert error == {
        "code": "CONFIRMATION_NEEDED",
        "field": ["confirmationToken"],
        "message": "Listings that would change: 1, of these to 0: 1. Shops whose orders are not read: 1. "
        "Look at the preview, and send its confirmationToken.",
    }
    assert [each["ordersOff"] for each in refused["preview"]["byShop"]] == [True]
    assert done["userErrors"] == []


@pytest.mark.parametrize("name", ["unlinkListings", "reflect", "startFullSync"])
async def test_more_than_a_hundred_are_asked_about_before_their_job_begins(desk: Desk, name: str):
    async with desk.db.transaction(desk.account) as tx:
        shop = await a_shop(tx, orders_running=False)
        await in_stock(tx, shop, **{f"T{nth:03}": 9 for nth in range(101)})
    await limits(desk, to_zero=100, changed=100)
    every = {"listings": {"matching": {"filter": {}, "expectedCount": 101}}}
    asked = {"shopIds": [desk.id("Shop", shop.id)]} if name == "startFullSync" else every
    document = f"""mutation M($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        job {{ progress {{ total done }} }} preview {{ listings confirmationToken }} userErrors {{ code }} }} }}"""

    refused = (await desk.execute(document, input=asked))[name]
    token = {"confirmationToken": refused["preview"]["confirmationToken"]}
    begun = (await desk.execute(document, input=asked | token))[name]

    assert (refused["job"], refused["userErrors"]) == (None, [{"code": "CONFIRMATION_NEEDED"}])
    assert begun == {
        "job": {"progress": {"total": 101, "done": 0}},
        "preview": {"listings": 101, "confirmationToken": None},
        "userErrors": [],
    }


async def test_what_is_missing_is_said_in_japanese_too(scene: Scene):
    reader = replace(scene, desk=scene.desk.reading(Locale.JA))
    needed = await reader.mutate("reflect", **REFLECT.input(scene))
    stale = await reader.mutate("reflect", **REFLECT.input(scene), confirmationToken="none")
    nowhere = await reader.mutate("startFullSync", shopIds=[])

    told = [each["userErrors"][0]["message"] for each in (needed, stale, nowhere)]
    assert told == [
        "1件の出品が変わり、うち1件が0になります（受注連動が止まっている店舗：0）。内容を確認し、confirmationToken を付けて送ってください。",
        "確認した内容から変わりました。今は1件の出品が変わり、うち1件が0になります（受注連動が止まっている店舗：0）。もう一度確認し、"
        "新しい confirmationToken を付けて送ってください。",
        "店舗を指定してください。",
    ]


async def test_a_tick_that_waits_for_a_reflect_is_not_asked_about(scene: Scene):
    tick = {"listings": {"ids": [scene.mug.listing]}}
    await scene.done(SET_SYNC, **tick, sync=False)

    on = await scene.mutate("setListingSync", **tick, sync=True)
    off = await scene.mutate("setListingSync", **tick, sync=False)

    assert on["userErrors"] == off["userErrors"] == []
    assert (on["preview"]["toZero"], on["preview"]["confirmationNeeded"]) == (1, False)
    assert off["preview"] is None
    assert await scene.waits() is False


async def test_a_preview_tells_shop_by_shop_and_by_example(scene: Scene):
    looked = await scene.preview(start={"shopIds": [scene.shop], "parts": ["ORDERS"]})
    assert (looked["listings"], looked["confirmationToken"]) == (0, None)

    told = await scene.preview(products={"ids": [scene.mug.product]})

    assert without_token(told) == {
        "listings": 1,
        "changed": 1,
        "toZero": 1,
        "neverCounted": 0,
        "rising": 0,
        "falling": 1,
        "biggestRise": 0,
        "biggestFall": 3,
        "held": 0,
        "byShop": [
            {
                "shop": {"name": "Tea at Rakuten"},
                "changed": 1,
                "toZero": 1,
                "rising": 0,
                "held": 0,
                "ordersOff": False,
                "ordersSince": None,
            }
        ],
        "sample": [
            {"from": 3, "to": 0, "listing": {"itemCode": "MUG", "shop": {"name": "Tea at Rakuten"}}}
        ],
    }


async def test_a_preview_needs_the_right_to_reflect(scene: Scene):
    reader = scene.desk.having(Permission.READ)
    answer = await reader.answer(PREVIEW, input=REFLECT.asked(scene))

    assert answer["data"] == {"previewReflect": None}
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["previewReflect"], "FORBIDDEN")


@pytest.mark.parametrize(
    ("case", "input", "code"),
    [
        ("no id", {"unlink": {"ids": ["junk"]}}, "NOT_FOUND"),
        ("no shop", {"fullSyncShopIds": ["junk"]}, "NOT_FOUND"),
        (
            "more than was on the screen",
            {"products": {"matching": {"filter": {}, "expectedCount": 0}}},
            "SELECTION_GREW",
        ),
    ],
)
async def test_a_preview_of_what_is_not_there_says_so(
    scene: Scene, case: str, input: dict[str, Any], code: str
):
    answer = await scene.desk.reading(Locale.JA).answer(PREVIEW, input=input)

    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == (code, ["previewReflect"]), case
    assert error["message"].endswith("。")


async def test_a_foreign_shop_is_not_found(scene: Scene, neighbour: Desk):
    theirs: UUID = await neighbour.a_shop()
    for asked in (
        {"fullSyncShopIds": [neighbour.id("Shop", theirs)]},
        {"start": {"shopIds": [neighbour.id("Shop", theirs)]}},
    ):
        answer = await scene.desk.answer(PREVIEW, input=asked)
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["NOT_FOUND"]
