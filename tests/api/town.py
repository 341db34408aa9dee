"""One account with a little of everything, beside a stranger's: what generated operations are asked of."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.model.actors import SYSTEM, Actor, ActorKind
from domain.model.links import fold
from domain.store import tables
from domain.store.database import Database, Tx
from tests.factories import (
    a_listing,
    a_movement,
    a_product,
    a_row,
    a_set,
    a_shop,
    a_user,
    an_account,
)

T0 = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


async def a_town(db: Database) -> UUID:
    account = await an_account(db, sync_running=True, product_limit=1000)
    async with db.transaction(account) as tx:
        await _fill(tx)
    return account


async def rows_of(db: Database, account: UUID) -> Mapping[str, list[dict[str, Any]]]:
    """Every row that the account can see, by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with db.transaction(account) as tx:
        for table in tables.metadata.sorted_tables:
            if table.name == "accounts" or "account_id" in table.c:
                rows = (await tx.connection.execute(select(table))).mappings().all()
                found[table.name] = [dict(row) for row in rows]
    return found


async def _fill(tx: Tx) -> None:
    user = await a_user(tx, name='佐藤 "花"', role="STAFF")
    token = await a_row(
        tx, "api_tokens", name="POS\\1", token_hash=user.bytes, scopes=["STOCK_READ"], created_at=T0
    )
    by_user = Actor(ActorKind.USER, "佐藤", user).as_json()
    by_token = Actor(ActorKind.TOKEN, "POS", token).as_json()
    shops = [
        await a_shop(
            tx, "楽天本店", checked_at=T0, orders_running=True, settings={"speed": "9", "b": ""}
        ),
        await a_shop(
            tx,
            "ヤフー\n店",
            mall="YAHOO_SHOPPING",
            state="HALTED",
            notification_email="a@example.com",
        ),
        await a_shop(tx, "Amazon", mall="AMAZON", in_use=False, match_key=["seller-sku", "asin1"]),
        await a_shop(tx, "Amazon", mall="AMAZON", in_use=False, state="HALTED", disconnected_at=T0),
    ]
    credential = {"ciphertext": b"x", "changed_at": T0, "changed_by": by_user}
    await a_row(tx, "shop_credentials", shop_id=shops[0], key="license_key", **credential)
    await a_row(
        tx, "shop_credentials", shop_id=shops[0], key="service_secret", expires_at=T0, **credential
    )
    await a_row(tx, "shop_credentials", shop_id=shops[1], key="client_id", **credential)
    await a_row(tx, "shop_credentials", shop_id=shops[2], key="refresh_token", **credential)
    products = await _products(tx)
    for shop, mall, code in ((0, "ｃｕｐ－9", "CUP"), (1, "t-1", "OLD"), (1, "X", "NONE")):
        await a_row(
            tx,
            "code_mappings",
            shop_id=shops[shop],
            mall_code=mall,
            product_code=code,
            folded=fold(f"{mall} {code}"),
        )
    listings = await _listings(tx, shops, products, by_user, by_token)
    await _fields(tx, listings, by_user)
    await _orders(tx, shops, products, listings)
    await _oversold(tx, shops)
    await _errors(tx, shops, listings, by_user)
    await _logs(tx, shops, products, listings, by_user, by_token)
    await _exposed(tx, shops, products)
    await _jobs(tx, shops, listings, by_token)
    for ended, state in ((T0, "LOST"), (None, "ACCEPTED")):
        await a_row(
            tx, "feeds", shop_id=shops[0], epoch=1, items=1_200, looks=3, state=state, sent_at=T0, ended_at=ended
        )  # fmt: skip
    for at, next_run in (("22:00", None), ("03:30", T0)):
        await a_row(
            tx, "full_sync_schedules", shop_id=shops[0], at=at, weekdays=["MON", "SUN"],
            enabled=next_run is not None, next_run_at=next_run,
        )  # fmt: skip


