-- What the whole API keeps: sessions, bulk changes, mappings of codes, fields of the malls, documents, scoped keys.

ALTER TABLE accounts
    ADD COLUMN confirm_to_zero INTEGER DEFAULT 50 NOT NULL,
    ADD COLUMN confirm_changed INTEGER DEFAULT 500 NOT NULL,
    ADD COLUMN sync_new_listings BOOLEAN DEFAULT true NOT NULL,
    ADD CONSTRAINT accounts_confirm_range CHECK (confirm_to_zero >= 0 AND confirm_changed >= 0);

ALTER TABLE users
    ADD COLUMN locale TEXT,
    ADD COLUMN invitation_hash BYTEA,
    ADD COLUMN invitation_until TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT users_locale_known CHECK (locale IN ('JA', 'EN')),
    ADD CONSTRAINT users_invitation_hash_key UNIQUE (invitation_hash);

ALTER TABLE shops
    ADD COLUMN disconnected_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN sampled_at TIMESTAMP WITH TIME ZONE,
    DROP CONSTRAINT shops_account_id_name_key;
CREATE UNIQUE INDEX shops_name_idx ON shops (account_id, name) WHERE disconnected_at IS NULL;

ALTER TABLE products ADD COLUMN free_counted_at TIMESTAMP WITH TIME ZONE;
GRANT INSERT (free_counted_at), UPDATE (free_counted_at) ON products TO renkei_app;

