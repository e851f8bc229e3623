"""The store for many processes: PostgreSQL, through psycopg 3."""

try:
    from igniter_connectors.adapters.postgres.store import PostgresStore
except ModuleNotFoundError as _missing:
    if _missing.name not in {"psycopg", "psycopg_pool"}:
        raise
    raise ImportError(
        "PostgresStore needs psycopg: pip install 'igniter-connectors[postgres]'"
    ) from None

__all__ = ["PostgresStore"]
