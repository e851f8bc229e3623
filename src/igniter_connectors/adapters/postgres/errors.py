"""PostgreSQL's errors as `StoreUnavailable`, or as `StoreRefused` if repeating cannot help.

Its messages quote values of rows, so no message is passed on, only reasons of our own.
"""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.ports import StoreRefused, StoreUnavailable

MIGRATE: Final = "run `igniter-connectors migrate`"

_POOLER: Final = 'there is a pooler in front of it: set pooling="transaction"'

_BY_STATE: Final = {
    "0A000": "the schema has changed",
    "25006": "it is read-only: give the primary's address",
    "26000": _POOLER,
    "28000": "it refused the user",
    "28P01": "it refused the password",
    "3D000": "there is no such database",
    "40001": "another transaction came first: try again",
    "40P01": "another transaction came first: try again",
    "42501": "the user lacks a privilege on the tables",
    "42P05": _POOLER,
    "42P07": "there is a table of that name, which this library did not make",
    "42P01": f"a table is missing: {MIGRATE}",
    "42703": f"a column is missing: {MIGRATE}",
    "53300": "it has too many connections",
    "55P03": "it did not get a lock in time",
    "57014": "the statement took too long",
}

# libpq has no error code for a failed connection. Its message is not passed on: if a URL is not
# escaped correctly, the message may quote a piece of the password.
_BY_WORDS: Final = (
    ("password authentication failed", "it refused the password"),
    ("no pg_hba.conf entry", "it refused the user"),
    ("Connection refused", "nothing listens there"),
    ("No such file or directory", "nothing listens there"),
    ("timeout expired", "it did not answer in time"),
    ("starting up", "it is starting"),
    ("shutting down", "it is shutting down"),
    ("too many clients", "it has too many connections"),
    ("does not exist", "there is no such database or user"),
    ("unsupported startup parameter", _POOLER),
    # pgbouncer's own words.
    ("server_login_retry", "the pooler waits before it connects again: server_login_retry"),
    ("query_wait_timeout", "the pooler has no connection to it"),
    ("resolve host", "there is no such host"),
    ("could not translate host name", "there is no such host"),
    ("server closed the connection", "it closed the connection"),
)

UNANSWERED: Final = "PostgreSQL: no answer within the deadline"

TRANSIENT_ERRORS: Final = (psycopg.Error, ValueError, OverflowError, OSError)
"""What a statement may raise that is not a bug: the database failed, or refused a value."""


# Classes of SQLSTATE (PostgreSQL's documentation, appendix A) whose cause lies in the server, in
# the connection or in another transaction. In every other class it lies in the statement, in its
# values or in the schema.
_TRANSIENT_CLASSES: Final = frozenset(
    {
        "08",  # the connection failed
        "25",  # a read-only standby, a transaction that was idle for too long
        "28",  # a password that was rotated
        "3D",  # a database that is being restored
        "40",  # deadlock, serialization
        "53",  # too many connections, disk full, out of memory
        "55",  # a lock was not free in time
        "57",  # time-out, shutdown, starting
        "58",  # the server's disk failed
        "XX",  # internal error
    }
)


class AlreadyExists(StoreRefused):
    """Another process committed a row with the same unique value first."""


class RowLocked(StoreUnavailable):
    """Another session holds a lock. Nothing was changed."""


def is_outdated(error: Exception) -> bool:
    """Whether a statement failed only because of how its connection had prepared it.

    After a column's type has changed, a connection refuses what it had prepared before. Behind a
    pooler, a prepared statement may be gone. Nothing was executed, so it may be repeated on
    another connection.
    """
    state = _state(error)
    if state == "0A000" and isinstance(error, psycopg.Error):
        # The name in the server's source, since its messages are translated.
        return error.diag.source_function == "RevalidateCachedQuery"
    return state in {"26000", "42P05"}


def unavailable(error: Exception) -> StoreUnavailable:
    """An error as the port's exception: `RowUnreadable` if a value caused it."""
    if isinstance(error, psycopg.errors.UniqueViolation):
        return AlreadyExists(f"PostgreSQL: the row exists already ({_name(error)})")
    if isinstance(error, psycopg.DataError | ValueError | OverflowError):
        return RowUnreadable(f"PostgreSQL: a value does not fit ({_name(error)})")
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return RowLocked(f"PostgreSQL: {_reason(error)} ({_name(error)})")
    kind = StoreUnavailable if _is_transient(error) else StoreRefused
    return kind(f"PostgreSQL: {_reason(error)} ({_name(error)})")


def _is_transient(error: Exception) -> bool:
    state = _state(error)
    if state:
        return state[:2] in _TRANSIENT_CLASSES
    # Without a state, libpq or psycopg raised it. psycopg refuses values and statements with
    # these two; every other error says that the connection failed.
    return not isinstance(error, psycopg.ProgrammingError | psycopg.NotSupportedError)


def _reason(error: Exception) -> str:
    if isinstance(error, PoolTimeout):
        return "no connection within the deadline"
    if isinstance(error, PoolClosed):
        return "the store was closed"
    known = _BY_STATE.get(_state(error))
    if known is not None:
        return known
    text = str(error)
    return next((reason for words, reason in _BY_WORDS if words in text), "it failed")


def _name(error: Exception) -> str:
    return f"{type(error).__name__} {_state(error)}".strip()


def _state(error: Exception) -> str:
    return (error.sqlstate or "") if isinstance(error, psycopg.Error) else ""
