"""The response of an OAuth provider: JSON or a form, and its error code.

A problem contains only error codes of the RFCs. Any other code is the provider's own text, which
must not reach a log, an event or a URL.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.lenient_json import decode_json_object

# RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 8628 section 3.5, RFC 9449 section 5.
_KNOWN_ERRORS: Final = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
        "unsupported_grant_type", "invalid_scope", "slow_down", "temporarily_unavailable",
        "server_error", "access_denied", "authorization_pending", "expired_token",
        "unsupported_token_type", "use_dpop_nonce", "invalid_dpop_proof",
    }
)  # fmt: skip


def decode_response(response: HttpResponse) -> dict[str, JsonValue] | None:
    """The members of a JSON object, or the fields of a form; None if the body is neither."""
    decoded = decode_json_object(response.body)
    return _decode_form(response.body) if decoded is None else decoded


def public_error_code(codes: Iterable[str]) -> str:
    """The first error code of the RFCs for the token endpoint; `other` if there is none."""
    return next((code for code in codes if code in _KNOWN_ERRORS), "other")


def _decode_form(body: bytes) -> dict[str, JsonValue] | None:
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=64)
    except ValueError:
        return None
    return dict(pairs)


# RFC 6749 section 4.1.2.1, RFC 9126, OpenID Connect Core section 3.1.2.6.
_AUTHORIZATION_ERRORS: Final = frozenset(
    {
        "invalid_request", "invalid_client", "unauthorized_client", "access_denied",
        "unsupported_response_type", "invalid_scope", "server_error",
        "temporarily_unavailable", "interaction_required", "login_required",
        "account_selection_required", "consent_required", "invalid_request_uri",
        "invalid_request_object", "request_not_supported", "request_uri_not_supported",
        "registration_not_supported",
    }
)  # fmt: skip


def public_authorization_error(codes: Iterable[str]) -> str:
    """The first error code of the RFCs for the authorization endpoint; `other` if there is none."""
    return next((code for code in codes if code in _AUTHORIZATION_ERRORS), "other")
