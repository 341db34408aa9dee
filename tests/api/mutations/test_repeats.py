"""A request that comes again with its key is done once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from graphql import GraphQLNonNull

from api.execution import Engine
from api.feed import Feed
from api.load import node
from api.mutations.repeats import asked_for, read, written
from api.mutations.stock import (
    AdjustStockInput,
    AdjustStockItem,
    AdjustStockPayload,
    StockResult,
)
from api.schema import schema
from api.user_errors import ErrorParam, UserError, UserErrorCode
from domain.model.actors import Actor, ActorKind
from domain.model.locales import Locale
from domain.model.stock import AdjustReason
from domain.store import idempotency
from domain.store.database import Database
from domain.store.idempotency import Scope
from integrations.bells import Bells
from tests.api.mutations.desk import Desk
from tests.domain.services.rows import NOW, rows

ADJUST = """
mutation Adjust($input: AdjustStockInput!) { adjustStock(input: $input) {
    results { product { id total } movement { id change } userErrors { code field message params { name value } } }
    userErrors { code field message } } }
"""
DELETE = """
mutation Delete($input: DeleteProductsInput!) { deleteProducts(input: $input) {
    deletedIds userErrors { code } } }
"""
CONSENT = """
mutation Consent($input: StartShopConsentInput!) { startShopConsent(input: $input) { url userErrors { code } } }
"""
TOTAL = "query Total($id: ID!) { node(id: $id) { ... on Product { total } } }"


def adding(product: str, change: int, key: str | None) -> dict[str, Any]:
    items = [{"productId": product, "change": change}]
    return {"items": items, "reason": "RECEIVED", "idempotencyKey": key}


async def total(desk: Desk, product: str) -> int:
    return int((await desk.execute(TOTAL, id=product))["node"]["total"])


def test_every_mutation_takes_a_key():
    root = schema()._schema.mutation_type
    assert root is not None
    for name, field in root.fields.items():
        kind = field.args["input"].type
        assert isinstance(kind, GraphQLNonNull)
        assert "idempotencyKey" in kind.of_type.fields, name


async def test_a_repeated_request_changes_nothing_and_answers_as_before(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    first = await desk.execute(ADJUST, input=adding(mug.product, 5, "delivery 7"))
    again = await desk.execute(ADJUST, input=adding(mug.product, 5, "delivery 7"))

    assert first["adjustStock"]["results"][0]["movement"]["change"] == 5
    assert again == first
    assert await total(desk, mug.product) == 8


async def test_its_nodes_are_answered_as_they_are_by_then(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    await desk.execute(ADJUST, input=adding(mug.product, 5, "first"))
    await desk.execute(ADJUST, input=adding(mug.product, 1, "second"))

    again = await desk.execute(ADJUST, input=adding(mug.product, 5, "first"))

    [result] = again["adjustStock"]["results"]
    assert (result["product"]["total"], result["movement"]["change"]) == (9, 5)


async def test_two_at_once_are_done_once(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    answers = await asyncio.gather(
        *(desk.execute(ADJUST, input=adding(mug.product, 5, "the same")) for _ in range(3))
    )

    for answer in answers:
        payload = answer["adjustStock"]
        done = [each["movement"]["change"] for each in payload["results"]]
        refused = [each["code"] for each in payload["userErrors"]]
        assert (done, refused) in (([5], []), ([], ["IDEMPOTENCY_IN_PROGRESS"]))
    assert await total(desk, mug.product) == 8


async def test_while_the_first_is_under_way_the_second_is_told_so(desk: Desk, db: Database):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    scope = Scope(f"USER:{desk.actor.id}", "adjustStock", "slow")

    async with db.transaction(desk.account) as first:
        assert await idempotency.hold(first, scope)
        second = await desk.execute(ADJUST, input=adding(mug.product, 5, "slow"))

    assert second["adjustStock"]["userErrors"] == [
        {
            "code": "IDEMPOTENCY_IN_PROGRESS",
            "field": ["idempotencyKey"],
            "message": "The first request with this idempotencyKey is still under way: send it again in a moment.",
        }
    ]
    assert await total(desk, mug.product) == 3
    await desk.execute(ADJUST, input=adding(mug.product, 5, "slow"))
    assert await total(desk, mug.product) == 8


async def test_without_a_key_each_request_counts(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    for _ in range(2):
        await desk.execute(ADJUST, input=adding(mug.product, 5, None))

    assert await total(desk, mug.product) == 13


async def test_a_key_is_good_for_one_request(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    await desk.execute(ADJUST, input=adding(mug.product, 5, "delivery"))

    other = await desk.execute(ADJUST, input=adding(mug.product, 6, "delivery"))

    assert other["adjustStock"] == {
        "results": [],
        "userErrors": [
            {
                "code": "IDEMPOTENCY_KEY_REUSED",
                "field": ["idempotencyKey"],
                "message": "This idempotencyKey was used for another request: make a new one for each.",
            }
        ],
    }
    assert await total(desk, mug.product) == 8


async def test_callers_and_mutations_do_not_meet_in_a_key(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    colleague = replace(desk, actor=Actor(ActorKind.TOKEN, "partner", uuid4()))

    await desk.execute(ADJUST, input=adding(mug.product, 5, "1"))
    await colleague.execute(ADJUST, input=adding(mug.product, 6, "1"))
    assert await total(desk, mug.product) == 14

    data = await desk.execute(DELETE, input={
        "products": {"ids": [mug.product]}, "withListings": True, "idempotencyKey": "1",
    })  # fmt: skip
    assert data["deleteProducts"] == {"deletedIds": [mug.product], "userErrors": []}


async def test_what_was_refused_in_part_is_refused_alike(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    first = await desk.execute(ADJUST, input=adding(mug.product, -5, "too many"))
    await desk.execute(ADJUST, input=adding(mug.product, 9, "more came"))
    again = await desk.execute(ADJUST, input=adding(mug.product, -5, "too many"))

    [before], [after] = (each["adjustStock"]["results"] for each in (first, again))
    assert before["userErrors"][0]["code"] == "INSUFFICIENT_STOCK"
    assert after["userErrors"] == before["userErrors"]
    assert await total(desk, mug.product) == 12


async def test_what_was_refused_as_a_whole_may_be_mended_under_its_key(desk: Desk):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    nobody = desk.id("Product", desk.account)

    refused = await desk.execute(ADJUST, input=adding(nobody, 5, "delivery"))
    first = await desk.execute(DELETE, input={
        "products": {"ids": [mug.product] * 101}, "withListings": True, "idempotencyKey": "bye",
    })  # fmt: skip
    mended = await desk.execute(DELETE, input={
        "products": {"ids": [mug.product]}, "withListings": True, "idempotencyKey": "bye",
    })  # fmt: skip

    assert refused["adjustStock"]["results"][0]["userErrors"][0]["code"] == "NOT_FOUND"
    assert first["deleteProducts"]["userErrors"] == [{"code": "TOO_MANY"}]
    assert mended["deleteProducts"] == {"deletedIds": [mug.product], "userErrors": []}


async def test_accounts_do_not_meet_in_a_key(desk: Desk, neighbour: Desk):
    ours = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    theirs = await neighbour.a_product(await neighbour.a_shop(), "MUG", total=3)

    await desk.execute(ADJUST, input=adding(ours.product, 5, "1"))
    await neighbour.execute(ADJUST, input=adding(theirs.product, 6, "1"))

    assert (await total(desk, ours.product), await total(neighbour, theirs.product)) == (8, 9)


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_that_is_none(desk: Desk, key: str):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)

    data = await desk.reading(Locale.JA).execute(ADJUST, input=adding(mug.product, 5, key))

    assert data["adjustStock"]["userErrors"] == [
        {
            "code": "INVALID_VALUE",
            "field": ["idempotencyKey"],
            "message": "idempotencyKey は1文字以上200文字以内にしてください。",
        }
    ]
    assert await total(desk, mug.product) == 3


async def test_keys_are_forgotten_after_two_days(desk: Desk, db: Database):
    mug = await desk.a_product(await desk.a_shop(), "MUG", total=3)
    await desk.execute(ADJUST, input=adding(mug.product, 5, "old"))
    feed = Feed(db, Bells("redis://127.0.0.1:1"))
    later = replace(
        desk, engine=Engine(schema()._schema, db, feed, lambda: NOW + timedelta(hours=49))
    )

    await later.execute(ADJUST, input=adding(mug.product, 5, "new"))

    async with db.transaction(desk.account) as tx:
        kept = await rows(tx, "SELECT key FROM idempotency_keys")
    assert kept == [{"key": "new"}]


async def test_the_way_to_a_mall_is_kept_nowhere(desk: Desk, db: Database):
    shop = await desk.a_shop()
    asked = {
        "shopId": desk.id("Shop", shop),
        "returnUrl": "https://admin.example.com/",
        "idempotencyKey": "consent",
    }
    data = await desk.execute(CONSENT, input=asked)

    assert data["startShopConsent"]["userErrors"] == [{"code": "NOT_SUPPORTED_BY_MALL"}]
    async with db.transaction(desk.account) as tx:
        assert await rows(tx, "SELECT key FROM idempotency_keys") == []


def test_a_payload_is_read_as_it_was_written():
    error = UserError(
        code=UserErrorCode.TOO_MANY, field=["items"], message="な", params=[ErrorParam(name="a", value="1")]
    )  # fmt: skip
    known = uuid4()
    product = node("Product", known)
    payload = AdjustStockPayload(
        results=[StockResult(product=product, user_errors=[error]), StockResult()],
        job=node("Job", known),
    )

    assert read(AdjustStockPayload, written(payload)) == payload


def test_a_request_is_the_same_whatever_its_key():
    def asked(change: int, **more: Any) -> bytes:
        item = AdjustStockItem(product_id="a", change=change)  # type: ignore[arg-type]
        return asked_for(AdjustStockInput(items=[item], reason=AdjustReason.LOST, **more))

    assert asked(1) == asked(1, idempotency_key="k")
    assert len({asked(1), asked(2), asked(1, note=None), asked(1, reflect=False)}) == 4
