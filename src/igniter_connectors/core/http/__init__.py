"""HTTP messages as values, and the addresses of our own routes."""
