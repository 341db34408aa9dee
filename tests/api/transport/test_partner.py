"""A partner's token: what can be sold of codes, what changed of it, and how it was."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from domain.model.actors import SYSTEM
from domain.model.events import MOST_EVENTS, EventKind
from domain.model.roles import Permission
from domain.model.stock import AdjustReason, Cause
from domain.services import accounts, products, stock
from domain.services.ledger import Ledger
from domain.services.stock import Adjustment
from domain.store import stock_changes
from domain.store.database import Database, Event, Tx
from domain.store.stock_changes import MOST_SCANNED, StockPlace
from renkei.engines.postgres import Postgres
from tests.api.statements import of_work, statements
from tests.api.transport.serving import Api
from tests.factories import a_movement, a_product, a_row, a_set

STOCK = "query ($codes: [String!]!) { stock(codes: $codes) { code status sellable didYouMean } }"
CHANGES = """
query ($after: EventCursor, $first: Int) {
  stockChanges(after: $after, first: $first) { cursor hasMore reload entries { code status sellable } } }
"""
AT = """
query ($code: String!, $time: DateTime!, $by: StockMoment) {
  stockAt(code: $code, time: $time, by: $by) { code total sellable } }
"""
T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)

Shown = dict[str, tuple[str, int | None]]


@pytest.fixture
async def partner(api: Api, db: Database, account: UUID) -> Api:
    async with db.transaction(account) as tx:
        api.token = await accounts.create_token(
            tx, "取引先", scopes=[Permission.STOCK_READ], actor=SYSTEM
        )
    return api


async def some_stock(tx: Tx) -> dict[str, UUID]:
    """Ten TEA and three MUG; a BOX is one tea and two mugs. JAR is oversold, FREE and its GIFT are not managed."""
    group = await a_row(tx, "product_groups", name="割れ物", reserve=1)
    made = {
        "TEA": await a_product(tx, "TEA", total=10, reserve=2),
        "MUG": await a_product(tx, "MUG", total=4, group_id=group),
        "JAR": await a_product(tx, "JAR", total=-1),
        "FREE": await a_product(tx, "FREE", total=5, managed=False),
        "GONE": await a_product(tx, "GONE", total=5, deleted_at=T0),
    }
    made["BOX"] = await a_set(tx, "BOX", {made["TEA"]: 1, made["MUG"]: 2})
    made["GIFT"] = await a_set(tx, "GIFT", {made["FREE"]: 1})
    return made


async def adjust(db: Database, account: UUID, product_id: UUID, change: int) -> None:
    async with db.transaction(account) as tx:
        await stock.adjust_totals(
            tx,
            SYSTEM,
            [Adjustment(product_id, change)],
            reason=AdjustReason.RECEIVED,
            now=datetime.now(UTC),
        )


async def page(api: Api, **variables: Any) -> Any:
    return (await api.ask(CHANGES, **variables))["stockChanges"]


def shown(entries: Any) -> Shown:
    return {each["code"]: (each["status"], each["sellable"]) for each in entries}


async def caught_up(api: Api, after: str | None, known: Shown, first: int = 2) -> str:
    """Polls until there is no more; `known` becomes what a partner then knows."""
    while True:
        answer = await page(api, after=after, first=first)
        if answer["reload"]:
            known.clear()
        known.update(shown(answer["entries"]))
        after = str(answer["cursor"])
        if not answer["hasMore"]:
            return after


async def truth(api: Api, known: Shown) -> Shown:
    answer = await api.ask(STOCK, codes=list(known))
    return shown(answer["stock"])


async def test_stock_answers_every_code_in_its_place(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        await some_stock(tx)
    asked = ["BOX", "TEA", "JAR", "FREE", "GIFT", "GONE", "TEA", "nothing"]
    with statements() as sent:
        answer = await partner.ask(STOCK, codes=asked)

    assert [tuple(each.values()) for each in answer["stock"]] == [
        ("BOX", "IN_STOCK", 1, None),
        ("TEA", "IN_STOCK", 8, None),
        ("JAR", "OUT_OF_STOCK", 0, None),
        ("FREE", "NOT_SOLD", None, None),
        ("GIFT", "NOT_SOLD", None, None),
        ("GONE", "UNKNOWN_CODE", None, None),
        ("TEA", "IN_STOCK", 8, None),
        ("nothing", "UNKNOWN_CODE", None, None),
    ]
    assert sum(each.startswith("SELECT convert_to(") for each in of_work(sent)) == 1


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("ab-100x", "AB-100X"),
        ("ＡＢ－１００Ｘ", "AB-100X"),
        ("AB100X", "AB-100X"),
        ("AB‐100X", "AB-100X"),
        ("AB_100 X", "AB-100X"),
        ("ｶﾌﾟ-1", "カプ-1"),
        ("AB-100Y", None),
        ("---", None),
        ("", None),
    ],
)
async def test_a_code_that_is_nearly_right_is_told_apart(
    partner: Api, db: Database, account: UUID, asked: str, meant: str | None
) -> None:
    async with db.transaction(account) as tx:
        for code in ("AB-100X", "カプ-1", "ー"):
            await a_product(tx, code)

    answer = await partner.ask(STOCK, codes=[asked])

    assert answer["stock"] == [
        {"code": asked, "status": "UNKNOWN_CODE", "sellable": None, "didYouMean": meant}
    ]


async def test_changed_at_is_that_of_the_newest_change_of_it_or_of_a_part(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        made = await some_stock(tx)
    changed_at = "query ($codes: [String!]!) { stock(codes: $codes) { changedAt } }"
    before = (await partner.ask(changed_at, codes=["MUG", "TEA", "BOX", "?"]))["stock"]
    await adjust(db, account, made["TEA"], 1)
    after = (await partner.ask(changed_at, codes=["MUG", "TEA", "BOX", "?"]))["stock"]

    assert after[0] == before[0]
    assert after[1]["changedAt"] > before[1]["changedAt"]
    assert after[2] == after[1]
    assert after[3] == {"changedAt": None}


async def test_without_a_cursor_comes_the_whole_stock_and_then_what_changed(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        made = await some_stock(tx)
    known: Shown = {}
    cursor = await caught_up(partner, None, known)
    assert known == {
        "TEA": ("IN_STOCK", 8),
        "MUG": ("IN_STOCK", 3),
        "JAR": ("OUT_OF_STOCK", 0),
        "FREE": ("NOT_SOLD", None),
        "BOX": ("IN_STOCK", 1),
        "GIFT": ("NOT_SOLD", None),
    }
    assert shown((await page(partner, after=cursor))["entries"]) == {}

    await adjust(db, account, made["MUG"], 4)
    await adjust(db, account, made["MUG"], -1)
    answer = await page(partner, after=cursor)

    assert shown(answer["entries"]) == {"MUG": ("IN_STOCK", 6), "BOX": ("IN_STOCK", 3)}
    assert (answer["hasMore"], answer["reload"]) == (False, False)


async def test_what_changes_while_the_whole_stock_is_read_is_told_afterwards(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        made = await some_stock(tx)
    first = await page(partner, first=2)
    known = shown(first["entries"])
    assert (first["reload"], first["hasMore"], set(known)) == (True, True, {"TEA", "MUG"})

    now = datetime.now(UTC)
    async with db.transaction(account) as tx:
        await products.save_product(tx, SYSTEM, made["TEA"], code="TEA-2", now=now)
        await products.save_product(tx, SYSTEM, None, code="CUP", name="湯呑", now=now)
        await products.delete_products(tx, SYSTEM, [made["JAR"]], with_listings=False, now=now)
    await adjust(db, account, made["MUG"], 8)
    await caught_up(partner, first["cursor"], known)

    assert known == await truth(partner, known)
    assert known["TEA"] == known["JAR"] == ("UNKNOWN_CODE", None)
    assert known["TEA-2"] == ("IN_STOCK", 8)
    assert known["CUP"] == ("OUT_OF_STOCK", 0)
    assert known["MUG"] == ("IN_STOCK", 11)


async def test_when_too_much_changed_at_once_the_whole_stock_begins_anew(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        await some_stock(tx)
    known: Shown = {}
    cursor = await caught_up(partner, None, known)
    async with db.transaction(account) as tx:
        tx.emit(*[Event(EventKind.DIFF)] * (MOST_EVENTS + 1))

    answer = await page(partner, after=cursor, first=4)

    assert (answer["reload"], answer["hasMore"], len(answer["entries"])) == (True, True, 4)
    again = shown(answer["entries"])
    await caught_up(partner, answer["cursor"], again)
    assert again == known


async def test_a_page_looks_through_so_many_events_and_goes_on_from_there(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        made = await some_stock(tx)
        values = {"account": account, "most": MOST_SCANNED}
        await tx.execute(text(FLOOD), values)
        await tx.execute(text(COUNTED), values)
    await adjust(db, account, made["JAR"], 3)

    async with db.transaction(account) as tx:
        first = await stock_changes.page(tx, StockPlace(0), 10)
        second = await stock_changes.page(tx, first.place, 10)

    assert (first.codes, first.place, first.more) == ([], StockPlace(MOST_SCANNED), True)
    assert (second.codes, second.more) == (["JAR"], False)


FLOOD = """
INSERT INTO events (account_id, seq, kind) SELECT :account, n, 'JOB' FROM generate_series(1, :most) AS n
"""
COUNTED = "UPDATE event_counters SET last = :most WHERE account_id = :account"


@pytest.mark.parametrize(
    ("case", "variables", "code"),
    [
        ("no cursor at all", {"after": "?"}, "BAD_CURSOR"),
        ("half a place", {"after": "c3RvY2s6MQ=="}, "BAD_CURSOR"),
        ("a cursor of the future", {"after": "ZXZlbnRzOjk5OTk5"}, "EVENT_CURSOR_EXPIRED"),
        ("an empty page", {"first": 0}, "BAD_PAGE"),
        ("a page too large", {"first": 1_001}, "BAD_PAGE"),
    ],
)
async def test_what_cannot_be_read_is_refused_in_words(
    partner: Api, case: str, variables: dict[str, Any], code: str
) -> None:
    answer = (await partner.post({"query": CHANGES, "variables": variables})).json()

    assert answer["data"] == {"stockChanges": None}, case
    assert [each["extensions"]["code"] for each in answer["errors"]] == [code], case


async def test_what_is_no_longer_kept_begins_anew(
    partner: Api, db: Database, account: UUID, database: Postgres
) -> None:
    async with db.transaction(account) as tx:
        made = await some_stock(tx)
    walking = (await page(partner, first=1))["cursor"]
    cursor = await caught_up(partner, None, {})
    for change in (1, 2):
        await adjust(db, account, made["JAR"], change)
    owner = await asyncpg.connect(database.url().replace("+asyncpg", ""))
    await owner.execute("DELETE FROM events WHERE account_id = $1 AND seq <= 1", account)
    await owner.close()

    for after in (cursor, walking):
        answer = (await partner.post({"query": CHANGES, "variables": {"after": after}})).json()
        assert answer["errors"][0]["extensions"]["code"] == "EVENT_CURSOR_EXPIRED"
        assert "from the start, without after" in answer["errors"][0]["message"]
    said = await partner.post(
        {"query": CHANGES, "variables": {"after": cursor}}, accept_language="ja"
    )
    assert "stockChanges を最初から" in said.json()["errors"][0]["message"]


async def test_a_hundred_codes_are_asked_for_at_once_and_no_more(partner: Api) -> None:
    most = await partner.ask(STOCK, codes=["?"] * 100)
    assert len(most["stock"]) == 100

    answer = (await partner.post({"query": STOCK, "variables": {"codes": ["?"] * 101}})).json()
    assert answer["errors"][0]["extensions"]["code"] == "TOO_MANY"


async def test_a_partner_sees_stock_and_nothing_else(partner: Api) -> None:
    answer = (await partner.post({"query": "{ eventCursor products { totalCount } }"})).json()

    assert answer["data"] == {"eventCursor": None, "products": None}
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"FORBIDDEN"}


@pytest.mark.parametrize(
    ("case", "code", "minutes", "by", "expected"),
    [
        ("before anything: what is kept back is not owed", "TEA", -1, "RECORDED", (0, 0)),
        ("what was known then", "TEA", 0, "RECORDED", (10, 8)),
        ("what was known later", "TEA", 30, "RECORDED", (7, 5)),
        ("an order counts when it was placed", "TEA", 0, "EFFECTIVE", (7, 5)),
        ("a set, by its parts", "BOX", 0, "RECORDED", (None, 1)),
        ("a set by its parts later", "BOX", 30, "RECORDED", (None, 1)),
        ("a set before anything", "BOX", -1, "RECORDED", (None, 0)),
        ("a set of what is not managed", "GIFT", 0, "RECORDED", (None, None)),
        ("by default as recorded", "TEA", 0, None, (10, 8)),
    ],
)
async def test_stock_as_of_a_moment(
    partner: Api,
    db: Database,
    account: UUID,
    case: str,
    code: str,
    minutes: int,
    by: str | None,
    expected: tuple[int | None, int | None],
) -> None:
    """Ten TEA and four MUG recorded at T0; half an hour later an order of three TEA, placed before."""
    async with db.transaction(account) as tx:
        tea = await a_product(tx, "TEA", reserve=2)
        mug = await a_product(tx, "MUG", reserve=1)
        free = await a_product(tx, "FREE", managed=False)
        await a_set(tx, "BOX", {tea: 2, mug: 2})
        await a_set(tx, "GIFT", {free: 1})
        at = {"recorded_at": T0, "effective_at": T0}
        await a_movement(tx, tea, delta=10, **at)
        await a_movement(tx, mug, delta=4, **at)
        late = {
            "recorded_at": T0 + timedelta(minutes=30),
            "effective_at": T0 - timedelta(minutes=1),
        }
        await a_movement(tx, tea, delta=-3, before=10, version=2, **late)
    asked = {} if by is None else {"by": by}
    time = (T0 + timedelta(minutes=minutes)).isoformat()
    answer = await partner.ask(AT, code=code, time=time, **asked)

    total, sellable = expected
    assert answer["stockAt"] == {"code": code, "total": total, "sellable": sellable}, case


async def test_the_stock_of_an_unknown_code_is_null_at_any_moment(partner: Api) -> None:
    answer = await partner.ask(AT, code="?", time=T0.isoformat())

    assert answer == {"stockAt": None}


async def test_what_the_ledger_says_is_what_stock_says_now(
    partner: Api, db: Database, account: UUID
) -> None:
    async with db.transaction(account) as tx:
        made = await some_stock(tx)
        ledger = await Ledger.locked(tx, [made["TEA"]])
        ledger.move(made["TEA"], -3, Cause.COUNTED, effective_at=T0)
        await ledger.write(tx)

    now = datetime.now(UTC).isoformat()
    answer = await partner.ask(AT, code="TEA", time=now)
    [entry] = (await partner.ask(STOCK, codes=["TEA"]))["stock"]

    assert answer["stockAt"] == {"code": "TEA", "total": 7, "sellable": entry["sellable"]}
