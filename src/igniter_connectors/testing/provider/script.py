"""The script of the fake provider: how its endpoints behave."""

from __future__ import annotations

from typing import Literal

import msgspec


class ProviderScript(msgspec.Struct, kw_only=True):
    """How the provider behaves. Change it at any time. The defaults describe a good provider.

    A token request passes these stages, in this order:

    1. The delay of `answer_after_seconds`.
    2. `drops="before"`, `redirect_to` or `token_status`. Each of them ends the request and
       leaves the grant unchanged.
    3. The decision, which can rotate the refresh token.
    4. The delay of `answer_late_seconds`.
    5. `drops="after"`, `gateway_status`, or the response itself.

    Attributes:
        access_token_seconds: The value of `expires_in`.
        oauth_scopes: The value of `scope` in token responses; "" omits it.
        rotates: Whether a refresh issues a new refresh token. False: the response has none,
            and the client keeps the one it sent (RFC 6749 section 6).
        revokes_on_reuse: Whether reuse of a spent refresh token revokes the whole grant
            (RFC 9700 section 4.14.2). False: the request is refused, and the grant lives.
        reuse_grace_seconds: For how long after it was spent a refresh token still works. The
            response then has a new access token and the grant's current refresh token.
        token_status: Status of token responses. Any other than 200 sends an error body, and
            nothing is decided.
        token_error: The `error` that goes with `token_status`. Not used for other errors.
        error_description: The `error_description` of every error. Providers quote tokens
            there.
        error_under_200: Whether errors have status 200, as GitHub's do.
        retry_after: The `Retry-After` header of errors; "" omits it.
        answer_after_seconds: Delay before a token request is looked at.
        answer_late_seconds: Delay between the decision and the response. Meanwhile the
            token has rotated, but the client does not know it.
        drops: Resets the connection without a response: "before" the provider looks at the
            grant, or "after" it has decided; "" never.
        gateway_status: Status that a gateway sends instead of the provider's response after
            the decision, such as 502; 0 for no gateway.
        form_encoded: Whether token responses are forms instead of JSON.
        padding_bytes: Extra bytes in token and user info responses.
        redirect_to: Where the token, user info and revocation endpoints redirect to, with
            307, which repeats method and body; "" for no redirect.
        revocation_status: Status of the revocation endpoint. Any other than 200 revokes
            nothing (503 asks for a retry, RFC 7009 section 2.2.1).
        revocation_ends_grant: Whether revoking an access token revokes its grant. A refresh
            token always revokes its grant.
        issuer: The `iss` of callbacks (RFC 9207); "" omits it.
        subject: The user who consents if the authorization request has no `login_hint`.
    """

    access_token_seconds: int = 3600
    oauth_scopes: str = ""
    rotates: bool = True
    revokes_on_reuse: bool = True
    reuse_grace_seconds: float = 0.0
    token_status: int = 200
    token_error: str = "invalid_grant"
    error_description: str = "no"
    error_under_200: bool = False
    retry_after: str = ""
    answer_after_seconds: float = 0.0
    answer_late_seconds: float = 0.0
    drops: Literal["", "before", "after"] = ""
    gateway_status: int = 0
    form_encoded: bool = False
    padding_bytes: int = 0
    redirect_to: str = ""
    revocation_status: int = 200
    revocation_ends_grant: bool = True
    issuer: str = ""
    subject: str = "account-1"
