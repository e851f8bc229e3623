# ruff: noqa: S608  # no statement is built from a value, as the types show
"""The statements of the webhook inbox that PostgreSQL and SQLite share."""

from __future__ import annotations

from typing import Final, LiteralString

from igniter_connectors.adapters.sql.dialect import IS_KEY, Dialect, columns, listed
from igniter_connectors.adapters.sql.tables import EventRow, OrderKeyRow
from igniter_connectors.core.webhook.inbox import PROCESS_ENDED, PROCESS_ENDED_ALONE

# An event has an owner only while an attempt runs. So the state need not be compared, and if it
# were, PostgreSQL's planner might scan all pending events instead of the primary key.
_IS_LATEST = """
    scope = :scope AND identity = :identity AND id = :id AND owner = :owner AND attempts = :attempt
"""


IS_CLAIMABLE: Final = "state = 'pending' AND (order_key = '' OR is_head)"
"""Events that a worker may claim once they are due, as the predicate of the index is written."""


LAST_CODE: Final[LiteralString] = f"""
    CASE WHEN owner IN ('', :owner) THEN last_code
        WHEN last_code IN ('{PROCESS_ENDED}', '{PROCESS_ENDED_ALONE}') THEN '{PROCESS_ENDED_ALONE}'
        ELSE '{PROCESS_ENDED}' END
"""
"""`inbox.ended_code` of an event whose attempt, in another process, never ended."""


class InboxStatements:
    """Single events, and what is due."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}webhook_inbox"
        event = listed(columns(EventRow))
        order = listed(columns(OrderKeyRow))
        self.retry: Final = d.statement(f"""
            UPDATE {table} SET owner = '', last_code = :code, last_reason = :reason,
                due_at = {d.after(":pause")}
            WHERE {_IS_LATEST} RETURNING 1
        """)
        self.dead_letter: Final = d.statement(f"""
            UPDATE {table} SET state = 'dead', owner = '', last_code = :code,
                last_reason = :reason, finished_at = {d.now}, purge_at = keep_until
            WHERE {_IS_LATEST} RETURNING {order}
        """)
        self.hold: Final = d.statement(f"""
            UPDATE {table} SET state = 'held', owner = '', attempts = attempts - 1,
                purge_at = keep_until
            WHERE {_IS_LATEST} RETURNING {order}
        """)
        self.find: Final = d.statement(f"SELECT {event} FROM {table} WHERE {IS_KEY} AND id = :id")
        # Keyset pagination, latest first.
        self.list: Final = d.statement(f"""
            SELECT {event} FROM {table}
            WHERE {IS_KEY} AND state = coalesce(:state, state)
                AND (received_at, id) < (:before, :before_id)
            ORDER BY received_at DESC, id DESC LIMIT :row_limit
        """)
        self.replay: Final = d.statement(f"""
            UPDATE {table} SET state = 'pending', owner = '', attempts = 0, due_at = {d.now},
                is_head = is_head AND state = 'pending', finished_at = NULL, purge_at = NULL
            WHERE {IS_KEY} AND id = :id AND sealed_body IS NOT NULL
                AND (owner = '' OR due_at <= {d.now})
            RETURNING {order}
        """)
