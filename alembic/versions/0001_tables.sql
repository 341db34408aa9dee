-- Every table of the first version. Rights, policies, partitions and triggers: 0001_rules.sql.

CREATE TABLE accounts (
    id UUID DEFAULT uuidv7() NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT DEFAULT 'Asia/Tokyo' NOT NULL,
    sync_running BOOLEAN DEFAULT false NOT NULL,
    reflect_edits TEXT DEFAULT 'ON_REQUEST' NOT NULL,
    level9_resume TEXT DEFAULT 'ON_CLEAR' NOT NULL,
    show_images BOOLEAN DEFAULT true NOT NULL,
    base_shop_id UUID,
    product_limit INTEGER,
    version INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_code_key UNIQUE (code),
    CONSTRAINT accounts_reflect_edits_known CHECK (reflect_edits IN ('ON_REQUEST', 'AT_ONCE')),
    CONSTRAINT accounts_level9_resume_known CHECK (level9_resume IN ('ON_CLEAR', 'ON_VALID_CREDENTIALS'))
);

CREATE TABLE clock_leases (
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT clock_leases_pkey PRIMARY KEY (name)
);

CREATE TABLE rate_buckets (
    key TEXT NOT NULL,
    tokens FLOAT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    blocked_until TIMESTAMP WITH TIME ZONE,
    day TEXT DEFAULT '' NOT NULL,
    used_today INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT rate_buckets_pkey PRIMARY KEY (key)
);

CREATE TABLE api_tokens (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    role TEXT,
    scopes TEXT[],
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT api_tokens_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT api_tokens_role_or_scopes CHECK ((role IS NULL) <> (scopes IS NULL)),
    CONSTRAINT api_tokens_role_known CHECK (role IN ('OWNER', 'STAFF', 'VIEWER')),
    CONSTRAINT api_tokens_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id),
    CONSTRAINT api_tokens_token_hash_key UNIQUE (token_hash)
);

