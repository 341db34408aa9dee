"""What the schema means, said a second time and slowly: graphql-core over plain rows.

Nothing here knows of plans, selections or SQL. Rows are read as they lie in the tables; every field that is not simply a
column is a few lines of Python, with the rules of domain/model where there are any.
"""

import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import normalize
from uuid import UUID
from zoneinfo import ZoneInfo

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    build_schema,
    execute_sync,
)
from graphql.pyutils import camel_to_snake

from api.scalars import read_moment
from domain.model import (
    breaker,
    checks,
    near_codes,
    onboarding,
    oversell_moments,
    oversells,
    shop_actions,
    sync_errors,
)
from domain.model.attaching import attaches
from domain.model.diff import NotPushed
from domain.model.errors import DomainError
from domain.model.explanations import Figures, sentence
from domain.model.links import (
    MOST_PROPOSALS,
    Candidate,
    ListingKeys,
    Proposal,
    fold,
    propose,
)
from domain.model.locales import Locale
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import CheckOutcome, CheckPartKey, MallKind
from domain.model.messages import message
from domain.model.roles import Permission
from domain.model.sets import PartStock, SetPart, sellable_sets, sets_in_parts
from domain.model.stock import effective_reserve, sellable
from domain.model.trouble_list import trouble_list

Row = dict[str, Any]
TABLE_OF = {
    "Account": "accounts",
    "ApiToken": "api_tokens",
    "CodeMapping": "code_mappings",
    "FullSyncSchedule": "full_sync_schedules",
    "Job": "jobs",
    "Link": "links",
    "Listing": "listings",
    "MallUpdateLog": "mall_update_logs",
    "OperationLog": "operation_logs",
    "Order": "orders",
    "OrderLine": "order_lines",
    "OversellIncident": "oversell_incidents",
    "Product": "products",
    "ProductGroup": "product_groups",
    "Push": "listing_sync",
    "SalesLog": "sales_logs",
    "Shop": "shops",
    "StockMovement": "stock_movements",
    "SyncError": "sync_errors",
    "SyncRun": "sync_runs",
    "User": "users",
}
KEYED_BY_LISTING = ("Link", "Push")
JOBS = {
    "REFLECT": "ReflectJob",
    "SHOP_CHECK": "ShopCheck",
    "BULK_CHANGE": "BulkChange",
    "READ_MALL_STOCK": "BulkChange",
    "ORDER_FETCH": "OrderFetch",
}
TARGETS = {"LISTING": "Listing", "PRODUCT": "Product", "SHOP": "Shop", "SYNC_ERROR": "SyncError"}


class Refusal(GraphQLError):
    def __init__(self, code: str) -> None:
        super().__init__(code, extensions={"code": code})


