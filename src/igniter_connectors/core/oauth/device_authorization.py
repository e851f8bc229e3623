"""The device authorization grant: the user enters a code on another device. RFC 8628."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.http.retry_after import retry_after
from igniter_connectors.core.http.safe_url import is_safe_endpoint
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import client_request, token_request
from igniter_connectors.core.oauth.code_exchange import judge_exchange
from igniter_connectors.core.oauth.error_answer import error_of
from igniter_connectors.core.oauth.expiry import seconds_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import decode_response, public_error_code
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    ProviderAnswerMalformed,
    TokenMalformed,
    TokenRefused,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.storable_text import is_storable

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"
DEFAULT_INTERVAL: Final = timedelta(seconds=5)
SLOW_DOWN_INCREMENT: Final = timedelta(seconds=5)
MIN_INTERVAL: Final = timedelta(seconds=1)
DEFAULT_LIFETIME: Final = timedelta(minutes=15)
"""How long a code is polled for if the provider does not say how long it is valid."""

MAX_INTERVAL: Final = timedelta(minutes=5)
"""The longest wait between two polls, whatever the provider asks for."""

_OVERLOADED: Final = 429


class DeviceAuthorization(msgspec.Struct, frozen=True):
    """What the user needs to sign in, and how often to poll meanwhile.

    Show `verification_uri`, which is https, together with `user_code`.
    `verification_uri_complete` contains both, for a link or a QR code; None if the provider
    sends none. Wait for `interval` before each poll, including the first.
    """

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_at: datetime
    interval: timedelta = DEFAULT_INTERVAL

    def __repr__(self) -> str:
        return f"DeviceAuthorization(expires_at={self.expires_at.isoformat()})"


def device_request(
    provider: OAuthProvider, *, signing: SigningContext | None = None
) -> HttpRequest | None:
    """The request for a device code (section 3.1), with the declared scopes.

    None if the provider has no device authorization endpoint.
    """
    if provider.device_authorization_url is None:
        return None
    fields = {"client_id": provider.client_id}
    if provider.oauth_scopes:
        fields["scope"] = provider.oauth_scope_separator.join(provider.oauth_scopes)
    return client_request(provider, provider.device_authorization_url, fields, signing=signing)


def judge_device(
    response: HttpResponse, *, connector: str, received_at: datetime
) -> Result[DeviceAuthorization, TokenRefused | ProviderAnswerMalformed]:
    """The code to show to the user (section 3.2).

    Returns:
        The authorization, or
        - `TokenRefused`: an `error`, or a status outside 2xx.
        - `ProviderAnswerMalformed`: a code or the URL is missing or unusable. A URL that is not
          https is refused, so that no user is sent there.

    Without a usable lifetime the code is polled for 15 minutes, and without a usable interval
    every 5 seconds (section 3.2). An interval is at least a second.
    """

    def malformed(
        path: str,
    ) -> Result[DeviceAuthorization, TokenRefused | ProviderAnswerMalformed]:
        return Failure(ProviderAnswerMalformed(connector, path))

    answer = decode_response(response) or {}
    error = error_of(response)
    if error is not None:
        return Failure(TokenRefused(connector, public_error_code(error.codes)))
    device_code, user_code = answer.get("device_code"), answer.get("user_code")
    if not isinstance(device_code, str) or not device_code:
        return malformed("$.device_code")
    if not isinstance(user_code, str) or not user_code or not is_storable(user_code):
        return malformed("$.user_code")
    # Google sends `verification_url` (developers.google.com/identity/protocols, 2026-11).
    address = answer.get("verification_uri") or answer.get("verification_url")
    if not _is_address(address):
        return malformed("$.verification_uri")
    complete = answer.get("verification_uri_complete")
    # A number that cannot be read, or 0, costs no good code.
    life = seconds_of(answer.get("expires_in")) or DEFAULT_LIFETIME
    interval = seconds_of(answer.get("interval")) or DEFAULT_INTERVAL
    return Success(
        DeviceAuthorization(
            Secret(device_code),
            user_code,
            str(address),
            str(complete) if _is_address(complete) else None,
            received_at + life,
            _bounded(interval),
        )
    )


def poll_request(
    provider: OAuthProvider, device: DeviceAuthorization, *, signing: SigningContext | None = None
) -> HttpRequest:
    """Asks whether the user has approved (section 3.4). Send it after waiting `device.interval`."""
    fields = {"grant_type": GRANT_TYPE, "device_code": device.device_code.reveal()}
    return token_request(provider, fields, signing=signing)


def judge_poll(
    answer: HttpResponse | HttpFailed,
    provider: OAuthProvider,
    device: DeviceAuthorization,
    *,
    connector: str,
    received_at: datetime,
) -> Result[TokenSet | DeviceAuthorization, TokenRefused | TokenMalformed]:
    """The tokens, or the authorization for the next poll (section 3.5).

    `slow_down` adds 5 seconds to the interval permanently. Without an answer, or after a server
    error, the interval doubles. `Retry-After` is waited for in full, up to five minutes.

    Returns:
        Either of them, or
        - `TokenRefused`: denied, expired (also by our own clock), or another error.
        - `TokenMalformed`: the tokens cannot be read.
    """
    if isinstance(answer, HttpFailed):
        slower = device.interval * 2
    elif answer.status >= 500 or answer.status == _OVERLOADED:
        delay = retry_after(answer, received_at=received_at)
        slower = max(device.interval * 2, delay or timedelta())
    else:
        error = error_of(answer, provider)
        codes = () if error is None else error.codes
        if "authorization_pending" in codes:
            slower = device.interval
        elif "slow_down" in codes:
            slower = device.interval + SLOW_DOWN_INCREMENT
        else:
            judged = judge_exchange(answer, provider, connector=connector, received_at=received_at)
            if is_successful(judged):
                return Success(judged.unwrap())
            return Failure(judged.failure())
    if received_at >= device.expires_at:
        return Failure(TokenRefused(connector, "expired_token"))
    return Success(replace(device, interval=_bounded(slower)))


def _bounded(interval: timedelta) -> timedelta:
    return min(max(interval, MIN_INTERVAL), MAX_INTERVAL)


def _is_address(value: JsonValue) -> bool:
    return isinstance(value, str) and is_storable(value) and is_safe_endpoint(value)
