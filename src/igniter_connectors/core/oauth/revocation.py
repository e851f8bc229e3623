"""Token revocation, and the queue of tokens that wait for it. RFC 7009, RFC 9700 section 4.14.

A grant that was disconnected or replaced stays alive at its provider until it is revoked there.
Its tokens are kept, sealed, until the provider confirms.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.http.retry_after import retry_after
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import client_request
from igniter_connectors.core.oauth.error_answer import error_of, is_dead_grant
from igniter_connectors.core.oauth.provider import OAuthProvider, headers_of
from igniter_connectors.core.oauth.provider_response import public_error_code
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.secret import Secret

TokenKind = Literal["refresh_token", "access_token"]

_OVERLOADED: Final = 429
# Section 2.2: an invalid token needs no revocation. Google answers 400 for it.
_GONE: Final = "invalid_token"
_REFUSED: Final = "unsupported_token_type"


class Revoked(msgspec.Struct, frozen=True):
    """The token is invalid now."""


class RevokeLater(msgspec.Struct, frozen=True):
    """The token may be alive. Retrying does no harm.

    `after` is the delay that the provider asked for, at most an hour; None if it did not.
    `error` is an error code of RFC 6749 section 5.2, else `other`; None without an answer.
    """

    after: timedelta | None = None
    error: str | None = None


class RevokeRefused(msgspec.Struct, frozen=True):
    """The provider revokes no tokens of this kind (section 2.2.1), so no retry helps."""

    error: str = _REFUSED


Revocation = Revoked | RevokeLater | RevokeRefused


def revoke_request(
    provider: OAuthProvider,
    token: Secret,
    *,
    kind: TokenKind,
    signing: SigningContext | None = None,
) -> HttpRequest | None:
    """The request that revokes a token (section 2.1); None if the provider has no endpoint for it.

    Revoking a refresh token ends its grant. That it ends the access tokens too is only a SHOULD,
    so both are revoked (`tokens_to_revoke`).
    """
    if provider.revocation_url is None:
        return None
    url, text = provider.revocation_url, token.reveal()
    if provider.revocation_body == "bearer":
        headers = (("Authorization", f"Bearer {text}"), *headers_of(provider))
        return HttpRequest("POST", url, headers, b"", provider.has_tenant_host)
    is_json = provider.revocation_body == "json"
    fields = {"token": text, "token_type_hint": kind}
    if provider.revocation_body in ("kind", "access_token"):
        fields = {kind: text}
    return client_request(provider, url, fields, signing=signing, is_json=is_json)


def tokens_to_revoke(
    provider: OAuthProvider, tokens: TokenSet, *, now: datetime
) -> tuple[tuple[TokenKind, Secret], ...]:
    """The tokens to revoke, in order: the refresh token, then the access token.

    Only the first one if the provider ends the whole grant with it, and no access token that
    has expired.
    """
    found: list[tuple[TokenKind, Secret]] = []
    takes_refresh = provider.revocation_body not in ("access_token", "bearer")
    if tokens.refresh_token is not None and takes_refresh:
        found.append(("refresh_token", tokens.refresh_token))
    is_live = tokens.expires_at is None or tokens.expires_at > now
    if tokens.access_token != Secret("") and (is_live or not found):
        found.append(("access_token", tokens.access_token))
    return tuple(found[:1] if provider.revocation_ends == "grant" else found)


def judge_revocation(
    answer: HttpResponse | HttpFailed, provider: OAuthProvider, *, received_at: datetime
) -> Revocation:
    """The outcome of a revocation (section 2.2).

    Only an answer about this token ends it: a 2xx without an error, `invalid_token`, a declared
    word for a dead grant, or `unsupported_token_type`. Anything else is tried later: no answer,
    an overloaded or failing server, a refused client, an answer that cannot be read. A wrong
    client secret is replaced some day, and the token lives until then.
    """
    if isinstance(answer, HttpFailed):
        return RevokeLater()
    error = error_of(answer, provider)
    if error is None:
        return Revoked()
    if answer.status < 500 and answer.status != _OVERLOADED:
        if _GONE in error.codes or is_dead_grant(error, provider):
            return Revoked()
        if _REFUSED in error.codes:
            return RevokeRefused()
    asked = retry_after(answer, received_at=received_at)
    return RevokeLater(asked, public_error_code(error.codes))


GRANT_REVOCATION_DELAY: Final = timedelta(seconds=30)
"""How long a revocation that ends a whole grant is delayed. It is longer than a callback takes from
the code exchange to its commit, so that a new connection of the same grant is seen.
"""


CLAIM_DURATION: Final = timedelta(seconds=60)
"""How long one process owns a queued revocation. Longer than its request may take."""


MAX_ATTEMPTS: Final = 20
"""After this many failed attempts, about a day, the tokens are deleted without confirmation."""


class RevocationRequest(msgspec.Struct, frozen=True):
    """Asks a store to queue tokens for revocation in the step that ends their grant.

    `id` is the new revocation's; `due_in` counts from now. While a refresh lease runs, the
    revocation is due when the lease ends, so that it does not overtake the lease's holder.
    """

    id: str
    due_in: timedelta


class PendingRevocation(msgspec.Struct, frozen=True):
    """A queued revocation: the grant as its row stored it, and the config it was issued under.

    `row` and `grant.generation` are those that the tokens were sealed with. `attempts` counts
    the requests that failed.
    """

    id: str
    key: ConnectionKey
    row: str
    public_config: bytes
    sealed_config: bytes
    grant: Grant
    attempts: int = 0


def revocation_of(record: ConnectionRecord, grant: Grant, *, id: str) -> PendingRevocation:
    """The queued revocation of a grant that was issued under a record's config."""
    return PendingRevocation(
        id, record.key, record.id, record.public_config, record.sealed_config, grant
    )
