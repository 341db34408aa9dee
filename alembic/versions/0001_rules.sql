-- What the tables alone do not say: who may do what, whose rows are whose, and how a total may change.

-- ── time and partitions ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION renkei_uuid_at(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

COMMENT ON FUNCTION renkei_uuid_at IS 'The smallest UUIDv7 of a moment: the bound of a month''s partition.';

CREATE TABLE stock_movements_default PARTITION OF stock_movements DEFAULT;
CREATE TABLE operation_logs_default PARTITION OF operation_logs DEFAULT;
CREATE TABLE sales_logs_default PARTITION OF sales_logs DEFAULT;
CREATE TABLE mall_update_logs_default PARTITION OF mall_update_logs DEFAULT;

CREATE FUNCTION renkei_make_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    log text;
    month timestamptz;
    name text;
    made integer := 0;
BEGIN
    FOR month IN SELECT generate_series(
        date_trunc('month', now(), 'UTC'), now() + make_interval(months => months_ahead), '1 month', 'UTC')
    LOOP
        FOREACH log IN ARRAY ARRAY['stock_movements', 'operation_logs', 'sales_logs', 'mall_update_logs'] LOOP
            name := format('%s_%s', log, to_char(month AT TIME ZONE 'UTC', 'YYYYMM'));
            CONTINUE WHEN to_regclass(name) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, log,
                renkei_uuid_at(month), renkei_uuid_at(month + interval '1 month'));
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION renkei_unpartitioned_rows() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM stock_movements_default) + (SELECT count(*) FROM operation_logs_default)
        + (SELECT count(*) FROM sales_logs_default) + (SELECT count(*) FROM mall_update_logs_default)
$$;

SELECT renkei_make_partitions(3);

-- ── a total moves by a movement, and by nothing else ─────────────────────────────────────────────────────────────────

CREATE FUNCTION renkei_apply_movement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE products
    SET total = NEW.balance_after, stock_version = NEW.stock_version, updated_at = NEW.recorded_at
    WHERE account_id = NEW.account_id AND id = NEW.product_id
        AND total = NEW.balance_before AND stock_version = NEW.stock_version - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'movement % of product % does not follow the ledger', NEW.id, NEW.product_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER apply_movement AFTER INSERT ON stock_movements
    FOR EACH ROW EXECUTE FUNCTION renkei_apply_movement();

