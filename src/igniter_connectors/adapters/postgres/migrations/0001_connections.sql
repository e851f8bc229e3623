-- No table has a foreign key, or a unique index besides its primary key. So each can be
-- hash-partitioned by its own key: connections by (scope, identity), which keeps a tenant in
-- one partition; authorizations by handle_hash; webhook endpoints by token_hash.
-- COLLATE "C": names are compared byte by byte, the same on every machine.
-- Blobs named sealed_ are envelopes.
CREATE TABLE igniter_connections (
    scope            text COLLATE "C" NOT NULL,
    identity         text COLLATE "C" NOT NULL,
    connector        text COLLATE "C" NOT NULL,
    account          text COLLATE "C" NOT NULL,
    id               text COLLATE "C" NOT NULL,
    public_config    bytea            NOT NULL,
    sealed_config    bytea            NOT NULL,
    enabled          boolean          NOT NULL,
    version          bigint           NOT NULL,
    created_at       timestamptz      NOT NULL,
    updated_at       timestamptz      NOT NULL,
    status           text COLLATE "C" NOT NULL,
    failures         bigint           NOT NULL,
    next_attempt_at  timestamptz,
    lease_owner      text COLLATE "C",
    lease_until      timestamptz,
    unresolved       boolean          NOT NULL,
    -- `unresolved` before the running lease was taken, so that one statement takes the lease and
    -- returns the old mark.
    unresolved_before boolean,
    grant_id         text COLLATE "C",
    generation       bigint,
    sealed_tokens    bytea,
    oauth_scopes     text[],
    refreshable      boolean,
    refreshed_at     timestamptz,
    expires_at       timestamptz,
    subject          text COLLATE "C",
    profile          bytea,
    PRIMARY KEY (scope, identity, connector, account)
);

-- Counts a connector's connections over all tenants. Equal keys keep the index small.
CREATE INDEX igniter_connections_by_connector ON igniter_connections (connector);

CREATE TABLE igniter_authorizations (
    handle_hash      bytea            NOT NULL PRIMARY KEY,
    binding_hash     bytea            NOT NULL,
    id               text COLLATE "C" NOT NULL,
    scope            text COLLATE "C" NOT NULL,
    identity         text COLLATE "C" NOT NULL,
    connector        text COLLATE "C" NOT NULL,
    account          text COLLATE "C" NOT NULL,
    sealed_payload   bytea            NOT NULL,
    expires_at       timestamptz      NOT NULL
);

CREATE INDEX igniter_authorizations_by_end ON igniter_authorizations (expires_at);

CREATE TABLE igniter_webhook_endpoints (
    token_hash       bytea            NOT NULL PRIMARY KEY,
    id               text COLLATE "C" NOT NULL,
    scope            text COLLATE "C" NOT NULL,
    identity         text COLLATE "C" NOT NULL,
    connector        text COLLATE "C" NOT NULL,
    account          text COLLATE "C" NOT NULL,
    connection_id    text COLLATE "C" NOT NULL,
    sealed_secret    bytea            NOT NULL,
    created_at       timestamptz      NOT NULL,
    valid_until      timestamptz
);

CREATE INDEX igniter_webhook_endpoints_by_connection
    ON igniter_webhook_endpoints (scope, identity, connector, account);
