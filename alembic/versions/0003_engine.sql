-- What the sync engine keeps: feeds, walks over a shop's listings, exposure, and which installation this is.

-- Set while what we believed of malls and orders may be from another time than the malls' own; nothing is sent until then.
ALTER TABLE accounts ADD COLUMN resync_from TIMESTAMP WITH TIME ZONE;

-- Calls in a row that failed: from some on, one call tries whether the mall is well.
ALTER TABLE shops ADD COLUMN failed_calls INTEGER DEFAULT 0 NOT NULL;

-- A key is looked up row by row, and this one tells nothing where every row points to another of its account; the logs are
-- written beside such rows, in the transaction that holds them.
DO $$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT k.conrelid::regclass AS relation, k.conname AS name FROM pg_constraint k
        WHERE k.contype = 'f' AND k.confrelid = 'accounts'::regclass AND k.conparentid = 0 AND (
            k.conrelid = ANY (ARRAY['events', 'stock_movements', 'operation_logs', 'sales_logs', 'mall_update_logs']::regclass[])
            OR EXISTS (SELECT FROM pg_constraint o
                WHERE o.conrelid = k.conrelid AND o.contype = 'f' AND o.conkey @> k.conkey AND o.confrelid <> k.confrelid
                    AND NOT EXISTS (SELECT FROM pg_attribute c
                        WHERE c.attrelid = o.conrelid AND c.attnum = ANY (o.conkey) AND NOT c.attnotnull)))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.relation, key.name);
    END LOOP;
END $$;

-- What an order said when it was read last: while the mall says the same, nothing about it is looked at.
ALTER TABLE orders
    ADD COLUMN fingerprint BIGINT,
    ADD COLUMN mall_updated_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE listing_sync
    ADD COLUMN exposed_since TIMESTAMP WITH TIME ZONE,
    ADD COLUMN feed_id UUID;
-- In the order of its lanes, so that what goes out next is found whatever waits, and whatever of it may not go yet.
DROP INDEX listing_sync_waiting_idx;
CREATE INDEX listing_sync_waiting_idx ON listing_sync
    (account_id, shop_id, lane, waiting_since, (CASE WHEN next_try_at IS NULL THEN '-infinity' ELSE next_try_at END))
    WHERE wanted > done;
CREATE INDEX listing_sync_feed_idx ON listing_sync (account_id, feed_id, listing_id) WHERE feed_id IS NOT NULL;

-- An attempt is made of a row of listing_sync, in the transaction that holds it.
ALTER TABLE pushes ADD COLUMN feed_id UUID,
    DROP CONSTRAINT pushes_account_id_listing_id_fkey;
DROP INDEX pushes_open_idx;
CREATE UNIQUE INDEX pushes_open_idx ON pushes (account_id, listing_id) WHERE state = 'SENT' AND feed_id IS NULL;
CREATE INDEX pushes_feed_idx ON pushes (account_id, feed_id, id) WHERE feed_id IS NOT NULL;
-- What a newer number of the same listing takes the place of, however many went out before.
CREATE INDEX pushes_expected_idx ON pushes (account_id, listing_id) WHERE state = 'ACCEPTED' OR read_back_at IS NOT NULL;
CREATE INDEX mall_update_logs_listing_idx ON mall_update_logs (account_id, listing_id, id);
DROP INDEX mall_update_logs_push_idx;
-- Not of listing_sync: its rows change with each number, and with them each of its indexes.
CREATE INDEX listings_shop_idx ON listings (account_id, shop_id, id);

ALTER TABLE sync_runs DROP CONSTRAINT sync_runs_kind_known, ADD CONSTRAINT sync_runs_kind_known
    CHECK (kind IN ('REFLECT', 'FULL_SYNC', 'ORDERS', 'READ_BACK', 'FEED'));

