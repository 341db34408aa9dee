"""More than a hundred targets: one job, followed to its end; and jobs called off."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from api.nodes import read_id
from domain.model.locales import Locale
from domain.model.roles import Permission
from domain.services import bulk
from tests.api.mutations.desk import Desk
from tests.domain.services.rows import NOW, row, rows
from tests.domain.services.story import a_shop, in_stock

MANY = 130
JOB = "__typename id kind state cancellable progress { total done failed }"
FAILURES = """... on BulkChange {
    action failures { totalCount edges { node { target { id } userErrors { code field message } } } } }"""
NAMES = {
    "setListingSync": ("SetListingSyncInput", "listings { id }"),
    "setListingLimits": ("SetListingLimitsInput", "listings { id }"),
    "unlinkListings": ("UnlinkListingsInput", "listings { id }"),
    "deleteListings": ("DeleteListingsInput", "deletedIds"),
    "deleteProducts": ("DeleteProductsInput", "deletedIds"),
    "saveProductGroup": ("SaveProductGroupInput", "productGroup { id productCount }"),
    "reflect": ("ReflectInput", ""),
    "cancelJob": ("CancelJobInput", ""),
}
FOLLOW = f"query J($id: ID!) {{ node(id: $id) {{ ... on Job {{ {JOB} {FAILURES} }} }} }}"
PAGE = """
query F($id: ID!, $after: String) { node(id: $id) { ... on BulkChange {
    failures(first: 4, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { cursor } } } } }
