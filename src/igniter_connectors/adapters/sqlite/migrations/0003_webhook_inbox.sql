-- `due_at` is when a pending event may be claimed: at once, after a pause, or when the lease of
-- `owner` ends. `purge_at` is when the body is deleted, or the row if the body was deleted before.
CREATE TABLE webhook_inbox (
    seq              INTEGER PRIMARY KEY,
    scope            TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    connector        TEXT    NOT NULL,
    account          TEXT    NOT NULL,
    connection_id    TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    event_id         TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    attempts         INTEGER NOT NULL,
    received_at      INTEGER NOT NULL,
    order_key        TEXT    NOT NULL,
    due_at           INTEGER NOT NULL,
    owner            TEXT    NOT NULL,
    finished_at      INTEGER,
    last_code        TEXT    NOT NULL,
    possible_replay  INTEGER NOT NULL,
    body_hash        BLOB,
    sealed_body      BLOB,
    keep_until       INTEGER NOT NULL,
    purge_at         INTEGER,
    UNIQUE (scope, identity, id)
);

CREATE INDEX webhook_inbox_due ON webhook_inbox (due_at) WHERE state = 'pending';

CREATE INDEX webhook_inbox_of_connection
    ON webhook_inbox (scope, identity, connector, account, received_at, id);

CREATE INDEX webhook_inbox_in_order ON webhook_inbox (connection_id, order_key, received_at, seq)
    WHERE order_key <> '' AND state IN ('pending', 'held');

CREATE INDEX webhook_inbox_bodies ON webhook_inbox (connection_id, body_hash)
    WHERE body_hash IS NOT NULL;

CREATE INDEX webhook_inbox_held ON webhook_inbox (scope, identity, connector, account)
    WHERE state = 'held';

CREATE INDEX webhook_inbox_to_purge ON webhook_inbox (purge_at) WHERE purge_at IS NOT NULL;

-- The previous signing secret, which stays valid during an overlap.
ALTER TABLE webhook_endpoints ADD COLUMN sealed_previous BLOB;
ALTER TABLE webhook_endpoints ADD COLUMN previous_until INTEGER;

-- Accounts at the provider, which tell the connections of an event that is sent to the whole
-- application.
CREATE TABLE webhook_accounts (
    connector        TEXT    NOT NULL,
    upstream         TEXT    NOT NULL,
    scope            TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    account          TEXT    NOT NULL,
    connection_id    TEXT    NOT NULL,
    PRIMARY KEY (connector, upstream, connection_id)
) WITHOUT ROWID;

CREATE INDEX webhook_accounts_of_connection
    ON webhook_accounts (scope, identity, connector, account);
