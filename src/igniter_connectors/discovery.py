"""An OAuth provider from its issuer alone, before any connector is built with it."""

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
    """The provider as its server describes it, for a client that is registered there.

    Ask while the application starts, and hand the answer to `with_oauth`; nothing is asked
    again later. What a description does not tell (rotation, grace, quirks) is added with
    `msgspec.structs.replace`.

    Args:
        issuer: As the server names itself, to the character: https, or http on a loopback
            host. Written by the application, not by a tenant: whatever host it names is asked.
        client_id: As registered.
        client_secret: None for a public client, and for one that signs.
        client_assertion_key: Of a client that signs (RFC 7523), with its algorithm and key id.
        oauth_scopes: What to ask for. With `openid` among them, ID tokens are judged, where
            the server publishes its keys.
        http: What sends the requests; None opens the library's own client and closes it.

    Returns:
        The provider, or `DiscoveryFailed`, whose `reason` is one of ours:
        - the issuer is none, or cannot be reached; each of at most three requests takes no
          longer than 10 s.
        - It answers with a redirect, which is not followed, with more than 1 MiB, with
          another status than 200, or with something other than a description.
        - The description names another issuer (RFC 8414 section 3.3), an endpoint that is not
          https, no way to authenticate that this client has, or PKCE without S256.
        - What is said of the client is unusable: an empty id, a key of another algorithm.
    """
    async with AsyncExitStack() as stack:
        if http is None:
            from igniter_connectors.adapters.httpx_client import HttpxClient

            own = HttpxClient(logger=logging.getLogger("igniter_connectors"))
            _ = stack.push_async_callback(own.close)
            http = own
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
