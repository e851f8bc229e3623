"""Many connections, created inside the database."""

from __future__ import annotations

from typing import Final

import psycopg

SCOPE: Final = "organization"
CONNECTIONS_PER_TENANT: Final = 20
CONNECTORS: Final = 20
GRANTED_SHARE: Final = 2

# Sealed blobs are random bytes of the sizes that a config with one secret and a pair of
# tokens come to. Every second row has a grant. The n-th tenant holds 20 connections.
_CONNECTIONS = """
    INSERT INTO igniter_connections
    SELECT %(scope)s, 'tenant-' || (n / %(per_tenant)s), 'connector-' || (n %% %(connectors)s),
        'default', md5(n::text), '{"chat_id":"42"}',
        decode(repeat(md5(n::text), 6), 'hex'), true, 1,
        now() - n * interval '1 second', now(), 'ok', 0, NULL, NULL, NULL, false, NULL,
        CASE WHEN granted THEN md5('grant' || n) END, CASE WHEN granted THEN 1 END,
        CASE WHEN granted THEN decode(repeat(md5('tokens' || n), 24), 'hex') END,
        CASE WHEN granted THEN ARRAY['read', 'write'] END, CASE WHEN granted THEN true END,
        CASE WHEN granted THEN now() - n * interval '1 hour' END,
        CASE WHEN granted THEN now() + n * interval '1 second' END,
        CASE WHEN granted THEN 'subject-' || n END, CASE WHEN granted THEN 'null'::bytea END,
        'app', 'https://provider.example/token',
        CASE WHEN granted THEN now() + n * interval '10 minutes' END, false, md5('team' || n)
    FROM generate_series(%(first)s::integer, %(last)s::integer) AS n,
        LATERAL (SELECT n %% %(granted)s = 0 AS granted) AS g
"""

_ENDPOINTS = """
    INSERT INTO igniter_webhook_endpoints
    SELECT sha256(id::bytea), md5('endpoint' || id), scope, identity, connector, account, id,
        decode(repeat(md5(id), 4), 'hex'), now(), NULL
    FROM igniter_connections
"""

# Every event of the past is done but one in a thousand, which is pending, held or dead; one in
# ten has an order key, one in seven a body that may have come before.
_EVENTS = """
    INSERT INTO igniter_webhook_inbox
    SELECT scope, identity, md5('event' || id), connector, account, id, 'evt', state, 1,
        now() - n * interval '1 second', CASE WHEN n % 10 = 0 THEN 'order' ELSE '' END,
        now() - n * interval '1 second', '', now(), '', false,
        CASE WHEN n % 7 = 0 THEN sha256(id::bytea) END, decode(repeat(md5(id), 12), 'hex'),
        now() + interval '30 days',
        CASE WHEN state <> 'pending' THEN now() + n * interval '1 second' END, n % 10 = 0
    FROM (SELECT *, row_number() OVER () AS n FROM igniter_connections) AS c,
        LATERAL (SELECT CASE n % 3000 WHEN 0 THEN 'pending' WHEN 1000 THEN 'held'
            WHEN 2000 THEN 'dead' ELSE 'done' END AS state) AS s
"""

# One connection in a thousand was disconnected; its tokens, and some others, wait to be revoked.
_TOMBSTONES = """
    UPDATE igniter_connections SET status = 'disconnected', updated_at = created_at
    WHERE grant_id IS NOT NULL AND md5(id) < '00418'
"""

_REVOCATIONS = """
    INSERT INTO igniter_revocations
    SELECT md5('revocation' || id), scope, identity, connector, account, id, public_config,
        sealed_config, 0, now() + random() * interval '1 hour', grant_id, generation,
        sealed_tokens, oauth_scopes, refreshable, refreshed_at, expires_at, subject, profile,
        client_id, token_url, refresh_expires_at, is_shared
    FROM igniter_connections WHERE grant_id IS NOT NULL
"""

_AUTHORIZATIONS = """
    INSERT INTO igniter_authorizations
    SELECT sha256(id::bytea), sha256(id::bytea), id, scope, identity, connector, account,
        decode(repeat(md5(id), 12), 'hex'), now() + random() * interval '10 minutes'
    FROM igniter_connections
"""


def tenant(number: int) -> str:
    """The identity of the tenant with the connection of this number."""
    return f"tenant-{number // CONNECTIONS_PER_TENANT}"


def connector(number: int) -> str:
    """The connector of the connection of this number."""
    return f"connector-{number % CONNECTORS}"


def populate(connection: psycopg.Connection, numbers: range) -> None:
    """Adds the connections of these numbers."""
    values = {
        "scope": SCOPE,
        "per_tenant": CONNECTIONS_PER_TENANT,
        "connectors": CONNECTORS,
        "granted": GRANTED_SHARE,
        "first": numbers.start,
        "last": numbers.stop - 1,
    }
    connection.execute(_CONNECTIONS, values)


def populate_beside(connection: psycopg.Connection) -> None:
    """Adds a webhook endpoint with an event and a pending authorization for every connection;
    tombstones, and tokens to be revoked."""
    connection.execute(_ENDPOINTS)
    connection.execute(_AUTHORIZATIONS)
    connection.execute(_EVENTS)
    connection.execute(_REVOCATIONS)
    connection.execute(_TOMBSTONES)


def analyze(connection: psycopg.Connection) -> None:
    """Updates the planner's statistics, as autovacuum does after a while."""
    connection.execute("VACUUM ANALYZE")