CREATE FUNCTION renkei_code_key(code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(lower(normalize(code, NFKC)), '‐‑‒–—―⁃−─━➖⸺⸻ー﹘﹣-_ ', '');

COMMENT ON FUNCTION renkei_code_key IS 'Equal for codes that differ only in width, case or hyphens.';

CREATE FUNCTION renkei_fold(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(regexp_replace(translate(normalize(casefold(normalize(words, NFKC)), NFKC),
    '‐‑‒–—―⁃−─━➖⸺⸻ー﹘﹣'
    'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶヽヾ',
    '----------------'
    'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖゝゞ'), '\s+', ' ', 'g'));

COMMENT ON FUNCTION renkei_fold IS 'As texts are searched: see domain/model/links.py.';

CREATE FUNCTION renkei_likeness(one text, other text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH a AS (SELECT DISTINCT substr(one, i, 2) AS pair FROM generate_series(1, length(one) - 1) AS i),
        b AS (SELECT DISTINCT substr(other, i, 2) AS pair FROM generate_series(1, length(other) - 1) AS i)
    SELECT CASE WHEN least((SELECT count(*) FROM a), (SELECT count(*) FROM b)) = 0 THEN 0
        ELSE 2.0 * (SELECT count(*) FROM a JOIN b USING (pair)) / ((SELECT count(*) FROM a) + (SELECT count(*) FROM b)) END
$$;

COMMENT ON FUNCTION renkei_likeness IS 'Shared pairs of letters (Dice), 0 to 1: works without word breaks.';

ALTER TABLE products ADD COLUMN code_key TEXT GENERATED ALWAYS AS (renkei_code_key(code)) STORED;
CREATE INDEX products_code_key_idx ON products (account_id, code_key);

ALTER TABLE orders ADD COLUMN shipped_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX orders_shipped_idx ON orders (account_id, shipped_at) WHERE shipped_at IS NOT NULL;

CREATE INDEX operation_logs_target_idx ON operation_logs (account_id, target_id, id);

ALTER TABLE jobs DROP CONSTRAINT jobs_kind_known, ADD CONSTRAINT jobs_kind_known
    CHECK (kind IN ('REFLECT', 'SHOP_CHECK', 'BULK_CHANGE', 'ORDER_FETCH', 'READ_MALL_STOCK'));

ALTER TABLE jobs
    ADD COLUMN due_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN stumbles INTEGER DEFAULT 0 NOT NULL;
CREATE INDEX jobs_due_idx ON jobs (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE job_listings
    ADD COLUMN edited BOOLEAN DEFAULT false NOT NULL,
    DROP CONSTRAINT job_listings_outcome_known,
    ADD CONSTRAINT job_listings_outcome_known
        CHECK (outcome IN ('ACCEPTED', 'APPLIED', 'REFUSED', 'HELD', 'CANCELLED'));

-- What waits already goes out whatever becomes of the reflect that asked for it.
-- What we believed of a mall's counter until a reading said otherwise, while that is not decided on.
ALTER TABLE listing_sync
    ADD COLUMN own BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN believed INTEGER,
    ADD COLUMN believed_earliest TIMESTAMP WITH TIME ZONE,
    ADD COLUMN believed_latest TIMESTAMP WITH TIME ZONE,
    ADD COLUMN believed_changed_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN believed_source TEXT,
    ADD COLUMN asked BOOLEAN DEFAULT false NOT NULL,
    NO FORCE ROW LEVEL SECURITY;
UPDATE listing_sync SET own = wanted WHERE wanted > done;
ALTER TABLE listing_sync FORCE ROW LEVEL SECURITY;
CREATE INDEX listing_sync_doubt_idx ON listing_sync (account_id, shop_id, base_latest) WHERE believed_source IS NOT NULL;

ALTER TABLE operation_logs ADD COLUMN job_id UUID;
CREATE INDEX operation_logs_job_idx ON operation_logs (account_id, job_id, id) WHERE job_id IS NOT NULL;

-- Keys are worth nothing once their scope is another: at most two days of repetitions are done anew.
DROP TABLE idempotency_keys;

CREATE TABLE sessions (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    user_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sessions_account_id_user_id_fkey FOREIGN KEY(account_id, user_id) REFERENCES users (account_id, id),
    CONSTRAINT sessions_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id),
    CONSTRAINT sessions_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX sessions_user_idx ON sessions (account_id, user_id);

CREATE TABLE full_sync_schedules (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    at TEXT NOT NULL,
    weekdays TEXT[] NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    next_run_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT full_sync_schedules_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT full_sync_schedules_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT full_sync_schedules_runs_while_enabled CHECK (enabled = (next_run_at IS NOT NULL)),
    CONSTRAINT full_sync_schedules_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE INDEX full_sync_schedules_next_idx ON full_sync_schedules (next_run_at);
CREATE INDEX full_sync_schedules_shop_idx ON full_sync_schedules (account_id, shop_id);

CREATE TABLE listing_fields (
    account_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    owner TEXT DEFAULT 'US' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    changed_by JSONB,
    changed_at_mall TIMESTAMP WITH TIME ZONE,
    CONSTRAINT listing_fields_pkey PRIMARY KEY (account_id, listing_id, key),
    CONSTRAINT listing_fields_account_id_listing_id_fkey FOREIGN KEY(account_id, listing_id) REFERENCES listings (account_id, id) ON DELETE CASCADE,
    CONSTRAINT listing_fields_owner_known CHECK (owner IN ('US', 'MALL')),
    CONSTRAINT listing_fields_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE code_mappings (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    mall_code TEXT NOT NULL,
    product_code TEXT NOT NULL,
    folded TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT code_mappings_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT code_mappings_account_id_shop_id_mall_code_key UNIQUE (account_id, shop_id, mall_code),
    CONSTRAINT code_mappings_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT code_mappings_codes_given CHECK (mall_code <> '' AND product_code <> ''),
    CONSTRAINT code_mappings_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);

CREATE TABLE job_targets (
    account_id UUID NOT NULL,
    job_id UUID NOT NULL,
    place INTEGER NOT NULL,
    target_id UUID NOT NULL,
    outcome TEXT,
    errors JSONB,
    CONSTRAINT job_targets_pkey PRIMARY KEY (account_id, job_id, place),
    CONSTRAINT job_targets_account_id_job_id_fkey FOREIGN KEY(account_id, job_id) REFERENCES jobs (account_id, id) ON DELETE CASCADE,
    CONSTRAINT job_targets_outcome_known CHECK (outcome IN ('DONE', 'REFUSED')),
    CONSTRAINT job_targets_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE INDEX job_targets_open_idx ON job_targets (account_id, job_id, place) WHERE outcome IS NULL;
CREATE INDEX job_targets_refused_idx ON job_targets (account_id, job_id, place) WHERE outcome = 'REFUSED';

CREATE TABLE job_shops (
    account_id UUID NOT NULL,
    job_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    work TEXT NOT NULL,
    from_place INTEGER DEFAULT 1 NOT NULL,
    to_place INTEGER DEFAULT 0 NOT NULL,
    reached TIMESTAMP WITH TIME ZONE,
    orders INTEGER DEFAULT 0 NOT NULL,
    lines INTEGER DEFAULT 0 NOT NULL,
    deducted INTEGER DEFAULT 0 NOT NULL,
    failures INTEGER DEFAULT 0 NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome TEXT,
    CONSTRAINT job_shops_pkey PRIMARY KEY (account_id, job_id, shop_id),
    CONSTRAINT job_shops_account_id_job_id_fkey FOREIGN KEY(account_id, job_id) REFERENCES jobs (account_id, id) ON DELETE CASCADE,
    CONSTRAINT job_shops_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT job_shops_work_known CHECK (work IN ('INITIAL_ORDERS', 'READ_STOCK')),
    CONSTRAINT job_shops_outcome_known CHECK (outcome IN ('DONE', 'FAILED')),
    CONSTRAINT job_shops_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE INDEX job_shops_due_idx ON job_shops (next_try_at) WHERE outcome IS NULL;
CREATE INDEX job_shops_shop_idx ON job_shops (account_id, shop_id, work) WHERE outcome IS NULL;

CREATE TABLE sync_runs (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    kind TEXT NOT NULL,
    epoch BIGINT DEFAULT 0 NOT NULL,
    job_id UUID,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT DEFAULT 'RUNNING' NOT NULL,
    sent INTEGER DEFAULT 0 NOT NULL,
    taken INTEGER DEFAULT 0 NOT NULL,
    refused INTEGER DEFAULT 0 NOT NULL,
    failed INTEGER DEFAULT 0 NOT NULL,
    broken BOOLEAN DEFAULT false NOT NULL,
    turns INTEGER DEFAULT 1 NOT NULL,
    error_id UUID,
    CONSTRAINT sync_runs_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sync_runs_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT sync_runs_account_id_job_id_fkey FOREIGN KEY(account_id, job_id) REFERENCES jobs (account_id, id) ON DELETE CASCADE,
    CONSTRAINT sync_runs_kind_known CHECK (kind IN ('REFLECT', 'FULL_SYNC', 'ORDERS', 'READ_BACK')),
    CONSTRAINT sync_runs_outcome_known CHECK (outcome IN ('RUNNING', 'OK', 'PARTIAL', 'FAILED')),
    CONSTRAINT sync_runs_runs_until_ended CHECK ((outcome = 'RUNNING') = (ended_at IS NULL)),
    CONSTRAINT sync_runs_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE UNIQUE INDEX sync_runs_open_idx ON sync_runs (account_id, shop_id, kind) WHERE outcome = 'RUNNING' AND job_id IS NULL;
CREATE INDEX sync_runs_shop_idx ON sync_runs (account_id, shop_id, kind, id);
CREATE INDEX sync_runs_job_idx ON sync_runs (account_id, job_id) WHERE job_id IS NOT NULL;
CREATE INDEX sync_runs_ended_idx ON sync_runs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE oversell_incidents (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    product_id UUID NOT NULL,
    order_id UUID NOT NULL,
    shop_id UUID,
    other_shop_id UUID,
    cause TEXT DEFAULT 'UNKNOWN' NOT NULL,
    units INTEGER NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT oversell_incidents_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT oversell_incidents_account_id_product_id_fkey FOREIGN KEY(account_id, product_id) REFERENCES products (account_id, id),
    CONSTRAINT oversell_incidents_account_id_order_id_fkey FOREIGN KEY(account_id, order_id) REFERENCES orders (account_id, id),
    CONSTRAINT oversell_incidents_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT oversell_incidents_account_id_other_shop_id_fkey FOREIGN KEY(account_id, other_shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT oversell_incidents_cause_known CHECK (cause IN ('RAISED_AT_MALL', 'SIMULTANEOUS_ORDERS', 'PUSH_LAG', 'PUSH_FAILED', 'LATE_ORDER', 'RESTORED_TWICE', 'WRONG_LINK', 'SET_PART', 'UNKNOWN')),
    CONSTRAINT oversell_incidents_units_range CHECK (units > 0),
    CONSTRAINT oversell_incidents_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE UNIQUE INDEX oversell_incidents_open_idx ON oversell_incidents (account_id, product_id) WHERE closed_at IS NULL;

CREATE TABLE documents (
    account_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    document TEXT NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT documents_pkey PRIMARY KEY (account_id, hash),
    CONSTRAINT documents_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE INDEX documents_used_idx ON documents (account_id, used_at);

CREATE TABLE idempotency_keys (
    account_id UUID NOT NULL,
    caller TEXT NOT NULL,
    mutation TEXT NOT NULL,
    key TEXT NOT NULL,
    asked BYTEA NOT NULL,
    answer JSONB,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (account_id, caller, mutation, key),
    CONSTRAINT idempotency_keys_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id)
);
CREATE INDEX idempotency_keys_at_idx ON idempotency_keys (account_id, at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sessions', 'full_sync_schedules', 'listing_fields', 'code_mappings', 'job_targets', 'job_shops', 'sync_runs', 'oversell_incidents', 'documents',
                                'idempotency_keys']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING (account_id = (SELECT renkei_account()))
             WITH CHECK (account_id = (SELECT renkei_account()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO renkei_app', name);
    END LOOP;
END $$;

-- ── what dispatching sees across accounts ────────────────────────────────────────────────────────────────────────────

GRANT SELECT (account_id, id, user_id, token_hash, expires_at, last_used_at), UPDATE (last_used_at)
    ON sessions TO renkei_dispatch;
GRANT SELECT (account_id, id, name, role, locale, invitation_hash, invitation_until, last_seen_at, disabled_at),
    UPDATE (last_seen_at) ON users TO renkei_dispatch;
GRANT UPDATE (last_used_at) ON api_tokens TO renkei_dispatch;
GRANT SELECT (id, due_at) ON jobs TO renkei_dispatch;
CREATE POLICY dispatch ON sessions FOR SELECT TO renkei_dispatch USING (true);
CREATE POLICY dispatch ON users FOR SELECT TO renkei_dispatch USING (true);
CREATE POLICY used ON sessions FOR UPDATE TO renkei_dispatch USING (true);
CREATE POLICY used ON users FOR UPDATE TO renkei_dispatch USING (true);
CREATE POLICY used ON api_tokens FOR UPDATE TO renkei_dispatch USING (true);

CREATE INDEX pushes_applied_idx ON pushes (account_id, shop_id, id) WHERE state = 'APPLIED';
DROP INDEX pushes_unread_idx;
CREATE INDEX pushes_unread_idx ON pushes (account_id, shop_id, read_back_at)
    WHERE read_back_at IS NOT NULL AND state IN ('ACCEPTED', 'APPLIED');
CREATE INDEX jobs_finished_idx ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX sync_errors_resolved_idx ON sync_errors (resolved_at) WHERE resolved_at IS NOT NULL;
GRANT SELECT (finished_at), DELETE ON jobs TO renkei_dispatch;
GRANT SELECT (account_id, id, resolved_at), DELETE ON sync_errors TO renkei_dispatch;
CREATE POLICY dispatch ON sync_errors FOR SELECT TO renkei_dispatch USING (true);
CREATE POLICY forget ON jobs FOR DELETE TO renkei_dispatch USING (true);
CREATE POLICY forget ON sync_errors FOR DELETE TO renkei_dispatch USING (true);

GRANT SELECT (account_id, id, next_run_at) ON full_sync_schedules TO renkei_dispatch;
CREATE POLICY dispatch ON full_sync_schedules FOR SELECT TO renkei_dispatch USING (true);

GRANT SELECT (account_id, id, ended_at), DELETE ON sync_runs TO renkei_dispatch;
CREATE POLICY dispatch ON sync_runs FOR SELECT TO renkei_dispatch USING (true);
CREATE POLICY forget ON sync_runs FOR DELETE TO renkei_dispatch USING (true);

GRANT SELECT (name) ON products TO renkei_dispatch;
GRANT SELECT (account_id, shop_id, expires_at) ON shop_credentials TO renkei_dispatch;
CREATE POLICY dispatch ON shop_credentials FOR SELECT TO renkei_dispatch USING (true);

GRANT SELECT (account_id, job_id, shop_id, work, next_try_at, outcome) ON job_shops TO renkei_dispatch;
CREATE POLICY dispatch ON job_shops FOR SELECT TO renkei_dispatch USING (true);

GRANT CREATE ON SCHEMA public TO renkei_dispatch;
SET ROLE renkei_dispatch;

CREATE FUNCTION renkei_schedules_due(due_by timestamptz, at_most integer) RETURNS TABLE (account_id uuid, schedule_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.account_id, s.id FROM full_sync_schedules s WHERE s.next_run_at <= due_by ORDER BY s.next_run_at LIMIT at_most
$$;

REVOKE ALL ON FUNCTION renkei_schedules_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_schedules_due TO renkei_app;

CREATE FUNCTION renkei_expiring(before timestamptz, at_most integer) RETURNS TABLE (account_id uuid, shop_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.account_id, c.shop_id FROM shop_credentials c WHERE c.expires_at <= before
    GROUP BY c.account_id, c.shop_id ORDER BY min(c.expires_at) LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_expiring IS 'Shops with a credential or a consent that lapses before then.';

REVOKE ALL ON FUNCTION renkei_expiring FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_expiring TO renkei_app;

CREATE FUNCTION renkei_forget_jobs(finished_before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM jobs j WHERE (j.account_id, j.id) IN (
            SELECT o.account_id, o.id FROM jobs o
            WHERE o.finished_at < finished_before AND (o.kind <> 'SHOP_CHECK' OR EXISTS (
                SELECT FROM jobs n WHERE n.account_id = o.account_id AND n.shop_id = o.shop_id AND n.kind = 'SHOP_CHECK'
                    AND n.id > o.id))
            LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

COMMENT ON FUNCTION renkei_forget_jobs IS 'What they did is in the logs; a shop''s newest connection test is kept.';

CREATE FUNCTION renkei_forget_errors(resolved_before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM sync_errors e WHERE (e.account_id, e.id) IN (
            SELECT o.account_id, o.id FROM sync_errors o WHERE o.resolved_at < resolved_before LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION renkei_forget_runs(ended_before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM sync_runs r WHERE (r.account_id, r.id) IN (
            SELECT o.account_id, o.id FROM sync_runs o WHERE o.ended_at < ended_before LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION renkei_forget_jobs, renkei_forget_errors, renkei_forget_runs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_forget_jobs, renkei_forget_errors, renkei_forget_runs TO renkei_app;

CREATE FUNCTION renkei_alike_products(words text, at_most integer) RETURNS TABLE (id uuid, likeness numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET pg_trgm.similarity_threshold = 0.4 AS $$
    SELECT near.id, renkei_likeness(words, renkei_fold(near.name)) FROM (
        SELECT p.id, p.name FROM products p
        WHERE p.account_id = renkei_account() AND p.deleted_at IS NULL AND p.folded % words
        ORDER BY similarity(p.folded, words) DESC, p.id LIMIT at_most) AS near
$$;

COMMENT ON FUNCTION renkei_alike_products IS 'Those whose code and name share most trigrams with a folded name, and how alike the names are.';

REVOKE ALL ON FUNCTION renkei_alike_products FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_alike_products TO renkei_app;

CREATE FUNCTION renkei_authenticate_session(hash bytea)
RETURNS TABLE (account_id uuid, session_id uuid, user_id uuid, name text, role text, locale text,
               expires_at timestamptz, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.account_id, s.id, u.id, u.name, u.role, u.locale, s.expires_at, s.last_used_at
    FROM sessions s JOIN users u ON u.account_id = s.account_id AND u.id = s.user_id
    WHERE s.token_hash = hash AND u.disabled_at IS NULL
$$;

CREATE FUNCTION renkei_invited(hash bytea) RETURNS TABLE (account_id uuid, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.account_id, u.id FROM users u
    WHERE u.invitation_hash = hash AND u.invitation_until > clock_timestamp() AND u.disabled_at IS NULL
$$;

CREATE FUNCTION renkei_used(hashes bytea[], since timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH tokens AS (
        SELECT t.account_id, t.id FROM api_tokens t
        WHERE t.token_hash = ANY (hashes) AND coalesce(t.last_used_at <= since, true)
        FOR UPDATE SKIP LOCKED),
    noted AS (
        UPDATE api_tokens t SET last_used_at = clock_timestamp() FROM tokens
        WHERE t.account_id = tokens.account_id AND t.id = tokens.id),
    open AS (
        SELECT s.account_id, s.id, s.user_id FROM sessions s
        WHERE s.token_hash = ANY (hashes) AND s.last_used_at <= since
        FOR UPDATE SKIP LOCKED),
    kept AS (
        UPDATE sessions s SET last_used_at = clock_timestamp() FROM open
        WHERE s.account_id = open.account_id AND s.id = open.id),
    people AS (
        SELECT u.account_id, u.id FROM users u
        WHERE (u.account_id, u.id) IN (SELECT open.account_id, open.user_id FROM open)
        FOR UPDATE SKIP LOCKED)
    UPDATE users u SET last_seen_at = clock_timestamp() FROM people
    WHERE u.account_id = people.account_id AND u.id = people.id
$$;

COMMENT ON FUNCTION renkei_used IS
    'Notes the use of tokens and sessions not noted since; a row that another holds is left to the next time.';

CREATE FUNCTION renkei_jobs_due(at timestamptz, at_most integer) RETURNS TABLE (account_id uuid, job_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT j.account_id, j.id FROM jobs j
    WHERE j.due_at <= at
    ORDER BY random() LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_jobs_due IS 'Jobs with targets that a worker may take now.';

REVOKE ALL ON FUNCTION renkei_authenticate_session, renkei_invited, renkei_used, renkei_jobs_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_authenticate_session, renkei_invited, renkei_used, renkei_jobs_due TO renkei_app;

CREATE OR REPLACE FUNCTION renkei_due(at timestamptz, at_most integer, freshness jsonb DEFAULT '{}')
RETURNS TABLE (account_id uuid, shop_id uuid, work text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH running AS (
        SELECT s.account_id, s.id, s.mall, s.settings, s.state, s.order_poll_seconds, s.orders_seen_at, s.watermark,
            s.next_order_poll_at, s.paused_until, s.in_use, s.state IN ('RUNNING', 'CATCHING_UP') AS goes,
            a.sync_running AND s.in_use AND s.orders_running AS fetches_orders
        FROM shops s JOIN accounts a ON a.id = s.account_id),
    free AS (
        SELECT r.*, NOT r.fetches_orders OR r.orders_seen_at >= at - greatest(
            make_interval(secs => coalesce((freshness ->> r.mall)::float, 0)
                / greatest(coalesce(nullif(r.settings ->> 'speed', '')::float, 1), 1)),
            make_interval(secs => 3 * r.order_poll_seconds)) AS fresh
        FROM running r WHERE NOT EXISTS (
            SELECT FROM shop_leases x WHERE x.account_id = r.account_id AND x.shop_id = r.id AND x.kind = 'REFLECT'
                AND x.until >= clock_timestamp()))
    SELECT due.account_id, due.shop_id, due.work FROM (
        SELECT s.account_id, s.id AS shop_id, 'ORDERS' AS work FROM running s
        WHERE s.fetches_orders AND s.state = 'RUNNING' AND s.next_order_poll_at <= at AND NOT EXISTS (
            SELECT FROM shop_leases x WHERE x.account_id = s.account_id AND x.shop_id = s.id AND x.kind = 'ORDERS'
                AND x.until >= clock_timestamp())
        UNION ALL
        SELECT s.account_id, s.id, 'CHECK' FROM shops s
        WHERE s.in_use AND s.state = 'CATCHING_UP' AND coalesce(s.next_probe_at, at) <= at
        UNION
        SELECT j.account_id, j.shop_id, 'CHECK' FROM jobs j
        WHERE j.state IN ('WAITING', 'RUNNING') AND j.kind = 'SHOP_CHECK'
            AND (j.started_at IS NULL OR j.started_at <= at - interval '2 minutes')
        UNION ALL
        SELECT s.account_id, s.id, 'REFLECT' FROM free s
        WHERE coalesce(s.paused_until, at) <= at AND EXISTS (
            SELECT FROM listing_sync l
            WHERE l.account_id = s.account_id AND l.shop_id = s.id AND l.wanted > l.done AND (l.push_id IS NOT NULL
                OR s.goes AND l.expected IS NOT NULL AND coalesce(l.next_try_at, at) <= at AND (l.lane = 0 OR s.fresh
                    AND (l.base_source <> 'READ_BACK' OR l.base_latest IS NULL OR NOT s.fetches_orders
                        OR l.base_latest <= s.watermark OR l.expected < l.base))))
        UNION ALL
        SELECT s.account_id, s.id, 'READ_BACK' FROM running s
        WHERE s.goes AND s.in_use AND EXISTS (
            SELECT FROM pushes p WHERE p.account_id = s.account_id AND p.shop_id = s.id
                AND p.state IN ('ACCEPTED', 'APPLIED') AND p.read_back_at <= at)
        UNION
        SELECT w.account_id, w.shop_id, w.work FROM job_shops w
        JOIN jobs j ON j.account_id = w.account_id AND j.id = w.job_id AND j.state IN ('WAITING', 'RUNNING')
        JOIN shops s ON s.account_id = w.account_id AND s.id = w.shop_id
        WHERE w.outcome IS NULL AND w.next_try_at <= at AND (s.state IN ('RUNNING', 'CATCHING_UP') OR NOT s.in_use)
            AND (w.work <> 'INITIAL_ORDERS' OR NOT EXISTS (
                SELECT FROM shop_leases x WHERE x.account_id = w.account_id AND x.shop_id = w.shop_id
                    AND x.kind = 'ORDERS' AND x.until >= clock_timestamp()))
    ) AS due
    ORDER BY random() LIMIT at_most
$$;

SET ROLE renkei_owner;
REVOKE CREATE ON SCHEMA public FROM renkei_dispatch;