ALTER TABLE shop_leases DROP CONSTRAINT shop_leases_kind_known, ADD CONSTRAINT shop_leases_kind_known
    CHECK (kind IN ('REFLECT', 'ORDERS', 'CHECK'));

-- Room for a new total on the page of the old one: elsewhere, each of a product's six indexes would be told of it.
ALTER TABLE products SET (fillfactor = 80);

CREATE TABLE feeds (
    account_id UUID NOT NULL,
    id UUID DEFAULT uuidv7() NOT NULL,
    shop_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    name TEXT,
    state TEXT DEFAULT 'SENT' NOT NULL,
    items INTEGER NOT NULL,
    refused INTEGER DEFAULT 0 NOT NULL,
    looks INTEGER DEFAULT 0 NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    look_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    mall_code TEXT DEFAULT '' NOT NULL,
    mall_message TEXT DEFAULT '' NOT NULL,
    CONSTRAINT feeds_pkey PRIMARY KEY (account_id, id),
    CONSTRAINT feeds_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id),
    CONSTRAINT feeds_state_known CHECK (state IN ('SENT', 'ACCEPTED', 'DONE', 'FAILED', 'LOST')),
    CONSTRAINT feeds_open_until_ended CHECK ((state IN ('SENT', 'ACCEPTED')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX feeds_open_idx ON feeds (account_id, shop_id) WHERE ended_at IS NULL;

CREATE FUNCTION renkei_near_key(item text, variant text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(renkei_code_key(CASE variant WHEN '' THEN item ELSE item || ':' || variant END),
    '(^|[^0-9])0+(?=[0-9])', '\1', 'g') COLLATE "C";

COMMENT ON FUNCTION renkei_near_key IS 'Equal for codes that differ only in writing and in zeros before their numbers.';

CREATE INDEX listings_near_idx ON listings (account_id, shop_id, renkei_near_key(item_code, variant_code))
    WHERE deleted_at IS NULL AND NOT unknown_at_mall;
CREATE INDEX listings_near_end_idx ON listings (account_id, shop_id, reverse(renkei_near_key(item_code, variant_code)))
    WHERE deleted_at IS NULL AND NOT unknown_at_mall;

CREATE TABLE shop_walks (
    account_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    forget BOOLEAN DEFAULT false NOT NULL,
    lets_go JSONB,
    after UUID,
    epoch BIGINT DEFAULT 0 NOT NULL,
    failures INTEGER DEFAULT 0 NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT shop_walks_pkey PRIMARY KEY (account_id, shop_id),
    CONSTRAINT shop_walks_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id)
);

CREATE TABLE product_exposures (
    account_id UUID NOT NULL,
    product_id UUID NOT NULL,
    shop_id UUID NOT NULL,
    day DATE NOT NULL,
    milliseconds BIGINT DEFAULT 0 NOT NULL,
    longest BIGINT DEFAULT 0 NOT NULL,
    times INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT product_exposures_pkey PRIMARY KEY (account_id, product_id, shop_id, day),
    CONSTRAINT product_exposures_account_id_product_id_fkey FOREIGN KEY(account_id, product_id) REFERENCES products (account_id, id) ON DELETE CASCADE,
    CONSTRAINT product_exposures_account_id_shop_id_fkey FOREIGN KEY(account_id, shop_id) REFERENCES shops (account_id, id)
);
CREATE INDEX product_exposures_day_idx ON product_exposures (account_id, day);

-- The database's own identity as it was last seen: another one means a restore or a failover.
CREATE TABLE installation (
    only_one BOOLEAN DEFAULT true NOT NULL,
    system_identifier TEXT NOT NULL,
    timeline INTEGER NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT installation_pkey PRIMARY KEY (only_one),
    CONSTRAINT installation_one_row CHECK (only_one)
);
GRANT SELECT, INSERT, UPDATE ON installation TO renkei_app;
GRANT SELECT ON installation TO renkei_dispatch;

CREATE FUNCTION renkei_timeline() RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
$$;

COMMENT ON FUNCTION renkei_timeline IS 'Another one after each failover and each restore to a point in time.';

CREATE FUNCTION renkei_here() RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    here text := current_setting('renkei.here', true);
BEGIN
    IF coalesce(here, '') = '' THEN
        SELECT set_config('renkei.here', format('%s/%s', s.system_identifier, renkei_timeline()), false) INTO here
        FROM pg_control_system() s;
    END IF;
    RETURN here;
END $$;

COMMENT ON FUNCTION renkei_here IS
    'The server that this session is with, and its timeline: neither lasts longer than the other, so it is looked up once.';

CREATE FUNCTION renkei_moved() RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM installation i WHERE format('%s/%s', i.system_identifier, i.timeline) <> renkei_here());
END $$;

COMMENT ON FUNCTION renkei_moved IS 'A restore or a failover that nobody has noted yet.';

REVOKE ALL ON FUNCTION renkei_timeline, renkei_here, renkei_moved FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_timeline, renkei_here, renkei_moved TO renkei_app, renkei_dispatch;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feeds', 'shop_walks', 'product_exposures']
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

GRANT SELECT (resync_from), UPDATE (resync_from) ON accounts TO renkei_dispatch;
GRANT SELECT (feed_id) ON listing_sync TO renkei_dispatch;
GRANT SELECT (account_id, shop_id, next_try_at) ON shop_walks TO renkei_dispatch;
GRANT SELECT (account_id, id, shop_id, look_at) ON feeds TO renkei_dispatch;
CREATE POLICY dispatch ON shop_walks FOR SELECT TO renkei_dispatch USING (true);
CREATE POLICY dispatch ON feeds FOR SELECT TO renkei_dispatch USING (true);
GRANT SELECT (account_id, product_id, shop_id, day), DELETE ON product_exposures TO renkei_dispatch;
GRANT SELECT (account_id, id, closed_at), DELETE ON oversell_incidents TO renkei_dispatch;
CREATE POLICY dispatch ON oversell_incidents TO renkei_dispatch USING (true);
CREATE POLICY dispatch ON product_exposures TO renkei_dispatch USING (true);
GRANT SELECT (item_code, variant_code, unknown_at_mall) ON listings TO renkei_dispatch;
CREATE POLICY resync ON accounts FOR UPDATE TO renkei_dispatch USING (true);

GRANT CREATE ON SCHEMA public TO renkei_dispatch;
SET ROLE renkei_dispatch;

CREATE FUNCTION renkei_resyncs_due(at_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.id FROM accounts a WHERE a.resync_from IS NOT NULL ORDER BY a.id LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_resyncs_due IS 'Accounts whose malls must be believed anew before anything is sent.';

CREATE FUNCTION renkei_resync_all(since timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH marked AS (
        UPDATE accounts SET resync_from = least(resync_from, since) RETURNING 1)
    SELECT count(*) FROM marked
$$;

COMMENT ON FUNCTION renkei_resync_all IS 'After a restore or a failover that may have lost what came after `since`.';

REVOKE ALL ON FUNCTION renkei_resyncs_due, renkei_resync_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_resyncs_due, renkei_resync_all TO renkei_app;

CREATE FUNCTION renkei_forget_exposures(ended_before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM product_exposures x WHERE (x.account_id, x.product_id, x.shop_id, x.day) IN (
            SELECT o.account_id, o.product_id, o.shop_id, o.day FROM product_exposures o
            WHERE o.day < (ended_before AT TIME ZONE 'UTC')::date LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION renkei_near_codes(
    of_shop uuid, item text, variant text, neighbours integer, near_enough real, at_most integer)
RETURNS TABLE (nth bigint, listing_id uuid, reason text, likeness numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH asked AS MATERIALIZED (SELECT renkei_near_key(item, variant) AS key, reverse(renkei_near_key(item, variant)) AS yek),
    neighbour AS (
        (SELECT l.id FROM listings l WHERE l.account_id = renkei_account() AND l.shop_id = of_shop
            AND l.deleted_at IS NULL AND NOT l.unknown_at_mall
            AND renkei_near_key(l.item_code, l.variant_code) >= (SELECT key FROM asked)
            ORDER BY renkei_near_key(l.item_code, l.variant_code) LIMIT neighbours)
        UNION
        (SELECT l.id FROM listings l WHERE l.account_id = renkei_account() AND l.shop_id = of_shop
            AND l.deleted_at IS NULL AND NOT l.unknown_at_mall
            AND renkei_near_key(l.item_code, l.variant_code) < (SELECT key FROM asked)
            ORDER BY renkei_near_key(l.item_code, l.variant_code) DESC LIMIT neighbours)
        UNION
        (SELECT l.id FROM listings l WHERE l.account_id = renkei_account() AND l.shop_id = of_shop
            AND l.deleted_at IS NULL AND NOT l.unknown_at_mall
            AND reverse(renkei_near_key(l.item_code, l.variant_code)) >= (SELECT yek FROM asked)
            ORDER BY reverse(renkei_near_key(l.item_code, l.variant_code)) LIMIT neighbours)
        UNION
        (SELECT l.id FROM listings l WHERE l.account_id = renkei_account() AND l.shop_id = of_shop
            AND l.deleted_at IS NULL AND NOT l.unknown_at_mall
            AND reverse(renkei_near_key(l.item_code, l.variant_code)) < (SELECT yek FROM asked)
            ORDER BY reverse(renkei_near_key(l.item_code, l.variant_code)) DESC LIMIT neighbours)),
    compared AS (
        SELECT l.id, renkei_near_key(l.item_code, l.variant_code) = asked.key AS same, similarity(
            renkei_near_key(l.item_code, l.variant_code), asked.key) AS alike,
            renkei_code_key(concat_ws(':', l.item_code, nullif(l.variant_code, '')))
                = renkei_code_key(concat_ws(':', item, nullif(variant, ''))) AS otherwise
        FROM neighbour n JOIN listings l ON l.account_id = renkei_account() AND l.id = n.id CROSS JOIN asked),
    near AS (
        SELECT c.id, CASE WHEN c.otherwise THEN 'WRITTEN_OTHERWISE' WHEN c.same THEN 'LEADING_ZEROS' ELSE 'ALIKE' END AS reason,
            CASE WHEN c.same THEN 1 ELSE round(c.alike::numeric, 3) END AS likeness, c.otherwise, c.same
        FROM compared c WHERE c.same OR c.alike >= near_enough)
    SELECT row_number() OVER (ORDER BY n.otherwise DESC, n.same DESC, n.likeness DESC, n.id), n.id, n.reason, n.likeness FROM near n
    ORDER BY 1 LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_near_codes IS 'Listings of a shop whose codes are near to one; the work is the same however many there are.';

REVOKE ALL ON FUNCTION renkei_near_codes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_near_codes TO renkei_app;
CREATE FUNCTION renkei_forget_oversells(closed_before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM oversell_incidents o WHERE (o.account_id, o.id) IN (
            SELECT c.account_id, c.id FROM oversell_incidents c WHERE c.closed_at < closed_before LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION renkei_forget_exposures, renkei_forget_oversells FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_forget_exposures, renkei_forget_oversells TO renkei_app;

CREATE OR REPLACE FUNCTION renkei_due(at timestamptz, at_most integer, freshness jsonb DEFAULT '{}')
RETURNS TABLE (account_id uuid, shop_id uuid, work text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH running AS (
        SELECT s.account_id, s.id, s.mall, s.settings, s.state, s.order_poll_seconds, s.orders_seen_at, s.watermark,
            s.next_order_poll_at, s.next_probe_at, s.paused_until, s.in_use, s.state IN ('RUNNING', 'CATCHING_UP') AS goes,
            a.sync_running AND s.in_use AND s.orders_running AS fetches_orders
        FROM shops s JOIN accounts a ON a.id = s.account_id AND a.resync_from IS NULL
        WHERE NOT (SELECT renkei_moved())),
    free AS (
        SELECT r.*, r.state <> 'CATCHING_UP' AND (NOT r.fetches_orders OR r.orders_seen_at >= at - greatest(
            make_interval(secs => coalesce((freshness ->> r.mall)::float, 0)
                / greatest(coalesce(nullif(r.settings ->> 'speed', '')::float, 1), 1)),
            make_interval(secs => 3 * r.order_poll_seconds))) AS fresh
        FROM running r WHERE NOT EXISTS (
            SELECT FROM shop_leases x WHERE x.account_id = r.account_id AND x.shop_id = r.id AND x.kind = 'REFLECT'
                AND x.until >= clock_timestamp()))
    SELECT due.account_id, due.shop_id, due.work FROM (
        SELECT s.account_id, s.id AS shop_id, 'ORDERS' AS work FROM running s
        WHERE s.fetches_orders AND s.state = 'RUNNING' AND s.next_order_poll_at <= at AND NOT EXISTS (
            SELECT FROM shop_leases x WHERE x.account_id = s.account_id AND x.shop_id = s.id AND x.kind = 'ORDERS'
                AND x.until >= clock_timestamp())
        UNION ALL
        SELECT c.account_id, c.id, 'CHECK' FROM (
            SELECT s.account_id, s.id FROM running s
            WHERE s.in_use AND s.state = 'CATCHING_UP' AND coalesce(s.next_probe_at, at) <= at
            UNION
            SELECT j.account_id, j.shop_id FROM jobs j
            WHERE j.state IN ('WAITING', 'RUNNING') AND j.kind = 'SHOP_CHECK'
                AND (j.state = 'RUNNING' OR j.started_at IS NULL OR j.started_at <= at - interval '30 seconds')) AS c
        WHERE NOT EXISTS (
            SELECT FROM shop_leases x WHERE x.account_id = c.account_id AND x.shop_id = c.id AND x.kind = 'CHECK'
                AND x.until >= clock_timestamp())
        UNION ALL
        SELECT s.account_id, s.id, 'REFLECT' FROM free s
        WHERE coalesce(s.paused_until, at) <= at AND EXISTS (
            SELECT FROM listing_sync l
            WHERE l.account_id = s.account_id AND l.shop_id = s.id AND l.wanted > l.done AND (l.push_id IS NOT NULL
                OR s.goes AND l.expected IS NOT NULL AND coalesce(l.next_try_at, at) <= at AND (l.lane = 0 OR s.fresh AND l.feed_id IS NULL
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
        JOIN running s ON s.account_id = w.account_id AND s.id = w.shop_id
        WHERE w.outcome IS NULL AND w.next_try_at <= at AND (s.state IN ('RUNNING', 'CATCHING_UP') OR NOT s.in_use)
            AND (w.work <> 'INITIAL_ORDERS' OR NOT EXISTS (
                SELECT FROM shop_leases x WHERE x.account_id = w.account_id AND x.shop_id = w.shop_id
                    AND x.kind = 'ORDERS' AND x.until >= clock_timestamp()))
        UNION
        SELECT w.account_id, w.shop_id, 'WALK' FROM shop_walks w WHERE w.next_try_at <= at
        UNION ALL
        SELECT f.account_id, f.shop_id, 'FEED' FROM feeds f
        JOIN running s ON s.account_id = f.account_id AND s.id = f.shop_id WHERE f.look_at <= at
    ) AS due
    ORDER BY row_number() OVER (PARTITION BY due.account_id ORDER BY random()), random() LIMIT at_most
$$;

SET ROLE renkei_owner;
REVOKE CREATE ON SCHEMA public FROM renkei_dispatch;
