"""A fake OAuth provider: real HTTP on loopback, scripted behaviour, no login page.

`running_provider` runs it inside the test's process. `provider_process` runs it in a separate
process, for tests that kill the application. `ProviderScript` sets the behaviour, and each `Grant`
records what happened to it.
"""

from igniter_connectors.testing.provider.fake_provider import (
    FakeOAuthProvider,
    ProviderState,
    running_provider,
)
from igniter_connectors.testing.provider.grants import Grant, TokenRequest
from igniter_connectors.testing.provider.process import ProviderProcess, provider_process
from igniter_connectors.testing.provider.script import ProviderScript

__all__ = [
    "FakeOAuthProvider",
    "Grant",
    "ProviderProcess",
    "ProviderScript",
    "ProviderState",
    "TokenRequest",
    "provider_process",
    "running_provider",
]
