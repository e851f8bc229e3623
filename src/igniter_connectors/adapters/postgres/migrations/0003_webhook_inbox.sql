-- Partition it by (scope, identity). `due_at` is when a pending event may be claimed: at once,
-- after a pause, or when the lease of `owner` ends. `purge_at` is when the body is deleted, or the
-- row if the body was deleted before.
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

-- The first column differs from the primary key's. While the table is small, two indexes with the
-- same first columns cost the same, and a plan that is cached then could scan all of a tenant's
-- events to find one.
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

-- The previous signing secret, which stays valid during an overlap.
ALTER TABLE igniter_webhook_endpoints
    ADD COLUMN sealed_previous bytea, ADD COLUMN previous_until timestamptz;

-- Accounts at the provider, which tell the connections of an event that is sent to the whole
-- application. Partition it by (connector, upstream).
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
