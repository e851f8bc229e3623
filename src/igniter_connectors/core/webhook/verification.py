"""Signature verification: over the raw bytes, in constant time, before anything is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.hmac_scheme import check_hmac
from igniter_connectors.core.webhook.microsoft_graph import check_microsoft_graph
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    CustomVerification,
    HmacScheme,
    MicrosoftGraphScheme,
    StandardWebhooks,
    TwilioScheme,
    Verification,
)
from igniter_connectors.core.webhook.signing_keys import SigningKey, signing_key
from igniter_connectors.core.webhook.standard_webhooks import check_standard_webhooks
from igniter_connectors.core.webhook.twilio import check_twilio
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified


def verify(
    scheme: Verification,
    request: HttpRequest,
    secrets: Sequence[Secret],
    *,
    now: datetime,
) -> Result[Verified, VerificationFailure]:
    """What the signature proves, checked against every valid secret. `check` as a Result.

    Args:
        scheme: How the provider signs.
        request: As received; nothing of the body is decoded yet. `url` is the public
            address with its query, built from the configured base URL and never from a Host
            header.
        secrets: One, or several during a rotation. Any of them may match.
        now: Aware instant of arrival.

    Returns:
        The verified facts, or `VerificationFailure`: a header is missing, repeated or
        malformed, the time is out of tolerance, or no signature matches. A malformed header
        never raises.
    """
    keys = [key for secret in secrets if (key := signing_key(scheme, secret)) is not None]
    checked = check(scheme, request, keys, now=now)
    return Failure(checked) if isinstance(checked, VerificationFailure) else Success(checked)


def check(
    scheme: Verification, request: HttpRequest, keys: Sequence[SigningKey], *, now: datetime
) -> Verified | VerificationFailure:
    """As `verify`, as a plain value and with keys instead of secrets.

    Every delivery pays for this: a Result costs 0.5 µs more.
    """
    if isinstance(scheme, StandardWebhooks):
        return check_standard_webhooks(scheme, request, keys, now)
    if isinstance(scheme, HmacScheme):
        return check_hmac(scheme, request, keys, now)
    match scheme:
        case TwilioScheme():
            return check_twilio(scheme, request, keys)
        case MicrosoftGraphScheme():
            return check_microsoft_graph(request, keys)
        case CustomVerification():
            return _check_custom(scheme, request, keys, now)
        case AcceptUnsignedEvents():
            return Verified(None, event_id_is_signed=False, signed_at=None)
        case never:
            assert_never(never)


def _check_custom(
    scheme: CustomVerification, request: HttpRequest, keys: Sequence[SigningKey], now: datetime
) -> Verified | VerificationFailure:
    secrets = [Secret(key.decode()) for key in keys if isinstance(key, bytes)]
    try:
        judged = scheme.judge(request, secrets, now)
    except Exception as error:
        # The exception's text may quote the sender's bytes or a secret.
        return VerificationFailure(
            f"the connector's own verification raised {type(error).__name__}"
        )
    return judged.unwrap() if is_successful(judged) else judged.failure()
