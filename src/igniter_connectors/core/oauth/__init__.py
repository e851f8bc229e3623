"""The OAuth 2.0 client: one pure function builds each request, another judges its answer."""
