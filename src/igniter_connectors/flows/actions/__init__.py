"""Calling actions, and the API calls that their handlers make."""
