"""Authorizing, refreshing and revoking grants."""
