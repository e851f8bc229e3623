-- Why the last failed attempt at an event failed.
ALTER TABLE webhook_inbox ADD COLUMN last_reason text NOT NULL DEFAULT '';
