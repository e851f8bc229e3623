"""Discovery of an OAuth provider from its issuer, before a connector is built with it."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from returns.result import Result

from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.core.oauth.discovery import provider_from
from igniter_connectors.core.oauth.provider import AssertionAlgorithm, OAuthProvider, OAuthScopes
from igniter_connectors.core.problem import DiscoveryFailed
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.oauth.discover import discover


async def discover_provider(
    issuer: str,
    *,
    client_id: str,
    client_secret: Secret | None = None,
    client_assertion_key: Secret | None = None,
    client_assertion_algorithm: AssertionAlgorithm = "RS256",
    client_assertion_key_id: str | None = None,
    oauth_scopes: OAuthScopes = (),
    http: HttpClient | None = None,
) -> Result[OAuthProvider, DiscoveryFailed]:
    """The provider as its server's metadata describes it, for a client that is registered there.

    Call it while the application starts, and pass the provider to `with_oauth`. The metadata is
    not read again later. Add what it does not contain (rotation, grace, quirks) with
    `msgspec.structs.replace`.

    Args:
        issuer: Exactly as the server names itself: https, or http on a loopback host. It must
            come from the application, not from a tenant, because its host receives requests.
        client_id: As registered.
        client_secret: None for a public client, and for a client that signs assertions.
        client_assertion_key: The key of a client that signs assertions (RFC 7523), with its
            algorithm and key id.
        oauth_scopes: The scopes to request. With `openid` among them, ID tokens are validated
            if the server publishes its keys.
        http: The client for the requests; None opens the library's own client and closes it.

    Returns:
        The provider, or `DiscoveryFailed`. Its `reason` never contains text of the server.
        - The issuer is invalid or unreachable. There are at most three requests; each has a
          time-out of 10 s.
        - The server answers with a redirect, which is not followed, with more than 1 MiB, with
          a status other than 200, or with something that is not metadata.
        - The metadata names another issuer (RFC 8414 section 3.3), an endpoint that is not
          https, no authentication method that this client can use, or PKCE without S256.
        - The client's own values are invalid: an empty id, or a key of another algorithm.
    """
    async with AsyncExitStack() as stack:
        if http is None:
            from igniter_connectors.adapters.httpx_client import HttpxClient

            own_client = HttpxClient(logger=logging.getLogger("igniter_connectors"))
            _ = stack.push_async_callback(own_client.close)
            http = own_client
        described = await discover(http, issuer)
    return described.bind(
        lambda metadata: provider_from(
            metadata,
            client_id=client_id,
            client_secret=client_secret,
            client_assertion_key=client_assertion_key,
            client_assertion_algorithm=client_assertion_algorithm,
            client_assertion_key_id=client_assertion_key_id,
            oauth_scopes=tuple(oauth_scopes),
        )
    )
