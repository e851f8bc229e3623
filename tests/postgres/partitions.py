"""Every table of the library hash-partitioned by its own key, as the README shows."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql

COUNT: Final = 4

KEYS: Final = {
    "igniter_connections": ("scope", "identity"),
    "igniter_authorizations": ("handle_hash",),
    "igniter_webhook_endpoints": ("token_hash",),
    "igniter_revocations": ("id",),
    "igniter_webhook_inbox": ("scope", "identity"),
}

_MAKE = """
    ALTER TABLE {table} RENAME TO {old};
    CREATE TABLE {table} (LIKE {old} INCLUDING ALL) PARTITION BY HASH ({key});
    DROP TABLE {old};
"""
_MAKE_PART = (
    "CREATE TABLE {part} PARTITION OF {table} FOR VALUES WITH (MODULUS {count}, REMAINDER {number})"
)


def partition_every_table(connection: psycopg.Connection) -> None:
    """Replaces each empty table by a partitioned one with the same columns and indexes."""
    for table, key in KEYS.items():
        names = {
            "table": sql.Identifier(table),
            "old": sql.Identifier(f"{table}_old"),
            "key": sql.SQL(", ").join(map(sql.Identifier, key)),
        }
        connection.execute(sql.SQL(_MAKE).format(**names))
        for number in range(COUNT):
            connection.execute(
                sql.SQL(_MAKE_PART).format(
                    part=sql.Identifier(f"{table}_{number}"),
                    table=names["table"],
                    count=sql.Literal(COUNT),
                    number=sql.Literal(number),
                )
            )
