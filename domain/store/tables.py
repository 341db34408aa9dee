"""Every table, with the constraints that carry the invariants.

`account_id` leads every key, so that row-level security has an index to lean on and an engine that shards by account
needs no change. Ids are UUIDv7 made by the database. Four logs are partitioned by month on their id (DESIGN §2.14);
what must be unique is an ordinary table, and no foreign key points into a log.

What a migration alone holds (roles, grants, policies, partitions, triggers, functions) is in alembic/versions.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

NOW = text("clock_timestamp()")


def _account() -> Column[Any]:
    return Column("account_id", Uuid, nullable=False)


def _id() -> Column[Any]:
    return Column("id", Uuid, nullable=False, server_default=text("uuidv7()"))


def _at(name: str, *, nullable: bool = False, default: bool = True) -> Column[Any]:
    server_default = NOW if default and not nullable else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=server_default)


def _flag(name: str, default: bool) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=text(str(default).lower()))


def _number(name: str, default: int = 0, kind: type[Integer] = Integer) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default=text(str(default)))


def _json(name: str) -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def _to(target: str, column: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", column], [f"{target}.account_id", f"{target}.id"], ondelete=ondelete
    )


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _tenant(
    name: str,
    *parts: SchemaItem,
    key: tuple[str, ...] = ("id",),
    checked: bool = True,
    **options: Any,
) -> Table:
    """A table of one account's rows: account_id first, then `id` unless the key is another.

    `checked`: the database sees to it that there is such an account.
    """
    own_id = [_id()] if key == ("id",) else []
    items: list[SchemaItem] = [
        _account(),
        *own_id,
        *parts,
        PrimaryKeyConstraint("account_id", *key),
    ]
    if checked and not _points_into_account(parts):
        items.append(ForeignKeyConstraint(["account_id"], ["accounts.id"]))
    return Table(name, metadata, *items, **options)


def _points_into_account(parts: Sequence[SchemaItem]) -> bool:
    """Does every row point to another of its account? Then there is such an account: a key is looked up row by row, and
    looking this one up as well tells nothing."""
    given = {part.name for part in parts if isinstance(part, Column) and not part.nullable}
    keys = [part for part in parts if isinstance(part, ForeignKeyConstraint)]
    return any(given.issuperset(set(each.column_keys) - {"account_id"}) for each in keys)


def _log(name: str, *parts: SchemaItem) -> Table:
    """What is written of rows that are there, in the transaction that holds them: no key of it is looked up again."""
    return _tenant(name, *parts, checked=False, postgresql_partition_by="RANGE (id)")


accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="Asia/Tokyo"),
    _flag("sync_running", False),
    Column("reflect_edits", Text, nullable=False, server_default="ON_REQUEST"),
    Column("level9_resume", Text, nullable=False, server_default="ON_CLEAR"),
    _flag("show_images", True),
    Column("base_shop_id", Uuid),
    Column("product_limit", Integer),
    # Nothing is sent or fetched until what is believed of the malls, and of orders since then, is looked at anew.
    _at("resync_from", nullable=True),
    # A change that sends more listings to zero, or changes more of them, asks for a confirmation.
    _number("confirm_to_zero", 50),
    _number("confirm_changed", 500),
    # 連携: the tick of listings that come in new.
    _flag("sync_new_listings", True),
    _number("version", 1),
    _at("created_at"),
    UniqueConstraint("code"),
    _one_of("reflect_edits", "ON_REQUEST", "AT_ONCE"),
    _one_of("level9_resume", "ON_CLEAR", "ON_VALID_CREDENTIALS"),
    CheckConstraint("confirm_to_zero >= 0 AND confirm_changed >= 0", name="confirm_range"),
)

event_counters = _tenant("event_counters", _number("last", 0, BigInteger), key=())

users = _tenant(
    "users",
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("locale", Text),
    # 招待: with the single-use secret of this hash a person sets a password.
    Column("invitation_hash", LargeBinary, unique=True),
    _at("invitation_until", nullable=True),
    _at("last_seen_at", nullable=True),
    _at("disabled_at", nullable=True),
    _at("created_at"),
    UniqueConstraint("account_id", "email"),
    _one_of("role", "OWNER", "STAFF", "VIEWER"),
    _one_of("locale", "JA", "EN"),
)

# A person who signed in; the cookie or the bearer token of the session is kept as a hash only.
sessions = _tenant(
    "sessions",
    Column("user_id", Uuid, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _at("created_at"),
    _at("last_used_at"),
    _at("expires_at", default=False),
    _to("users", "user_id"),
)
Index("sessions_user_idx", sessions.c.account_id, sessions.c.user_id)

api_tokens = _tenant(
    "api_tokens",
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("role", Text),
    Column("scopes", ARRAY(Text)),
    _at("expires_at", nullable=True),
    _at("last_used_at", nullable=True),
    _at("revoked_at", nullable=True),
    _at("created_at"),
    CheckConstraint("(role IS NULL) <> (scopes IS NULL)", name="role_or_scopes"),
    _one_of("role", "OWNER", "STAFF", "VIEWER"),
)

shops = _tenant(
    "shops",
    Column("mall", Text, nullable=False),
    Column("name", Text, nullable=False),
    _flag("sandbox", False),
    _flag("in_use", True),
    Column("state", Text, nullable=False, server_default="RUNNING"),
    _flag("orders_running", False),
    _flag("reflect_running", False),
    _number("reflect_interval_seconds"),
    _number("order_poll_seconds", 60),
    # Calls in a row that failed.
    _number("failed_calls"),
    Column("cancel_policy", Text, nullable=False, server_default="IGNORE"),
    Column("drift_policy", Text, nullable=False, server_default="OURS_WINS"),
    Column("match_key", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    _json("settings"),
    Column("mall_restocks", Boolean),
    # Orders placed before it never deduct: the shop joined with its numbers already counted.
    _at("effective_from", nullable=True),
    # Orders are complete up to here, by the mall's clock; moved with the last page of a window only.
    _at("watermark", nullable=True),
    # When, by our clock, the window that ended at the watermark was asked for.
    _at("orders_seen_at", nullable=True),
    _at("cancels_seen_at", nullable=True),
    # When a number that the mall called applied was last chosen to be looked at for the time's sake.
    _at("sampled_at", nullable=True),
    Column("clock_offset_ms", Integer, nullable=False, server_default=text("0")),
    _at("next_order_poll_at"),
    _at("next_probe_at", nullable=True),
    # The mall told us, or showed us, to send nothing before.
    _at("paused_until", nullable=True),
    Column("maintenance", Boolean, nullable=False, server_default=text("false")),
    _at("checked_at", nullable=True),
    Column("notification_email", Text),
    # 連携解除: the row stays, because orders and logs name it.
    _at("disconnected_at", nullable=True),
    _number("version", 1),
    _at("created_at"),
    _one_of("state", "RUNNING", "HALTED", "PROBING", "CATCHING_UP"),
    _one_of("cancel_policy", "IGNORE", "RESTORE"),
    _one_of("drift_policy", "OURS_WINS", "TAKE_THEIRS", "ASK"),
    CheckConstraint("reflect_interval_seconds BETWEEN 0 AND 1200", name="interval_range"),
    CheckConstraint("order_poll_seconds BETWEEN 1 AND 3600", name="poll_range"),
)
Index(
    "shops_name_idx",
    shops.c.account_id,
    shops.c.name,
    unique=True,
    postgresql_where=text("disconnected_at IS NULL"),
)

shop_credentials = _tenant(
    "shop_credentials",
    Column("shop_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    _at("changed_at"),
    Column("changed_by", JSONB),
    _at("expires_at", nullable=True),
    _to("shops", "shop_id"),
    key=("shop_id", "key"),
)

shop_consents = _tenant(
    "shop_consents",
    Column("shop_id", Uuid, nullable=False),
    Column("state_hash", LargeBinary, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    # The consent code the mall returned with, encrypted, until a worker has changed it into tokens.
    Column("code_ciphertext", LargeBinary),
    _at("expires_at", default=False),
    _at("used_at", nullable=True),
    UniqueConstraint("account_id", "state_hash"),
    _to("shops", "shop_id"),
)

# One holder per shop and kind of work; timed by the database's clock. `epoch` rises with every taking.
shop_leases = _tenant(
    "shop_leases",
    Column("shop_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("holder", Text, nullable=False),
    _number("epoch", 1, BigInteger),
    _at("until", default=False),
    _to("shops", "shop_id"),
    _one_of("kind", "REFLECT", "ORDERS", "CHECK"),
    key=("shop_id", "kind"),
)

# 一括同期: a full sync of a shop by the clock, at a time of day of the account's time zone.
full_sync_schedules = _tenant(
    "full_sync_schedules",
    Column("shop_id", Uuid, nullable=False),
    Column("at", Text, nullable=False),
    Column("weekdays", ARRAY(Text), nullable=False),
    _flag("enabled", True),
    _at("next_run_at", nullable=True),
    _to("shops", "shop_id"),
    CheckConstraint("enabled = (next_run_at IS NOT NULL)", name="runs_while_enabled"),
)
Index(
    "full_sync_schedules_shop_idx",
    full_sync_schedules.c.account_id,
    full_sync_schedules.c.shop_id,
)
Index("full_sync_schedules_next_idx", full_sync_schedules.c.next_run_at)

# Not an account's rows: whose turn it is among the worker processes, and what the malls still allow.
clock_leases = Table(
    "clock_leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    _at("until", default=False),
)
rate_buckets = Table(
    "rate_buckets",
    metadata,
    Column("key", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    _at("updated_at"),
    _at("blocked_until", nullable=True),
    Column("day", Text, nullable=False, server_default=""),
    _number("used_today"),
)

product_groups = _tenant(
    "product_groups",
    Column("name", Text, nullable=False),
    _number("reserve"),
    _number("version", 1),
    UniqueConstraint("account_id", "name"),
    CheckConstraint("reserve >= 0", name="reserve_range"),
)

products = _tenant(
    "products",
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    _flag("named_by_hand", False),
    _json("attributes"),
    Column("image_url", Text),
    Column("kind", Text, nullable=False, server_default="SINGLE"),
    _flag("managed", True),
    # Written by the ledger's trigger only: the app's role may not touch these two columns.
    _number("total"),
    _number("stock_version", 0, BigInteger),
    Column("reserve", Integer),
    Column("group_id", Uuid),
    # Orders on a listing that is linked later apply only when placed after this.
    _at("counted_at", nullable=True),
    # A FREE count: orders placed up to then were taken off already, and never deduct when they come later.
    _at("free_counted_at", nullable=True),
    Column("folded", Text, nullable=False, server_default=""),
    # The code without what people mistake in it: width, case, hyphens.
    Column("code_key", Text, Computed("renkei_code_key(code)", persisted=True)),
    _number("version", 1),
    _at("deleted_at", nullable=True),
    _at("created_at"),
    _at("updated_at"),
    UniqueConstraint("account_id", "code"),
    _to("product_groups", "group_id"),
    _one_of("kind", "SINGLE", "SET"),
    CheckConstraint("reserve >= 0", name="reserve_range"),
    CheckConstraint("kind = 'SINGLE' OR total = 0", name="set_has_no_stock"),
    CheckConstraint("code <> ''", name="code_given"),
    postgresql_with={"fillfactor": "80"},
)
Index(
    "products_folded_idx",
    products.c.account_id,
    products.c.folded,
    postgresql_using="gin",
    postgresql_ops={"folded": "gin_trgm_ops"},
)
Index("products_code_key_idx", products.c.account_id, products.c.code_key)
Index("products_group_idx", products.c.account_id, products.c.group_id)

set_parts = _tenant(
    "set_parts",
    Column("set_id", Uuid, nullable=False),
    Column("part_id", Uuid, nullable=False),
    Column("count", Integer, nullable=False),
    CheckConstraint("count >= 1", name="count_range"),
    CheckConstraint("set_id <> part_id", name="not_itself"),
    _to("products", "set_id"),
    _to("products", "part_id"),
    key=("set_id", "part_id"),
)
Index("set_parts_part_idx", set_parts.c.account_id, set_parts.c.part_id)

listings = _tenant(
    "listings",
    Column("shop_id", Uuid, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("variant_code", Text, nullable=False, server_default=""),
    Column("match_code", Text, nullable=False, server_default=""),
    _json("keys"),
    Column("name", Text, nullable=False, server_default=""),
    _flag("sync", True),
    Column("minimum", Integer),
    Column("maximum", Integer),
    _flag("fulfilled_by_mall", False),
    _flag("unlimited", False),
    _flag("unknown_at_mall", False),
    Column("mall_restocks", Boolean),
    _json("fields"),
    Column("folded", Text, nullable=False, server_default=""),
    _number("version", 1),
    _at("deleted_at", nullable=True),
    _at("created_at"),
    UniqueConstraint("account_id", "shop_id", "item_code", "variant_code"),
    _to("shops", "shop_id"),
    CheckConstraint("minimum >= 0", name="minimum_range"),
    CheckConstraint("maximum >= 1", name="maximum_range"),
)
Index(
    "listings_folded_idx",
    listings.c.account_id,
    listings.c.folded,
    postgresql_using="gin",
    postgresql_ops={"folded": "gin_trgm_ops"},
)
# Partial, so that no look-up by code can take them for its own: of a table just filled the planner knows nothing.
Index(
    "listings_near_idx",
    listings.c.account_id,
    listings.c.shop_id,
    text("renkei_near_key(item_code, variant_code)"),
    postgresql_where=text("deleted_at IS NULL AND NOT unknown_at_mall"),
)
Index(
    "listings_near_end_idx",
    listings.c.account_id,
    listings.c.shop_id,
    text("reverse(renkei_near_key(item_code, variant_code))"),
    postgresql_where=text("deleted_at IS NULL AND NOT unknown_at_mall"),
)
Index("listings_match_idx", listings.c.account_id, listings.c.match_code, listings.c.shop_id)
Index("listings_shop_idx", listings.c.account_id, listings.c.shop_id, listings.c.id)

# A field of the mall's own that travels with stock, as it was entered or imported here. What the mall shows is in
# listings.fields. US: sent with a reflect; MALL: never written.
listing_fields = _tenant(
    "listing_fields",
    Column("listing_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text),
    Column("owner", Text, nullable=False, server_default="US"),
    _at("changed_at"),
    Column("changed_by", JSONB),
    # When the mall was first seen with another value than ours; null: not since it was set, imported or sent.
    _at("changed_at_mall", nullable=True),
    _to("listings", "listing_id", ondelete="CASCADE"),
    _one_of("owner", "US", "MALL"),
    key=("listing_id", "key"),
)

# 別品番紐づけ: which product's code a shop's own code stands for.
code_mappings = _tenant(
    "code_mappings",
    Column("shop_id", Uuid, nullable=False),
    Column("mall_code", Text, nullable=False),
    Column("product_code", Text, nullable=False),
    # Both codes as they are searched.
    Column("folded", Text, nullable=False, server_default=""),
    _at("created_at"),
    UniqueConstraint("account_id", "shop_id", "mall_code"),
    _to("shops", "shop_id"),
    CheckConstraint("mall_code <> '' AND product_code <> ''", name="codes_given"),
)

# One row a listing, from the listing's first day: its state is kept when it is unlinked, by whom and why.
links = _tenant(
    "links",
    Column("listing_id", Uuid, nullable=False),
    Column("product_id", Uuid),
    Column("state", Text, nullable=False, server_default="UNLINKED"),
    Column("reason", Text),
    _flag("copy_page", False),
    _at("at"),
    Column("actor", JSONB),
    _to("listings", "listing_id"),
    _to("products", "product_id"),
    _one_of("state", "LINKED", "UNLINKED", "UNLINKED_BY_HAND", "CONFLICT"),
    CheckConstraint(
        "(state IN ('LINKED', 'CONFLICT')) = (product_id IS NOT NULL)", name="linked_to_one"
    ),
    key=("listing_id",),
)
Index("links_product_idx", links.c.account_id, links.c.product_id)

# The narrow row that says what a listing should show, what we believe it shows, and what waits (DESIGN §2.2).
listing_sync = _tenant(
    "listing_sync",
    Column("listing_id", Uuid, nullable=False),
    Column("shop_id", Uuid, nullable=False),
    _number("wanted", 0, BigInteger),
    _number("claimed", 0, BigInteger),
    _number("done", 0, BigInteger),
    # The last generation that goes out by itself, whoever asked for it or not.
    _number("own", 0, BigInteger),
    _number("lane", 2, SmallInteger),
    _at("waiting_since", nullable=True),
    _at("next_try_at", nullable=True),
    _number("attempts", 0, SmallInteger),
    _number("failures", 0, SmallInteger),
    Column("push_id", Uuid),
    Column("push_state", Text),
    # The quantity to show, worked out in the transaction that changed what it follows from. Null: nothing of ours decides.
    Column("expected", Integer),
    _flag("edited", False),
    Column("base", Integer),
    _at("base_earliest", nullable=True),
    _at("base_latest", nullable=True),
    _at("base_changed_until", nullable=True),
    Column("base_source", Text, nullable=False, server_default="NEVER_SEEN"),
    # The base that a reading contradicts, until that is decided on; a person is to, where they are asked.
    Column("believed", Integer),
    _at("believed_earliest", nullable=True),
    _at("believed_latest", nullable=True),
    _at("believed_changed_until", nullable=True),
    Column("believed_source", Text),
    _flag("asked", False),
    Column("not_pushed", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("difference", Text),
    _at("difference_since", nullable=True),
    # Since when the mall has shown more than is left.
    _at("exposed_since", nullable=True),
    # The feed that carries its number.
    Column("feed_id", Uuid),
    _to("listings", "listing_id", ondelete="CASCADE"),
    CheckConstraint("done <= claimed AND claimed <= wanted", name="generations"),
    key=("listing_id",),
    postgresql_with={"fillfactor": "50"},
)
Index(
    "listing_sync_waiting_idx",
    listing_sync.c.account_id,
    listing_sync.c.shop_id,
    listing_sync.c.lane,
    listing_sync.c.waiting_since,
    # As PostgreSQL tells it back.
    text("(\nCASE\nWHEN next_try_at IS NULL THEN '-infinity'\nELSE next_try_at\nEND)"),
    postgresql_where=text("wanted > done"),
)
Index(
    "listing_sync_feed_idx",
    listing_sync.c.account_id,
    listing_sync.c.feed_id,
    listing_sync.c.listing_id,
    postgresql_where=text("feed_id IS NOT NULL"),
)
Index(
    "listing_sync_doubt_idx",
    listing_sync.c.account_id,
    listing_sync.c.shop_id,
    listing_sync.c.base_latest,
    postgresql_where=text("believed_source IS NOT NULL"),
)
Index(
    "listing_sync_difference_idx",
    listing_sync.c.account_id,
    listing_sync.c.difference_since,
    listing_sync.c.listing_id,
    postgresql_where=text("difference IS NOT NULL"),
)

# One attempt to write one number; what was sent is committed before the call (DESIGN §2.4).
pushes = _tenant(
    "pushes",
    Column("listing_id", Uuid, nullable=False),
    Column("shop_id", Uuid, nullable=False),
    Column("call_id", Uuid, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    _number("lane", 2, SmallInteger),
    Column("mode", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("before", Integer),
    Column("state", Text, nullable=False),
    _at("waiting_at"),
    _at("sent_at"),
    _at("accepted_at", nullable=True),
    _at("applied_at", nullable=True),
    # The number is looked at from then on; how often it was.
    _at("read_back_at", nullable=True),
    _number("reads", 0, SmallInteger),
    Column("mall_code", Text, nullable=False, server_default=""),
    Column("mall_message", Text, nullable=False, server_default=""),
    Column("feed_id", Uuid),
    _one_of("mode", "ABSOLUTE", "RELATIVE"),
    _one_of("state", "SENT", "ACCEPTED", "APPLIED", "REFUSED", "UNKNOWN", "SUPERSEDED"),
    checked=False,
)
Index("pushes_listing_idx", pushes.c.account_id, pushes.c.listing_id, pushes.c.id)
Index(
    "pushes_open_idx",
    pushes.c.account_id,
    pushes.c.listing_id,
    unique=True,
    postgresql_where=text("state = 'SENT' AND feed_id IS NULL"),
)
Index(
    "pushes_feed_idx",
    pushes.c.account_id,
    pushes.c.feed_id,
    pushes.c.id,
    postgresql_where=text("feed_id IS NOT NULL"),
)
Index(
    "pushes_applied_idx",
    pushes.c.account_id,
    pushes.c.shop_id,
    pushes.c.id,
    postgresql_where=text("state = 'APPLIED'"),
)
Index(
    "pushes_expected_idx",
    pushes.c.account_id,
    pushes.c.listing_id,
    postgresql_where=text("state = 'ACCEPTED' OR read_back_at IS NOT NULL"),
)
Index("pushes_sent_idx", pushes.c.sent_at, postgresql_using="brin")
Index(
    "pushes_unread_idx",
    pushes.c.account_id,
    pushes.c.shop_id,
    pushes.c.read_back_at,
    postgresql_where=text("read_back_at IS NOT NULL AND state IN ('ACCEPTED', 'APPLIED')"),
)

# The newest fact about an order (DESIGN §2.3).
orders = _tenant(
    "orders",
    Column("shop_id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    _at("placed_at", default=False),
    Column("status", Text, nullable=False),
    _flag("baseline", False),
    Column("source", Text, nullable=False, server_default="API"),
    _at("observed_at", default=False),
    _at("first_observed_at", default=False),
    # When it was last asked for and could not be read; null: it was read.
    _at("unread_at", nullable=True),
    # Of what the mall said when it was read last, and when the mall said then that it had been updated.
    Column("fingerprint", BigInteger),
    _at("mall_updated_at", nullable=True),
    _at("fetched_at"),
    _at("updated_at"),
    # When it was first seen shipped, where it was seen unshipped before: until then its goods lay on the shelf.
    _at("shipped_at", nullable=True),
    UniqueConstraint("account_id", "shop_id", "number"),
    _to("shops", "shop_id"),
    _one_of("status", "HOLDS", "SHIPPED", "RELEASED"),
)
Index(
    "orders_open_idx",
    orders.c.account_id,
    orders.c.shop_id,
    orders.c.observed_at,
    postgresql_where=text("status = 'HOLDS'"),
)
Index("orders_placed_idx", orders.c.account_id, orders.c.placed_at, orders.c.id)
Index(
    "orders_shipped_idx",
    orders.c.account_id,
    orders.c.shipped_at,
    postgresql_where=text("shipped_at IS NOT NULL"),
)

order_lines = _tenant(
    "order_lines",
    Column("order_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("variant_code", Text, nullable=False, server_default=""),
    Column("listing_id", Uuid),
    Column("quantity", Integer, nullable=False),
    Column("state", Text, nullable=False),
    UniqueConstraint("account_id", "order_id", "position"),
    _to("orders", "order_id"),
    _to("listings", "listing_id"),
    CheckConstraint("quantity >= 0", name="quantity_range"),
    _one_of(
        "state",
        "APPLIED",
        "RELEASED",
        "BASELINE",
        "COUNTED_BEFORE",
        "UNLINKED",
        "FULFILLED_BY_MALL",
    ),
)

# What a mall's code meant when the order was first applied: link and set parts as they were then.
order_items = _tenant(
    "order_items",
    Column("order_id", Uuid, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("variant_code", Text, nullable=False, server_default=""),
    Column("listing_id", Uuid),
    # [["<product id>", units per item], …]; null while the code is linked to nothing.
    Column("parts", JSONB),
    # The newest fact's units of this code, and the most that was ever seen holding stock.
    _number("quantity"),
    _number("held"),
    Column("mall_restocks", Boolean),
    _to("orders", "order_id"),
    key=("order_id", "item_code", "variant_code"),
)
Index(
    "order_items_unlinked_idx",
    order_items.c.account_id,
    order_items.c.item_code,
    order_items.c.variant_code,
    postgresql_where=text("parts IS NULL"),
)

order_effects = _tenant(
    "order_effects",
    Column("order_id", Uuid, nullable=False),
    Column("product_id", Uuid, nullable=False),
    _number("applied"),
    _number("absorbed"),
    _to("orders", "order_id"),
    _to("products", "product_id"),
    CheckConstraint("applied >= 0 AND absorbed >= 0", name="units_range"),
    key=("order_id", "product_id"),
)

stock_movements = _log(
    "stock_movements",
    Column("product_id", Uuid, nullable=False),
    Column("stock_version", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text),
    Column("delta", Integer, nullable=False),
    Column("balance_before", Integer, nullable=False),
    Column("balance_after", Integer, nullable=False),
    Column("order_id", Uuid),
    Column("actor", JSONB),
    _at("effective_at"),
    _at("recorded_at"),
    CheckConstraint("balance_after = balance_before + delta", name="balances"),
    _one_of(
        "cause",
        "ORDER",
        "CANCEL",
        "SET_BY_HAND",
        "ADJUSTED",
        "COUNTED",
        "IMPORT",
        "MALL_EDIT_TAKEN",
    ),
)
Index(
    "stock_movements_product_idx",
    stock_movements.c.account_id,
    stock_movements.c.product_id,
    stock_movements.c.id,
)
Index("stock_movements_order_idx", stock_movements.c.account_id, stock_movements.c.order_id)

operation_logs = _log(
    "operation_logs",
    Column("actor", JSONB, nullable=False),
    Column("action", Text, nullable=False),
    Column("target_kind", Text),
    Column("target_id", Uuid),
    # The bulk change or reflect that it belongs to.
    Column("job_id", Uuid),
    _json("facts"),
    _at("at"),
    _at("reflected_at", nullable=True),
)
Index(
    "operation_logs_target_idx",
    operation_logs.c.account_id,
    operation_logs.c.target_id,
    operation_logs.c.id,
)
Index(
    "operation_logs_job_idx",
    operation_logs.c.account_id,
    operation_logs.c.job_id,
    operation_logs.c.id,
    postgresql_where=text("job_id IS NOT NULL"),
)
Index(
    "operation_logs_unreflected_idx",
    operation_logs.c.account_id,
    operation_logs.c.target_id,
    postgresql_where=text("reflected_at IS NULL"),
)

sales_logs = _log(
    "sales_logs",
    Column("shop_id", Uuid, nullable=False),
    Column("listing_id", Uuid),
    Column("product_id", Uuid),
    Column("order_id", Uuid, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("variant_code", Text, nullable=False, server_default=""),
    Column("units", Integer, nullable=False),
    _at("at"),
)

mall_update_logs = _log(
    "mall_update_logs",
    Column("shop_id", Uuid, nullable=False),
    Column("listing_id", Uuid, nullable=False),
    Column("push_id", Uuid, nullable=False),
    Column("before", Integer),
    Column("after", Integer, nullable=False),
    Column("state", Text, nullable=False),
    _at("sent_at"),
    _at("applied_at", nullable=True),
    Column("mall_code", Text, nullable=False, server_default=""),
    Column("mall_message", Text, nullable=False, server_default=""),
)
Index(
    "mall_update_logs_listing_idx",
    mall_update_logs.c.account_id,
    mall_update_logs.c.listing_id,
    mall_update_logs.c.id,
)

# One cause is one row with a count; a cause seen again after it was resolved is a new row.
sync_errors = _tenant(
    "sync_errors",
    Column("level", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="OPEN"),
    Column("shop_id", Uuid),
    Column("group_key", Text, nullable=False),
    _number("count", 1),
    _at("first_at"),
    _at("last_at"),
    _at("resolved_at", nullable=True),
    _at("cleared_at", nullable=True),
    Column("cleared_by", JSONB),
    _at("next_try_at", nullable=True),
    Column("mall_code", Text, nullable=False, server_default=""),
    Column("mall_message", Text, nullable=False, server_default=""),
    _json("params"),
    _to("shops", "shop_id"),
    _one_of("state", "OPEN", "RESOLVED", "CLEARED"),
    CheckConstraint("level IN (8, 9)", name="level_known"),
)
Index(
    "sync_errors_cause_idx",
    sync_errors.c.account_id,
    sync_errors.c.group_key,
    unique=True,
    postgresql_where=text("resolved_at IS NULL"),
)
Index(
    "sync_errors_resolved_idx",
    sync_errors.c.resolved_at,
    postgresql_where=text("resolved_at IS NOT NULL"),
)
Index("sync_errors_last_idx", sync_errors.c.account_id, sync_errors.c.id)

sync_error_listings = _tenant(
    "sync_error_listings",
    Column("error_id", Uuid, nullable=False),
    Column("listing_id", Uuid, nullable=False),
    _to("sync_errors", "error_id", ondelete="CASCADE"),
    _to("listings", "listing_id", ondelete="CASCADE"),
    key=("error_id", "listing_id"),
)
Index(
    "sync_error_listings_listing_idx",
    sync_error_listings.c.account_id,
    sync_error_listings.c.listing_id,
)

# What happened, in the order an account's transactions committed (DESIGN §2.13).
events = _tenant(
    "events",
    Column("seq", BigInteger, nullable=False),
    _at("at"),
    Column("kind", Text, nullable=False),
    Column("change", Text, nullable=False, server_default=""),
    Column("node_id", Uuid),
    Column("shop_id", Uuid),
    Column("product_id", Uuid),
    _json("payload"),
    _one_of("kind", "ERROR", "DIFF", "STOCK", "SHOP", "JOB", "RELOAD"),
    key=("seq",),
    checked=False,
)

Index("events_at_idx", events.c.at, postgresql_using="brin")

# What came of a request that carried a key. `caller`: the person or token; `asked`: a hash of the arguments.
idempotency_keys = _tenant(
    "idempotency_keys",
    Column("caller", Text, nullable=False),
    Column("mutation", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),
    Column("answer", JSONB),
    _at("at"),
    key=("caller", "mutation", "key"),
)
Index("idempotency_keys_at_idx", idempotency_keys.c.account_id, idempotency_keys.c.at)

jobs = _tenant(
    "jobs",
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="WAITING"),
    Column("shop_id", Uuid),
    Column("total", Integer),
    _number("done"),
    _number("failed"),
    # When a worker may take the job's next targets; null: it has none to take.
    _at("due_at", nullable=True),
    # How often in a row that went wrong.
    _number("stumbles", 0),
    _json("input"),
    _json("result"),
    Column("actor", JSONB),
    _at("created_at"),
    _at("started_at", nullable=True),
    _at("finished_at", nullable=True),
    _one_of("state", "WAITING", "RUNNING", "DONE", "FAILED", "CANCELLED"),
    _one_of("kind", "REFLECT", "SHOP_CHECK", "BULK_CHANGE", "ORDER_FETCH", "READ_MALL_STOCK"),
)
Index(
    "jobs_finished_idx",
    jobs.c.finished_at,
    postgresql_where=text("finished_at IS NOT NULL"),
)
Index(
    "jobs_checks_idx",
    jobs.c.account_id,
    jobs.c.shop_id,
    jobs.c.id,
    postgresql_where=text("kind = 'SHOP_CHECK'"),
)
Index(
    "jobs_due_idx",
    jobs.c.due_at,
    postgresql_where=text("due_at IS NOT NULL"),
)
Index(
    "jobs_waiting_idx",
    jobs.c.account_id,
    jobs.c.shop_id,
    jobs.c.kind,
    postgresql_where=text("state IN ('WAITING', 'RUNNING')"),
)

# The listings a reflect was asked for, and the generation that answers it.
job_listings = _tenant(
    "job_listings",
    Column("job_id", Uuid, nullable=False),
    Column("listing_id", Uuid, nullable=False),
    Column("generation", BigInteger),
    Column("outcome", Text),
    # An edit waited to be reflected when it was asked for.
    _flag("edited", False),
    _to("jobs", "job_id", ondelete="CASCADE"),
    _to("listings", "listing_id", ondelete="CASCADE"),
    _one_of("outcome", "ACCEPTED", "APPLIED", "REFUSED", "HELD", "CANCELLED"),
    key=("job_id", "listing_id"),
)
Index(
    "job_listings_open_idx",
    job_listings.c.account_id,
    job_listings.c.listing_id,
    postgresql_where=text("outcome IS NULL"),
)

# What a bulk change was asked to change, in the order of its doing; `errors`: why the rules refused it.
job_targets = _tenant(
    "job_targets",
    Column("job_id", Uuid, nullable=False),
    Column("place", Integer, nullable=False),
    Column("target_id", Uuid, nullable=False),
    Column("outcome", Text),
    Column("errors", JSONB),
    _to("jobs", "job_id", ondelete="CASCADE"),
    _one_of("outcome", "DONE", "REFUSED"),
    key=("job_id", "place"),
)
Index(
    "job_targets_open_idx",
    job_targets.c.account_id,
    job_targets.c.job_id,
    job_targets.c.place,
    postgresql_where=text("outcome IS NULL"),
)
Index(
    "job_targets_refused_idx",
    job_targets.c.account_id,
    job_targets.c.job_id,
    job_targets.c.place,
    postgresql_where=text("outcome = 'REFUSED'"),
)

# How far a job is in each of its shops. Targets of its own, where it has some, stand at these places among the job's.
job_shops = _tenant(
    "job_shops",
    Column("job_id", Uuid, nullable=False),
    Column("shop_id", Uuid, nullable=False),
    Column("work", Text, nullable=False),
    _number("from_place", 1),
    _number("to_place", 0),
    # Orders are taken in up to here, by the mall's clock.
    _at("reached", nullable=True),
    _number("orders", 0),
    _number("lines", 0),
    _number("deducted", 0),
    _number("failures", 0),
    _at("next_try_at", default=False),
    Column("outcome", Text),
    _to("jobs", "job_id", ondelete="CASCADE"),
    _to("shops", "shop_id"),
    _one_of("work", "INITIAL_ORDERS", "READ_STOCK"),
    _one_of("outcome", "DONE", "FAILED"),
    key=("job_id", "shop_id"),
)
Index("job_shops_due_idx", job_shops.c.next_try_at, postgresql_where=text("outcome IS NULL"))
Index(
    "job_shops_shop_idx",
    job_shops.c.account_id,
    job_shops.c.shop_id,
    job_shops.c.work,
    postgresql_where=text("outcome IS NULL"),
)

# 在庫同期履歴. `epoch`: of the lease under which a run goes on. `error_id` may be gone.
sync_runs = _tenant(
    "sync_runs",
    Column("shop_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    _number("epoch", 0, BigInteger),
    Column("job_id", Uuid),
    _at("started_at", default=False),
    _at("ended_at", nullable=True),
    Column("outcome", Text, nullable=False, server_default="RUNNING"),
    _number("sent"),
    _number("taken"),
    _number("refused"),
    _number("failed"),
    _flag("broken", False),
    _number("turns", 1),
    Column("error_id", Uuid),
    _to("shops", "shop_id"),
    _to("jobs", "job_id", ondelete="CASCADE"),
    _one_of("kind", "REFLECT", "FULL_SYNC", "ORDERS", "READ_BACK", "FEED"),
    _one_of("outcome", "RUNNING", "OK", "PARTIAL", "FAILED"),
    CheckConstraint("(outcome = 'RUNNING') = (ended_at IS NULL)", name="runs_until_ended"),
)
Index(
    "sync_runs_open_idx",
    sync_runs.c.account_id,
    sync_runs.c.shop_id,
    sync_runs.c.kind,
    unique=True,
    postgresql_where=text("outcome = 'RUNNING' AND job_id IS NULL"),
)
Index(
    "sync_runs_shop_idx",
    sync_runs.c.account_id,
    sync_runs.c.shop_id,
    sync_runs.c.kind,
    sync_runs.c.id,
)
Index(
    "sync_runs_job_idx",
    sync_runs.c.account_id,
    sync_runs.c.job_id,
    postgresql_where=text("job_id IS NOT NULL"),
)
Index(
    "sync_runs_ended_idx",
    sync_runs.c.ended_at,
    postgresql_where=text("ended_at IS NOT NULL"),
)

# 在庫マイナス. `order_id`: that took the total below zero. `other_shop_id`: of the sale that had left too little.
oversell_incidents = _tenant(
    "oversell_incidents",
    Column("product_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("shop_id", Uuid),
    Column("other_shop_id", Uuid),
    Column("cause", Text, nullable=False, server_default="UNKNOWN"),
    Column("units", Integer, nullable=False),
    _at("opened_at", default=False),
    _at("closed_at", nullable=True),
    _to("products", "product_id"),
    _to("orders", "order_id"),
    _to("shops", "shop_id"),
    _to("shops", "other_shop_id"),
    _one_of(
        "cause",
        "RAISED_AT_MALL",
        "SIMULTANEOUS_ORDERS",
        "PUSH_LAG",
        "PUSH_FAILED",
        "LATE_ORDER",
        "RESTORED_TWICE",
        "WRONG_LINK",
        "SET_PART",
        "UNKNOWN",
    ),
    CheckConstraint("units > 0", name="units_range"),
)
Index(
    "oversell_incidents_open_idx",
    oversell_incidents.c.account_id,
    oversell_incidents.c.product_id,
    unique=True,
    postgresql_where=text("closed_at IS NULL"),
)

# Automatic persisted operations: documents that clients of the account have sent before, by their SHA-256.
documents = _tenant(
    "documents",
    Column("hash", LargeBinary, nullable=False),
    Column("document", Text, nullable=False),
    _at("used_at"),
    key=("hash",),
)
Index("documents_used_idx", documents.c.account_id, documents.c.used_at)

# Numbers sent in bulk, which the mall works off by itself. `name`: the mall's own; null until it is known.
feeds = _tenant(
    "feeds",
    Column("shop_id", Uuid, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("name", Text),
    Column("state", Text, nullable=False, server_default="SENT"),
    Column("items", Integer, nullable=False),
    _number("refused"),
    _number("looks"),
    _at("sent_at", default=False),
    _at("look_at", nullable=True),
    _at("ended_at", nullable=True),
    Column("mall_code", Text, nullable=False, server_default=""),
    Column("mall_message", Text, nullable=False, server_default=""),
    _to("shops", "shop_id"),
    _one_of("state", "SENT", "ACCEPTED", "DONE", "FAILED", "LOST"),
    CheckConstraint(
        "(state IN ('SENT', 'ACCEPTED')) = (ended_at IS NULL)", name="open_until_ended"
    ),
)
Index(
    "feeds_open_idx",
    feeds.c.account_id,
    feeds.c.shop_id,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
)

# A shop whose listings are all looked at again, part by part. `after`: the last listing that was. `forget`: what is
# believed of their malls' counters is forgotten on the way. `lets_go`: they belong to nothing any more; who gave the shop
# up, and whether they are deleted.
shop_walks = _tenant(
    "shop_walks",
    Column("shop_id", Uuid, nullable=False),
    _flag("forget", False),
    Column("lets_go", JSONB),
    Column("after", Uuid),
    _number("epoch", 0, BigInteger),
    _number("failures"),
    _at("next_try_at"),
    _at("created_at"),
    _to("shops", "shop_id"),
    key=("shop_id",),
)

# For how long a shop showed more of a product than was left, by days of the account's time zone.
product_exposures = _tenant(
    "product_exposures",
    Column("product_id", Uuid, nullable=False),
    Column("shop_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    _number("milliseconds", 0, BigInteger),
    _number("longest", 0, BigInteger),
    _number("times"),
    _to("products", "product_id", ondelete="CASCADE"),
    _to("shops", "shop_id"),
    key=("product_id", "shop_id", "day"),
)
Index("product_exposures_day_idx", product_exposures.c.account_id, product_exposures.c.day)

# The database's own identity as it was last seen: another one means a restore or a failover.
installation = Table(
    "installation",
    metadata,
    Column("only_one", Boolean, primary_key=True, server_default=text("true")),
    Column("system_identifier", Text, nullable=False),
    Column("timeline", Integer, nullable=False),
    _at("seen_at"),
    CheckConstraint("only_one", name="one_row"),
)
