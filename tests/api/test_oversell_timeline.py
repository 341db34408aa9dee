"""在庫マイナスの経緯: what led to a total below zero, in order, and bounded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from api.plan import Planner
from domain.store.database import Database, Tx
from tests.api.beside import as_the_oracle
from tests.api.conftest import Asker
from tests.factories import a_listing, a_movement, a_product, a_row, a_shop

TOLD = """
{ oversellIncidents { edges { node { closedAt timeline {
    at kind units total text inJapanese: text(locale: JA) shop { name } listing { itemCode } order { number } } } } } }
"""
T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_it_follows_from_ledger_orders_and_what_was_sent(
    db: Database, planner: Planner
) -> None:
    answered = await as_the_oracle(db, planner, TOLD)

    open_one = next(
        edge["node"]["timeline"]
        for edge in answered["oversellIncidents"]["edges"]
        if edge["node"]["closedAt"] is None
    )
    assert {each["kind"] for each in open_one} == {
        "ENOUGH_HELD", "ORDER_PLACED", "ORDER_SEEN", "TOTAL_CHANGED", "OVERSOLD",
        "NUMBER_SENT", "NUMBER_SHOWN", "NUMBER_FAILED",
    }  # fmt: skip


async def ledger(
    tx: Tx, product: UUID, shop: UUID, listing: UUID, deltas: Sequence[int], since: datetime
) -> list[UUID]:
    """One order a minute for each fall, recorded half a minute after it was placed; the orders."""
    orders, total = [], 0
    for nth, delta in enumerate(deltas):
        at = since + timedelta(minutes=nth)
        order = None
        if delta < 0:
            order = await an_order(tx, shop, listing, product, f"S-{nth}", at)
            orders.append(order)
        cause = {"cause": "ORDER", "order_id": order} if order else {"cause": "COUNTED"}
        await a_movement(
            tx, product, delta=delta, before=total, version=nth + 1, effective_at=at,
            recorded_at=at + timedelta(seconds=30), **cause,
        )  # fmt: skip
        total += delta
    return orders


async def an_order(
    tx: Tx, shop: UUID, listing: UUID, product: UUID, number: str, at: datetime
) -> UUID:
    times = dict.fromkeys(("placed_at", "observed_at", "first_observed_at", "fetched_at"), at)
    order = await a_row(tx, "orders", shop_id=shop, number=number, status="HOLDS", **times)
    taken = {"item_code": "tea", "parts": [[str(product), 1]], "listing_id": listing}
    await a_row(tx, "order_items", order_id=order, **taken)
    return order


async def timeline(asker: Asker) -> list[dict[str, Any]]:
    [edge] = (await asker.ask(TOLD))["oversellIncidents"]["edges"]
    told: list[dict[str, Any]] = edge["node"]["timeline"]
    return told


async def test_it_reads_as_a_story(asker: Asker) -> None:
    """Two were there; both were sold, and a third before the zero could be written."""
    async with asker.db.transaction(asker.account) as tx:
        shop = await a_shop(tx, "楽天本店")
        tea = await a_product(tx, "TEA")
        page = await a_listing(tx, shop, "tea", product_id=tea)
        *_, last = await ledger(tx, tea, shop, page, (2, -1, -1, -1), T0)
        for at, units, state in ((0, 2, "APPLIED"), (150, 0, "REFUSED")):
            sent_at = T0 + timedelta(seconds=at)
            await a_row(
                tx, "mall_update_logs", shop_id=shop, listing_id=page, push_id=uuid4(), after=units, state=state,
                sent_at=sent_at, applied_at=sent_at + timedelta(seconds=2) if state == "APPLIED" else None,
            )  # fmt: skip
        back = T0 + timedelta(minutes=9)
        await a_row(
            tx,
            "oversell_incidents",
            product_id=tea,
            order_id=last,
            shop_id=shop,
            units=1,
            opened_at=T0,
            closed_at=back,
        )

    told = await timeline(asker)

    assert [(each["at"][14:19], each["text"], each["inJapanese"]) for each in told] == [
        ("00:00", "2 was sent to 楽天本店.", "楽天本店へ在庫数2を送信しました。"),
        ("00:02", "楽天本店 showed 2.", "楽天本店の在庫数が2になりました。"),
        ("01:30", "The total was 1: enough.", "在庫は1でした。"),
        ("02:00", "楽天本店 sold 1.", "楽天本店で1売れました。"),
        ("02:30", "The order of 楽天本店 came in: the total was 0.", "楽天本店の注文を取り込み、在庫は0になりました。"),
        ("02:30", "0 was sent to 楽天本店.", "楽天本店へ在庫数0を送信しました。"),
        ("02:30", "楽天本店 did not take the 0.", "楽天本店への在庫数0の反映に失敗しました。"),
        ("03:00", "楽天本店 sold 1.", "楽天本店で1売れました。"),
        (
            "03:30",
            "The order of 楽天本店 came in and took the total below zero (-1).",
            "楽天本店の注文を取り込み、在庫がマイナスになりました（-1）。",
        ),
        ("09:00", "The total was zero or above again.", "在庫マイナスが解消しました。"),
    ]  # fmt: skip


async def test_it_is_fifty_moments_at_most_and_never_without_the_order_itself(asker: Asker) -> None:
    async with asker.db.transaction(asker.account) as tx:
        shop, tea = await a_shop(tx), await a_product(tx, "TEA")
        page = await a_listing(tx, shop, "tea", product_id=tea)
        await ledger(tx, tea, shop, page, (40, *[-1] * 20), T0)
        crossing = await an_order(tx, shop, page, tea, "BIG", T0 + timedelta(hours=1))
        await a_movement(
            tx, tea, delta=-40, before=20, version=22, cause="ORDER", order_id=crossing,
            recorded_at=T0 + timedelta(hours=1),
        )  # fmt: skip
        for nth in range(30):
            await a_movement(
                tx, tea, delta=-1, before=-20 - nth, version=23 + nth, cause="ADJUSTED"
            )
            await a_row(
                tx,
                "mall_update_logs",
                shop_id=shop,
                listing_id=page,
                push_id=uuid4(),
                after=nth,
                state="APPLIED",
            )
        await a_row(
            tx,
            "oversell_incidents",
            product_id=tea,
            order_id=crossing,
            shop_id=shop,
            units=20,
            opened_at=T0,
        )

    told = await timeline(asker)

    assert len(told) <= 50
    assert [each["order"]["number"] for each in told if each["kind"] == "OVERSOLD"] == ["BIG"]
    assert told == sorted(told, key=lambda each: each["at"])
