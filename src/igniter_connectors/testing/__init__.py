"""What tests of connectors need: a manual clock, scripted answers, a scripted provider, signed
webhooks."""

from igniter_connectors.testing.clock import ManualClock
from igniter_connectors.testing.fake_http import FakeHttp, json_answer
from igniter_connectors.testing.provider import (
    Grant,
    ProviderProcess,
    ProviderScript,
    ProviderState,
    ScriptedProvider,
    TokenRequest,
    provider_process,
    running_provider,
)
from igniter_connectors.testing.provider.loopback import Answer, Asked
from igniter_connectors.testing.signed_webhook import challenge_webhook, sign_webhook
from igniter_connectors.testing.store_contract import STORE_CONTRACT

__all__ = [
    "STORE_CONTRACT",
    "Answer",
    "Asked",
    "FakeHttp",
    "Grant",
    "ManualClock",
    "ProviderProcess",
    "ProviderScript",
    "ProviderState",
    "ScriptedProvider",
    "TokenRequest",
    "challenge_webhook",
    "json_answer",
    "provider_process",
    "running_provider",
    "sign_webhook",
]