async def _products(tx: Tx) -> list[UUID]:
    group = await a_row(tx, "product_groups", name="食器", reserve=3)
    await a_row(tx, "product_groups", name="空", reserve=0)
    cup = await a_product(
        tx,
        "CUP",
        total=10,
        group_id=group,
        attributes={"色": '青 "濃"', "サイズ": "L"},
        updated_at=T0,
    )
    tea = await a_product(
        tx, "TEA", total=-2, name="お茶\t100%", reserve=0, image_url="https://a.example/1.png"
    )
    pot = await a_product(tx, "POT", total=7, name="", managed=False, reserve=2)
    await a_product(tx, "49000001", name="湯呑み")
    await a_product(tx, "ｔ_1", name="商品 CUP 大")
    gone = await a_product(tx, "OLD", total=1, deleted_at=T0)
    gift = await a_set(tx, "GIFT", {cup: 2, pot: 1}, reserve=1)
    bare = await a_set(tx, "BARE", {pot: 1})
    full = await a_set(tx, "FULL", {cup: 1, tea: 3}, group_id=group)
    return [cup, tea, pot, gone, gift, bare, full]


async def _listings(
    tx: Tx,
    shops: list[UUID],
    products: list[UUID],
    by_user: Mapping[str, Any],
    by_token: Mapping[str, Any],
) -> list[UUID]:
    cup, tea, pot, gone, gift, *_ = products
    late = {"difference": "NOT_APPLIED", "difference_since": T0}
    return [
        await a_listing(
            tx, shops[0], "cup-1", product_id=cup, name="青いカップ", variant_code="red", minimum=1,
            link={"actor": by_user, "at": T0, "reason": "BY_HAND"},
            sync={"expected": 7, "base": 10, "base_source": "READ_BACK", "base_latest": T0, "edited": True,
                  "wanted": 2, "claimed": 1, "done": 1, "lane": 1, "waiting_since": T0, "push_state": "APPLIED",
                  "exposed_since": T0, **late},
        ),
        await a_listing(
            tx, shops[1], "cup-1", product_id=cup, maximum=5, sync={"expected": 5, "base": 9, "difference": "SHOP_HALTED",
            "difference_since": T0 - timedelta(days=1), "not_pushed": ["SHOP_HALTED"], "push_state": "SENT", "wanted": 3,
            "claimed": 3, "attempts": 1, "lane": 0},
        ),
        await a_listing(
            tx, shops[1], "cup-2", product_id=cup, fields={"allow_overdraft": "0", "stock_close": "1"}, link={"state": "CONFLICT", "copy_page": True, "actor": by_token},
            sync={"expected": 5, "base": None, "difference": "UNKNOWN", "difference_since": T0, "not_pushed": ["LINK_CONFLICT"]},
        ),
        await a_listing(tx, shops[0], "tea\\1", product_id=tea, sync={"expected": 0, "base": 0, "base_source": "FILE"}),
        await a_listing(tx, shops[2], "gift", product_id=gift, sync={"expected": 2, "base": 2}),
        await a_listing(tx, shops[2], "free", unlimited=True, link={"state": "UNLINKED_BY_HAND", "actor": SYSTEM.as_json()}),
        await a_listing(tx, shops[1], "T-1", name="商品 cup", keys={"sub-code": "49000001"}),
        await a_listing(tx, shops[0], "gift", name="", link={"state": "UNLINKED_BY_HAND"}),
        await a_listing(tx, shops[3], "left", sync={"base": 4, "difference": "UNKNOWN", "difference_since": T0}),
        await a_listing(tx, shops[0], "ended", product_id=pot, deleted_at=T0),
        await a_listing(tx, shops[1], "CUP-０01", unknown_at_mall=True, sync={"not_pushed": ["UNKNOWN_AT_MALL"]}),
        await a_listing(tx, shops[0], "old", product_id=gone, sync=late | {"expected": 1, "base": 0}),
    ]  # fmt: skip


async def _fields(tx: Tx, listings: list[UUID], by_user: Mapping[str, Any]) -> None:
    """What Yahoo shows is another value than ours; what Amazon shows is its own."""
    ours = {"key": "allow_overdraft", "value": "1", "changed_at_mall": T0}
    theirs = {"key": "restock_date", "value": "2026-12-01", "owner": "MALL", "changed_by": by_user}
    for listing, field in ((listings[2], ours), (listings[4], theirs), (listings[5], theirs)):
        await a_row(tx, "listing_fields", listing_id=listing, **field)


