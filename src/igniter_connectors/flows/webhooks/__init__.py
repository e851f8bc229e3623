"""Receiving, routing and handling webhooks."""
