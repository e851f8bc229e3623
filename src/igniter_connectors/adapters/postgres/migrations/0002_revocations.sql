-- The client and the endpoint that minted a grant, the expiry of its refresh token, and whether
-- another application uses the same tokens. A row with the status 'disconnected' is a tombstone:
-- it contains the ended grant's id, and no secret.
ALTER TABLE igniter_connections
    ADD COLUMN client_id          text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN token_url          text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN refresh_expires_at timestamptz,
    ADD COLUMN is_shared          boolean NOT NULL DEFAULT false;

-- Counts connections, not tombstones.
DROP INDEX igniter_connections_by_connector;
CREATE INDEX igniter_connections_by_connector
    ON igniter_connections (connector) WHERE status <> 'disconnected';

-- Finds other connections that use the same grant.
CREATE INDEX igniter_connections_by_subject
    ON igniter_connections (connector, subject) WHERE grant_id IS NOT NULL;

-- Finds refresh tokens that expire soon, for the renewal.
CREATE INDEX igniter_connections_by_lapse
    ON igniter_connections (refresh_expires_at) WHERE refresh_expires_at IS NOT NULL;

-- Finds old tombstones, for the purge.
CREATE INDEX igniter_connections_by_end
    ON igniter_connections (updated_at) WHERE status = 'disconnected';

-- Finds pending authorizations that could obtain the same grant.
CREATE INDEX igniter_authorizations_by_tenant
    ON igniter_authorizations (scope, identity, connector);

-- The queue of tokens to be revoked. Partition it by id.
CREATE TABLE igniter_revocations (
    id                 text COLLATE "C" NOT NULL PRIMARY KEY,
    scope              text COLLATE "C" NOT NULL,
    identity           text COLLATE "C" NOT NULL,
    connector          text COLLATE "C" NOT NULL,
    account            text COLLATE "C" NOT NULL,
    connection_id      text COLLATE "C" NOT NULL,
    public_config      bytea            NOT NULL,
    sealed_config      bytea            NOT NULL,
    attempts           bigint           NOT NULL,
    due_at             timestamptz      NOT NULL,
    grant_id           text COLLATE "C" NOT NULL,
    generation         bigint           NOT NULL,
    sealed_tokens      bytea            NOT NULL,
    oauth_scopes       text[],
    refreshable        boolean,
    refreshed_at       timestamptz      NOT NULL,
    expires_at         timestamptz,
    subject            text COLLATE "C",
    profile            bytea,
    client_id          text COLLATE "C" NOT NULL,
    token_url          text COLLATE "C" NOT NULL,
    refresh_expires_at timestamptz,
    is_shared          boolean          NOT NULL
);

CREATE INDEX igniter_revocations_by_due ON igniter_revocations (due_at);
