"""An OAuth provider that does as it is scripted to: real HTTP on loopback, no login page.

`running_provider` runs one inside a test; `provider_process` runs one as a process of its own,
for tests in which applications are killed and their provider is not. `ProviderScript` says how
it behaves, each `Grant` what happened to it.
"""

from igniter_connectors.testing.provider.grants import Grant, TokenRequest
from igniter_connectors.testing.provider.process import ProviderProcess, provider_process
from igniter_connectors.testing.provider.script import ProviderScript
from igniter_connectors.testing.provider.scripted import ScriptedProvider, running_provider
from igniter_connectors.testing.provider.state import ProviderState

__all__ = [
    "Grant",
    "ProviderProcess",
    "ProviderScript",
    "ProviderState",
    "ScriptedProvider",
    "TokenRequest",
    "provider_process",
    "running_provider",
]
