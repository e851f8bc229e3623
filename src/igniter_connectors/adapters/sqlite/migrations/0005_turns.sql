-- Claims give the tenants with due events turns, so the index begins with the tenant. The time until
-- the next event is due is read from it too.
CREATE INDEX webhook_inbox_turns ON webhook_inbox (scope, identity, connector, due_at)
    WHERE state = 'pending' AND (order_key = '' OR is_head);

DROP INDEX webhook_inbox_due;
