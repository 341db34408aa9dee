-- What the whole API keeps: sessions, bulk changes, mappings of codes, fields of the malls, documents, scoped keys.

ALTER TABLE accounts
    ADD COLUMN confirm_to_zero INTEGER DEFAULT 50 NOT NULL,
    ADD COLUMN confirm_changed INTEGER DEFAULT 500 NOT NULL,
    ADD CONSTRAINT accounts_confirm_range CHECK (confirm_to_zero >= 0 AND confirm_changed >= 0);

ALTER TABLE users ADD COLUMN invitation_hash BYTEA, ADD COLUMN invitation_until TIMESTAMP WITH TIME ZONE;

ALTER TABLE shops ADD COLUMN disconnected_at TIMESTAMP WITH TIME ZONE, DROP CONSTRAINT shops_account_id_name_key;
CREATE UNIQUE INDEX shops_name_idx ON shops (account_id, name) WHERE disconnected_at IS NULL;

ALTER TABLE products ADD COLUMN free_counted_at TIMESTAMP WITH TIME ZONE;
GRANT INSERT (free_counted_at), UPDATE (free_counted_at) ON products TO renkei_app;

CREATE INDEX operation_logs_target_idx ON operation_logs (account_id, target_id, id);

ALTER TABLE jobs DROP CONSTRAINT jobs_kind_known, ADD CONSTRAINT jobs_kind_known
    CHECK (kind IN ('REFLECT', 'SHOP_CHECK', 'BULK_CHANGE', 'ORDER_FETCH', 'READ_MALL_STOCK'));

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
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sessions_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT sessions_account_id_user_id_fkey FOREIGN KEY(account_id, user_id) REFERENCES users (account_id, id),
    CONSTRAINT sessions_account_id_fkey FOREIGN KEY(account_id) REFERENCES accounts (id),
    CONSTRAINT sessions_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX sessions_user_idx ON sessions (account_id, user_id);

CREATE TABLE listing_fields (
    account_id UUID NOT NULL,
    listing_id UUID NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    owner TEXT DEFAULT 'US' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    changed_by JSONB,
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
    FOREACH name IN ARRAY ARRAY['sessions', 'listing_fields', 'code_mappings', 'job_targets', 'documents',
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

GRANT SELECT (account_id, id, user_id, token_hash, expires_at, last_used_at, ended_at) ON sessions TO renkei_dispatch;
GRANT SELECT (account_id, id, name, role, disabled_at) ON users TO renkei_dispatch;
GRANT SELECT (id) ON jobs TO renkei_dispatch;
CREATE POLICY dispatch ON sessions FOR SELECT TO renkei_dispatch USING (true);
CREATE POLICY dispatch ON users FOR SELECT TO renkei_dispatch USING (true);

GRANT CREATE ON SCHEMA public TO renkei_dispatch;
SET ROLE renkei_dispatch;

CREATE FUNCTION renkei_authenticate_session(hash bytea)
RETURNS TABLE (account_id uuid, session_id uuid, user_id uuid, name text, role text, expires_at timestamptz,
               last_used_at timestamptz, ended_at timestamptz, disabled_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.account_id, s.id, u.id, u.name, u.role, s.expires_at, s.last_used_at, s.ended_at, u.disabled_at
    FROM sessions s JOIN users u ON u.account_id = s.account_id AND u.id = s.user_id
    WHERE s.token_hash = hash
$$;

CREATE FUNCTION renkei_jobs_due(at_most integer) RETURNS TABLE (account_id uuid, job_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT j.account_id, j.id FROM jobs j
    WHERE j.kind = 'BULK_CHANGE' AND j.state IN ('WAITING', 'RUNNING')
    ORDER BY random() LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_jobs_due IS 'Bulk changes that are not over; each batch locks its job.';

REVOKE ALL ON FUNCTION renkei_authenticate_session, renkei_jobs_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_authenticate_session, renkei_jobs_due TO renkei_app;

SET ROLE renkei_owner;
REVOKE CREATE ON SCHEMA public FROM renkei_dispatch;
