"""Calls of a connector's API: the address, the request, the retries."""
