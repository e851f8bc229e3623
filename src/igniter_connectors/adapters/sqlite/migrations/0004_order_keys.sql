-- Of the events of one order key, only the first is claimed: `is_head`. The others wait, and no
-- claim looks at them, however many they are. The unique index allows one head per key.
ALTER TABLE webhook_inbox ADD COLUMN is_head INTEGER NOT NULL DEFAULT 0;

-- The event that runs is the head, otherwise the earliest one. A held event blocks its key.
UPDATE webhook_inbox SET is_head = 1 WHERE state = 'pending' AND seq IN
    (SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY connection_id, order_key
            ORDER BY (owner <> '') DESC, received_at, seq) AS place
        FROM webhook_inbox WHERE order_key <> '' AND state IN ('pending', 'held'))
    WHERE place = 1);

CREATE UNIQUE INDEX webhook_inbox_heads ON webhook_inbox (connection_id, order_key)
    WHERE order_key <> '' AND state = 'pending' AND is_head;

DROP INDEX webhook_inbox_due;

CREATE INDEX webhook_inbox_due ON webhook_inbox (due_at)
    WHERE state = 'pending' AND (order_key = '' OR is_head);

-- An event that joins or leaves its order key may make another one the head. As triggers, these
-- changes are one with the statement that causes them, in a handler's own transaction too.
CREATE TRIGGER webhook_inbox_joins AFTER INSERT ON webhook_inbox WHEN new.order_key <> '' BEGIN
    UPDATE webhook_inbox SET is_head = 1
    WHERE state = 'pending'
        AND seq = (SELECT seq FROM webhook_inbox
            WHERE connection_id = new.connection_id AND order_key = new.order_key
                AND order_key <> '' AND state IN ('pending', 'held')
            ORDER BY received_at, seq LIMIT 1)
        AND NOT EXISTS (SELECT 1 FROM webhook_inbox
            WHERE connection_id = new.connection_id AND order_key = new.order_key
                AND order_key <> '' AND state = 'pending' AND is_head); END;

CREATE TRIGGER webhook_inbox_moves AFTER UPDATE OF state ON webhook_inbox WHEN new.order_key <> '' BEGIN
    UPDATE webhook_inbox SET is_head = 1
    WHERE state = 'pending'
        AND seq = (SELECT seq FROM webhook_inbox
            WHERE connection_id = new.connection_id AND order_key = new.order_key
                AND order_key <> '' AND state IN ('pending', 'held')
            ORDER BY received_at, seq LIMIT 1)
        AND NOT EXISTS (SELECT 1 FROM webhook_inbox
            WHERE connection_id = new.connection_id AND order_key = new.order_key
                AND order_key <> '' AND state = 'pending' AND is_head); END;

CREATE TRIGGER webhook_inbox_leaves AFTER DELETE ON webhook_inbox WHEN old.order_key <> '' BEGIN
    UPDATE webhook_inbox SET is_head = 1
    WHERE state = 'pending'
        AND seq = (SELECT seq FROM webhook_inbox
            WHERE connection_id = old.connection_id AND order_key = old.order_key
                AND order_key <> '' AND state IN ('pending', 'held')
            ORDER BY received_at, seq LIMIT 1)
        AND NOT EXISTS (SELECT 1 FROM webhook_inbox
            WHERE connection_id = old.connection_id AND order_key = old.order_key
                AND order_key <> '' AND state = 'pending' AND is_head); END;
