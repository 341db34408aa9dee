"""The event log names every product whose stock is to be looked at again, and no other."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.model.events import MOST_EVENTS
from domain.model.malls import OrderStatus
from domain.model.sets import SetPart
from domain.model.stock import AdjustReason
from domain.services import groups, products, sets, stock
from domain.services.stock import Adjustment, NewTotal
from domain.store import events, stock_now
from domain.store import products as product_rows
from domain.store.database import Database, Tx
from domain.store.products import NewProduct
from domain.store.shops import Shop
from domain.store.stock_now import StockFilter
from tests.domain.services.rows import NOW, OWNER, rows
from tests.domain.services.story import (
    a_listing,
    a_shop,
    an_order,
    imported,
    in_stock,
    product_ids,
    someone_waits,
    take,
)

TOLD = """
SELECT e.change, coalesce(p.code, e.payload ->> 'code') AS code FROM events e
LEFT JOIN products p ON p.account_id = e.account_id AND p.id = e.node_id
WHERE e.account_id = :account AND e.seq > :cursor AND e.kind IN ('STOCK', 'RELOAD') ORDER BY e.seq
"""


@dataclass
class Store:
    """Ten TEA, seven MUG and a JAR; BOX is one tea and two mugs. JAR and MUG are of the group, which keeps 1 back."""

    shop: Shop
    ids: dict[str, UUID]
    group: UUID

    async def save(self, tx: Tx, code: str, /, **fields: object) -> None:
        await products.save_product(tx, OWNER, self.ids[code], now=NOW, **fields)  # type: ignore[arg-type]

    async def box(self, tx: Tx, tea: int, mug: int, code: str = "BOX") -> None:
        counts = {"TEA": tea, "MUG": mug}
        parts = [SetPart(self.ids[part], count) for part, count in counts.items() if count]
        await sets.save_set(tx, OWNER, self.ids[code], parts=parts, now=NOW)

    async def save_group(
        self, tx: Tx, reserve: int, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> None:
        named = {"add": [self.ids[each] for each in add], "remove": [self.ids[r] for r in remove]}
        await groups.save_group(
            tx, OWNER, self.group, name="割れ物", reserve=reserve, now=NOW, **named
        )


async def a_store(tx: Tx) -> Store:
    shop = await a_shop(tx)
    await in_stock(tx, shop, TEA=10, MUG=7, JAR=4)
    await imported(tx, shop, a_listing("BOX", 3))
    ids = await product_ids(tx)
    store = Store(shop, ids, ids["TEA"])
    await store.box(tx, 1, 2)
    members = [ids["MUG"], ids["JAR"]]
    saved = await groups.save_group(tx, OWNER, None, name="割れ物", reserve=1, add=members, now=NOW)
    store.group = saved.id
    return store


async def told_of(
    db: Database, account: UUID, act: Callable[[Store, Tx], Awaitable[object]]
) -> list[tuple[str, str]]:
    """(change, code) of the stock events of one transaction."""
    async with db.transaction(account) as tx:
        store = await a_store(tx)
    async with db.transaction(account) as tx:
        cursor = await events.newest(tx)
        await act(store, tx)
    async with db.transaction(account) as tx:
        return [(row["change"], row["code"]) for row in await rows(tx, TOLD, cursor=cursor)]


async def _renamed_and_taken(store: Store, tx: Tx) -> None:
    await store.save(tx, "TEA", code="TEA-2", reserve=4)


async def _ordered(store: Store, tx: Tx) -> None:
    await take(tx, store.shop, an_order("1", ("box", 1), ("jar", 1)))


async def _cancelled(store: Store, tx: Tx) -> None:
    await take(tx, store.shop, an_order("1", ("jar", 1), status=OrderStatus.RELEASED))


async def _group_with_newcomer(store: Store, tx: Tx) -> None:
    await store.save_group(tx, 3, add=("TEA",))


async def _deleted_with_its_set(store: Store, tx: Tx) -> None:
    ids = [store.ids["TEA"], store.ids["BOX"]]
    await products.delete_products(tx, OWNER, ids, with_listings=False, now=NOW)


@pytest.mark.parametrize(
    ("case", "act", "expected"),
    [
        (
            "a movement, and the set that holds it",
            lambda s, tx: stock.set_totals(tx, OWNER, [NewTotal(s.ids["TEA"], 5)], now=NOW),
            ["SET_BY_HAND TEA", "SET_BY_HAND BOX"],
        ),
        (
            "a total that stays",
            lambda s, tx: stock.set_totals(tx, OWNER, [NewTotal(s.ids["TEA"], 10)], now=NOW),
            [],
        ),
        (
            "several parts of a set: the set once, by the last of them",
            lambda s, tx: stock.adjust_totals(
                tx,
                OWNER,
                [Adjustment(s.ids["MUG"], 2), Adjustment(s.ids["TEA"], -1)],
                reason=AdjustReason.RECEIVED,
                now=NOW,
            ),
            ["ADJUSTED MUG", "ADJUSTED TEA", "ADJUSTED BOX"],
        ),
        ("a set sold", _ordered, ["ORDER JAR", "ORDER MUG", "ORDER TEA", "ORDER BOX"]),
        ("an order that was never taken", _cancelled, []),
        ("a reserve", lambda s, tx: s.save(tx, "TEA", reserve=2), ["NUMBERS TEA", "NUMBERS BOX"]),
        ("the reserve that its group has", lambda s, tx: s.save(tx, "MUG", reserve=1), []),
        ("a set's own reserve", lambda s, tx: s.save(tx, "BOX", reserve=1), ["NUMBERS BOX"]),
        ("not managed", lambda s, tx: s.save(tx, "TEA", managed=False), ["NUMBERS TEA", "NUMBERS BOX"]),
        ("a name", lambda s, tx: s.save(tx, "TEA", name="緑茶"), ["NAMED TEA"]),
        ("a code", lambda s, tx: s.save(tx, "TEA", code="TEA-2"), ["NAMED TEA-2", "CODE_FREED TEA"]),
        (
            "a code and a reserve",
            _renamed_and_taken,
            ["NUMBERS TEA-2", "CODE_FREED TEA", "NUMBERS BOX"],
        ),
        ("an image", lambda s, tx: s.save(tx, "TEA", image_url="https://x/1.jpg"), []),
        ("leaving a group", lambda s, tx: s.save(tx, "JAR", group_id=None), ["NUMBERS JAR"]),
        (
            "a group's reserve",
            lambda s, tx: s.save_group(tx, 2),
            ["NUMBERS JAR", "NUMBERS MUG", "NUMBERS BOX"],
        ),
        ("a group's name", lambda s, tx: s.save_group(tx, 1), []),
        ("joining a group", lambda s, tx: s.save_group(tx, 1, add=("BOX",)), ["NUMBERS BOX"]),
        (
            "joining a group whose reserve changes",
            _group_with_newcomer,
            ["NUMBERS JAR", "NUMBERS MUG", "NUMBERS TEA", "NUMBERS BOX"],
        ),
        ("another count of a part", lambda s, tx: s.box(tx, 1, 3), ["NUMBERS BOX"]),
        ("a part less", lambda s, tx: s.box(tx, 1, 0), ["NUMBERS BOX"]),
        ("the same parts", lambda s, tx: s.box(tx, 1, 2), []),
        (
            "a set that is a single product again",
            lambda s, tx: sets.sets_to_singles(tx, OWNER, [s.ids["BOX"]], now=NOW),
            ["NUMBERS BOX"],
        ),
        (
            "a product made",
            lambda s, tx: products.save_product(tx, OWNER, None, code="CUP", name="湯呑", now=NOW),
            ["ADDED CUP"],
        ),
        (
            "products deleted",
            _deleted_with_its_set,
            ["NUMBERS BOX", "DELETED TEA"],
        ),
        (
            "more than can be told",
            lambda s, tx: product_rows.add(
                tx, [NewProduct(f"N-{nth}", "", f"n-{nth}") for nth in range(MOST_EVENTS + 1)]
            ),
            [" None"],
        ),
    ],
)  # fmt: skip
async def test_every_change_of_what_can_be_sold_is_told_once(
    db: Database,
    account: UUID,
    case: str,
    act: Callable[[Store, Tx], Awaitable[object]],
    expected: list[str],
):
    told = [f"{change} {code}" for change, code in await told_of(db, account, act)]

    assert sorted(told) == sorted(expected), case


async def test_a_deleted_product_that_comes_back_is_told(db: Database, account: UUID):
    async with db.transaction(account) as tx:
        store = await a_store(tx)
        await products.delete_products(tx, OWNER, [store.ids["JAR"]], with_listings=True, now=NOW)
    async with db.transaction(account) as tx:
        cursor = await events.newest(tx)
        await products.create(tx, "JAR", "壺")
    async with db.transaction(account) as tx:
        told = await rows(tx, TOLD, cursor=cursor)

    assert told == [{"change": "ADDED", "code": "JAR"}]


async def told_since(db: Database, account: UUID, cursor: int) -> list[str]:
    async with db.transaction(account) as tx:
        found = await rows(tx, TOLD, cursor=cursor)
    return [f"{row['change']} {row['code']}" for row in found]


async def a_committed_store(db: Database, account: UUID) -> tuple[Store, int]:
    async with db.transaction(account) as tx:
        store = await a_store(tx)
    async with db.transaction(account) as tx:
        return store, await events.newest(tx)


async def test_two_parts_that_move_at_once_leave_the_sets_number_right(db: Database, account: UUID):
    store, cursor = await a_committed_store(db, account)
    async with db.transaction(account) as tx:
        parts = [SetPart(store.ids["TEA"], 1), SetPart(store.ids["JAR"], 1)]
        made = await sets.save_set(tx, OWNER, None, code="CASE", parts=parts, now=NOW)

    async with db.transaction(account) as one:
        await stock.set_totals(one, OWNER, [NewTotal(store.ids["TEA"], 2)], now=NOW)
        async with db.transaction(account) as other:
            await stock.set_totals(other, OWNER, [NewTotal(store.ids["JAR"], 2)], now=NOW)

    assert (await told_since(db, account, cursor)).count("SET_BY_HAND CASE") == 2
    async with db.transaction(account) as tx:
        now = await stock_now.of(tx, [made.id], StockFilter())
    assert now == {made.id: {"total": None, "sellable": 1}}


async def test_a_part_that_moves_while_it_is_put_into_a_set_tells_of_the_set(
    db: Database, account: UUID
):
    store, cursor = await a_committed_store(db, account)

    async def moves() -> None:
        async with db.transaction(account) as tx:
            await stock.set_totals(tx, OWNER, [NewTotal(store.ids["JAR"], 9)], now=NOW)

    async with db.transaction(account) as tx:
        parts = [SetPart(store.ids["JAR"], 1)]
        await sets.save_set(tx, OWNER, store.ids["BOX"], parts=parts, now=NOW)
        moving = asyncio.create_task(moves())
        await someone_waits(db)
    await moving

    assert await told_since(db, account, cursor) == [
        "NUMBERS BOX",
        "SET_BY_HAND JAR",
        "SET_BY_HAND BOX",
    ]


async def test_a_part_that_is_put_into_a_set_while_it_moves_tells_of_the_set_afterwards(
    db: Database, account: UUID
):
    store, cursor = await a_committed_store(db, account)

    async def put_in() -> None:
        async with db.transaction(account) as tx:
            parts = [SetPart(store.ids["JAR"], 1)]
            await sets.save_set(tx, OWNER, store.ids["BOX"], parts=parts, now=NOW)

    async with db.transaction(account) as tx:
        await stock.set_totals(tx, OWNER, [NewTotal(store.ids["JAR"], 9)], now=NOW)
        putting = asyncio.create_task(put_in())
        await someone_waits(db)
    await putting

    assert await told_since(db, account, cursor) == ["SET_BY_HAND JAR", "NUMBERS BOX"]
