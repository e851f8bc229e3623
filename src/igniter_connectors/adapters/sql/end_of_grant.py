# ruff: noqa: S608  # no statement is built from a value, as the types show
"""How a grant ends: its row changes, and its tokens are queued for revocation in the same step.

PostgreSQL does this in one statement, SQLite in one transaction of several. Both are made of
these pieces and take these values.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, LiteralString

from igniter_connectors.adapters.sql.dialect import IS_LIVE, Dialect, assigned, columns, listed
from igniter_connectors.adapters.sql.records import (
    Values,
    connection_values,
    key_values,
)
from igniter_connectors.adapters.sql.tables import GrantRow, RevocationRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.revocation import RevocationRequest
from igniter_connectors.ports import ConfigChange

_REVOCATION: Final = columns(RevocationRow)
# What a revocation does not copy from the column of the same name.
_COPIED_FROM: Final[dict[LiteralString, LiteralString]] = {
    "id": ":revocation_id",
    "connection_id": "id",
    "attempts": "0",
}

IS_EXPECTED: Final[LiteralString] = """
    grant_id = :expected_grant
    AND (status = 'disconnected' OR (id = :id AND generation = :expected_generation
        AND version = coalesce(:expected_version, version)))
"""
"""The row holds the grant that an authorization began with, or its tombstone does."""


def queue_revocation(d: Dialect, *, source: LiteralString) -> LiteralString:
    """Copies the tokens of the rows in `source`, with the config that they were minted under.

    A revocation waits until a running lease ends. Shared tokens are not queued.
    """
    due_at = d.after(":due_in")
    copied = listed([_COPIED_FROM.get(name, name) for name in _REVOCATION])
    return f"""
        INSERT INTO {d.prefix}revocations ({listed(_REVOCATION)}, due_at)
        SELECT {copied}, CASE
            WHEN lease_owner IS NOT NULL AND NOT ({d.is_lease_over}) AND {d.lease_end} > {due_at}
            THEN {d.lease_end} ELSE {due_at} END
        FROM {source} WHERE :is_queued AND grant_id IS NOT NULL AND {IS_LIVE} AND NOT is_shared
            AND length(sealed_tokens) > 0
    """


def ended(d: Dialect) -> LiteralString:
    """What SET does to the row `c` of a grant that ends."""
    return f"""
        generation = c.generation + 1, sealed_tokens = {d.no_bytes}, failures = 0,
        next_attempt_at = NULL, lease_owner = NULL, unresolved = false,
        refresh_expires_at = NULL, updated_at = :updated_at
    """


def config_changed(d: Dialect) -> LiteralString:
    """What SET does to a row whose new config leads elsewhere."""
    return f"""
        status = 'config_changed', {ended(d)}, public_config = :public_config,
        sealed_config = :sealed_config, upstream = :upstream, version = c.version + 1,
        grant_id = :grant_id
    """


def tombstone(d: Dialect) -> LiteralString:
    """What SET does to a row that is disconnected."""
    return f"""
        status = 'disconnected', {ended(d)}, grant_id = c.grant_id || '-ended',
        public_config = {d.no_bytes}, sealed_config = {d.no_bytes}, profile = NULL, subject = NULL,
        upstream = NULL
    """


def authorized(*, before: LiteralString) -> LiteralString:
    """What SET does to a row, or a tombstone, that is authorized again.

    `before` names the row as the condition saw it.
    """
    was_tombstone = f"{before}.status = 'disconnected'"
    return f"""
        id = :id, updated_at = :updated_at,
        public_config = CASE WHEN :keep_config THEN c.public_config ELSE :public_config END,
        sealed_config = CASE WHEN :keep_config THEN c.sealed_config ELSE :sealed_config END,
        upstream = CASE WHEN :keep_config THEN c.upstream ELSE :upstream END,
        status = :status, failures = 0, next_attempt_at = NULL, lease_owner = NULL,
        unresolved = false,
        version = CASE WHEN {was_tombstone} THEN 1 ELSE c.version + 1 END,
        enabled = {was_tombstone} OR c.enabled,
        created_at = CASE WHEN {was_tombstone} THEN :created_at ELSE c.created_at END,
        {assigned(columns(GrantRow))}
    """


def request_values(request: RevocationRequest | None) -> Values:
    """The values of `queue_revocation`, which queues nothing without a request."""
    if request is None:
        return {"revocation_id": "", "due_in": timedelta(0), "is_queued": False}
    return {"revocation_id": request.id, "due_in": request.due_in, "is_queued": True}


def config_values(key: ConnectionKey, change: ConfigChange) -> Values:
    """A change of config as the values of a statement."""
    return {
        **key_values(key),
        "id": change.row,
        "version": change.version,
        "public_config": change.public_config,
        "sealed_config": change.sealed_config,
        "upstream": change.upstream,
        "updated_at": change.now,
    }


def authorized_values(
    record: ConnectionRecord, expected_grant: str, *, keep_config: bool, version: int | None
) -> Values:
    """The values of `IS_EXPECTED` and `authorized`."""
    expected = record.grant.generation - 1 if record.grant is not None else 0
    return {
        **connection_values(record),
        "expected_grant": expected_grant,
        "expected_generation": expected,
        "expected_version": version,
        "keep_config": keep_config,
    }
