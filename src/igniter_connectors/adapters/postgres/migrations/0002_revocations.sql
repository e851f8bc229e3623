-- Which client and endpoint minted a grant, how long its refresh token lives, and whether
-- somebody else uses the same tokens. A row whose status is 'disconnected' is a tombstone: it
-- holds the id of the grant that was ended, and no secret.
ALTER TABLE igniter_connections
    ADD COLUMN client_id          text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN token_url          text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN refresh_expires_at timestamptz,
    ADD COLUMN is_shared          boolean NOT NULL DEFAULT false;

-- What is counted are connections, not tombstones.
DROP INDEX igniter_connections_by_connector;
CREATE INDEX igniter_connections_by_connector
    ON igniter_connections (connector) WHERE status <> 'disconnected';

-- Whether another connection lives on the same grant.
CREATE INDEX igniter_connections_by_subject
    ON igniter_connections (connector, subject) WHERE grant_id IS NOT NULL;

-- For the sweep: refresh tokens that lapse when nobody uses them.
CREATE INDEX igniter_connections_by_lapse
    ON igniter_connections (refresh_expires_at) WHERE refresh_expires_at IS NOT NULL;

-- For the purge.
CREATE INDEX igniter_connections_by_end
    ON igniter_connections (updated_at) WHERE status = 'disconnected';

-- Whether an authorization that could mint the same grant is under way.
CREATE INDEX igniter_authorizations_by_tenant
    ON igniter_authorizations (scope, identity, connector);

-- Tokens to be revoked. Partition by id.
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
