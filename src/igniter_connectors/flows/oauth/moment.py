"""The time and fresh entropy, for a request that is signed."""

from __future__ import annotations

from typing import Final

from igniter_connectors.core.oauth.client_assertion import Moment
from igniter_connectors.flows.engine import Engine

_OCTETS: Final = 16


def moment_of(engine: Engine) -> Moment:
    """For one request alone: its entropy becomes the request's id."""
    return Moment(engine.clock.now(), engine.entropy.octets(_OCTETS))
