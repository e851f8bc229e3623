-- The client and the endpoint that minted a grant, the expiry of its refresh token, and whether
-- another application uses the same tokens. A row with the status 'disconnected' is a tombstone:
-- it contains the ended grant's id, and no secret.
ALTER TABLE connections ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN token_url TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN refresh_expires_at INTEGER;
ALTER TABLE connections ADD COLUMN is_shared INTEGER NOT NULL DEFAULT 0;

CREATE INDEX connections_by_subject ON connections (connector, subject)
    WHERE grant_id IS NOT NULL;
CREATE INDEX connections_by_lapse ON connections (refresh_expires_at)
    WHERE refresh_expires_at IS NOT NULL;
CREATE INDEX connections_by_end ON connections (updated_at) WHERE status = 'disconnected';
CREATE INDEX authorizations_by_tenant ON authorizations (scope, identity, connector);

-- The queue of tokens to be revoked.
CREATE TABLE revocations (
    id                 TEXT    NOT NULL PRIMARY KEY,
    scope              TEXT    NOT NULL,
    identity           TEXT    NOT NULL,
    connector          TEXT    NOT NULL,
    account            TEXT    NOT NULL,
    connection_id      TEXT    NOT NULL,
    public_config      BLOB    NOT NULL,
    sealed_config      BLOB    NOT NULL,
    attempts           INTEGER NOT NULL,
    due_at             INTEGER NOT NULL,
    grant_id           TEXT    NOT NULL,
    generation         INTEGER NOT NULL,
    sealed_tokens      BLOB    NOT NULL,
    oauth_scopes       TEXT,
    refreshable        INTEGER,
    refreshed_at       INTEGER NOT NULL,
    expires_at         INTEGER,
    subject            TEXT,
    profile            BLOB,
    client_id          TEXT    NOT NULL,
    token_url          TEXT    NOT NULL,
    refresh_expires_at INTEGER,
    is_shared          INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX revocations_by_due ON revocations (due_at);
