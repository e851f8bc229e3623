-- Instants are microseconds since 1970 in UTC; blobs named sealed_ are envelopes.
CREATE TABLE connections (
    scope            TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    connector        TEXT    NOT NULL,
    account          TEXT    NOT NULL,
    id               TEXT    NOT NULL UNIQUE,
    public_config    BLOB    NOT NULL,
    sealed_config    BLOB    NOT NULL,
    enabled          INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    status           TEXT    NOT NULL,
    failures         INTEGER NOT NULL,
    next_attempt_at  INTEGER,
    lease_owner      TEXT,
    lease_until      INTEGER,
    unresolved       INTEGER NOT NULL,
    -- `unresolved` before the running lease was taken, so that one statement takes the lease and
    -- returns the old mark.
    unresolved_before INTEGER,
    grant_id         TEXT,
    generation       INTEGER,
    sealed_tokens    BLOB,
    oauth_scopes     TEXT,
    refreshable      INTEGER,
    refreshed_at     INTEGER,
    expires_at       INTEGER,
    subject          TEXT,
    profile          BLOB,
    PRIMARY KEY (scope, identity, connector, account)
) WITHOUT ROWID;

CREATE TABLE authorizations (
    handle_hash      BLOB    NOT NULL PRIMARY KEY,
    binding_hash     BLOB    NOT NULL,
    id               TEXT    NOT NULL,
    scope            TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    connector        TEXT    NOT NULL,
    account          TEXT    NOT NULL,
    sealed_payload   BLOB    NOT NULL,
    expires_at       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX authorizations_by_end ON authorizations (expires_at);

CREATE TABLE webhook_endpoints (
    token_hash       BLOB    NOT NULL PRIMARY KEY,
    id               TEXT    NOT NULL,
    scope            TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    connector        TEXT    NOT NULL,
    account          TEXT    NOT NULL,
    connection_id    TEXT    NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    sealed_secret    BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    valid_until      INTEGER
) WITHOUT ROWID;

CREATE INDEX webhook_endpoints_by_connection ON webhook_endpoints (connection_id);
