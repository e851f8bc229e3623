"""Other projects' programs, started once per test session."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from .oidc_provider import OidcClient, OidcProvider, running_oidc_provider

# Nothing listens there: the sign-in stops before it requests the callback.
CALLBACK = "http://127.0.0.1:9/callback"

OIDC_CLIENTS = (
    # Characters that must be form-encoded in Basic (RFC 6749 section 2.3.1): a
    # client that leaves that out is refused.
    OidcClient("basic client", "s+c:r/e%t&1", "client_secret_basic", (CALLBACK,)),
    OidcClient("post-client", "s+c:r/e%t&2", "client_secret_post", (CALLBACK,)),
    OidcClient("public-client", None, "none", (CALLBACK,)),
)


@pytest.fixture(scope="session")
def oidc_provider() -> Generator[OidcProvider]:
    """One provider for the whole session. Compare counters with `stats() - earlier`."""
    with running_oidc_provider(clients=OIDC_CLIENTS) as provider:
        yield provider
