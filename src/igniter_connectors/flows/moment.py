"""The time and fresh entropy, for a request that is signed."""

from __future__ import annotations

from typing import Final

from igniter_connectors.core.oauth.client_assertion import Moment
from igniter_connectors.flows.runtime import Runtime

_OCTETS: Final = 16


def moment_of(runtime: Runtime) -> Moment:
    """For one request alone: its entropy becomes the request's id."""
    return Moment(runtime.clock.now(), runtime.entropy.octets(_OCTETS))
