"""How a scripted provider behaves."""

from __future__ import annotations

from typing import Literal

import msgspec


class ProviderScript(msgspec.Struct, kw_only=True):
    """How the provider behaves; change it while it runs. As it is made, it behaves well.

    What is asked of the token endpoint passes these stations in this order: the wait of
    `answer_after_seconds`; `drops="before"`, `redirect_to` or `token_status`, each of which
    leaves the grant as it was; the decision, which rotates; the wait of
    `answer_late_seconds`; and `drops="after"`, `gateway_status` or the answer itself.

    Attributes:
        access_token_seconds: What `expires_in` says.
        oauth_scopes: What `scope` says beside new tokens; "" leaves it out.
        rotates: Whether a refresh brings another refresh token. False: the answer has none,
            and the one sent stays in use (RFC 6749 section 6).
        revokes_on_reuse: Whether a spent refresh token that comes again ends its whole grant
            (RFC 9700 section 4.14.2). False: it is refused, and the grant lives.
        reuse_grace_seconds: For how long after it was spent a refresh token is answered
            again, with a fresh access token and the grant's present refresh token.
        token_status: Status of token answers; not 200 means an error body and no decision.
        token_error: The `error` that goes with it, and with nothing else.
        error_description: What it says beside any error; providers quote tokens there.
        error_under_200: Whether errors have status 200, as GitHub's do.
        retry_after: A `Retry-After` to send with errors; "" for none.
        answer_after_seconds: How long a token request waits before it is looked at.
        answer_late_seconds: How long an answer waits once the provider has decided, so that
            it has rotated while nobody knows.
        drops: Breaks the connection without a byte of an answer: "before" the provider
            looks at the grant, or "after" it decided; "" for neither.
        gateway_status: What a gateway answers in the provider's place once it has decided,
            such as 502; 0 for no gateway.
        form_encoded: Whether new tokens come as a form instead of JSON.
        padding_bytes: How much longer than need be token and user info answers are.
        redirect_to: Where the token, user info and revocation endpoints redirect to, with
            307, which repeats method and body; "" for nowhere.
        revocation_status: Status of the revocation endpoint; not 200 means that nothing is
            revoked (503: to be tried again, RFC 7009 section 2.2.1).
        revocation_ends_grant: Whether revoking a token ends its grant. False: an access
            token goes alone, a refresh token takes its grant all the same.
        issuer: What `iss` says in callbacks (RFC 9207); "" leaves it out.
        subject: Who signs in, where the authorization request has no `login_hint`.
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
