"""Webhook flows: receive, verify, record, handle, retry, replay, and administer endpoints."""
