"""The grants of a scripted provider: what is valid, what was spent, and what was asked."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import msgspec

from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.testing.provider.script import ProviderScript


class TokenRequest(msgspec.Struct):
    """One request that carried a refresh token of the grant.

    Attributes:
        arrived_at: Seconds on the monotonic clock, which the processes of a host share.
        ended_at: When it was answered, or its client was gone; None while it is in flight.
        status: As answered; 0 where no answer was given.
        retry_after: The `Retry-After` that went with it; "" without.
    """

    arrived_at: float
    ended_at: float | None = None
    status: int = 0
    retry_after: str = ""


class Grant(msgspec.Struct, eq=False):
    """What one person once consented to, and everything that happened to it since.

    Attributes:
        subject: Who consented.
        access_token: The newest.
        refresh_token: The one that is valid now.
        is_revoked: Whether it was ended: by reuse, by revocation, or by `revoke_all`.
        requests: The token requests made for it after the first, oldest first.
        in_flight: How many of them are waited for now. A client that goes away ends its
            request, though the provider may yet decide it.
        most_in_flight: The most that ever were.
        rotations: How many of them brought another refresh token.
        reuses: How many came with a spent refresh token, within the grace or not.
        invalid_grants: How many were refused as `invalid_grant` for cause.
        revocations: How often one of its tokens came to the revocation endpoint.
        spent: Each refresh token spent, and when on the monotonic clock.
        access_tokens: Every access token that would be accepted, were its grant alive.
    """

    subject: str
    access_token: str = ""
    refresh_token: str = ""
    is_revoked: bool = False
    requests: list[TokenRequest] = []
    in_flight: int = 0
    most_in_flight: int = 0
    rotations: int = 0
    reuses: int = 0
    invalid_grants: int = 0
    revocations: int = 0
    spent: dict[str, float] = {}
    access_tokens: set[str] = set()

    @contextmanager
    def flight(self, request: TokenRequest) -> Iterator[None]:
        """Counts a request as in flight for as long as the block runs."""
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1


class _Code(msgspec.Struct, frozen=True):
    subject: str
    challenge: str
    redirect_uri: str


@final
class Grants:
    """Every grant, found by any token that it ever had."""

    def __init__(self) -> None:
        self.all: list[Grant] = []
        self.issued: list[str] = []
        self._by_token: dict[str, Grant] = {}
        self._codes: dict[str, _Code] = {}

    def of(self, token: str) -> Grant | None:
        """The grant that this token was once given for."""
        return self._by_token.get(token)

    def consent(self, subject: str, *, challenge: str, redirect_uri: str) -> str:
        """A code for a new grant."""
        code = secrets.token_urlsafe(16)
        self.issued.append(code)
        self._codes[code] = _Code(subject, challenge, redirect_uri)
        return code

    def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> Grant | None:
        """The grant of a code, which is good once; None where anything does not match."""
        known = self._codes.pop(code, None)
        if known is None:
            return None
        if (known.challenge, known.redirect_uri) != (challenge_of(verifier), redirect_uri):
            return None
        grant = Grant(known.subject)
        self.all.append(grant)
        self._issue_refresh_token(grant)
        self._issue_access_token(grant)
        return grant

    def refresh(self, token: str, script: ProviderScript, *, now: float) -> Grant | None:
        """The grant with what a refresh brought it; None where the token is refused."""
        grant = self.of(token)
        if grant is None:
            return None
        if token in grant.spent:
            grant.reuses += 1
            if now - grant.spent[token] > script.reuse_grace_seconds:
                grant.is_revoked |= script.revokes_on_reuse
                grant.invalid_grants += 1
                return None
        if grant.is_revoked or not (token == grant.refresh_token or token in grant.spent):
            grant.invalid_grants += 1
            return None
        if token == grant.refresh_token and script.rotates:
            grant.spent[token] = now
            grant.rotations += 1
            self._issue_refresh_token(grant)
        self._issue_access_token(grant)
        return grant

    def revoke(self, token: str, script: ProviderScript) -> None:
        """Ends a token or its grant. One that is not known is no mistake (RFC 7009)."""
        grant = self.of(token)
        if grant is None:
            return
        if token in grant.access_tokens and not script.revocation_ends_grant:
            grant.access_tokens.discard(token)
        else:
            grant.is_revoked = True

    def accepts(self, access_token: str) -> bool:
        """Whether an access token is good now."""
        grant = self.of(access_token)
        return grant is not None and not grant.is_revoked and access_token in grant.access_tokens

    def _issue_refresh_token(self, grant: Grant) -> None:
        grant.refresh_token = self._new_token(grant)

    def _issue_access_token(self, grant: Grant) -> None:
        grant.access_token = self._new_token(grant)
        grant.access_tokens.add(grant.access_token)

    def _new_token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(24)
        self.issued.append(token)
        self._by_token[token] = grant
        return token