"""
LOG = """
query L($job: ID!) { operationLogs(filter: {jobId: $job}, first: 1) { totalCount edges { node { action } } } }
"""


def document(name: str) -> str:
    kind, fields = NAMES[name]
    job = f"job {{ {JOB} {'' if name == 'reflect' else FAILURES} }}"
    errors = "userErrors { code field message }"
    return f"mutation M($input: {kind}!) {{ {name}(input: $input) {{ {fields} {job} {errors} }} }}"


@dataclass(frozen=True)
class Shelf:
    """A person at the screen of a shop with many listings."""

    desk: Desk

    async def does(self, name: str, /, **input: Any) -> Any:
        return (await self.desk.execute(document(name), input=input))[name]

    async def holds(self, many: int) -> None:
        async def work(tx: Any) -> None:
            shop = await a_shop(tx, orders_running=True)
            await in_stock(tx, shop, **{f"T{number:03}": 9 for number in range(many)})

        await self.desk.db.run(self.desk.account, work)

    async def worker(self, job: str) -> Any:
        """The job, after workers have done what they can."""
        job_id = read_id(job).id
        while await self.desk.db.run(
            self.desk.account, lambda tx: bulk.do_part(tx, job_id, now=NOW)
        ):
            pass
        return (await self.desk.execute(FOLLOW, id=job))["node"]

    async def counts(self, sql: str) -> int:
        async with self.desk.db.transaction(self.desk.account) as tx:
            return int((await row(tx, f"SELECT count(*) AS many FROM {sql}"))["many"])


@pytest.fixture
async def shelf(desk: Desk) -> Shelf:
    shelf = Shelf(desk)
    await shelf.holds(MANY)
    return shelf


def everything(many: int = MANY) -> dict[str, Any]:
    return {"matching": {"filter": {}, "expectedCount": many}}


@pytest.mark.parametrize(("many", "at_once"), [(100, True), (101, False)])
async def test_a_hundred_are_answered_at_once_and_one_more_becomes_a_job(
    desk: Desk, many: int, at_once: bool
):
    shelf = Shelf(desk)
    await shelf.holds(many)

    data = await shelf.does("setListingSync", listings=everything(many), sync=False)

    assert data["userErrors"] == []
    assert len(data["listings"]) == (many if at_once else 0)
    assert (data["job"] is None) is at_once


LISTINGS, PRODUCTS = {"listings": everything()}, {"products": everything()}
CHANGES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "setListingSync",
        {**LISTINGS, "sync": False},
        "SET_SYNC",
        "listings WHERE account_id = :account AND NOT sync",
    ),
    (
        "setListingLimits",
        {**LISTINGS, "minimum": 1, "maximum": 3, "reflect": False},
        "SET_LIMITS",
        "listings WHERE account_id = :account AND minimum = 1 AND maximum = 3",
    ),
    (
        "unlinkListings",
        LISTINGS,
        "UNLINK_LISTINGS",
        "links WHERE account_id = :account AND state = 'UNLINKED_BY_HAND'",
    ),
    (
        "deleteListings",
        LISTINGS,
        "DELETE_LISTINGS",
        "listings WHERE account_id = :account AND deleted_at IS NOT NULL",
    ),
    (
        "deleteProducts",
        {**PRODUCTS, "withListings": True},
        "DELETE_PRODUCTS",
        "products WHERE account_id = :account AND deleted_at IS NOT NULL",
    ),
    (
        "saveProductGroup",
        {"name": "Cups", "reserve": 2, "addProducts": everything()},
        "MOVE_TO_GROUP",
        "products WHERE account_id = :account AND group_id IS NOT NULL",
    ),
]


@pytest.mark.parametrize(
    ("name", "input", "action", "changed"), CHANGES, ids=[each[0] for each in CHANGES]
)
async def test_a_bulk_change_ends_as_the_same_change_of_a_few(
    shelf: Shelf, name: str, input: dict[str, Any], action: str, changed: str
):
    data = await shelf.does(name, **input)
    before = await shelf.counts(changed)
    done = await shelf.worker(data["job"]["id"])

    assert data["userErrors"] == []
    assert (data["job"]["__typename"], data["job"]["kind"]) == ("BulkChange", "BULK_CHANGE")
    assert data["job"]["action"] == action
    assert (data["job"]["state"], data["job"]["cancellable"]) == ("WAITING", True)
    assert data["job"]["progress"] == {"total": MANY, "done": 0, "failed": 0}
    assert (done["state"], done["cancellable"]) == ("DONE", False)
    assert done["progress"] == {"total": MANY, "done": MANY, "failed": 0}
    assert (before, await shelf.counts(changed)) == (0, MANY)
    log = (await shelf.desk.execute(LOG, job=data["job"]["id"]))["operationLogs"]
    assert log["totalCount"] == MANY


async def test_products_leave_a_group_as_a_job(shelf: Shelf):
    made = await shelf.does("saveProductGroup", name="Cups", reserve=2, addProducts=everything())
    await shelf.worker(made["job"]["id"])
    group = made["productGroup"]["id"]

    data = await shelf.does(
        "saveProductGroup", id=group, name="Mugs", reserve=3, removeProducts=everything()
    )
    await shelf.worker(data["job"]["id"])

    assert data["productGroup"] == {"id": group, "productCount": MANY}
    assert await shelf.counts("products WHERE account_id = :account AND group_id IS NULL") == MANY


async def test_a_reflect_of_everything_is_one_reflect_job(shelf: Shelf):
    data = await shelf.does("reflect", products=everything())
    assert data["userErrors"] == []
    done = await shelf.worker(data["job"]["id"])

    assert data["job"]["__typename"] == "ReflectJob"
    assert data["job"]["progress"] == {"total": MANY, "done": 0, "failed": 0}
    assert (done["state"], done["progress"]["done"]) == ("RUNNING", 0)
    assert await shelf.counts("listing_sync WHERE account_id = :account AND wanted > done") == MANY
    log = (await shelf.desk.execute(LOG, job=data["job"]["id"]))["operationLogs"]
    assert (log["totalCount"], log["edges"][0]["node"]) == (MANY, {"action": "REFLECT"})


async def test_a_reflect_of_a_filter_that_finds_nothing_is_done(shelf: Shelf):
    nothing = {"matching": {"filter": {"text": "nothing"}, "expectedCount": 0}}

    data = await shelf.does("reflect", products=nothing)

    assert (data["userErrors"], data["job"]["state"]) == ([], "DONE")


@pytest.mark.parametrize(
    ("locale", "message"),
    [
        (Locale.EN, "There is no such listing."),
        (Locale.JA, "この出品は見つかりません。出品一覧を読み込み直してください。"),
    ],
)
async def test_what_is_refused_is_listed_with_its_reason(
    shelf: Shelf, locale: Locale, message: str
):
    job = (await shelf.does("setListingSync", listings=everything(), sync=False))["job"]["id"]
    async with shelf.desk.db.transaction(shelf.desk.account) as tx:
        await row(
            tx,
            "UPDATE listings SET deleted_at = now() WHERE account_id = :account AND item_code = 't007' RETURNING id",
        )
    done = await Shelf(shelf.desk.reading(locale)).worker(job)

    assert done["progress"] == {"total": MANY, "done": MANY, "failed": 1}
    [edge] = done["failures"]["edges"]
    assert edge["node"] == {
        "target": None,
        "userErrors": [{"code": "NOT_FOUND", "field": [], "message": message}],
    }


async def test_failures_are_read_page_by_page_in_the_order_of_the_doing(shelf: Shelf):
    job = (await shelf.does("setListingSync", listings=everything(), sync=False))["job"]["id"]
    async with shelf.desk.db.transaction(shelf.desk.account) as tx:
        await rows(
            tx,
            "UPDATE listings SET deleted_at = now() WHERE account_id = :account AND item_code LIKE 't01_' RETURNING 1",
        )
    await shelf.worker(job)
    pages, after = [], None
    while True:
        found = (await shelf.desk.execute(PAGE, id=job, after=after))["node"]["failures"]
        pages.append(len(found["edges"]))
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]

    assert (pages, found["totalCount"]) == ([4, 4, 2], 10)


async def test_failures_stand_in_the_payload_of_a_mutation_too(shelf: Shelf):
    data = await shelf.does("deleteProducts", products=everything(), withListings=True)
    async with shelf.desk.db.transaction(shelf.desk.account) as tx:
        [first] = [
            (
                await row(
                    tx, "SELECT id FROM products WHERE account_id = :account AND code = 'T000'"
                )
            )["id"]
        ]
    await shelf.desk.execute(
        "mutation S($input: SaveSetItemInput!) { saveSetItem(input: $input) { userErrors { code } } }",
        input={
            "code": "BOX",
            "parts": [{"productId": shelf.desk.id("Product", first), "count": 1}],
        },
    )
    await shelf.worker(data["job"]["id"])

    data = await shelf.does("cancelJob", jobId=data["job"]["id"])

    [edge] = data["job"]["failures"]["edges"]
    assert edge["node"]["target"] == {"id": shelf.desk.id("Product", first)}
    assert [each["code"] for each in edge["node"]["userErrors"]] == ["PART_IN_USE"]


REFUSED: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("setListingLimits", {**LISTINGS, "maximum": 0}, "INVALID_VALUE", ["maximum"]),
    (
        "setListingLimits",
        {**LISTINGS, "maximum": 1, "expectedVersion": 1},
        "INVALID_VALUE",
        ["expectedVersion"],
    ),
    (
        "saveProductGroup",
        {"name": "Cups", "reserve": 0, "addProducts": everything(), "removeProducts": everything()},
        "TOO_MANY",
        ["removeProducts"],
    ),
    (
        "saveProductGroup",
        {"name": "", "reserve": 0, "addProducts": everything()},
        "REQUIRED",
        ["name"],
    ),
]


@pytest.mark.parametrize(("name", "input", "code", "field"), REFUSED)
async def test_what_cannot_be_meant_begins_no_job(
    shelf: Shelf, name: str, input: dict[str, Any], code: str, field: list[str]
):
    data = await shelf.does(name, **input)

    assert data["job"] is None
    assert [(each["code"], each["field"]) for each in data["userErrors"]] == [(code, field)]
    assert await shelf.counts("jobs WHERE account_id = :account") == 0


async def test_a_request_that_comes_again_is_answered_the_same_job(shelf: Shelf):
    asked = {"listings": everything(), "idempotencyKey": "k-1"}

    first = await shelf.does("deleteListings", **asked)
    await shelf.worker(first["job"]["id"])
    again = await shelf.does("deleteListings", **asked)

    assert again["job"]["id"] == first["job"]["id"]
    assert again["job"]["state"] == "DONE"
    assert await shelf.counts("jobs WHERE account_id = :account") == 1


class TestCallingOff:
    async def begun(self, shelf: Shelf) -> str:
        data = await shelf.does("setListingSync", listings=everything(), sync=False)
        return str(data["job"]["id"])

    async def test_a_bulk_change_that_is_called_off_is_not_begun(self, shelf: Shelf):
        job = await self.begun(shelf)

        data = await shelf.does("cancelJob", jobId=job)
        after = await shelf.worker(job)

        assert data["userErrors"] == []
        assert (data["job"]["id"], data["job"]["state"]) == (job, "CANCELLED")
        assert after["progress"] == {"total": MANY, "done": 0, "failed": 0}
        assert await shelf.counts("listings WHERE account_id = :account AND sync") == MANY
        assert (await shelf.desk.operations())[-1] == "CANCEL_JOB"

    async def test_a_job_that_is_over_is_answered_as_it_is(self, shelf: Shelf):
        job = await self.begun(shelf)
        await shelf.worker(job)

        data = await shelf.does("cancelJob", jobId=job)

        assert (data["userErrors"], data["job"]["state"]) == ([], "DONE")

    async def test_a_bulk_change_needs_the_right_of_whoever_begins_one(self, shelf: Shelf):
        job = await self.begun(shelf)
        only = shelf.desk.having(Permission.READ, Permission.REFLECT)

        answer = await only.answer(document("cancelJob"), input={"jobId": job})

        assert answer["data"] == {"cancelJob": None}
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
        assert (await shelf.worker(job))["state"] == "DONE"

    async def test_a_reflect_needs_no_other_right(self, shelf: Shelf):
        job = (await shelf.does("reflect", products=everything()))["job"]["id"]
        only = Shelf(shelf.desk.having(Permission.READ, Permission.REFLECT))

        data = await only.does("cancelJob", jobId=job)

        assert data["job"]["state"] == "CANCELLED"

    @pytest.mark.parametrize("job", ["junk", UUID(int=7)])
    async def test_what_is_no_job_is_not_found(self, shelf: Shelf, job: str | UUID):
        named = job if isinstance(job, str) else shelf.desk.id("Job", job)

        data = await shelf.does("cancelJob", jobId=named)

        assert [(each["code"], each["field"]) for each in data["userErrors"]] == [
            ("NOT_FOUND", ["jobId"])
        ]