async def _orders(tx: Tx, shops: list[UUID], products: list[UUID], listings: list[UUID]) -> None:
    for nth, status in enumerate(("HOLDS", "SHIPPED", "RELEASED")):
        placed = T0 + timedelta(minutes=min(nth, 1))
        order = await a_row(
            tx, "orders", shop_id=shops[nth % 2], number=f"R-{nth}", placed_at=placed, status=status,
            observed_at=placed, first_observed_at=placed, fetched_at=placed, baseline=nth == 2,
        )  # fmt: skip
        for position, state in enumerate(("APPLIED", "UNLINKED")[: nth + 1]):
            await a_row(
                tx, "order_lines", order_id=order, position=position, item_code="cup-1",
                variant_code="red" if position else "", quantity=nth + 1, state=state,
                listing_id=listings[nth] if position == 0 else None,
            )  # fmt: skip
        taken = {"cup-1": [[str(products[0]), 1]], "cup-2": None}
        for code, parts in taken.items():
            await a_row(tx, "order_items", order_id=order, item_code=code, parts=parts)
        await a_row(tx, "order_effects", order_id=order, product_id=products[0], applied=1)
        await a_row(
            tx, "sales_logs", shop_id=shops[nth % 2], order_id=order, item_code="cup-1", units=1 - nth, at=placed,
            listing_id=listings[0] if nth else None, product_id=products[nth] if nth else None,
        )  # fmt: skip
        await a_movement(
            tx, products[0], delta=-1, before=10 - nth, version=2 + nth, cause="ORDER", order_id=order,
            effective_at=placed,
        )  # fmt: skip


async def _oversold(tx: Tx, shops: list[UUID]) -> None:
    """Of four there were, two are missing: the last orders that hold took one by itself, and three in a set."""
    lost, total = await a_product(tx, "LOST", total=4), 4
    page = await a_listing(tx, shops[0], "lost", product_id=lost, sync={"expected": 0, "base": 1})
    await _sent(tx, shops[0], page, 4, "APPLIED")
    sold = ((1, "HOLDS"), (3, "HOLDS"), (1, "HOLDS"), (1, "SHIPPED"))
    for nth, (units, status) in enumerate(sold):
        placed = T0 + timedelta(minutes=5 + nth)
        order = await a_row(
            tx, "orders", shop_id=shops[0], number=f"T-{nth}", placed_at=placed, status=status, observed_at=placed,
            first_observed_at=placed, fetched_at=placed,
        )  # fmt: skip
        code = {"item_code": "threes" if units > 1 else "lost"}
        await a_row(
            tx, "order_items", order_id=order, parts=[[str(lost), units]], listing_id=page, **code
        )
        await a_row(
            tx, "order_lines", order_id=order, position=0, quantity=1, state="APPLIED", **code
        )
        await a_movement(
            tx, lost, delta=-units, before=total, version=2 + nth, cause="ORDER", order_id=order, effective_at=placed,
        )  # fmt: skip
        total -= units
        await _sent(tx, shops[0], page, max(total, 0), ("APPLIED", "ACCEPTED", "REFUSED")[nth % 3])
    await a_movement(tx, lost, delta=1, before=total, version=6, cause="CANCEL", order_id=order)
    await a_movement(tx, lost, delta=-1, before=total + 1, version=7, cause="ADJUSTED")
    for closed_at, cause in ((T0, "LATE_ORDER"), (None, "SIMULTANEOUS_ORDERS")):
        await a_row(
            tx, "oversell_incidents", product_id=lost, order_id=order, shop_id=shops[0], units=2, cause=cause,
            other_shop_id=None if closed_at else shops[1], opened_at=T0, closed_at=closed_at,
        )  # fmt: skip


async def _sent(tx: Tx, shop: UUID, listing: UUID, quantity: int, state: str) -> None:
    await a_row(
        tx, "mall_update_logs", shop_id=shop, listing_id=listing, push_id=uuid4(), after=quantity, state=state,
        applied_at=T0 + timedelta(days=365) if state == "APPLIED" else None,
    )  # fmt: skip


async def _exposed(tx: Tx, shops: list[UUID], products: list[UUID]) -> None:
    today = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    for shop, product, days, milliseconds, longest in (
        (0, 0, 0, 1_500, 1_250),
        (0, 0, 2, 61_001, 61_000),
        (1, 0, 29, 7, 7),
        (1, 0, 30, 86_400_000, 90_000_000),
        (1, 1, 1, 250, 250),
    ):
        await a_row(
            tx, "product_exposures", shop_id=shops[shop], product_id=products[product], day=today - timedelta(days=days),
            milliseconds=milliseconds, longest=longest, times=1 + days,
        )  # fmt: skip


