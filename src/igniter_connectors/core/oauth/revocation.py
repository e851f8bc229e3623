"""Giving tokens back. RFC 7009."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.http.retry_after import retry_after
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import client_request
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import (
    decode_response,
    error_in,
    public_error_code,
)
from igniter_connectors.core.secret import Secret

TokenKind = Literal["refresh_token", "access_token"]

_OVERLOADED: Final = 429
# Section 2.2: a token that is not valid any more needs no revoking. Google says so with a 400.
_GONE: Final = ("invalid_token",)
_LATER: Final = ("temporarily_unavailable", "server_error", "slow_down")


class Revoked(msgspec.Struct, frozen=True):
    """The token is worth nothing any more."""


class RevokeLater(msgspec.Struct, frozen=True):
    """Whether it was revoked is not known, and asking again does no harm.

    `after`: what the provider asked to wait, at most an hour; None where it did not.
    """

    after: timedelta | None = None


class RevokeRefused(msgspec.Struct, frozen=True):
    """The provider will not, however often it is asked.

    `error` is a code of RFC 6749 section 5.2 or RFC 7009, else `other`.
    """

    error: str


Revocation = Revoked | RevokeLater | RevokeRefused


def revoke_request(
    provider: OAuthProvider,
    token: Secret,
    *,
    kind: TokenKind,
    signing: SigningContext | None = None,
) -> HttpRequest | None:
    """The request that revokes a token (section 2.1); None where the provider cannot.

    A grant ends with its refresh token, and most servers end its access tokens with it.
    """
    if provider.revocation_url is None:
        return None
    fields = {"token": token.reveal(), "token_type_hint": kind}
    return client_request(provider, provider.revocation_url, fields, signing=signing)


def judge_revocation(answer: HttpResponse | HttpFailed, *, received_at: datetime) -> Revocation:
    """What became of the token (section 2.2).

    Later: no answer, 429, 5xx. Refused: any other error, whatever the status, among them
    `unsupported_token_type`; a redirect; a status that is neither.
    """
    if isinstance(answer, HttpFailed):
        return RevokeLater()
    if answer.status == _OVERLOADED or answer.status >= 500:
        return RevokeLater(retry_after(answer, received_at=received_at))
    error = error_in(decode_response(answer) or {})
    if error in _GONE:
        return Revoked()
    if error in _LATER:
        return RevokeLater(retry_after(answer, received_at=received_at))
    if error is None and 200 <= answer.status < 300:
        return Revoked()
    return RevokeRefused(public_error_code(error))


GRANT_REVOCATION_DELAY: Final = timedelta(seconds=30)
"""How long a revocation waits that would end a whole grant: longer than a callback takes from
the code's exchange to its commit, so that a connection just made of the same grant is seen."""


CLAIM_DURATION: Final = timedelta(seconds=60)
"""For how long a revocation is one process's, longer than its request may take."""


MAX_ATTEMPTS: Final = 20
"""After so many refusals to answer, about a day of them, the tokens are given up and deleted."""


class RevocationRequest(msgspec.Struct, frozen=True):
    """Asks a store to queue tokens for revocation in the step that ends their grant.

    `id` is the new revocation's; `due_in` counts from now. While a refresh lease runs, the
    revocation is due when the lease ends, so that it does not overtake the lease's holder.
    """

    id: str
    due_in: timedelta


class PendingRevocation(msgspec.Struct, frozen=True):
    """What is to be revoked: the grant as its row held it, with the config it was minted under.

    `row` and `grant.generation` are those that the tokens were sealed for. `attempts` counts
    requests that brought no answer.
    """

    id: str
    key: ConnectionKey
    row: str
    public_config: bytes
    sealed_config: bytes
    grant: Grant
    attempts: int = 0


def revocation_of(record: ConnectionRecord, grant: Grant, *, id: str) -> PendingRevocation:
    """The revocation of a grant that was minted under a record's config."""
    return PendingRevocation(
        id, record.key, record.id, record.public_config, record.sealed_config, grant
    )
