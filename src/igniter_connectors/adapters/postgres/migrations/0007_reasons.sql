-- Why the last failed attempt at an event failed. A constant default rewrites no row.
ALTER TABLE igniter_webhook_inbox
    ADD COLUMN last_reason text COLLATE "C" NOT NULL DEFAULT '';
