"""Tells the operator, once, that a provider refuses the application's own client."""

from __future__ import annotations

from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import ClientRefused
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import DefiniteFailure
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields


def note_refusal(
    engine: Engine, provider: OAuthProvider, key: ConnectionKey, failure: DefiniteFailure
) -> None:
    """Records a failed token request. If its client is refused from now on, says so."""
    error = engine.renewals.client_refused(provider, key, failure)
    connector = engine.connectors.get(key.connector)
    is_own = isinstance(connector, OAuthConnector) and (
        connector.provider.client_id == provider.client_id
    )
    # A tenant's own client is not the operator's.
    if error is None or not is_own:
        return
    # The id is public (RFC 6749 section 2.2).
    engine.logger.error(
        "%s: the provider refuses the OAuth client %r (%s): check its secret and registration",
        key.connector,
        provider.client_id,
        error,
    )
    engine.event_bus.publish(
        ClientRefused(
            at=engine.clock.now(), client_id=provider.client_id, error=error, **event_fields(key)
        )
    )


def note_exchange(
    engine: Engine,
    provider: OAuthProvider,
    key: ConnectionKey,
    judged: Result[TokenSet, TokenRefused | TokenMalformed],
) -> None:
    """Records what the exchange of a code, or a request of the client itself, says about it."""
    if is_successful(judged):
        engine.renewals.client_accepted(provider, key)
        return
    problem = judged.failure()
    if isinstance(problem, TokenRefused) and problem.error == "invalid_client":
        note_refusal(engine, provider, key, DefiniteFailure(is_client_credentials=True))
