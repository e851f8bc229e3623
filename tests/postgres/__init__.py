"""A real Postgres for tests and benchmarks, with nothing to set up."""