-- ── whose rows are whose ─────────────────────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION renkei_account() RETURNS uuid
LANGUAGE sql STABLE
RETURN nullif(current_setting('renkei.account', true), '')::uuid;

ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts
    USING (id = (SELECT renkei_account())) WITH CHECK (id = (SELECT renkei_account()));

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %I USING (account_id = (SELECT renkei_account()))
             WITH CHECK (account_id = (SELECT renkei_account()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO renkei_app', name);
    END LOOP;
END $$;

-- ── what the serving role may do ─────────────────────────────────────────────────────────────────────────────────────

GRANT USAGE ON SCHEMA public TO renkei_app, renkei_dispatch;
GRANT SELECT ON alembic_version TO renkei_app;
GRANT SELECT, INSERT, UPDATE ON accounts TO renkei_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON clock_leases, rate_buckets TO renkei_app;

REVOKE DELETE ON orders, order_effects, order_items, order_lines FROM renkei_app;
REVOKE UPDATE, DELETE ON stock_movements, sales_logs FROM renkei_app;
REVOKE UPDATE, DELETE ON operation_logs, mall_update_logs FROM renkei_app;
GRANT UPDATE (reflected_at) ON operation_logs TO renkei_app;
GRANT UPDATE (state, applied_at, mall_code, mall_message) ON mall_update_logs TO renkei_app;

-- Every column of a product but the two that the ledger writes.
REVOKE INSERT, UPDATE, DELETE ON products FROM renkei_app;
GRANT INSERT (account_id, code, name, named_by_hand, attributes, image_url, kind, managed, reserve, group_id,
              counted_at, folded, version, deleted_at, created_at, updated_at),
      UPDATE (code, name, named_by_hand, attributes, image_url, kind, managed, reserve, group_id,
              counted_at, folded, version, deleted_at, updated_at)
    ON products TO renkei_app;

REVOKE ALL ON FUNCTION renkei_make_partitions, renkei_unpartitioned_rows, renkei_apply_movement FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_make_partitions, renkei_unpartitioned_rows TO renkei_app;

-- ── what dispatching sees across accounts ────────────────────────────────────────────────────────────────────────────

GRANT SELECT (id, code, sync_running) ON accounts TO renkei_dispatch;
GRANT SELECT (account_id, id, name, token_hash, role, scopes, expires_at, last_used_at, revoked_at)
    ON api_tokens TO renkei_dispatch;
GRANT SELECT (account_id, id, mall, settings, state, in_use, orders_running, order_poll_seconds, orders_seen_at, watermark,
              reflect_interval_seconds, next_order_poll_at, next_probe_at, paused_until)
    ON shops TO renkei_dispatch;
GRANT SELECT (account_id, shop_id, kind, until) ON shop_leases TO renkei_dispatch;
GRANT SELECT (account_id, listing_id, shop_id, wanted, done, lane, next_try_at, waiting_since, push_id, expected, base,
              base_source, base_latest, not_pushed, difference)
    ON listing_sync TO renkei_dispatch;
GRANT SELECT (account_id, seq, at), DELETE ON events TO renkei_dispatch;
GRANT SELECT (account_id, shop_id, kind, state, started_at) ON jobs TO renkei_dispatch;
GRANT SELECT (account_id, id, listing_id, shop_id, state, read_back_at, sent_at), DELETE ON pushes TO renkei_dispatch;
GRANT SELECT (account_id, id, folded, deleted_at) ON products TO renkei_dispatch;
GRANT SELECT (account_id, id, shop_id, folded, deleted_at) ON listings TO renkei_dispatch;
GRANT SELECT (account_id, listing_id, product_id) ON links TO renkei_dispatch;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['accounts', 'api_tokens', 'shops', 'shop_leases', 'listing_sync', 'jobs',
                                'pushes', 'products', 'listings', 'links', 'events']
    LOOP
        EXECUTE format('CREATE POLICY dispatch ON %I FOR SELECT TO renkei_dispatch USING (true)', name);
    END LOOP;
END $$;

CREATE POLICY forget ON events FOR DELETE TO renkei_dispatch USING (true);
CREATE POLICY forget ON pushes FOR DELETE TO renkei_dispatch USING (true);

-- Its functions run with its rights; it may hold CREATE on the schema only while it makes them.
GRANT CREATE ON SCHEMA public TO renkei_dispatch;
SET ROLE renkei_dispatch;

CREATE FUNCTION renkei_authenticate(hash bytea)
RETURNS TABLE (account_id uuid, token_id uuid, name text, role text, scopes text[], expires_at timestamptz,
               last_used_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.account_id, t.id, t.name, t.role, t.scopes, t.expires_at, t.last_used_at, t.revoked_at
    FROM api_tokens t WHERE t.token_hash = hash
$$;

CREATE FUNCTION renkei_account_of(account_code text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM accounts WHERE code = account_code
$$;

CREATE FUNCTION renkei_accounts(after uuid, at_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM accounts WHERE after IS NULL OR id > after ORDER BY id LIMIT at_most
$$;

CREATE FUNCTION renkei_due(at timestamptz, at_most integer, freshness jsonb DEFAULT '{}')
RETURNS TABLE (account_id uuid, shop_id uuid, work text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH running AS (
        SELECT s.account_id, s.id, s.mall, s.settings, s.state, s.order_poll_seconds, s.orders_seen_at, s.watermark,
            s.next_order_poll_at, s.paused_until, s.state IN ('RUNNING', 'CATCHING_UP') AS goes,
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
                        OR l.base_latest <= s.watermark))))
        UNION ALL
        SELECT s.account_id, s.id, 'READ_BACK' FROM running s
        WHERE s.goes AND EXISTS (
            SELECT FROM pushes p WHERE p.account_id = s.account_id AND p.shop_id = s.id AND p.state = 'ACCEPTED'
                AND p.read_back_at <= at)
    ) AS due
    ORDER BY random() LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_due IS
    'Shops with work that can be done now. `freshness`: by mall, for how many seconds its orders count as fresh.';

CREATE FUNCTION renkei_overdue(at timestamptz, at_most integer, delays jsonb)
RETURNS TABLE (account_id uuid, listing_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.account_id, l.listing_id FROM shops s
    JOIN listing_sync l ON l.account_id = s.account_id AND l.shop_id = s.id
    WHERE l.wanted > l.done AND l.difference IS NULL AND l.not_pushed = '{}' AND l.base IS DISTINCT FROM l.expected
        AND l.waiting_since <= at - make_interval(secs => s.reflect_interval_seconds + greatest(5,
            coalesce((delays ->> s.mall)::float, 0) / greatest(coalesce(nullif(s.settings ->> 'speed', '')::float, 1), 1)))
    LIMIT at_most
$$;

COMMENT ON FUNCTION renkei_overdue IS
    'Listings that time alone has made a difference. `delays`: by mall, how many seconds a number usually takes.';

CREATE FUNCTION renkei_forget_events(before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM events e WHERE (e.account_id, e.seq) IN (
            SELECT o.account_id, o.seq FROM events o WHERE o.at < before LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

CREATE FUNCTION renkei_forget_pushes(sent_before timestamptz, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM pushes p WHERE (p.account_id, p.id) IN (
            SELECT o.account_id, o.id FROM pushes o
            WHERE o.sent_at < sent_before AND o.state NOT IN ('SENT', 'ACCEPTED') AND EXISTS (
                SELECT FROM pushes n WHERE n.account_id = o.account_id AND n.listing_id = o.listing_id AND n.id > o.id)
            LIMIT at_most)
        RETURNING 1)
    SELECT count(*) FROM gone
$$;

COMMENT ON FUNCTION renkei_forget_pushes IS 'What became of them is in the log; a listing''s newest attempt is kept.';

CREATE FUNCTION renkei_search_products(patterns text[], shop_ids uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT hit.id FROM (
        SELECT p.id, w.nth FROM unnest(patterns) WITH ORDINALITY AS w (pattern, nth)
        JOIN products p ON p.account_id = renkei_account() AND p.folded LIKE w.pattern
        UNION
        SELECT k.product_id, w.nth FROM unnest(patterns) WITH ORDINALITY AS w (pattern, nth)
        JOIN listings l ON l.account_id = renkei_account() AND l.folded LIKE w.pattern AND l.deleted_at IS NULL
            AND (shop_ids IS NULL OR l.shop_id = ANY (shop_ids))
        JOIN links k ON k.account_id = l.account_id AND k.listing_id = l.id AND k.product_id IS NOT NULL
    ) AS hit
    GROUP BY hit.id HAVING count(*) = cardinality(patterns)
$$;

CREATE FUNCTION renkei_search_listings(patterns text[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT hit.id FROM (
        SELECT l.id, w.nth FROM unnest(patterns) WITH ORDINALITY AS w (pattern, nth)
        JOIN listings l ON l.account_id = renkei_account() AND l.folded LIKE w.pattern AND l.deleted_at IS NULL
        UNION
        SELECT k.listing_id, w.nth FROM unnest(patterns) WITH ORDINALITY AS w (pattern, nth)
        JOIN products p ON p.account_id = renkei_account() AND p.folded LIKE w.pattern
        JOIN links k ON k.account_id = p.account_id AND k.product_id = p.id
    ) AS hit
    GROUP BY hit.id HAVING count(*) = cardinality(patterns)
$$;

REVOKE ALL ON FUNCTION renkei_authenticate, renkei_account_of, renkei_accounts, renkei_due, renkei_overdue,
    renkei_forget_events, renkei_forget_pushes, renkei_search_products, renkei_search_listings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renkei_authenticate, renkei_account_of, renkei_accounts, renkei_due, renkei_overdue,
    renkei_forget_events, renkei_forget_pushes, renkei_search_products, renkei_search_listings TO renkei_app;

SET ROLE renkei_owner;
REVOKE CREATE ON SCHEMA public FROM renkei_dispatch;
