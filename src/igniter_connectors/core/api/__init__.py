"""Calls of a connector's API: the URL, the request, the retries."""
