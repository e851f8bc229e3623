# ruff: noqa: S608  # no statement is built from a value, as the types show
"""The statements that PostgreSQL and SQLite share. A parameter is written `:name`.

A write has its condition inside, and RETURNING tells whether it held.
"""

from __future__ import annotations

from typing import Final

from igniter_connectors.adapters.sql import tables
from igniter_connectors.adapters.sql.dialect import (
    IS_KEY,
    IS_LIVE,
    KEY,
    Dialect,
    assigned,
    columns,
    equal,
    listed,
    marks,
)
from igniter_connectors.adapters.sql.inbox_statements import InboxStatements

_BODY = columns(tables.BodyRow)
_CONNECTION = columns(tables.ConnectionRow)
_GRANT = columns(tables.GrantRow)
_AUTHORIZATION = columns(tables.AuthorizationRow)
_ENDPOINT = columns(tables.EndpointRow)
_REVOCATION = columns(tables.RevocationRow)


class Statements:
    """All statements in one dialect."""

    def __init__(self, d: Dialect) -> None:
        self.connections: Final = ConnectionStatements(d)
        self.leases: Final = LeaseStatements(d)
        self.authorizations: Final = AuthorizationStatements(d)
        self.endpoints: Final = EndpointStatements(d)
        self.revocations: Final = RevocationStatements(d)
        self.routing: Final = RoutingStatements(d)
        self.inbox: Final = InboxStatements(d)


class ConnectionStatements:
    """Rows of connections, their config and their switch."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}connections"
        self.find: Final = d.statement(
            f"SELECT {listed(_BODY)} FROM {table} WHERE {IS_KEY} AND {IS_LIVE}"
        )
        self.last_grant: Final = d.statement(f"SELECT grant_id FROM {table} WHERE {IS_KEY}")
        add = f"INSERT INTO {table} AS c ({listed(_CONNECTION)}) VALUES ({marks(_CONNECTION)})"
        # A tombstone may be overwritten.
        self.insert: Final = d.statement(f"""
            {add} ON CONFLICT ({listed(KEY)}) DO UPDATE
            SET {", ".join(f"{name} = excluded.{name}" for name in _BODY)}, lease_until = NULL
            WHERE c.status = 'disconnected' RETURNING 1
        """)
        self.insert_first: Final = d.statement(f"{add} ON CONFLICT DO NOTHING RETURNING 1")
        self.replace_config: Final = d.statement(f"""
            UPDATE {table} SET public_config = :public_config, sealed_config = :sealed_config,
                upstream = :upstream, version = version + 1, updated_at = :updated_at
            WHERE {IS_KEY} AND id = :id AND version = :version AND {IS_LIVE} RETURNING 1
        """)
        self.set_enabled: Final = d.statement(f"""
            UPDATE {table}
            SET version = version + CASE WHEN enabled <> :enabled THEN 1 ELSE 0 END,
                updated_at = CASE WHEN enabled <> :enabled THEN :updated_at ELSE updated_at END,
                enabled = :enabled
            WHERE {IS_KEY} AND {IS_LIVE} RETURNING 1
        """)
        # Keyset pagination: the index is entered at the last row of the page before.
        self.list: Final = d.statement(f"""
            SELECT {listed(_CONNECTION)} FROM {table} WHERE scope = :scope AND identity = :identity
                AND (connector, account) > (:connector, :account) AND {IS_LIVE}
            ORDER BY connector, account LIMIT :row_limit
        """)
        self.count: Final = d.statement(f"""
            SELECT count(*) FROM {table} WHERE scope = :scope AND identity = :identity AND {IS_LIVE}
        """)
        # Crosses tenants.
        self.count_by_connector: Final = d.statement(
            f"SELECT connector, count(*) FROM {table} WHERE {IS_LIVE} GROUP BY connector"
        )


class LeaseStatements:
    """Refresh leases, and what their holders write."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}connections"
        is_unheld = f"(lease_owner IS NULL OR {d.is_lease_over})"
        is_due = f"(next_attempt_at IS NULL OR next_attempt_at <= {d.now})"
        self.take: Final = d.statement(f"""
            UPDATE {table} SET lease_owner = :lease_owner,
                lease_until = {d.leased_for(":duration")},
                unresolved_before = CASE WHEN lease_owner = :lease_owner
                    THEN unresolved_before ELSE unresolved END, unresolved = true
            WHERE {IS_KEY} AND generation = :generation AND status = 'ok' AND {is_due}
                AND (lease_owner = :lease_owner OR {is_unheld})
            RETURNING {listed(columns(tables.LeaseRow))}
        """)
        fence = f"""
            {IS_KEY} AND id = :id AND generation = :generation AND lease_owner = :lease_owner
        """
        self.put_back: Final = d.statement(f"""
            UPDATE {table} SET lease_owner = NULL, unresolved = unresolved_before,
                failures = :failures, next_attempt_at = {d.after(":retry_in")}
            WHERE {fence} RETURNING 1
        """)
        self.release: Final = d.statement(
            f"UPDATE {table} SET lease_owner = NULL WHERE {fence} RETURNING 1"
        )
        self.save_status: Final = d.statement(f"""
            UPDATE {table} SET status = :status, lease_owner = NULL, unresolved = false
            WHERE {fence} RETURNING 1
        """)
        self.save_renewed: Final = d.statement(f"""
            UPDATE {table} SET failures = 0, next_attempt_at = NULL, lease_owner = NULL,
                status = CASE WHEN status = 'config_changed' THEN status ELSE 'ok' END,
                unresolved = false, {assigned(_GRANT)}
            WHERE {IS_KEY} AND id = :id AND generation = :expected_generation AND {IS_LIVE}
            RETURNING 1
        """)
        # Crosses tenants.
        self.list_expiring: Final = d.statement(f"""
            SELECT {listed(_CONNECTION)} FROM {table}
            WHERE refresh_expires_at IS NOT NULL AND refresh_expires_at <= {d.after(":within")}
                AND refresh_expires_at <= {d.now} + (refresh_expires_at - refreshed_at) / 5
                AND status = 'ok' AND enabled AND refreshable AND {is_unheld} AND {is_due}
            ORDER BY refresh_expires_at LIMIT :row_limit
        """)


