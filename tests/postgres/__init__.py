"""A real PostgreSQL for tests and benchmarks, without any set-up."""
