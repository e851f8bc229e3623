"""Testing kit for connectors: a manual clock, a fake HTTP client, a fake OAuth provider,
signed webhooks, and the contract that a store must pass."""

from igniter_connectors.testing.clock import ManualClock
from igniter_connectors.testing.fake_http import FakeHttp, FakeResponse, json_response
from igniter_connectors.testing.provider import (
    FakeOAuthProvider,
    Grant,
    ProviderProcess,
    ProviderScript,
    ProviderState,
    TokenRequest,
    provider_process,
    running_provider,
)
from igniter_connectors.testing.provider.http_server import Request, Response
from igniter_connectors.testing.signed_webhook import challenge_webhook, sign_webhook
from igniter_connectors.testing.store_contract import STORE_CONTRACT

__all__ = [
    "STORE_CONTRACT",
    "FakeHttp",
    "FakeOAuthProvider",
    "FakeResponse",
    "Grant",
    "ManualClock",
    "ProviderProcess",
    "ProviderScript",
    "ProviderState",
    "Request",
    "Response",
    "TokenRequest",
    "challenge_webhook",
    "json_response",
    "provider_process",
    "running_provider",
    "sign_webhook",
]