CREATE TABLE event_counters (
    account_id UUID NOT NULL,
    last BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT event_counters_pkey PRIMARY KEY (account_id),
    CONSTRAINT event_counters_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE events (
    account_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    kind TEXT NOT NULL,
    change TEXT DEFAULT '' NOT NULL,
    node_id UUID,
    shop_id UUID,
    product_id UUID,
    payload JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (account_id, seq),
    CONSTRAINT events_kind_known CHECK (kind IN ('ERROR', 'DIFF', 'STOCK', 'SHOP', 'JOB', 'RELOAD')),
    CONSTRAINT events_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX events_at_idx ON events USING brin (at);

CREATE TABLE idempotency_keys (
    account_id UUID NOT NULL,
    key TEXT NOT NULL,
    asked BYTEA NOT NULL,
    answer JSONB,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account_id, key),
    CONSTRAINT idempotency_keys_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX idempotency_keys_at_idx ON idempotency_keys (account_id, at);

CREATE TABLE jobs (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    kind TEXT NOT NULL,
    state TEXT DEFAULT 'WAITING' NOT NULL,
    shop_id UUID,
    total INTEGER,
    done INTEGER DEFAULT 0 NOT NULL,
    failed INTEGER DEFAULT 0 NOT NULL,
    input JSONB DEFAULT '{}'::jsonb NOT NULL,
    result JSONB DEFAULT '{}'::jsonb NOT NULL,
    actor JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT jobs_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT jobs_state_known CHECK (state IN ('WAITING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
    CONSTRAINT jobs_kind_known CHECK (kind IN ('REFLECT', 'SHOP_CHECK')),
    CONSTRAINT jobs_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX jobs_checks_idx ON jobs (account_id, shop_id, id) WHERE kind = 'SHOP_CHECK';

CREATE INDEX jobs_waiting_idx ON jobs (account_id, shop_id, kind) WHERE state IN ('WAITING', 'RUNNING');

CREATE TABLE mall_update_logs (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    push_id UUID NOT NULL,
    before INTEGER,
    after INTEGER NOT NULL,
    state TEXT NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE,
    mall_code TEXT DEFAULT '' NOT NULL,
    mall_message TEXT DEFAULT '' NOT NULL,
    CONSTRAINT mall_update_logs_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT mall_update_logs_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX mall_update_logs_push_idx ON mall_update_logs (account_id, push_id);

CREATE TABLE operation_logs (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    actor JSONB NOT NULL,
    action TEXT NOT NULL,
    target_kind TEXT,
    target_id UUID,
    facts JSONB DEFAULT '{}'::jsonb NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    reflected_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT operation_logs_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT operation_logs_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX operation_logs_unreflected_idx ON operation_logs (account_id, target_id) WHERE reflected_at IS NULL;

CREATE TABLE product_groups (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    name TEXT NOT NULL,
    reserve INTEGER DEFAULT 0 NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT product_groups_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT product_groups_account_id_name_key UNIQUE (account_id, name),
    CONSTRAINT product_groups_reserve_range CHECK (reserve >= 0),
    CONSTRAINT product_groups_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE sales_logs (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    listing_id UUID,
    product_id UUID,
    order_id UUID NOT NULL,
    item_code TEXT NOT NULL,
    variant_code TEXT DEFAULT '' NOT NULL,
    units INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT sales_logs_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sales_logs_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 PARTITION BY RANGE (id);

CREATE TABLE shops (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    mall TEXT NOT NULL,
    name TEXT NOT NULL,
    sandbox BOOLEAN DEFAULT false NOT NULL,
    in_use BOOLEAN DEFAULT true NOT NULL,
    state TEXT DEFAULT 'RUNNING' NOT NULL,
    orders_running BOOLEAN DEFAULT false NOT NULL,
    reflect_running BOOLEAN DEFAULT false NOT NULL,
    reflect_interval_seconds INTEGER DEFAULT 0 NOT NULL,
    order_poll_seconds INTEGER DEFAULT 60 NOT NULL,
    cancel_policy TEXT DEFAULT 'IGNORE' NOT NULL,
    drift_policy TEXT DEFAULT 'OURS_WINS' NOT NULL,
    match_key TEXT[] DEFAULT '{}'::text[] NOT NULL,
    settings JSONB DEFAULT '{}'::jsonb NOT NULL,
    mall_restocks BOOLEAN,
    effective_from TIMESTAMP WITH TIME ZONE,
    watermark TIMESTAMP WITH TIME ZONE,
    orders_seen_at TIMESTAMP WITH TIME ZONE,
    cancels_seen_at TIMESTAMP WITH TIME ZONE,
    clock_offset_ms INTEGER DEFAULT 0 NOT NULL,
    next_order_poll_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    next_probe_at TIMESTAMP WITH TIME ZONE,
    paused_until TIMESTAMP WITH TIME ZONE,
    maintenance BOOLEAN DEFAULT false NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE,
    notification_email TEXT,
    version INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT shops_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT shops_account_id_name_key UNIQUE (account_id, name),
    CONSTRAINT shops_state_known CHECK (state IN ('RUNNING', 'HALTED', 'PROBING', 'CATCHING_UP')),
    CONSTRAINT shops_cancel_policy_known CHECK (cancel_policy IN ('IGNORE', 'RESTORE')),
    CONSTRAINT shops_drift_policy_known CHECK (drift_policy IN ('OURS_WINS', 'TAKE_THEIRS', 'ASK')),
    CONSTRAINT shops_interval_range CHECK (reflect_interval_seconds BETWEEN 0 AND 1200),
    CONSTRAINT shops_poll_range CHECK (order_poll_seconds BETWEEN 1 AND 3600),
    CONSTRAINT shops_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE stock_movements (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    product_id UUID NOT NULL,
    stock_version BIGINT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT,
    delta INTEGER NOT NULL,
    balance_before INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    order_id UUID,
    actor JSONB,
    effective_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT stock_movements_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT stock_movements_balances CHECK (balance_after = balance_before + delta),
    CONSTRAINT stock_movements_cause_known CHECK (cause IN ('ORDER', 'CANCEL', 'SET_BY_HAND', 'ADJUSTED', 'COUNTED', 'IMPORT', 'MALL_EDIT_TAKEN')),
    CONSTRAINT stock_movements_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 PARTITION BY RANGE (id);

CREATE INDEX stock_movements_order_idx ON stock_movements (account_id, order_id);

CREATE INDEX stock_movements_product_idx ON stock_movements (account_id, product_id, id);

CREATE TABLE users (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT,
    last_seen_at TIMESTAMP WITH TIME ZONE,
    disabled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT users_account_id_email_key UNIQUE (account_id, email),
    CONSTRAINT users_role_known CHECK (role IN ('OWNER', 'STAFF', 'VIEWER')),
    CONSTRAINT users_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE listings (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    item_code TEXT NOT NULL,
    variant_code TEXT DEFAULT '' NOT NULL,
    match_code TEXT DEFAULT '' NOT NULL,
    keys JSONB DEFAULT '{}'::jsonb NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    sync BOOLEAN DEFAULT true NOT NULL,
    minimum INTEGER,
    maximum INTEGER,
    fulfilled_by_mall BOOLEAN DEFAULT false NOT NULL,
    unlimited BOOLEAN DEFAULT false NOT NULL,
    unknown_at_mall BOOLEAN DEFAULT false NOT NULL,
    mall_restocks BOOLEAN,
    fields JSONB DEFAULT '{}'::jsonb NOT NULL,
    folded TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT listings_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT listings_account_id_shop_id_item_code_variant_code_key UNIQUE (account_id, shop_id, item_code, variant_code),
    CONSTRAINT listings_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT listings_minimum_range CHECK (minimum >= 0),
    CONSTRAINT listings_maximum_range CHECK (maximum >= 1),
    CONSTRAINT listings_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX listings_folded_idx ON listings USING gin (account_id, folded gin_trgm_ops);

CREATE INDEX listings_match_idx ON listings (account_id, match_code, shop_id);

CREATE TABLE orders (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    number TEXT NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status TEXT NOT NULL,
    baseline BOOLEAN DEFAULT false NOT NULL,
    source TEXT DEFAULT 'API' NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    unread_at TIMESTAMP WITH TIME ZONE,
    fetched_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT orders_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT orders_account_id_shop_id_number_key UNIQUE (account_id, shop_id, number),
    CONSTRAINT orders_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT orders_status_known CHECK (status IN ('HOLDS', 'SHIPPED', 'RELEASED')),
    CONSTRAINT orders_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX orders_open_idx ON orders (account_id, shop_id, observed_at) WHERE status = 'HOLDS';

CREATE INDEX orders_placed_idx ON orders (account_id, placed_at, id);

CREATE TABLE products (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    code TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    named_by_hand BOOLEAN DEFAULT false NOT NULL,
    attributes JSONB DEFAULT '{}'::jsonb NOT NULL,
    image_url TEXT,
    kind TEXT DEFAULT 'SINGLE' NOT NULL,
    managed BOOLEAN DEFAULT true NOT NULL,
    total INTEGER DEFAULT 0 NOT NULL,
    stock_version BIGINT DEFAULT 0 NOT NULL,
    reserve INTEGER,
    group_id UUID,
    counted_at TIMESTAMP WITH TIME ZONE,
    folded TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT products_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT products_account_id_code_key UNIQUE (account_id, code),
    CONSTRAINT products_account_id_group_id_fkey FOREIGN KEY(account_id, group_id) REFERENCES product_groups (account_id, id),
    CONSTRAINT products_kind_known CHECK (kind IN ('SINGLE', 'SET')),
    CONSTRAINT products_reserve_range CHECK (reserve >= 0),
    CONSTRAINT products_set_has_no_stock CHECK (kind = 'SINGLE' OR total = 0),
    CONSTRAINT products_code_given CHECK (code <> ''),
    CONSTRAINT products_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX products_folded_idx ON products USING gin (account_id, folded gin_trgm_ops);

CREATE INDEX products_group_idx ON products (account_id, group_id);

CREATE TABLE shop_consents (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    state_hash BYTEA NOT NULL,
    return_url TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_ciphertext BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT shop_consents_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT shop_consents_account_id_state_hash_key UNIQUE (account_id, state_hash),
    CONSTRAINT shop_consents_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT shop_consents_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE shop_credentials (
    account_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    key TEXT NOT NULL,
    ciphertext BYTEA NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    changed_by JSONB,
    expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT shop_credentials_pkey PRIMARY KEY (account_id, shop_id, key),
    CONSTRAINT shop_credentials_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT shop_credentials_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE shop_leases (
    account_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    kind TEXT NOT NULL,
    holder TEXT NOT NULL,
    epoch BIGINT DEFAULT 1 NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT shop_leases_pkey PRIMARY KEY (account_id, shop_id, kind),
    CONSTRAINT shop_leases_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT shop_leases_kind_known CHECK (kind IN ('REFLECT', 'ORDERS')),
    CONSTRAINT shop_leases_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE sync_errors (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    level SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT DEFAULT 'OPEN' NOT NULL,
    shop_id UUID,
    group_key TEXT NOT NULL,
    count INTEGER DEFAULT 1 NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    cleared_at TIMESTAMP WITH TIME ZONE,
    cleared_by JSONB,
    next_try_at TIMESTAMP WITH TIME ZONE,
    mall_code TEXT DEFAULT '' NOT NULL,
    mall_message TEXT DEFAULT '' NOT NULL,
    params JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT sync_errors_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sync_errors_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT sync_errors_state_known CHECK (state IN ('OPEN', 'RESOLVED', 'CLEARED')),
    CONSTRAINT sync_errors_level_known CHECK (level IN (8, 9)),
    CONSTRAINT sync_errors_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE UNIQUE INDEX sync_errors_cause_idx ON sync_errors (account_id, group_key) WHERE resolved_at IS NULL;

CREATE INDEX sync_errors_last_idx ON sync_errors (account_id, id);

CREATE TABLE job_listings (
    account_id UUID NOT NULL,
    job_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    generation BIGINT,
    outcome TEXT,
    CONSTRAINT job_listings_pkey PRIMARY KEY (account_id, job_id, listing_id),
    CONSTRAINT job_listings_account_id_job_id_fkey FOREIGN KEY(account_id, job_id) REFERENCES jobs (account_id, id) ON DELETE CASCADE,
    CONSTRAINT job_listings_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id) ON DELETE CASCADE,
    CONSTRAINT job_listings_outcome_known CHECK (outcome IN ('ACCEPTED', 'APPLIED', 'REFUSED', 'HELD')),
    CONSTRAINT job_listings_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX job_listings_open_idx ON job_listings (account_id, listing_id) WHERE outcome IS NULL;

CREATE TABLE links (
    account_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    product_id UUID,
    state TEXT DEFAULT 'UNLINKED' NOT NULL,
    reason TEXT,
    copy_page BOOLEAN DEFAULT false NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    actor JSONB,
    CONSTRAINT links_pkey PRIMARY KEY (account_id, listing_id),
    CONSTRAINT links_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id),
    CONSTRAINT links_account_id_product_id_fkey FOREIGN KEY(account_id, product_id) REFERENCES products (account_id, id),
    CONSTRAINT links_state_known CHECK (state IN ('LINKED', 'UNLINKED', 'UNLINKED_BY_HAND', 'CONFLICT')),
    CONSTRAINT links_linked_to_one CHECK ((state IN ('LINKED', 'CONFLICT')) = (product_id IS NOT NULL)),
    CONSTRAINT links_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX links_product_idx ON links (account_id, product_id);

CREATE TABLE listing_sync (
    account_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    wanted BIGINT DEFAULT 0 NOT NULL,
    claimed BIGINT DEFAULT 0 NOT NULL,
    done BIGINT DEFAULT 0 NOT NULL,
    lane SMALLINT DEFAULT 2 NOT NULL,
    waiting_since TIMESTAMP WITH TIME ZONE,
    next_try_at TIMESTAMP WITH TIME ZONE,
    attempts SMALLINT DEFAULT 0 NOT NULL,
    failures SMALLINT DEFAULT 0 NOT NULL,
    push_id UUID,
    push_state TEXT,
    expected INTEGER,
    edited BOOLEAN DEFAULT false NOT NULL,
    base INTEGER,
    base_earliest TIMESTAMP WITH TIME ZONE,
    base_latest TIMESTAMP WITH TIME ZONE,
    base_changed_until TIMESTAMP WITH TIME ZONE,
    base_source TEXT DEFAULT 'NEVER_SEEN' NOT NULL,
    not_pushed TEXT[] DEFAULT '{}'::text[] NOT NULL,
    difference TEXT,
    difference_since TIMESTAMP WITH TIME ZONE,
    CONSTRAINT listing_sync_pkey PRIMARY KEY (account_id, listing_id),
    CONSTRAINT listing_sync_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id) ON DELETE CASCADE,
    CONSTRAINT listing_sync_generations CHECK (done <= claimed AND claimed <= wanted),
    CONSTRAINT listing_sync_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
)
 WITH (fillfactor = 50);

CREATE INDEX listing_sync_difference_idx ON listing_sync (account_id, difference_since, listing_id) WHERE difference IS NOT NULL;

CREATE INDEX listing_sync_waiting_idx ON listing_sync (account_id, shop_id, lane, waiting_since) WHERE wanted > done;

CREATE TABLE order_effects (
    account_id UUID NOT NULL,
    order_id UUID NOT NULL,
    product_id UUID NOT NULL,
    applied INTEGER DEFAULT 0 NOT NULL,
    absorbed INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT order_effects_pkey PRIMARY KEY (account_id, order_id, product_id),
    CONSTRAINT order_effects_account_id_order_id_fkey FOREIGN KEY(account_id, order_id) REFERENCES orders (account_id, id),
    CONSTRAINT order_effects_account_id_product_id_fkey FOREIGN KEY(account_id, product_id) REFERENCES products (account_id, id),
    CONSTRAINT order_effects_units_range CHECK (applied >= 0 AND absorbed >= 0),
    CONSTRAINT order_effects_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE order_items (
    account_id UUID NOT NULL,
    order_id UUID NOT NULL,
    item_code TEXT NOT NULL,
    variant_code TEXT DEFAULT '' NOT NULL,
    listing_id UUID,
    parts JSONB,
    quantity INTEGER DEFAULT 0 NOT NULL,
    held INTEGER DEFAULT 0 NOT NULL,
    mall_restocks BOOLEAN,
    CONSTRAINT order_items_pkey PRIMARY KEY (account_id, order_id, item_code, variant_code),
    CONSTRAINT order_items_account_id_order_id_fkey FOREIGN KEY(account_id, order_id) REFERENCES orders (account_id, id),
    CONSTRAINT order_items_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX order_items_unlinked_idx ON order_items (account_id, item_code, variant_code) WHERE parts IS NULL;

CREATE TABLE order_lines (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    order_id UUID NOT NULL,
    position INTEGER NOT NULL,
    item_code TEXT NOT NULL,
    variant_code TEXT DEFAULT '' NOT NULL,
    listing_id UUID,
    quantity INTEGER NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT order_lines_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT order_lines_account_id_order_id_position_key UNIQUE (account_id, order_id, position),
    CONSTRAINT order_lines_account_id_order_id_fkey FOREIGN KEY(account_id, order_id) REFERENCES orders (account_id, id),
    CONSTRAINT order_lines_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id),
    CONSTRAINT order_lines_quantity_range CHECK (quantity >= 0),
    CONSTRAINT order_lines_state_known CHECK (state IN ('APPLIED', 'RELEASED', 'BASELINE', 'COUNTED_BEFORE', 'UNLINKED', 'FULFILLED_BY_MALL')),
    CONSTRAINT order_lines_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE pushes (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    listing_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    call_id UUID NOT NULL,
    generation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    lane SMALLINT DEFAULT 2 NOT NULL,
    mode TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    before INTEGER,
    state TEXT NOT NULL,
    waiting_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    applied_at TIMESTAMP WITH TIME ZONE,
    read_back_at TIMESTAMP WITH TIME ZONE,
    reads SMALLINT DEFAULT 0 NOT NULL,
    mall_code TEXT DEFAULT '' NOT NULL,
    mall_message TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pushes_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT pushes_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id) ON DELETE CASCADE,
    CONSTRAINT pushes_mode_known CHECK (mode IN ('ABSOLUTE', 'RELATIVE')),
    CONSTRAINT pushes_state_known CHECK (state IN ('SENT', 'ACCEPTED', 'APPLIED', 'REFUSED', 'UNKNOWN', 'SUPERSEDED')),
    CONSTRAINT pushes_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX pushes_listing_idx ON pushes (account_id, listing_id, id);

CREATE UNIQUE INDEX pushes_open_idx ON pushes (account_id, listing_id) WHERE state = 'SENT';

CREATE INDEX pushes_sent_idx ON pushes USING brin (sent_at);

CREATE INDEX pushes_unread_idx ON pushes (account_id, shop_id, read_back_at) WHERE state = 'ACCEPTED';

CREATE TABLE set_parts (
    account_id UUID NOT NULL,
    set_id UUID NOT NULL,
    part_id UUID NOT NULL,
    count INTEGER NOT NULL,
    CONSTRAINT set_parts_pkey PRIMARY KEY (account_id, set_id, part_id),
    CONSTRAINT set_parts_count_range CHECK (count >= 1),
    CONSTRAINT set_parts_not_itself CHECK (set_id <> part_id),
    CONSTRAINT set_parts_account_id_set_id_fkey FOREIGN KEY(account_id, set_id) REFERENCES products (account_id, id),
    CONSTRAINT set_parts_account_id_part_id_fkey FOREIGN KEY(account_id, part_id) REFERENCES products (account_id, id),
    CONSTRAINT set_parts_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX set_parts_part_idx ON set_parts (account_id, part_id);

CREATE TABLE sync_error_listings (
    account_id UUID NOT NULL,
    error_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    CONSTRAINT sync_error_listings_pkey PRIMARY KEY (account_id, error_id, listing_id),
    CONSTRAINT sync_error_listings_account_id_error_id_fkey FOREIGN KEY(account_id, error_id) REFERENCES sync_errors (account_id, id) ON DELETE CASCADE,
    CONSTRAINT sync_error_listings_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id) ON DELETE CASCADE,
    CONSTRAINT sync_error_listings_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE INDEX sync_error_listings_listing_idx ON sync_error_listings (account_id, listing_id);

