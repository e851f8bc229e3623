-- To be hash-partitioned by (scope, identity). `due_at` is when a pending event may be taken: at
-- once, after a pause, or when the lease of `owner` is over. `purge_at` is when the body goes,
-- or, where it is gone, the row.
CREATE TABLE igniter_webhook_inbox (
    scope            text COLLATE "C" NOT NULL,
    identity         text COLLATE "C" NOT NULL,
    id               text COLLATE "C" NOT NULL,
    connector        text COLLATE "C" NOT NULL,
    account          text COLLATE "C" NOT NULL,
    connection_id    text COLLATE "C" NOT NULL,
    event_id         text COLLATE "C" NOT NULL,
    state            text COLLATE "C" NOT NULL,
    attempts         bigint           NOT NULL,
    received_at      timestamptz      NOT NULL,
    order_key        text COLLATE "C" NOT NULL,
    due_at           timestamptz      NOT NULL,
    owner            text COLLATE "C" NOT NULL,
    finished_at      timestamptz,
    last_code        text COLLATE "C" NOT NULL,
    possible_replay  boolean          NOT NULL,
    body_hash        bytea,
    sealed_body      bytea,
    keep_until       timestamptz      NOT NULL,
    purge_at         timestamptz,
    PRIMARY KEY (scope, identity, id)
);

CREATE INDEX igniter_webhook_inbox_due ON igniter_webhook_inbox (due_at) WHERE state = 'pending';

-- Begins otherwise than the primary key: as long as the table is small the two cost the same, and
-- a plan that is made then, and kept, would look for one event among all of its tenant's.
CREATE INDEX igniter_webhook_inbox_of_connection
    ON igniter_webhook_inbox (account, connector, scope, identity, received_at, id);

CREATE INDEX igniter_webhook_inbox_in_order
    ON igniter_webhook_inbox (scope, identity, connection_id, order_key, received_at, id)
    WHERE order_key <> '' AND state IN ('pending', 'held');

CREATE INDEX igniter_webhook_inbox_bodies
    ON igniter_webhook_inbox (scope, identity, connection_id, body_hash)
    WHERE body_hash IS NOT NULL;

CREATE INDEX igniter_webhook_inbox_held
    ON igniter_webhook_inbox (scope, identity, connector, account) WHERE state = 'held';

CREATE INDEX igniter_webhook_inbox_to_purge
    ON igniter_webhook_inbox (purge_at) WHERE purge_at IS NOT NULL;

-- The signing secret before the present one, accepted beside it for a time.
ALTER TABLE igniter_webhook_endpoints
    ADD COLUMN sealed_previous bytea, ADD COLUMN previous_until timestamptz;

-- Whose the events are that come for the whole application: accounts at the provider. To be
-- hash-partitioned by (connector, upstream).
CREATE TABLE igniter_webhook_accounts (
    connector        text COLLATE "C" NOT NULL,
    upstream         text COLLATE "C" NOT NULL,
    scope            text COLLATE "C" NOT NULL,
    identity         text COLLATE "C" NOT NULL,
    account          text COLLATE "C" NOT NULL,
    connection_id    text COLLATE "C" NOT NULL,
    PRIMARY KEY (connector, upstream, connection_id)
);

CREATE INDEX igniter_webhook_accounts_of_connection
    ON igniter_webhook_accounts (scope, identity, connector, account);
