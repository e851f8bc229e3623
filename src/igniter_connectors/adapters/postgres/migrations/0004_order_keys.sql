-- Of the events of one order key, only the first is claimed: `is_head`. The others wait, and no
-- claim looks at them, however many they are. The unique index allows one head per key.
ALTER TABLE igniter_webhook_inbox ADD COLUMN is_head boolean NOT NULL DEFAULT false;

-- The event that runs is the head, otherwise the earliest one. A held event blocks its key.
UPDATE igniter_webhook_inbox AS i SET is_head = true
FROM (SELECT DISTINCT ON (scope, identity, connection_id, order_key) scope, identity, id, state
    FROM igniter_webhook_inbox WHERE order_key <> '' AND state IN ('pending', 'held')
    ORDER BY scope, identity, connection_id, order_key,
        (owner <> '' AND due_at > now()) DESC, received_at, id) AS first
WHERE first.state = 'pending'
    AND i.scope = first.scope AND i.identity = first.identity AND i.id = first.id;

CREATE UNIQUE INDEX igniter_webhook_inbox_heads
    ON igniter_webhook_inbox (scope, identity, connection_id, order_key)
    WHERE order_key <> '' AND state = 'pending' AND is_head;

DROP INDEX igniter_webhook_inbox_due;

CREATE INDEX igniter_webhook_inbox_due ON igniter_webhook_inbox (due_at)
    WHERE state = 'pending' AND (order_key = '' OR is_head);
