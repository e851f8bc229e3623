"""Webhooks: signatures over raw bytes, checked before anything decodes them."""
