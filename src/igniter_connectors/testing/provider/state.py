"""A copy of what a scripted provider knows."""

from __future__ import annotations

import msgspec

from igniter_connectors.testing.provider.grants import Grant
from igniter_connectors.testing.provider.script import ProviderScript


class ProviderState(msgspec.Struct):
    """A copy of what a provider knows.

    Attributes:
        script: How it behaves now.
        token_requests: How many requests came to the token endpoint.
        refresh_requests: How many refresh tokens it looked at.
        refused: How many token requests it answered with an error.
        revocation_requests: How many came to the revocation endpoint, whatever it said.
        grants: In the order of their exchange.
    """

    script: ProviderScript
    token_requests: int
    refresh_requests: int
    refused: int
    revocation_requests: int
    grants: list[Grant]