async def _errors(
    tx: Tx, shops: list[UUID], listings: list[UUID], by_user: Mapping[str, Any]
) -> None:
    halt = {
        "level": 9,
        "kind": "CREDENTIALS_REFUSED",
        "shop_id": shops[1],
        "params": {"shop": "ヤフー"},
    }
    cleared = {"state": "CLEARED", "cleared_at": T0, "cleared_by": by_user, "resolved_at": T0}
    refused = {
        "level": 8,
        "kind": "ITEM_REFUSED",
        "shop_id": shops[0],
        "params": {"shop": "楽天", "count": 3},
        "mall_code": "IE0002",
        "mall_message": '在庫"エラー"',
        "next_try_at": T0,
    }
    kept = [
        await a_row(tx, "sync_errors", group_key=f"{nth}", **columns)
        for nth, columns in enumerate(
            (halt, refused, {**refused, **cleared}, {"level": 8, "kind": "UNREACHABLE"})
        )
    ]
    failed = {"outcome": "FAILED", "ended_at": T0, "error_id": kept[0], "turns": 3}
    for shop, kind, more in (
        (shops[0], "ORDERS", {"outcome": "OK", "ended_at": T0, "taken": 2}),
        (shops[1], "REFLECT", failed),
        (shops[0], "REFLECT", {"sent": 3, "failed": 1, "refused": 1, "error_id": shops[0]}),
    ):
        await a_row(tx, "sync_runs", shop_id=shop, kind=kind, started_at=T0, **more)
    for error, listing in ((kept[1], 0), (kept[1], 2), (kept[1], 6), (kept[2], 0)):
        await a_row(tx, "sync_error_listings", error_id=error, listing_id=listings[listing])


async def _logs(
    tx: Tx,
    shops: list[UUID],
    products: list[UUID],
    listings: list[UUID],
    by_user: Mapping[str, Any],
    by_token: Mapping[str, Any],
) -> None:
    facts = {"before": 1, "after": 2}
    for target, noted in (
        (products[0], by_user),
        (products[3], by_token),
        (None, SYSTEM.as_json()),
    ):
        await a_row(
            tx, "operation_logs", actor=noted, action="SET_STOCK", target_kind="PRODUCT", target_id=target, facts=facts,
            reflected_at=T0 if target else None,
        )  # fmt: skip
    await a_row(
        tx,
        "operation_logs",
        actor=by_user,
        action="CLEAR_ERRORS",
        target_kind="SHOP",
        target_id=shops[0],
    )
    for limits, noted in (({"minimum": 1}, by_user), ({"minimum": 1, "maximum": 9}, by_token)):
        before = {"minimum": None} if noted is by_user else {"minimum": 1, "maximum": None}
        await a_row(
            tx, "operation_logs", actor=noted, action="SET_LIMITS", target_kind="LISTING", target_id=listings[0],
            facts={"before": before, "after": limits},
        )  # fmt: skip
    await a_movement(
        tx,
        products[1],
        delta=1,
        before=-2,
        version=2,
        cause="ADJUSTED",
        reason="FOUND",
        actor=by_token,
    )
    for seconds, units in ((1.25, 0), (9.5, 4)):
        await a_row(
            tx, "pushes", listing_id=listings[1], shop_id=shops[1], call_id=products[0], generation=1, epoch=1,
            mode="ABSOLUTE", quantity=units, state="APPLIED", waiting_at=T0, applied_at=T0 + timedelta(seconds=seconds),
        )  # fmt: skip
    for state in ("APPLIED", "REFUSED"):
        push = await a_row(
            tx, "pushes", listing_id=listings[0], shop_id=shops[0], call_id=products[0], generation=1, epoch=1,
            mode="ABSOLUTE", quantity=7, before=10, state=state, mall_code="X" if state == "REFUSED" else "",
            waiting_at=T0, applied_at=T0 + timedelta(days=365) if state == "APPLIED" else None,
        )  # fmt: skip
        await a_row(
            tx, "mall_update_logs", shop_id=shops[0], listing_id=listings[0], push_id=push, after=7, state=state,
            before=None if state == "REFUSED" else 10, mall_message="だめ" if state == "REFUSED" else "",
        )  # fmt: skip
    await a_row(
        tx,
        "mall_update_logs",
        shop_id=shops[2],
        listing_id=listings[6],
        push_id=push,
        after=0,
        state="SENT",
    )


