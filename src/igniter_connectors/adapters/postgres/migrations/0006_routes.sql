-- The account at the provider that a connection's config names is a column of its row. So the
-- route of a webhook and the config change in one statement. A row that had several accounts gets
-- none, because only its config tells which one is right: `webhooks check-routes` finds it.
ALTER TABLE igniter_connections ADD COLUMN upstream text COLLATE "C";

UPDATE igniter_connections AS c SET upstream = a.upstream
FROM (SELECT connector, connection_id, min(upstream) AS upstream
    FROM igniter_webhook_accounts GROUP BY connector, connection_id HAVING count(*) = 1) AS a
WHERE c.connector = a.connector AND c.id = a.connection_id AND c.status <> 'disconnected';

CREATE INDEX igniter_connections_by_upstream ON igniter_connections (connector, upstream)
    WHERE upstream IS NOT NULL;

DROP TABLE igniter_webhook_accounts;

-- The endpoint that a rotation put in the place of this one.
ALTER TABLE igniter_webhook_endpoints ADD COLUMN replaced_by text COLLATE "C";
