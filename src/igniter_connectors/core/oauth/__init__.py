"""The OAuth 2.0 client. For each request, one pure function builds it and another judges the
answer."""
