"""Is this webhook genuine? Over the raw bytes, in constant time, before anything decodes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.hmac_scheme import proof_of_hmac
from igniter_connectors.core.webhook.microsoft_graph import proof_of_graph
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified
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
from igniter_connectors.core.webhook.standard_webhooks import proof_of_standard
from igniter_connectors.core.webhook.twilio import proof_of_twilio


def verify(
    scheme: Verification,
    request: SignedRequest,
    secrets: Sequence[Secret],
    *,
    now: datetime,
) -> Result[Verified, Refused]:
    """What the signature proves, judged against every live secret: `proof` as a Result.

    Args:
        scheme: How the provider signs.
        request: As received; nothing of the body has been decoded.
        secrets: One, or several while they rotate; any may match.
        now: Aware instant of arrival.

    Returns:
        What was proven, or `Refused`: a header absent, twice, or malformed; a time out of
        tolerance; no match. A malformed header is a refusal, never an exception.
    """
    keys = [key for secret in secrets if (key := signing_key(scheme, secret)) is not None]
    judged = proof(scheme, request, keys, now=now)
    return Failure(judged) if isinstance(judged, Refused) else Success(judged)


def proof(
    scheme: Verification, request: SignedRequest, keys: Sequence[SigningKey], *, now: datetime
) -> Verified | Refused:
    """What `verify` returns, as a plain value and with the keys that the secrets stand for.

    Every delivery pays for this: a Result costs it 0.5 µs.
    """
    if isinstance(scheme, StandardWebhooks):
        return proof_of_standard(scheme, request, keys, now)
    if isinstance(scheme, HmacScheme):
        return proof_of_hmac(scheme, request, keys, now)
    match scheme:
        case TwilioScheme():
            return proof_of_twilio(scheme, request, keys)
        case MicrosoftGraphScheme():
            return proof_of_graph(request, keys)
        case CustomVerification():
            return _proof_of_custom(scheme, request, keys, now)
        case AcceptUnsignedEvents():
            return Verified(None, event_id_is_signed=False, signed_at=None)
        case never:
            assert_never(never)


def _proof_of_custom(
    scheme: CustomVerification, request: SignedRequest, keys: Sequence[SigningKey], now: datetime
) -> Verified | Refused:
    secrets = [Secret(key.decode()) for key in keys if isinstance(key, bytes)]
    try:
        judged = scheme.judge(request, secrets, now)
    except Exception as error:
        # Its text may quote what a stranger sent, or a secret.
        return Refused(f"the connector's own verification raised {type(error).__name__}")
    return judged.unwrap() if is_successful(judged) else judged.failure()