class AuthorizationStatements:
    """Authorizations that have begun."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}authorizations"
        # At most 100 for each new one; crosses tenants.
        self.delete_expired: Final = d.statement(f"""
            DELETE FROM {table} WHERE handle_hash IN (SELECT handle_hash FROM {table}
                WHERE expires_at <= {d.now} ORDER BY expires_at LIMIT 100 {d.skip_locked})
            RETURNING 1
        """)
        self.add: Final = d.statement(f"""
            INSERT INTO {table} ({listed(_AUTHORIZATION)}, expires_at)
            VALUES ({marks(_AUTHORIZATION)}, {d.after(":lifetime")}) RETURNING 1
        """)
        self.take: Final = d.statement(f"""
            DELETE FROM {table}
            WHERE handle_hash = :handle_hash AND binding_hash = :binding_hash
                AND expires_at > {d.now}
            RETURNING {listed(_AUTHORIZATION)}
        """)


class EndpointStatements:
    """Webhook endpoints."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}webhook_endpoints"
        # Added while its connection is deleted, it remains as a row that no look-up returns.
        self.with_connection: Final = f"""
            {table} AS e JOIN {d.prefix}connections AS c
            ON {equal(KEY, "c", "e")} AND c.id = e.connection_id
        """
        self.found: Final = f"""
            {listed(_CONNECTION, of="c")}, e.token_hash, e.id AS endpoint_id, e.sealed_secret,
            e.created_at AS endpoint_created_at, e.valid_until,
            CASE WHEN e.previous_until > {d.now} THEN e.sealed_previous END AS sealed_previous,
            e.previous_until, e.replaced_by
        """
        self.is_live: Final = f"""
            (e.valid_until IS NULL OR e.valid_until > {d.now}) AND c.status <> 'disconnected'
        """
        self.add: Final = d.statement(f"""
            INSERT INTO {table} ({listed(_ENDPOINT)}) VALUES ({marks(_ENDPOINT)})
            ON CONFLICT DO NOTHING RETURNING 1
        """)
        self.find: Final = d.statement(f"""
            SELECT {self.found} FROM {self.with_connection}
            WHERE e.token_hash = :token_hash AND {self.is_live}
        """)
        self.list: Final = d.statement(f"""
            SELECT {listed(_ENDPOINT, of="e")} FROM {self.with_connection}
            WHERE {" AND ".join(f"e.{name} = :{name}" for name in KEY)}
            ORDER BY e.created_at, e.id
        """)
        # Without an overlap the parameter is NULL, and so is the instant.
        overlap_end = d.after(":overlap")
        self.save_secret: Final = d.statement(f"""
            UPDATE {table}
            SET sealed_previous = CASE WHEN {overlap_end} IS NOT NULL THEN sealed_secret END,
                previous_until = {overlap_end}, sealed_secret = :sealed_secret
            WHERE {IS_KEY} AND id = :id
                AND sealed_secret = coalesce(:expected_secret, sealed_secret) RETURNING 1
        """)
        self.end_previous: Final = d.statement(f"""
            UPDATE {table}
            SET previous_until = CASE WHEN previous_until < {overlap_end}
                THEN previous_until ELSE {overlap_end} END
            WHERE {IS_KEY} AND id = :id AND previous_until IS NOT NULL RETURNING 1
        """)
        # An endpoint that another one has replaced is not replaced again.
        self.end_replaced: Final = f"""
            UPDATE {table} SET replaced_by = :id, valid_until = CASE
                WHEN valid_until < {overlap_end} THEN valid_until ELSE {overlap_end} END
            WHERE {IS_KEY} AND id = :replaces AND (replaced_by IS NULL OR replaced_by = :id)
            RETURNING 1
        """
        self.remove: Final = d.statement(
            f"DELETE FROM {table} WHERE {IS_KEY} AND id = :id RETURNING 1"
        )
        self.retire: Final = d.statement(f"""
            UPDATE {table}
            SET valid_until = CASE WHEN valid_until < {overlap_end}
                THEN valid_until ELSE {overlap_end} END
            WHERE {IS_KEY} AND id = :id RETURNING 1
        """)