async def _jobs(
    tx: Tx, shops: list[UUID], listings: list[UUID], by_token: Mapping[str, Any]
) -> None:
    job = await a_row(tx, "jobs", kind="REFLECT", total=5, actor=by_token)
    for listing, outcome in zip(listings, (None, "APPLIED", "HELD", "REFUSED"), strict=False):
        await a_row(tx, "job_listings", job_id=job, listing_id=listing, outcome=outcome)
    await a_row(tx, "job_targets", job_id=job, place=1, target_id=listings[0], outcome="DONE")
    await a_row(tx, "job_targets", job_id=job, place=2, target_id=listings[5])
    off = await a_row(tx, "jobs", kind="REFLECT", total=2, state="CANCELLED", finished_at=T0)
    await a_row(tx, "job_listings", job_id=off, listing_id=listings[2], outcome="CANCELLED")
    await a_row(tx, "job_targets", job_id=off, place=1, target_id=listings[6])
    await a_row(
        tx, "operation_logs", actor=by_token, action="SET_LIMITS", target_kind="LISTING", target_id=listings[0], at=T0,
        job_id=await _bulk_change(tx, listings),
    )  # fmt: skip
    untold = {"kind": None, "mall_message": "", "expires_at": None}
    part = {**untold, "key": "CREDENTIALS", "outcome": "OK", "expires_at": T0.isoformat()}
    told = {
        **untold,
        "key": "ORDERS",
        "outcome": "NG",
        "kind": "THROTTLED",
        "mall_message": "だめ\n",
    }
    clock = {**untold, "key": "CLOCK", "outcome": "NG"}
    untested = {**untold, "key": "CATALOGUE", "outcome": "NOT_TESTED"}
    await a_row(
        tx, "jobs", kind="SHOP_CHECK", shop_id=shops[0], state="DONE", done=1, failed=1, total=1, finished_at=T0,
        result={"ok": False, "parts": [part, told, clock, untested]},
    )  # fmt: skip
    await a_row(tx, "jobs", kind="SHOP_CHECK", shop_id=shops[1], actor=SYSTEM.as_json())
    await _of_shops(tx, shops, listings)


async def _of_shops(tx: Tx, shops: list[UUID], listings: list[UUID]) -> None:
    """Initial orders that are fetched, one shop after the other; and numbers of malls, one of them unknown there."""
    fetch = await a_row(tx, "jobs", kind="ORDER_FETCH", state="WAITING", done=3)
    for shop, more in zip(
        shops,
        (
            {"outcome": "DONE", "orders": 2, "lines": 3, "deducted": 4, "reached": T0},
            {"orders": 1, "lines": 1, "reached": T0},
            {},
        ),
        strict=False,
    ):
        values = {"work": "INITIAL_ORDERS", "next_try_at": T0, **more}
        await a_row(tx, "job_shops", job_id=fetch, shop_id=shop, **values)
    await a_row(tx, "shop_walks", shop_id=shops[1])
    off = await a_row(tx, "jobs", kind="ORDER_FETCH", state="CANCELLED", finished_at=T0)
    await a_row(
        tx, "job_shops", job_id=off, shop_id=shops[0], work="INITIAL_ORDERS", next_try_at=T0
    )
    read = await a_row(
        tx, "jobs", kind="READ_MALL_STOCK", state="DONE", total=2, done=2, failed=1, input={"target": "LISTING"}
    )  # fmt: skip
    error = {"code": "UNKNOWN_AT_MALL", "message": "Gone.", "field": [], "params": {}}
    await a_row(
        tx, "job_targets", job_id=read, place=1, target_id=listings[0], outcome="REFUSED", errors=[error]
    )  # fmt: skip
    await a_row(tx, "job_targets", job_id=read, place=2, target_id=listings[1], outcome="DONE")


async def _bulk_change(tx: Tx, listings: list[UUID]) -> UUID:
    """Of which every other target was refused, one of them for good."""
    job = await a_row(
        tx, "jobs", kind="BULK_CHANGE", state="RUNNING", total=9, done=6, failed=3,
        input={"action": "SET_LIMITS", "target": "LISTING", "arguments": {"maximum": 3}},
    )  # fmt: skip
    params = {"expected": 3, "current": 4}
    path = ["listings", "expectedVersion"]
    error = {"code": "VERSION_CHANGED", "message": "Changed.", "field": path, "params": params}
    targets = [listings[0], listings[3], listings[1], listings[4], uuid4()]
    for place, target in enumerate(targets):
        refused = place % 2 == 0
        await a_row(
            tx, "job_targets", job_id=job, place=place, target_id=target,
            outcome="REFUSED" if refused else "DONE", errors=[error] if refused else None,
        )  # fmt: skip
    await a_row(tx, "job_targets", job_id=job, place=9, target_id=listings[5])
    return job