@dataclass
class Oracle:
    """One account's rows by table, and who asks."""

    sdl: str
    tables: Mapping[str, list[Row]]
    account: UUID
    permissions: frozenset[Permission]
    locale: Locale

    def __post_init__(self) -> None:
        self.schema = build_schema(self.sdl)
        scalar = self.schema.type_map["DateTime"]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.serialize = scalar.coerce_output_value = moment  # type: ignore[method-assign]

    def answer(
        self, document: DocumentNode, variables: Mapping[str, Any], name: str | None = None
    ) -> ExecutionResult:
        result = execute_sync(
            self.schema,
            document,
            {"@": "Query"},
            variable_values=dict(variables),
            operation_name=name,
            field_resolver=self._resolve,
            type_resolver=lambda row, *_: row["@"],
        )
        assert isinstance(result, ExecutionResult)
        return result

    def _resolve(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        self._check(info)
        name = camel_to_snake(info.field_name)
        kind = info.parent_type.name
        special = FIELDS.get(kind, {}).get(name)
        if special is not None:
            return special(self, source, arguments)
        if name == "id":
            return global_id(source)
        return source[name] if isinstance(source, dict) else getattr(source, name)

    def _check(self, info: GraphQLResolveInfo) -> None:
        node = info.parent_type.fields[info.field_name].ast_node
        assert node is not None
        needed = [
            argument.value.value  # type: ignore[attr-defined]
            for directive in node.directives or ()
            if directive.name.value == "requires"
            for argument in directive.arguments or ()
        ]
        if info.parent_type.name == "Query" and not needed:
            needed = ["READ"]
        if any(Permission(each) not in self.permissions for each in needed):
            raise Refusal("FORBIDDEN")

    # ── rows ──

    def rows(self, kind: str, keep: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        tagged = (self.tagged(kind, row) for row in self.tables[TABLE_OF[kind]])
        return [row for row in tagged if keep(row)]

    def one(self, kind: str, row_id: UUID | None) -> Row | None:
        key = "listing_id" if kind in KEYED_BY_LISTING else "id"
        return next(iter(self.rows(kind, lambda row: row[key] == row_id)), None)

    def tagged(self, kind: str, row: Row) -> Row:
        return {**row, "@": JOBS[row["kind"]] if kind == "Job" else kind}

    def alive(self, kind: str, row_id: UUID | None) -> Row | None:
        row = self.one(kind, row_id)
        return None if row is None or row.get("deleted_at") else row

    def link_of(self, listing_id: UUID) -> Row:
        link = self.one("Link", listing_id)
        assert link is not None
        return link

    def sync_of(self, listing_id: UUID) -> Row:
        sync = self.one("Push", listing_id)
        assert sync is not None
        return sync

    def listings_of(self, product_id: UUID) -> list[Row]:
        return self.rows(
            "Listing",
            lambda row: (
                row["deleted_at"] is None and self.link_of(row["id"])["product_id"] == product_id
            ),
        )


# ── leaves ──


def moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def global_id(row: Row) -> str:
    kind = "Job" if row["@"] in JOBS.values() else row["@"]
    key = "listing_id" if kind in KEYED_BY_LISTING else "id"
    return b64encode(f"{kind}:{row[key]}".encode()).decode()


def read_id(value: str, kind: str | None = None) -> tuple[str, UUID]:
    try:
        name, row_id = b64decode(value, validate=True).decode().split(":")
        if name in TABLE_OF and kind in (None, name):
            return name, UUID(row_id)
    except ValueError:
        pass
    raise Refusal("BAD_ID")


def ids(arguments: Mapping[str, Any], name: str, kind: str | None = None) -> list[UUID] | None:
    given = arguments.get(name)
    return None if given is None else [read_id(each, kind)[1] for each in given]


def chosen(oracle: Oracle, arguments: Mapping[str, Any]) -> Locale:
    return Locale(arguments.get("locale") or oracle.locale)


# ── pages ──

Keyed = Callable[[Row], Any]


def page(
    rows: Iterable[Row], arguments: Mapping[str, Any], name: str, key: Keyed, *, newest: bool
) -> Row:
    """`key` sorts, then the id; `newest`: largest first."""

    def place(row: Row) -> tuple[Any, str]:
        return key(row), str(row.get("id") or row["listing_id"])

    ordered = sorted(rows, key=place, reverse=newest)
    first, last = arguments.get("first"), arguments.get("last")
    size = 100 if first is None and last is None else last if first is None else first
    if (first is not None and last is not None) or not 0 <= size <= 100:
        raise Refusal("BAD_PAGE")
    left = list(ordered)
    for side in ("after", "before"):
        if arguments.get(side) is not None:
            at = read_cursor(arguments[side], name, key)
            beyond = (side == "after") != newest
            left = [row for row in left if (place(row) > at) == beyond and place(row) != at]
    shown = left[-size:] if last is not None and size else left[:size]
    more = len(left) > size
    edges = [{"cursor": cursor_of(place(row)[1]), "node": row} for row in shown]
    return {
        "edges": edges,
        "total_count": len(ordered),
        "page_info": {
            "has_next_page": more if last is None else arguments.get("before") is not None,
            "has_previous_page": arguments.get("after") is not None if last is None else more,
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
        },
    }


def read_cursor(cursor: str, name: str, key: Keyed) -> tuple[Any, str]:
    try:
        made_by, value, row_id = json.loads(b64decode(cursor, validate=True))
    except ValueError:
        made_by = None
    if made_by != name:
        raise Refusal("BAD_CURSOR")
    return value, row_id


def cursor_of(row_id: str) -> str:
    return f"cursor {row_id}"


def by_id(kind: str, *, newest: bool) -> Callable[[Iterable[Row], Mapping[str, Any]], Row]:
    key = "listing_id" if kind in KEYED_BY_LISTING else "id"
    name = "NEWEST" if newest else "OLDEST"
    return lambda rows, arguments: page(
        rows, arguments, name, lambda row: str(row[key]), newest=newest
    )


# ── products ──


def reserve(oracle: Oracle, row: Row, _: Any = None) -> int:
    group = oracle.one("ProductGroup", row["group_id"])
    return effective_reserve(row["reserve"], group and group["reserve"])


def sellable_of(oracle: Oracle, row: Row, _: Any = None) -> int | None:
    own = reserve(oracle, row)
    if row["kind"] == "SINGLE":
        return sellable(row["total"], own)
    return sellable_sets(*parts_of(oracle, row), own)


def parts_of(oracle: Oracle, row: Row) -> tuple[list[SetPart], dict[UUID, PartStock]]:
    parts = [
        SetPart(part["part_id"], part["count"])
        for part in oracle.tables["set_parts"]
        if part["set_id"] == row["id"]
    ]
    products = {part.product_id: oracle.one("Product", part.product_id) for part in parts}
    stock = {
        key: PartStock(part["total"], reserve(oracle, part), part["managed"])
        for key, part in products.items()
        if part is not None
    }
    return parts, stock


CODE_MARKS = dict.fromkeys(map(ord, "‐‑‒–—―⁃−─━➖⸺⸻ー﹘﹣-_ "))


def code_key(code: str) -> str:
    return normalize("NFKC", code).lower().translate(CODE_MARKS)


def stock(oracle: Oracle, _: Any, arguments: Mapping[str, Any]) -> list[Row]:
    return [stock_entry(oracle, code) for code in arguments["codes"]]


def stock_entry(oracle: Oracle, code: str) -> Row:
    alive = oracle.rows("Product", lambda row: row["deleted_at"] is None)
    product = next((row for row in alive if row["code"] == code), None)
    entry = {"code": code, "sellable": None, "changed_at": None, "did_you_mean": None}
    if product is None:
        alike = [row["code"] for row in alive if code_key(row["code"]) == code_key(code) != ""]
        return {**entry, "status": "UNKNOWN_CODE", "did_you_mean": min(alike, default=None)}
    free = sellable_of(oracle, product) if product["managed"] else None
    status = "NOT_SOLD" if free is None else "IN_STOCK" if free > 0 else "OUT_OF_STOCK"
    parts = [oracle.one("Product", part.product_id) for part in parts_of(oracle, product)[0]]
    changed_at = max(row["updated_at"] for row in (product, *filter(None, parts)))
    shown = None if free is None else max(free, 0)
    return {**entry, "status": status, "sellable": shown, "changed_at": changed_at}


def stock_at(oracle: Oracle, _: Any, arguments: Mapping[str, Any]) -> Row | None:
    code, at = arguments["code"], arguments["time"]
    when = "effective_at" if arguments.get("by") == "EFFECTIVE" else "recorded_at"
    product = next((row for row in oracle.rows("Product") if row["code"] == code), None)
    if product is None or product["deleted_at"]:
        return None
    moved = [row for row in oracle.tables["stock_movements"] if row[when] <= read_moment(at)]
    then = {
        row["id"]: sum(each["delta"] for each in moved if each["product_id"] == row["id"])
        for row in oracle.rows("Product")
    }
    rows = [{**row, "total": then[row["id"]]} for row in oracle.tables["products"]]
    past = replace(oracle, tables={**oracle.tables, "products": rows})
    product = {**product, "total": then[product["id"]]}
    free = sellable_of(past, product)
    shown = {"total": total_of(past, product), "sellable": None if free is None else max(free, 0)}
    return {"code": code, "time": read_moment(at), **shown}


def total_of(_: Oracle, row: Row, __: Any = None) -> int | None:
    return row["total"] if row["kind"] == "SINGLE" else None


def unreflected(oracle: Oracle, row: Row, _: Any = None) -> bool:
    linked = [each for each in oracle.rows("Link") if each["product_id"] == row["id"]]
    return any(oracle.sync_of(link["listing_id"])["edited"] for link in linked)


def words_of(text: str) -> list[str]:
    parted = text.replace("，", ",").replace("、", ",").split(",")
    return [word for word in map(fold, parted) if word]


def said_of(oracle: Oracle, listing: Row) -> list[str]:
    product = oracle.one("Product", oracle.link_of(listing["id"])["product_id"])
    return [listing["folded"], *([product["folded"]] if product else [])]


def found(words: list[str], texts: list[str]) -> bool:
    return all(any(word in text for text in texts) for word in words)


def in_range(value: int | None, limits: Mapping[str, int | None]) -> bool:
    checks = {"eq": lambda a, b: a == b, "gte": lambda a, b: a >= b, "lte": lambda a, b: a <= b}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if value is None:
        return not given
    return all(checks[name](value, limit) for name, limit in given.items())


def product_matches(oracle: Oracle, row: Row, given: Mapping[str, Any]) -> bool:
    wanted = {name: value for name, value in given.items() if value is not None}
    listings = oracle.listings_of(row["id"])
    shops = ids(wanted, "missingInShopIds", "Shop") or []
    chosen_shops = ids(wanted.get("listing") or {}, "shopIds", "Shop")
    said = [row["folded"]] + [
        each["folded"]
        for each in listings
        if chosen_shops is None or each["shop_id"] in chosen_shops
    ]
    checks = {
        "text": lambda value: found(words_of(value), said),
        "kind": lambda value: row["kind"] == value,
        "total": lambda value: in_range(total_of(oracle, row), value),
        "sellable": lambda value: in_range(sellable_of(oracle, row), value),
        "managed": lambda value: row["managed"] is value,
        "groupIds": lambda value: (
            row["group_id"] in (ids(wanted, "groupIds", "ProductGroup") or [])
        ),
        "unreflected": lambda value: unreflected(oracle, row) is value,
        "listing": lambda value: any(listing_matches(oracle, each, value) for each in listings),
        "missingInShopIds": lambda value: all(each["shop_id"] not in shops for each in listings),
    }
    return all(checks[name](value) for name, value in wanted.items())


def check_product_ids(given: Mapping[str, Any]) -> None:
    """Ids are looked at whatever rows there are."""
    ids(given, "groupIds", "ProductGroup")
    ids(given, "missingInShopIds", "Shop")
    ids(given.get("listing") or {}, "shopIds", "Shop")


PRODUCT_KEYS: Mapping[str, Keyed] = {
    "CODE": lambda row: row["code"],
    "NAME": lambda row: row["name"],
    "TOTAL": lambda row: row["total"],
}


def products(oracle: Oracle, arguments: Mapping[str, Any], *, only_sets: bool = False) -> Row:
    given = arguments.get("filter") or {}
    check_product_ids(given)
    rows = oracle.rows(
        "Product",
        lambda row: (
            row["deleted_at"] is None
            and (not only_sets or row["kind"] == "SET")
            and product_matches(oracle, row, given)
        ),
    )
    order = arguments.get("orderBy") or {"field": "CODE", "direction": "ASC"}
    name = f"{order['field']}_{order['direction']}"
    keys = {
        **PRODUCT_KEYS,
        "SELLABLE": lambda row: sellable_of(oracle, row) or 0,
        "UPDATED_AT": lambda row: row["updated_at"],
    }
    return page(rows, arguments, name, keys[order["field"]], newest=order["direction"] == "DESC")


def exposure(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> Row:
    days = max(1, min(arguments["days"], 366))
    today = datetime.now(ZoneInfo(oracle.tables["accounts"][0]["time_zone"])).date()
    over = [
        each
        for each in oracle.tables["product_exposures"]
        if each["product_id"] == row["id"] and today - each["day"] < timedelta(days=days)
    ]
    linked = [x["listing_id"] for x in oracle.rows("Link") if x["product_id"] == row["id"]]
    lasting = [x for x in oracle.rows("Push") if x["listing_id"] in linked and x["exposed_since"]]
    shops = sorted({each["shop_id"] for each in (*over, *lasting)})
    by_shop = [
        {
            "shop_id": shop,
            **exposed(
                [x for x in over if x["shop_id"] == shop],
                [x for x in lasting if x["shop_id"] == shop],
            ),
        }
        for shop in shops
    ]
    return {**exposed(over, lasting), "by_shop": by_shop}


def exposed(over: list[Row], lasting: list[Row]) -> Row:
    return {
        "seconds": sum(each["milliseconds"] for each in over) / 1000,
        "longest_seconds": max((each["longest"] for each in over), default=0) / 1000,
        "times": sum(each["times"] for each in over),
        "since": min((each["exposed_since"] for each in lasting), default=None),
    }


# ── listings ──


def push_state(row: Row) -> str | None:
    waits = row["wanted"] > row["done"] and row["push_state"] not in ("SENT", "ACCEPTED")
    return "WAITING" if waits else row["push_state"]


def differs(sync: Row) -> bool:
    return sync["difference"] is not None and sync["difference"] != "UNKNOWN"


def differs_from_total(oracle: Oracle, row: Row, _: Any = None) -> bool:
    product = oracle.one("Product", oracle.link_of(row["id"])["product_id"])
    base = oracle.sync_of(row["id"])["base"]
    if product is None or product["kind"] == "SET" or base is None:
        return False
    return bool(base != product["total"])


def open_errors(oracle: Oracle, listing_ids: list[UUID]) -> list[Row]:
    hit = {
        each["error_id"]
        for each in oracle.tables["sync_error_listings"]
        if each["listing_id"] in listing_ids
    }
    rows = oracle.rows("SyncError", lambda row: row["id"] in hit and row["state"] == "OPEN")
    return sorted(rows, key=lambda row: row["id"], reverse=True)


def listing_matches(oracle: Oracle, row: Row, given: Mapping[str, Any]) -> bool:
    wanted = {name: value for name, value in given.items() if value is not None}
    sync, link = oracle.sync_of(row["id"]), oracle.link_of(row["id"])
    compared = {
        "FROM_QUANTITY_TO_SHOW": lambda: differs(sync),
        "FROM_TOTAL": lambda: differs_from_total(oracle, row),
    }
    checks = {
        "shopIds": lambda value: row["shop_id"] in (ids(wanted, "shopIds", "Shop") or []),
        "text": lambda value: found(words_of(value), said_of(oracle, row)),
        "links": lambda value: link["state"] in value,
        "sync": lambda value: row["sync"] is value,
        "differs": lambda value: compared[value](),
        "causes": lambda value: sync["difference"] in value,
        "notPushed": lambda value: bool(set(sync["not_pushed"]) & set(value)),
        "pushStates": lambda value: push_state(sync) in value,
        "hasOpenError": lambda value: bool(open_errors(oracle, [row["id"]])) is value,
    }
    return all(checks[name](value) for name, value in wanted.items())


def alive_listings(oracle: Oracle, given: Mapping[str, Any]) -> list[Row]:
    ids(given, "shopIds", "Shop")
    return oracle.rows(
        "Listing",
        lambda row: (
            row["deleted_at"] is None
            and connected(oracle, row)
            and listing_matches(oracle, row, given)
        ),
    )


def listings(oracle: Oracle, arguments: Mapping[str, Any]) -> Row:
    rows = alive_listings(oracle, arguments.get("filter") or {})
    order = arguments.get("orderBy")
    if order is None:
        return by_id("Listing", newest=False)(rows, arguments)
    never = datetime(9999, 12, 31, tzinfo=UTC)
    keys: Mapping[str, Keyed] = {
        "ITEM_CODE": lambda row: row["item_code"],
        "SHOP": lambda row: (oracle.one("Shop", row["shop_id"]) or {})["name"],
        "DIFFERENCE_SINCE": lambda row: oracle.sync_of(row["id"])["difference_since"] or never,
    }
    name = f"{order['field']}_{order['direction']}"
    return page(rows, arguments, name, keys[order["field"]], newest=order["direction"] == "DESC")


def differences(oracle: Oracle, arguments: Mapping[str, Any]) -> Row:
    kind = arguments.get("kind")
    both = {**(arguments.get("filter") or {})}
    rows = [
        row
        for row in alive_listings(oracle, both)
        if (oracle.one("Shop", row["shop_id"]) or {})["in_use"]
    ]
    if kind is not None:
        rows = [row for row in rows if listing_matches(oracle, row, {"differs": kind})]
    since: Keyed = lambda row: (  # noqa: E731
        oracle.sync_of(row["id"])["difference_since"] or datetime(9999, 12, 31, tzinfo=UTC)
    )
    return page(rows, arguments, "DIFFERENCE_SINCE_ASC", since, newest=False)


def difference(oracle: Oracle, row: Row, _: Any) -> Row | None:
    sync = oracle.sync_of(row["id"])
    if sync["difference"] is None or sync["expected"] is None:
        return None
    delta = None if sync["base"] is None else sync["base"] - sync["expected"]
    return {
        "expected": sync["expected"],
        "shown": sync["base"],
        "delta": delta,
        "since": sync["difference_since"],
        "cause": sync["difference"],
    }


def mall_stock(oracle: Oracle, row: Row, _: Any) -> Row:
    sync = oracle.sync_of(row["id"])
    return {
        "quantity": sync["base"],
        "unlimited": row["unlimited"],
        "known_at": sync["base_latest"],
        "source": sync["base_source"],
    }


def figures_of(oracle: Oracle, row: Row) -> Figures | None:
    product = oracle.alive("Product", oracle.link_of(row["id"])["product_id"])
    shop = oracle.one("Shop", row["shop_id"])
    if product is None or shop is None:
        return None
    is_set = product["kind"] == "SET"
    start = sets_in_parts(*parts_of(oracle, product)) if is_set else product["total"]
    most = MALL_SPECS[MallKind(shop["mall"])].capabilities.max_quantity
    limits = (row["minimum"], row["maximum"])
    return Figures(start, is_set, reserve(oracle, product), *limits, most)


def set_on(oracle: Oracle, row: Row, rule: str) -> Row | None:
    product = oracle.alive("Product", oracle.link_of(row["id"])["product_id"])
    assert product is not None
    if rule in ("TOTAL", "SET_PARTS") or (rule == "RESERVE" and product["reserve"] is not None):
        return product
    if rule == "RESERVE":
        return oracle.one("ProductGroup", product["group_id"])
    return row if rule in ("MINIMUM", "MAXIMUM") and row[rule.lower()] is not None else None


def set_last(oracle: Oracle, on: Row | None, rule: str) -> Row | None:
    """The movement or operation that set it. Of operations the town knows those on limits alone."""
    if on is None:
        return None
    if rule == "TOTAL":
        moved = oracle.rows("StockMovement", lambda each: each["product_id"] == on["id"])
        newest = max(moved, key=lambda each: each["id"], default=None)
        return newest and {**newest, "at": newest["recorded_at"]}
    made = oracle.rows(
        "OperationLog",
        lambda each: (
            (each["action"], each["target_id"]) == ("SET_LIMITS", on["id"])
            and _fact(each, "before", rule) != _fact(each, "after", rule)
        ),
    )
    return max(made, key=lambda each: each["id"], default=None)


def _fact(line: Row, moment: str, rule: str) -> Any:
    return line["facts"].get(moment, {}).get(rule.lower())


def explained(oracle: Oracle, row: Row, _: Any) -> Row:
    figures = figures_of(oracle, row)
    steps = []
    for step in figures.steps if figures else ():
        on = set_on(oracle, row, step.rule)
        noted = set_last(oracle, on, step.rule) or {"actor": None, "at": None}
        told = {"rule": step.rule.value, "before": step.before, "after": step.after}
        steps.append({**told, "set_on": on, "actor": noted["actor"], "set_at": noted["at"]})
    reasons = [NotPushed(each) for each in oracle.sync_of(row["id"])["not_pushed"]]
    return {"figures": figures, "steps": steps, "checks": trouble_list(reasons)}


def near_codes_of(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    code = mall_code(oracle, row, _)
    found = [
        {"listing_id": each["id"], "reason": near[0], "likeness": round(near[1], 3)}
        for each in oracle.rows("Listing")
        if row["unknown_at_mall"] and each["shop_id"] == row["shop_id"]
        if each["deleted_at"] is None and not each["unknown_at_mall"]
        if (near := near_codes.near(code, mall_code(oracle, each, _)))
    ]
    ranked = sorted(
        found, key=lambda x: (near_codes.RANKS[x["reason"]], -x["likeness"], x["listing_id"])
    )
    return ranked[: near_codes.MOST]


JAN = re.compile("[0-9]{8}|[0-9]{13}", re.ASCII)


def link_candidates(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> list[Row]:
    if oracle.link_of(row["id"])["product_id"] is not None:
        return []
    table = {
        x["mall_code"]: x["product_code"]
        for x in oracle.tables["code_mappings"]
        if x["shop_id"] == row["shop_id"]
    }
    alive = oracle.rows("Product", lambda each: each["deleted_at"] is None)
    jans = [each for each in row["keys"].values() if JAN.fullmatch(each)]
    products = [Candidate(x["id"], x["code"], x["code"], x["name"]) for x in alive]
    best: dict[UUID, Proposal] = {}
    for jan in jans or [""]:
        keys = ListingKeys(row["match_code"], jan, row["name"])
        for proposal in (p for product in products for p in propose(keys, [product], table)):
            known = best.setdefault(proposal.product_id, proposal)
            if proposal.score > known.score:
                best[proposal.product_id] = proposal
    ordered = sorted(best.values(), key=lambda each: (-each.score, each.product_id))
    shown = ordered[: max(0, min(arguments["first"], MOST_PROPOSALS))]
    return [{"product_id": x.product_id, "reason": x.reason, "score": x.score} for x in shown]


def mall_fields(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    shop = oracle.one("Shop", row["shop_id"])
    assert shop is not None
    kept = {x["key"]: x for x in oracle.tables["listing_fields"] if x["listing_id"] == row["id"]}
    found = []
    for column in MALL_SPECS[MallKind(shop["mall"])].columns:
        if column.sent_with_stock:
            shown = row["fields"].get(column.key)
            ours = kept.get(column.key, {"value": shown, "owner": "US", "changed_at_mall": None})
            told = ours["owner"] == "US" and ours["changed_at_mall"] is not None
            found.append(
                {
                    "key": column.key,
                    "column": column,
                    "value": ours["value"] or None,
                    "owner": ours["owner"],
                    "mall_value": shown or None,
                    "changed_at_mall": told and ours["value"] != shown,
                }
            )
    return found


def push_of(oracle: Oracle, row: Row, _: Any) -> Row | None:
    sync = oracle.sync_of(row["id"])
    return sync if sync["wanted"] > sync["done"] or sync["push_state"] else None


def attempt(name: str) -> Any:
    def read(oracle: Oracle, row: Row, _: Any) -> Any:
        made = [each for each in oracle.tables["pushes"] if each["listing_id"] == row["listing_id"]]
        newest = max(made, key=lambda each: each["id"], default=None)
        return (newest[name] or None) if newest else None

    return read


def waiting_at(oracle: Oracle, row: Row, _: Any) -> datetime | None:
    return row["waiting_since"] or attempt("waiting_at")(oracle, row, _)


def links(oracle: Oracle, arguments: Mapping[str, Any]) -> Row:
    given = {k: v for k, v in (arguments.get("filter") or {}).items() if v is not None}
    shops = ids(given, "shopIds", "Shop")

    def keep(row: Row) -> bool:
        listing = oracle.alive("Listing", row["listing_id"])
        return (
            listing is not None
            and connected(oracle, listing)
            and (shops is None or listing["shop_id"] in shops)
            and row["state"] in given.get("states", [row["state"]])
            and found(words_of(given.get("text", "")), said_of(oracle, listing))
        )

    return by_id("Link", newest=True)(oracle.rows("Link", keep), arguments)


def code_mappings(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    shops = ids(arguments, "shopIds", "Shop")
    words = words_of(arguments.get("text") or "")
    rows = oracle.rows(
        "CodeMapping",
        lambda row: (
            (shops is None or row["shop_id"] in shops)
            and all(word in fold(f"{row['mall_code']} {row['product_code']}") for word in words)
        ),
    )
    return by_id("CodeMapping", newest=False)(rows, arguments)


def mapped_product(oracle: Oracle, row: Row, _: Any) -> Row | None:
    rows = oracle.rows(
        "Product",
        lambda each: each["code"] == row["product_code"] and each["deleted_at"] is None,
    )
    return next(iter(rows), None)


# ── orders, logs, errors, jobs ──


def actor(column: str = "actor") -> Any:
    def read(oracle: Oracle, row: Row, _: Any) -> Row | None:
        noted = row[column]
        if noted is None:
            return None
        if noted["kind"] == "SYSTEM":
            return {"@": "SystemActor", "name": noted["name"]}
        kind = {"USER": "User", "TOKEN": "ApiToken"}[noted["kind"]]
        return oracle.one(kind, UUID(noted["id"]))

    return read


def to(kind: str, column: str, *, alive: bool = False) -> Any:
    def read(oracle: Oracle, row: Row, _: Any) -> Row | None:
        return (oracle.alive if alive else oracle.one)(kind, row[column])

    return read


def within(given: Mapping[str, Any], at: datetime) -> bool:
    since, until = given.get("from"), given.get("until")
    return (since is None or at >= datetime.fromisoformat(since)) and (
        until is None or at < datetime.fromisoformat(until)
    )


def log(kind: str, at: str, checks: Mapping[str, Callable[[Oracle, Row, Any], bool]]) -> Any:
    """A log's page: of the one filter for all only what this log knows of."""

    def read(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
        given = {k: v for k, v in (arguments.get("filter") or {}).items() if v is not None}
        known = {
            "productIds": ids(given, "productIds", "Product"),
            "shopIds": ids(given, "shopIds", "Shop"),
            "actorIds": ids(given, "actorIds"),
            "jobId": [read_id(given["jobId"], "Job")[1]] if "jobId" in given else None,
            "causes": given.get("causes"),
            "pushStates": given.get("pushStates"),
        }
        rows = oracle.rows(
            kind,
            lambda row: (
                within(given, row[at])
                and all(
                    check(oracle, row, known[name])
                    for name, check in checks.items()
                    if name in known and known[name] is not None
                )
                and ("text" not in given or _log_text(oracle, kind, row, words_of(given["text"])))
            ),
        )
        return by_id(kind, newest=True)(rows, arguments)

    return read


def _log_text(oracle: Oracle, kind: str, row: Row, words: list[str]) -> bool:
    if not words:
        return True
    if kind == "MallUpdateLog":
        listing = oracle.alive("Listing", row["listing_id"])
        return listing is not None and found(words, said_of(oracle, listing))
    key = "target_id" if kind == "OperationLog" else "product_id"
    product = oracle.one("Product", row[key])
    if product is None:
        return False
    said = [product["folded"], *(each["folded"] for each in oracle.listings_of(product["id"]))]
    return found(words, said)


def _of_actor(_: Oracle, row: Row, wanted: list[UUID]) -> bool:
    noted = row["actor"]
    return bool(noted and noted["id"] and UUID(noted["id"]) in wanted)


def _of_order_shop(oracle: Oracle, row: Row, wanted: list[UUID]) -> bool:
    order = oracle.one("Order", row["order_id"])
    return order is not None and order["shop_id"] in wanted


def column_in(column: str) -> Callable[[Oracle, Row, Any], bool]:
    return lambda _, row, wanted: row[column] in wanted


def _of_linked_product(oracle: Oracle, row: Row, wanted: list[UUID]) -> bool:
    return oracle.link_of(row["listing_id"])["product_id"] in wanted


def orders(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    given = {k: v for k, v in (arguments.get("filter") or {}).items() if v is not None}
    shops, wanted = ids(given, "shopIds", "Shop"), ids(given, "productIds", "Product")

    def keep(row: Row) -> bool:
        states = [x["state"] for x in oracle.tables["order_lines"] if x["order_id"] == row["id"]]
        taken = [
            x["product_id"] for x in oracle.tables["order_effects"] if x["order_id"] == row["id"]
        ]
        return (
            within(given, row["placed_at"])
            and (shops is None or row["shop_id"] in shops)
            and (wanted is None or bool(set(wanted) & set(taken)))
            and row["number"] in given.get("numbers", [row["number"]])
            and ("states" not in given or bool(set(given["states"]) & set(states)))
        )

    rows = oracle.rows("Order", keep)
    return page(rows, arguments, "PLACED_AT_DESC", lambda row: row["placed_at"], newest=True)


def taken_by_line(oracle: Oracle, row: Row) -> list[UUID]:
    """What the line took, as it was resolved."""
    key = ("order_id", "item_code", "variant_code")
    items = [x for x in oracle.tables["order_items"] if all(x[name] == row[name] for name in key)]
    return [UUID(taken[0]) for item in items for taken in item["parts"] or ()]


def reached(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    order = oracle.one("Order", row["order_id"])
    assert order is not None
    taken_at: dict[UUID, datetime] = {}
    for moved in oracle.rows("StockMovement", lambda each: each["order_id"] == order["id"]):
        if moved["cause"] != "ORDER" or moved["product_id"] not in taken_by_line(oracle, row):
            continue
        holding = [
            each["set_id"]
            for each in oracle.tables["set_parts"]
            if each["part_id"] == moved["product_id"]
        ]
        for product_id in (moved["product_id"], *holding):
            for listing in oracle.listings_of(product_id):
                at = taken_at.get(listing["id"], moved["recorded_at"])
                taken_at[listing["id"]] = min(at, moved["recorded_at"])
    shown = [reached_listing(oracle, listing_id, at) for listing_id, at in taken_at.items()]
    elsewhere = [each for each in shown if each["shop_id"] != order["shop_id"]]
    return sorted(elsewhere, key=lambda each: (each["shop_id"], each["listing_id"]))


def reached_listing(oracle: Oracle, listing_id: UUID, taken_at: datetime) -> Row:
    listing = oracle.one("Listing", listing_id)
    assert listing is not None
    made = [
        each
        for each in oracle.tables["pushes"]
        if each["listing_id"] == listing_id and each["waiting_at"] <= taken_at <= each["sent_at"]
    ]
    first = min(made, key=lambda each: (each["applied_at"] is None, each["sent_at"]), default=None)
    attempt = first or dict.fromkeys(("state", "quantity", "sent_at", "applied_at"))
    shown_at = attempt["applied_at"]
    return {
        **{name: attempt[name] for name in ("state", "quantity", "sent_at")},
        "shop_id": listing["shop_id"],
        "listing_id": listing_id,
        "shown_at": shown_at,
        "seconds": shown_at and round((shown_at - taken_at).total_seconds(), 3),
    }


def line_sold(oracle: Oracle, row: Row, _: Any) -> Row | None:
    key = ("order_id", "item_code", "variant_code")
    lines = oracle.rows("OrderLine", lambda each: all(each[name] == row[name] for name in key))
    return min(lines, key=lambda each: each["position"], default=None)


def pending_pushes(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    shops = ids(arguments, "shopIds", "Shop")
    lanes = {"TO_ZERO": 0, "DECREASE": 1, "OTHER": 2, None: None}
    lane = lanes[arguments.get("lane")]
    rows = oracle.rows(
        "Push",
        lambda row: (
            row["wanted"] > row["done"]
            and (shops is None or row["shop_id"] in shops)
            and lane in (None, row["lane"])
        ),
    )
    return page(rows, arguments, "LANE", lane_then_age, newest=False)


def sync_runs(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    shops, outcome = ids(arguments, "shopIds", "Shop"), arguments.get("outcome")
    rows = oracle.rows(
        "SyncRun",
        lambda row: (
            (shops is None or row["shop_id"] in shops) and outcome in (None, row["outcome"])
        ),
    )
    return by_id("SyncRun", newest=True)(rows, arguments)


def oversell_incidents(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    wanted = arguments.get("open")
    rows = oracle.rows("OversellIncident", lambda row: wanted in (None, row["closed_at"] is None))
    return by_id("OversellIncident", newest=True)(rows, arguments)


def oversell_text(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> str:
    shop, other = (oracle.one("Shop", row[name]) for name in ("shop_id", "other_shop_id"))
    return oversells.text(
        oversells.OversellCause(row["cause"]),
        shop["name"] if shop else "",
        other and other["name"],
        row["units"],
        chosen(oracle, arguments),
    )


def timeline(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    moved = sorted(
        oracle.rows("StockMovement", lambda each: each["product_id"] == row["product_id"]),
        key=lambda each: each["id"],
    )
    own = [
        each for each in moved if (each["order_id"], each["cause"]) == (row["order_id"], "ORDER")
    ]
    if not own:
        return []
    crossing = min(own, key=lambda x: (x["balance_after"] >= 0, x["balance_before"] < 0, x["id"]))
    taken = -crossing["delta"]
    scarce = [
        each
        for each in moved
        if each["id"] < crossing["id"] and each["balance_before"] >= taken > each["balance_after"]
    ]
    start = scarce[-1] if scarce else crossing
    earlier = [each for each in moved if scarce and each["id"] < start["id"]][-1:]
    found = [
        happened(each["recorded_at"], 0, each, "ENOUGH_HELD", total=each["balance_after"])
        for each in earlier
    ]
    since = scarce[-1]["recorded_at"] if scarce else crossing["recorded_at"] - timedelta(hours=1)
    before = [x for x in moved if start["id"] <= x["id"] <= crossing["id"]][-12:]
    until = row["closed_at"]
    after = [
        each
        for each in moved
        if each["id"] > crossing["id"] and (until is None or each["recorded_at"] <= until)
    ]
    for each in (*before, *after[:6]):
        found += [
            {**told, "kind": "OVERSOLD"} if each is crossing and told["nth"] == 2 else told
            for told in of_movement(oracle, each)
        ]
    for each in numbers_sent(oracle, row, since):
        found += of_number(each)
    if until is not None:
        found.append(happened(until, 5, row, "RECOVERED"))
    return sorted(found, key=lambda each: (each["at"], each["nth"], each["id"]))


def happened(at: datetime, nth: int, row: Row, kind: str, **more: Any) -> Row:
    empty = dict.fromkeys(("order_id", "shop_id", "listing_id", "units", "total"))
    return {"at": at, "nth": nth, "id": row["id"], "kind": kind, **empty, **more}


def of_movement(oracle: Oracle, moved: Row) -> list[Row]:
    order = oracle.one("Order", moved["order_id"]) or {"id": None, "shop_id": None}
    sale = {"order_id": order["id"], "shop_id": order["shop_id"], "units": abs(moved["delta"])}
    sold = moved["cause"] == "ORDER"
    kind = "ORDER_SEEN" if sold else "TOTAL_CHANGED"
    came_in = happened(moved["recorded_at"], 2, moved, kind, total=moved["balance_after"], **sale)
    placed = [happened(moved["effective_at"], 1, moved, "ORDER_PLACED", **sale)] if sold else []
    return [*placed, came_in]


def of_number(sent: Row) -> list[Row]:
    where = {"shop_id": sent["shop_id"], "listing_id": sent["listing_id"], "units": sent["after"]}
    kind = "NUMBER_SHOWN" if sent["state"] == "APPLIED" else "NUMBER_FAILED"
    answered = happened(sent["applied_at"] or sent["sent_at"], 4, sent, kind, **where)
    put = happened(sent["sent_at"], 3, sent, "NUMBER_SENT", **where)
    return [put] if sent["state"] in ("SENT", "ACCEPTED") else [put, answered]


def numbers_sent(oracle: Oracle, incident: Row, since: datetime) -> list[Row]:
    """To the listing whose sale it was: the one that stood, and the first since."""
    listings = [
        each["listing_id"]
        for each in oracle.tables["order_items"]
        if each["order_id"] == incident["order_id"]
        and str(incident["product_id"]) in [taken for taken, _ in each["parts"] or ()]
    ]
    sent = [x for x in oracle.rows("MallUpdateLog") if x["listing_id"] in listings[:1]]
    sent.sort(key=lambda each: each["id"])
    stood = [each for each in sent if each["sent_at"] < since]
    return [*stood[-1:], *[each for each in sent if each["sent_at"] >= since][:5]]


def moment_text(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> str:
    shop = oracle.one("Shop", row["shop_id"])
    kind = oversell_moments.MomentKind(row["kind"])
    told = chosen(oracle, arguments)
    return oversell_moments.text(kind, shop and shop["name"], row["units"], row["total"], told)


def taken_of(oracle: Oracle, line: Row, product_id: UUID) -> int:
    """Units of the product in one of what the line sold."""
    key = ("order_id", "item_code", "variant_code")
    items = [x for x in oracle.tables["order_items"] if all(x[name] == line[name] for name in key)]
    return sum(
        count for item in items for taken, count in item["parts"] or () if UUID(taken) == product_id
    )


def unserved_lines(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    """Latest order first, until they hold what is missing."""
    product = oracle.one("Product", row["product_id"])
    assert product is not None
    missing = -product["total"] if row["closed_at"] is None else 0
    took = {
        moved["order_id"]
        for moved in oracle.rows("StockMovement", lambda each: each["cause"] == "ORDER")
        if moved["product_id"] == row["product_id"]
    }
    holding = {
        order["id"]: order["placed_at"]
        for order in oracle.rows("Order", lambda each: each["status"] == "HOLDS")
        if order["id"] in took
    }
    lines = oracle.rows(
        "OrderLine", lambda each: each["order_id"] in holding and each["state"] == "APPLIED"
    )
    unserved = []
    for line in sorted(lines, key=lambda x: (holding[x["order_id"]], x["id"]), reverse=True):
        taken = taken_of(oracle, line, row["product_id"])
        if taken and missing > 0:
            unserved.append(line)
            missing -= taken * line["quantity"]
    return unserved


def lane_then_age(row: Row) -> str:
    since = row["waiting_since"] or datetime(1970, 1, 1, tzinfo=UTC)
    return f"{row['lane']}{since:%Y%m%d%H%M%S%f}"


def errors(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    given = {k: v for k, v in (arguments.get("filter") or {}).items() if v is not None}
    shops = ids(given, "shopIds", "Shop")
    rows = oracle.rows(
        "SyncError",
        lambda row: (
            (shops is None or row["shop_id"] in shops)
            and f"LEVEL_{row['level']}" in given.get("levels", [f"LEVEL_{row['level']}"])
            and row["state"] in given.get("states", [row["state"]])
            and row["kind"] in given.get("kinds", [row["kind"]])
        ),
    )
    return by_id("SyncError", newest=True)(rows, arguments)


def advice(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> list[str]:
    shop = oracle.one("Shop", row["shop_id"])
    mall = MallKind(shop["mall"]) if shop else None
    kind = sync_errors.SyncErrorKind(row["kind"])
    return sync_errors.advice(kind, mall, chosen(oracle, arguments))


def error_message(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> str:
    kind = sync_errors.SyncErrorKind(row["kind"])
    return sync_errors.message(kind, row["params"], chosen(oracle, arguments))


def affected(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> Row:
    hit = {
        x["listing_id"] for x in oracle.tables["sync_error_listings"] if x["error_id"] == row["id"]
    }
    rows = oracle.rows("Listing", lambda each: each["id"] in hit and each["deleted_at"] is None)
    return by_id("Listing", newest=False)(rows, arguments)


OPERATIONS = {
    ("SET_STOCK", Locale.EN): "Set the total from {before} to {after}.",
    ("SET_STOCK", Locale.JA): "総在庫数を{before}から{after}に変更しました。",
    ("SET_LIMITS", Locale.EN): "Changed the listing's limits.",
    ("SET_LIMITS", Locale.JA): "下限・上限を変更しました。",
    ("CLEAR_ERRORS", Locale.EN): "Cleared an error.",
    ("CLEAR_ERRORS", Locale.JA): "エラーを削除しました。",
}
PROGRESS = {
    ("WAITING", Locale.EN): "It waits.",
    ("WAITING", Locale.JA): "待機中です。",
    ("RUNNING", Locale.EN): "{done} of {total} done.",
    ("RUNNING", Locale.JA): "{total}件中{done}件が終わりました。",
    ("CANCELLED", Locale.EN): "It was called off.",
    ("CANCELLED", Locale.JA): "取り消されました。",
    ("DONE", Locale.EN): "{done} done, {failed} of them failed.",
    ("DONE", Locale.JA): "{done}件が終わりました（うち失敗{failed}件）。",
}


def operation_text(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> str:
    return OPERATIONS[row["action"], chosen(oracle, arguments)].format(**row["facts"])


def target(oracle: Oracle, row: Row, _: Any) -> Row | None:
    return oracle.one(TARGETS[row["target_kind"]], row["target_id"]) if row["target_id"] else None


def job_shops(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    counts: dict[UUID, Row] = {}
    of_job = [
        (each["listing_id"], each["outcome"])
        for each in oracle.tables["job_listings"]
        if each["job_id"] == row["id"]
    ]
    not_begun = "CANCELLED" if row["state"] == "CANCELLED" else None
    of_job += [
        (each["target_id"], not_begun) for each in targets_of(oracle, row) if not each["outcome"]
    ]
    for listing_id, outcome in of_job:
        listing = oracle.one("Listing", listing_id)
        assert listing is not None
        words = ("waiting", "accepted", "applied", "refused", "held", "cancelled")
        empty = dict.fromkeys(words, 0)
        shop = counts.setdefault(listing["shop_id"], {**empty, "shop_id": listing["shop_id"]})
        shop[(outcome or "WAITING").lower()] += 1
    return [counts[key] for key in sorted(counts)]


def targets_of(oracle: Oracle, job: Row) -> list[Row]:
    return [each for each in oracle.tables["job_targets"] if each["job_id"] == job["id"]]


def job_failures(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> Row:
    refused = [
        {**each, "id": each["target_id"], "kind": row["input"]["target"]}
        for each in targets_of(oracle, row)
        if each["outcome"] == "REFUSED"
    ]
    return page(refused, arguments, "PLACE", lambda each: each["place"], newest=False)


def failed_target(oracle: Oracle, row: Row, _: Any) -> Row | None:
    return oracle.alive(TARGETS[row["kind"]], row["target_id"])


def why_refused(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    return [
        {
            "code": each["code"],
            "field": [],
            "message": message(DomainError.of_json(each), oracle.locale),
            "params": [{"name": key, "value": str(each["params"][key])} for key in each["params"]],
        }
        for each in row["errors"]
    ]


def fetched(column: str) -> Any:
    return lambda oracle, row, _: sum(each[column] for each in shops_of(oracle, row))


def fetched_by_shop(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    def state(each: Row) -> str:
        so_far = "RUNNING" if each["reached"] else "WAITING"
        over = row["state"] not in ("WAITING", "RUNNING")
        return str(each["outcome"] or (row["state"] if over else so_far))

    return [{**each, "state": state(each)} for each in shops_of(oracle, row)]


def shops_of(oracle: Oracle, job: Row) -> list[Row]:
    found = [each for each in oracle.tables["job_shops"] if each["job_id"] == job["id"]]
    return sorted(found, key=lambda each: each["shop_id"])


def job_pushes(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> Row:
    of_job = [x["listing_id"] for x in oracle.tables["job_listings"] if x["job_id"] == row["id"]]
    states = arguments.get("states")
    rows = oracle.rows(
        "Push",
        lambda push: (
            push["listing_id"] in of_job
            and bool(push["wanted"] > push["done"] or push["push_state"])
            and (states is None or push_state(push) in states)
        ),
    )
    return by_id("Push", newest=True)(rows, arguments)


def check_parts(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    shop = oracle.one("Shop", row["shop_id"])
    assert shop is not None
    return [{**part, "mall": shop["mall"]} for part in row["result"].get("parts", [])]


def _told(part: Row) -> tuple[CheckPartKey, CheckOutcome, sync_errors.SyncErrorKind | None]:
    kind = part["kind"] and sync_errors.SyncErrorKind(part["kind"])
    return CheckPartKey(part["key"]), CheckOutcome(part["outcome"]), kind


def check_message(oracle: Oracle, part: Row, arguments: Mapping[str, Any]) -> str | None:
    return checks.message(*_told(part), chosen(oracle, arguments))


def check_advice(oracle: Oracle, part: Row, arguments: Mapping[str, Any]) -> list[str]:
    return checks.advice(*_told(part), MallKind(part["mall"]), chosen(oracle, arguments))


def line_movements(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    taken = {
        UUID(product)
        for item in oracle.tables["order_items"]
        if all(item[key] == row[key] for key in ("order_id", "item_code", "variant_code"))
        for product, _ in item["parts"] or ()
    }
    rows = oracle.rows(
        "StockMovement",
        lambda each: each["order_id"] == row["order_id"] and each["product_id"] in taken,
    )
    return sorted(rows, key=lambda each: each["id"])


def jobs(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> Row:
    kinds, states = arguments.get("kinds"), arguments.get("states")
    rows = oracle.rows(
        "Job",
        lambda row: (
            (kinds is None or row["kind"] in kinds) and (states is None or row["state"] in states)
        ),
    )
    return by_id("Job", newest=True)(rows, arguments)


# ── shops, account ──


def connected(oracle: Oracle, listing: Row) -> bool:
    shop = oracle.one("Shop", listing["shop_id"])
    return shop is not None and shop["disconnected_at"] is None


def shop_state(oracle: Oracle, row: Row, _: Any) -> str:
    if row["disconnected_at"] is not None:
        return "DISCONNECTED"
    if row["state"] != "RUNNING":
        return str(row["state"])
    if not (row["orders_running"] or row["reflect_running"]):
        if row["checked_at"] is None:
            return "ONBOARDING"
        return "READY" if row["effective_from"] is None else "STOPPED"
    if not row["in_use"] or not oracle.tables["accounts"][0]["sync_running"]:
        return "STOPPED"
    return "MAINTENANCE" if row["maintenance"] else "RUNNING"


def pending(oracle: Oracle, row: Row, _: Any) -> Row:
    waiting = [
        each
        for each in oracle.tables["listing_sync"]
        if each["shop_id"] == row["id"] and each["wanted"] > each["done"]
    ]
    lanes = [each["lane"] for each in waiting]
    since = [each["waiting_since"] for each in waiting if each["waiting_since"]]
    return {
        "to_zero": lanes.count(0),
        "decreases": lanes.count(1),
        "others": lanes.count(2),
        "oldest_at": min(since, default=None),
    }


def full_syncs(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    own = oracle.rows("FullSyncSchedule", lambda each: each["shop_id"] == row["id"])
    return sorted(own, key=lambda each: (each["at"], each["id"]))


def sync_latency(oracle: Oracle, row: Row, _: Any) -> Row:
    shown = [
        (each["quantity"], (each["applied_at"] - each["waiting_at"]).total_seconds())
        for each in oracle.tables["pushes"]
        if each["shop_id"] == row["id"] and each["state"] == "APPLIED" and each["applied_at"]
    ]
    every, zeros = [late for _, late in shown], [late for units, late in shown if units == 0]
    return {
        "p50_seconds": percentile(every, 0.5),
        "p95_seconds": percentile(every, 0.95),
        "p99_seconds": percentile(every, 0.99),
        "zero_p95_seconds": percentile(zeros, 0.95),
    }


def feed_of(oracle: Oracle, row: Row, _: Any) -> Row | None:
    return next(
        (
            each
            for each in oracle.tables["feeds"]
            if each["shop_id"] == row["id"] and not each["ended_at"]
        ),
        None,
    )


def breaker_of(oracle: Oracle, row: Row, _: Any) -> Row:
    until, failed = row["paused_until"], row["failed_calls"]
    state = breaker.state(failed, until, datetime.now(UTC))
    cut_off = state is breaker.BreakerState.OPEN
    return {"state": state, "failed_calls": failed, "until": until if cut_off else None}


def percentile(values: Sequence[float], share: float) -> float | None:
    """Between the two nearest, as percentile_cont does."""
    if not values:
        return None
    ranked = sorted(values)
    place = share * (len(ranked) - 1)
    low, high = ranked[math.floor(place)], ranked[math.ceil(place)]
    return round(low + (high - low) * (place - math.floor(place)), 3)


def product_count(oracle: Oracle, row: Row, _: Any) -> int:
    linked = {
        oracle.link_of(each["id"])["product_id"]
        for each in oracle.rows("Listing")
        if each["shop_id"] == row["id"] and each["deleted_at"] is None
    }
    return len(linked - {None})


def last_check(oracle: Oracle, row: Row, _: Any) -> Row | None:
    made = oracle.rows(
        "Job", lambda job: job["kind"] == "SHOP_CHECK" and job["shop_id"] == row["id"]
    )
    return max(made, key=lambda job: job["id"], default=None)


NOT_SET = {"changed_at": None, "changed_by": None, "expires_at": None}


def credentials(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    kept = {x["key"]: x for x in oracle.tables["shop_credentials"] if x["shop_id"] == row["id"]}
    form = MALL_SPECS[MallKind(row["mall"])].credential_fields
    return [
        {**NOT_SET, **kept.get(each.key, {}), "key": each.key, "shop_id": row["id"]}
        for each in form
    ]


def warning(oracle: Oracle, row: Row, _: Any) -> str | None:
    since, until = row["changed_at"], row["expires_at"]
    if since is None:
        return None
    if until is not None and until <= datetime.now(UTC):
        return "EXPIRED"
    tests = [
        job
        for job in oracle.tables["jobs"]
        if job["kind"] == "SHOP_CHECK" and job["shop_id"] == row["shop_id"]
        if job["finished_at"] is not None and job["finished_at"] >= since
    ]
    if _is_refused(oracle, row) or (tests and _refuses(max(tests, key=lambda job: job["id"]))):
        return "REFUSED"
    if not tests:
        return "UNCHECKED"
    return "EXPIRES_SOON" if until and until <= datetime.now(UTC) + timedelta(days=14) else None


def onboarding_of(oracle: Oracle, row: Row, _: Any) -> list[onboarding.OnboardingStep]:
    listed = [
        oracle.sync_of(each["id"])
        for each in oracle.rows("Listing")
        if each["shop_id"] == row["id"] and each["deleted_at"] is None
    ]
    linked = [
        oracle.one("Product", oracle.link_of(each["listing_id"])["product_id"]) for each in listed
    ]
    kept = {x["key"] for x in oracle.tables["shop_credentials"] if x["shop_id"] == row["id"]}
    form = MALL_SPECS[MallKind(row["mall"])].credential_fields
    tests = [
        job
        for job in oracle.tables["jobs"]
        if job["kind"] == "SHOP_CHECK" and job["shop_id"] == row["id"] and job["state"] == "DONE"
    ]
    shown = any(x["push_state"] == "APPLIED" or x["base_source"] == "APPLIED_PUSH" for x in listed)
    done = (
        all(each.key in kept for each in form if each.required),
        row["checked_at"] is not None,
        bool(listed),
        any(each and (each["stock_version"] > 0 or each["kind"] == "SET") for each in linked),
        row["effective_from"] is not None,
        row["reflect_running"] or shown,
        shown,
    )
    newest = max(tests, key=lambda job: job["id"], default=None)
    failed = newest is not None and newest["result"].get("ok") is False
    told = dict(zip(onboarding.OnboardingKey, done, strict=True))
    return onboarding.onboarding(told, check_failed=failed)


def worded(name: str) -> Any:
    def read(oracle: Oracle, source: Any, arguments: Mapping[str, Any]) -> str | None:
        words = getattr(source, name)
        return words.of(chosen(oracle, arguments)) if words else None

    return read


def _is_refused(oracle: Oracle, row: Row) -> bool:
    return any(
        error["shop_id"] == row["shop_id"]
        and (error["state"], error["kind"]) == ("OPEN", "CREDENTIALS_REFUSED")
        and error["last_at"] >= row["changed_at"]
        for error in oracle.tables["sync_errors"]
    )


def _refuses(job: Row) -> bool:
    told = [(part["key"], part["kind"]) for part in job["result"].get("parts", ())]
    return ("CREDENTIALS", "CREDENTIALS_REFUSED") in told


def badges(oracle: Oracle, _: Row, __: Any) -> Row:
    listings_alive = [row["id"] for row in oracle.rows("Listing") if row["deleted_at"] is None]
    linked = [
        oracle.link_of(row["id"])
        for row in oracle.rows("Listing")
        if row["deleted_at"] is None and connected(oracle, row)
    ]
    alive = [row for row in oracle.rows("Product") if row["deleted_at"] is None]
    shown = oracle.rows("SyncError")
    return {
        "level8_open": sum(row["level"] == 8 and row["state"] == "OPEN" for row in shown),
        "level9_open": sum(row["level"] == 9 and row["state"] == "OPEN" for row in shown),
        "errors_uncleared": sum(row["state"] != "CLEARED" for row in shown),
        "differences": sum(differs(oracle.sync_of(each)) for each in listings_alive),
        "unreflected_products": sum(unreflected(oracle, row) for row in alive),
        "link_conflicts": sum(link["state"] == "CONFLICT" for link in linked),
        "unlinked_listings": sum(link["product_id"] is None for link in linked),
        "oversold_products": sum(row["total"] < 0 for row in alive),
        "jobs_running": sum(row["state"] in ("WAITING", "RUNNING") for row in oracle.rows("Job")),
    }


def account(oracle: Oracle, *_: Any) -> Row | None:
    return oracle.one("Account", oracle.account)


def viewer(oracle: Oracle, *_: Any) -> Row:
    return {
        "user": None,
        "token": None,
        "email": None,
        "permissions": [each.value for each in Permission if each in oracle.permissions],
        "locale": oracle.locale.value,
    }


def nodes(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> list[Row | None]:
    asked = [read_id(each) for each in arguments["ids"]]
    return [_node(oracle, kind, row_id) for kind, row_id in asked]


def _node(oracle: Oracle, kind: str, row_id: UUID) -> Row | None:
    row = oracle.alive(kind, row_id)
    if (
        row is not None
        and kind == "Push"
        and not (row["wanted"] > row["done"] or row["push_state"])
    ):
        return None
    return row


def shops(oracle: Oracle, _: Row, arguments: Mapping[str, Any]) -> list[Row]:
    in_use = arguments.get("inUse")
    rows = oracle.rows(
        "Shop",
        lambda row: row["disconnected_at"] is None and in_use in (None, row["in_use"]),
    )
    return sorted(rows, key=lambda row: row["id"])


def product_listings(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> list[Row]:
    wanted = ids(arguments, "shopIds", "Shop")
    rows = [
        each
        for each in oracle.listings_of(row["id"])
        if wanted is None or each["shop_id"] in wanted
    ]
    return sorted(rows, key=lambda each: (each["shop_id"], each["id"]))


def part_of(oracle: Oracle, row: Row, _: Any) -> list[Row]:
    held = [x["set_id"] for x in oracle.tables["set_parts"] if x["part_id"] == row["id"]]
    rows = [each for each in oracle.rows("Product") if each["id"] in held]
    return sorted((r for r in rows if r["deleted_at"] is None), key=lambda each: each["code"])


def movements(oracle: Oracle, row: Row, arguments: Mapping[str, Any]) -> Row:
    rows = oracle.rows("StockMovement", lambda each: each["product_id"] == row["id"])
    return by_id("StockMovement", newest=True)(rows, arguments)


def event_cursor(oracle: Oracle, *_: Any) -> str:
    last = oracle.tables["event_counters"][0]["last"]
    return b64encode(f"events:{last}".encode()).decode()


def in_words(name: str) -> Any:
    return lambda oracle, spec, arguments: getattr(
        spec, f"{name}_{chosen(oracle, arguments).value.lower()}"
    )


def mall_code(_: Oracle, row: Row, __: Any) -> str:
    return f"{row['item_code']}:{row['variant_code']}" if row["variant_code"] else row["item_code"]


def blank(column: str) -> Any:
    return lambda _, row, __: row[column] or None


def sorted_pairs(column: str, name: str) -> Any:
    return lambda _, row, __: [
        {name: key, "value": value} for key, value in sorted(row[column].items())
    ]


MALL_WORDS = {"mall_code": blank("mall_code"), "mall_message": blank("mall_message")}
JOB_FIELDS = {
    "progress": lambda o, row, _: row,
    "created_by": actor(),
    "shops": job_shops,
    "shop": to("Shop", "shop_id"),
    "ok": lambda o, row, _: row["result"].get("ok"),
    "parts": check_parts,
    "pushes": job_pushes,
    "failures": job_failures,
    "action": lambda o, row, _: row["input"].get("action", row["kind"]),
    "orders": fetched("orders"),
    "lines": fetched("lines"),
    "deducted": fetched("deducted"),
    "by_shop": fetched_by_shop,
    "cancellable": lambda o, row, _: (
        row["state"] in ("WAITING", "RUNNING") and row["kind"] != "SHOP_CHECK"
    ),
}

FIELDS: Mapping[str, Mapping[str, Any]] = {
    "Query": {
        "node": lambda o, row, a: _node(o, *read_id(a["id"])),
        "nodes": nodes,
        "viewer": viewer,
        "account": account,
        "event_cursor": event_cursor,
        "malls": lambda *_: list(MALL_SPECS.values()),
        "shops": shops,
        "product": lambda o, _, a: next(
            (
                row
                for row in o.rows("Product")
                if row["code"] == a["code"] and row["deleted_at"] is None
            ),
            None,
        ),
        "products": lambda o, _, a: products(o, a),
        "set_items": lambda o, _, a: products(o, a, only_sets=True),
        "users": lambda o, _, a: by_id("User", newest=False)(o.rows("User"), a),
        "api_tokens": lambda o, _, a: by_id("ApiToken", newest=False)(o.rows("ApiToken"), a),
        "product_groups": lambda o, _, a: by_id("ProductGroup", newest=False)(
            o.rows("ProductGroup"), a
        ),
        "listings": lambda o, _, a: listings(o, a),
        "differences": lambda o, _, a: differences(o, a),
        "links": lambda o, _, a: links(o, a),
        "code_mappings": code_mappings,
        "orders": orders,
        "stock_movements": log(
            "StockMovement",
            "recorded_at",
            {
                "productIds": column_in("product_id"),
                "shopIds": _of_order_shop,
                "actorIds": _of_actor,
                "causes": column_in("cause"),
            },
        ),
        "operation_logs": log(
            "OperationLog",
            "at",
            {
                "productIds": column_in("target_id"),
                "shopIds": column_in("target_id"),
                "actorIds": _of_actor,
                "jobId": column_in("job_id"),
            },
        ),
        "sales_logs": log(
            "SalesLog",
            "at",
            {"productIds": column_in("product_id"), "shopIds": column_in("shop_id")},
        ),
        "mall_update_logs": log(
            "MallUpdateLog",
            "sent_at",
            {
                "productIds": _of_linked_product,
                "shopIds": column_in("shop_id"),
                "pushStates": column_in("state"),
            },
        ),
        "sync_errors": errors,
        "pending_pushes": pending_pushes,
        "sync_runs": sync_runs,
        "oversell_incidents": oversell_incidents,
        "jobs": jobs,
        "stock": stock,
        "stock_at": stock_at,
    },
    "Viewer": {"account": account},
    "Account": {
        "base_shop": to("Shop", "base_shop_id"),
        "plan": lambda o, row, _: {
            **row,
            "product_count": sum(r["deleted_at"] is None for r in o.rows("Product")),
        },
        "badges": badges,
    },
    "Shop": {
        "mall": lambda o, row, _: MALL_SPECS[MallKind(row["mall"])],
        "state": shop_state,
        "recalculating": lambda o, row, _: any(
            each["shop_id"] == row["id"] for each in o.tables["shop_walks"]
        ),
        "settings": sorted_pairs("settings", "key"),
        "credentials": credentials,
        "last_check": last_check,
        "onboarding": onboarding_of,
        "actions": lambda o, row, _: shop_actions.shop_actions(
            o.permissions,
            in_use=row["in_use"],
            orders=row["orders_running"],
            reflect=row["reflect_running"],
            fetching=any(
                each["shop_id"] == row["id"] and not each["outcome"]
                for each in o.tables["job_shops"]
                if o.one("Job", each["job_id"])["state"] in ("WAITING", "RUNNING")
            ),
            attaches=attaches(MallKind(row["mall"]), row["match_key"]),
            connected=row["disconnected_at"] is None,
        ),
        "pending": pending,
        "sync_latency": sync_latency,
        "feed": feed_of,
        "breaker": breaker_of,
        "full_syncs": full_syncs,
        "product_count": product_count,
    },
    "CredentialState": {
        "is_set": lambda o, row, _: row["changed_at"] is not None,
        "changed_by": actor("changed_by"),
        "warning": warning,
    },
    "OnboardingStep": {"detail": worded("detail")},
    "ShopAction": {"reason": worded("reason")},
    "Product": {
        "attributes": sorted_pairs("attributes", "name"),
        "total": total_of,
        "reserve": reserve,
        "sellable": sellable_of,
        "group": to("ProductGroup", "group_id"),
        "unreflected": unreflected,
        "parts": lambda o, row, _: sorted(
            (x for x in o.tables["set_parts"] if x["set_id"] == row["id"]),
            key=lambda x: x["part_id"],
        ),
        "part_of": part_of,
        "listings": product_listings,
        "open_errors": lambda o, row, _: open_errors(
            o, [x["listing_id"] for x in o.rows("Link") if x["product_id"] == row["id"]]
        ),
        "exposure": exposure,
        "movements": movements,
    },
    "ShopExposure": {"shop": to("Shop", "shop_id")},
    "SetPart": {"product": to("Product", "part_id")},
    "LinkCandidate": {
        "product": to("Product", "product_id"),
        "reason": lambda o, row, _: row["reason"].value,
    },
    "NearCode": {
        "listing": to("Listing", "listing_id"),
        "reason": lambda o, row, _: row["reason"].value,
    },
    "FullSyncSchedule": {"shop": to("Shop", "shop_id")},
    "CodeMapping": {"shop": to("Shop", "shop_id"), "product": mapped_product},
    "ProductGroup": {
        "product_count": lambda o, row, _: sum(
            r["group_id"] == row["id"] and r["deleted_at"] is None for r in o.rows("Product")
        )
    },
    "Listing": {
        "shop": to("Shop", "shop_id"),
        "product": lambda o, row, _: o.alive("Product", o.link_of(row["id"])["product_id"]),
        "link": lambda o, row, _: o.link_of(row["id"]),
        "variant_code": blank("variant_code"),
        "name": blank("name"),
        "quantity_to_show": lambda o, row, _: o.sync_of(row["id"])["expected"],
        "mall_stock": mall_stock,
        "difference": difference,
        "differs_from_total": differs_from_total,
        "not_pushed": lambda o, row, _: o.sync_of(row["id"])["not_pushed"],
        "push": push_of,
        "mall_fields": mall_fields,
        "link_candidates": link_candidates,
        "near_codes": near_codes_of,
        "open_errors": lambda o, row, _: open_errors(o, [row["id"]]),
        "explain": explained,
    },
    "Explanation": {"text": lambda o, row, a: sentence(row["figures"], chosen(o, a))},
    "ExplanationStep": {"set_by": actor()},
    "CheckStep": {"text": lambda o, step, a: step.words.of(chosen(o, a))},
    "Push": {
        "listing": to("Listing", "listing_id"),
        "state": lambda o, row, _: push_state(row),
        "lane": lambda o, row, _: ("TO_ZERO", "DECREASE", "OTHER")[row["lane"]],
        "waiting_at": waiting_at,
        **{
            name: attempt(name)
            for name in (
                "quantity",
                "mode",
                "sent_at",
                "accepted_at",
                "applied_at",
                "mall_code",
                "mall_message",
            )
        },
    },
    "Link": {
        "listing": to("Listing", "listing_id"),
        "product": to("Product", "product_id", alive=True),
        "actor": actor(),
    },
    "Order": {
        "shop": to("Shop", "shop_id"),
        "lines": lambda o, row, _: sorted(
            (x for x in o.rows("OrderLine") if x["order_id"] == row["id"]),
            key=lambda x: (x["position"], x["id"]),
        ),
        "movements": lambda o, row, _: sorted(
            (x for x in o.rows("StockMovement") if x["order_id"] == row["id"]),
            key=lambda x: x["id"],
        ),
    },
    "OrderLine": {
        "order": to("Order", "order_id"),
        "listing": to("Listing", "listing_id", alive=True),
        "product": lambda o, row, _: (
            o.alive("Product", o.link_of(row["listing_id"])["product_id"])
            if row["listing_id"]
            else None
        ),
        "mall_code": mall_code,
        "movements": line_movements,
        "reached": reached,
    },
    "ReachedShop": {
        "shop": to("Shop", "shop_id"),
        "listing": to("Listing", "listing_id"),
        "push": lambda o, row, _: push_of(o, {"id": row["listing_id"]}, _),
    },
    "StockMovement": {
        "product": to("Product", "product_id"),
        "change": lambda o, row, _: row["delta"],
        "balance": lambda o, row, _: row["balance_after"],
        "at": lambda o, row, _: row["recorded_at"],
        "actor": actor(),
        "order": to("Order", "order_id"),
    },
    "OperationLog": {"actor": actor(), "target": target, "text": operation_text},
    "SalesLog": {
        "shop": to("Shop", "shop_id"),
        "listing": to("Listing", "listing_id"),
        "product": to("Product", "product_id"),
        "order": to("Order", "order_id"),
        "order_line": line_sold,
        "mall_code": mall_code,
    },
    "MallUpdateLog": {
        "shop": to("Shop", "shop_id"),
        "listing": to("Listing", "listing_id"),
        "push": lambda o, row, _: push_of(o, {"id": row["listing_id"]}, _),
        **MALL_WORDS,
    },
    "SyncError": {
        "level": lambda o, row, _: f"LEVEL_{row['level']}",
        "shop": to("Shop", "shop_id"),
        "cleared_by": actor("cleared_by"),
        "message": error_message,
        "advice": advice,
        "affected": affected,
        **MALL_WORDS,
    },
    "OversellIncident": {
        "product": to("Product", "product_id"),
        "text": oversell_text,
        "timeline": timeline,
        "unserved_lines": unserved_lines,
    },
    "OversellMoment": {
        "shop": to("Shop", "shop_id"),
        "listing": to("Listing", "listing_id", alive=True),
        "order": to("Order", "order_id"),
        "text": moment_text,
    },
    "SyncRun": {"shop": to("Shop", "shop_id"), "error": to("SyncError", "error_id")},
    "ReflectJob": JOB_FIELDS,
    "ShopCheck": JOB_FIELDS,
    "BulkChange": JOB_FIELDS,
    "OrderFetch": JOB_FIELDS,
    "OrderFetchShop": {"shop": to("Shop", "shop_id")},
    "BulkFailure": {"target": failed_target, "user_errors": why_refused},
    "Progress": {
        "seconds_left": lambda *_: None,
        "text": lambda o, row, a: PROGRESS[row["state"], chosen(o, a)].format(**row),
    },
    "ReflectShopProgress": {"shop": to("Shop", "shop_id")},
    "CheckPart": {
        "message": check_message,
        "advice": check_advice,
        "mall_message": blank("mall_message"),
        "expires_at": lambda o, row, _: (
            datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None
        ),
    },
    "ApiToken": {"scopes": lambda o, row, _: row["scopes"] or []},
    "User": {
        "disabled": lambda o, row, _: row["disabled_at"] is not None,
        "invited_until": lambda o, row, _: (
            until if (until := row["invitation_until"]) and until > datetime.now(UTC) else None
        ),
    },
    "Mall": {
        "kind": lambda o, spec, _: spec.kind.value,
        "name": in_words("name"),
    },
    "FormField": {
        "section": lambda o, spec, _: spec.section.value,
        "kind": lambda o, spec, _: spec.kind.value,
        "label": in_words("label"),
        "help": in_words("help"),
    },
    "MallColumn": {
        "label": in_words("label"),
        "help": in_words("help"),
        "kind": lambda o, spec, _: spec.kind.value,
    },
    "Prerequisite": {"text": in_words("text")},
    "ConsentSpec": {"valid_for_days": lambda o, spec, _: spec.valid_for and spec.valid_for.days},
    "MallCapabilities": {
        "batch_size": lambda o, spec, _: spec.max_pushes_per_call,
        "read_back": lambda o, spec, _: spec.max_reads_per_call > 0,
        "cancels": lambda o, spec, _: spec.cancels.value,
        "usual_delay_seconds": lambda o, spec, _: int(spec.usual_delay.total_seconds()),
        "order_freshness_seconds": lambda o, spec, _: int(spec.order_freshness.total_seconds()),
        "order_poll_seconds": lambda o, spec, _: int(spec.order_poll.total_seconds()),
    },
}