class RevocationStatements:
    """The queue of tokens to be revoked."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}revocations"
        connections = f"{d.prefix}connections"
        self.add: Final = d.statement(f"""
            INSERT INTO {table} ({listed(_REVOCATION)}, due_at)
            VALUES ({marks(_REVOCATION)}, {d.after(":due_in")}) ON CONFLICT DO NOTHING RETURNING 1
        """)
        # Crosses tenants.
        self.claim: Final = d.statement(f"""
            UPDATE {table} SET due_at = {d.after(":duration")} WHERE id IN (SELECT id FROM {table}
                WHERE due_at <= {d.now} ORDER BY due_at LIMIT :row_limit {d.skip_locked})
            RETURNING {listed(_REVOCATION)}
        """)
        self.postpone: Final = d.statement(f"""
            UPDATE {table} SET attempts = :attempts, due_at = {d.after(":retry_in")}
            WHERE id = :id RETURNING 1
        """)
        self.delete: Final = d.statement(f"DELETE FROM {table} WHERE id = :id RETURNING 1")
        self.is_authorization_pending: Final = d.statement(f"""
            SELECT EXISTS (SELECT 1 FROM {d.prefix}authorizations WHERE scope = :scope
                AND identity = :identity AND connector = :connector AND expires_at > {d.now})
        """)
        # These two cross tenants. They are two because `IS NOT DISTINCT FROM` uses no index.
        shares = f"""
            SELECT EXISTS (SELECT 1 FROM {connections}
                WHERE connector = :connector AND client_id = :client_id AND grant_id IS NOT NULL
                AND {IS_LIVE} AND length(sealed_tokens) > 0 AND subject
        """
        self.is_grant_shared: Final = d.statement(f"{shares} = :subject)")
        self.is_unknown_grant_shared: Final = d.statement(f"{shares} IS NULL)")


class RoutingStatements:
    """Which connections belong to an account at the provider. All but the last cross tenants."""

    def __init__(self, d: Dialect) -> None:
        table = f"{d.prefix}connections"
        connection = listed(_CONNECTION)
        self.find_by_account: Final = d.statement(f"""
            SELECT {connection} FROM {table}
            WHERE connector = :connector AND upstream = :upstream AND {IS_LIVE} LIMIT 1000
        """)
        # After a change of config that ends the grant, nobody knows whose account it is.
        self.find_by_subject: Final = d.statement(f"""
            SELECT {connection} FROM {table}
            WHERE connector = :connector AND subject = :subject AND grant_id IS NOT NULL
                AND {IS_LIVE} AND status <> 'config_changed' LIMIT 1000
        """)
        self.list_of_connector: Final = d.statement(f"""
            SELECT {connection} FROM {table}
            WHERE connector = :connector AND {IS_LIVE}
               AND (scope, identity, connector, account) > (:scope, :identity, :connector, :account)
            ORDER BY scope, identity, connector, account LIMIT :row_limit
        """)
        self.correct_account: Final = d.statement(f"""
            UPDATE {table} SET upstream = :upstream
            WHERE {IS_KEY} AND id = :id AND version = :version AND {IS_LIVE} RETURNING 1
        """)
