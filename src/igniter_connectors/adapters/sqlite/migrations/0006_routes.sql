-- The account at the provider that a connection's config names is a column of its row. So the
-- route of a webhook and the config change in one statement. A row that had several accounts gets
-- none, because only its config tells which one is right: `webhooks check-routes` finds it.
ALTER TABLE connections ADD COLUMN upstream TEXT;

UPDATE connections SET upstream = (SELECT min(a.upstream) FROM webhook_accounts AS a
        WHERE a.connector = connections.connector AND a.connection_id = connections.id
        HAVING count(*) = 1)
    WHERE status <> 'disconnected';

CREATE INDEX connections_by_upstream ON connections (connector, upstream)
    WHERE upstream IS NOT NULL;

DROP TABLE webhook_accounts;

-- The endpoint that a rotation put in the place of this one.
ALTER TABLE webhook_endpoints ADD COLUMN replaced_by TEXT;
