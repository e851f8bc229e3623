"""Webhooks: verified over the raw bytes before anything is decoded.

The steps of a delivery, in order: `challenge` (is it a handshake?), `verification` (is it
genuine?), `deduplication` (which events does it hold, and what identifies each?), `payload` (what
does each say?), `inbox` (the stored event), `retry_policy` (when a failed one is retried).
"""
