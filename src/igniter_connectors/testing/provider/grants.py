"""The grants of a fake provider: their valid and spent tokens, and what happened to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import msgspec

from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.testing.provider.script import ProviderScript


class TokenRequest(msgspec.Struct):
    """A token request that carried a refresh token of the grant.

    Attributes:
        arrived_at: Seconds on the monotonic clock, which all processes of a host share.
        ended_at: When the response was ready or the client disconnected, on the same clock;
            None while the request is in flight.
        status: The status of the response; 0 if there was none.
        retry_after: The `Retry-After` of the response; "" if there was none.
    """

    arrived_at: float
    ended_at: float | None = None
    status: int = 0
    retry_after: str = ""


class Grant(msgspec.Struct, eq=False):
    """One consent of a user, and everything that has happened to it since.

    Attributes:
        subject: The user.
        access_token: The newest access token.
        refresh_token: The refresh token that is valid now.
        is_revoked: Whether it was revoked: by reuse, by revocation, or by `revoke_all`.
        requests: Token requests for it after the code exchange, oldest first.
        in_flight: How many of them have no response yet. A request whose client disconnects
            is no longer in flight, though the provider still decides it.
        max_in_flight: The highest value that `in_flight` has had.
        rotations: How many requests rotated the refresh token.
        reuses: How many requests carried a spent refresh token, within the grace or not.
        invalid_grants: How many requests were refused with `invalid_grant` because of the
            token they carried.
        revocations: How many requests to the revocation endpoint carried one of its tokens.
        spent: Spent refresh tokens, with the monotonic time at which each was spent.
        access_tokens: Access tokens that are valid unless the grant is revoked.
    """

    subject: str
    access_token: str = ""
    refresh_token: str = ""
    is_revoked: bool = False
    requests: list[TokenRequest] = []
    in_flight: int = 0
    max_in_flight: int = 0
    rotations: int = 0
    reuses: int = 0
    invalid_grants: int = 0
    revocations: int = 0
    spent: dict[str, float] = {}
    access_tokens: set[str] = set()

    @contextmanager
    def track(self, request: TokenRequest) -> Iterator[None]:
        """Counts a request as in flight while the block runs."""
        self.requests.append(request)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
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
    """All grants of a provider, found by any token that was issued for them."""

    def __init__(self) -> None:
        self.all: list[Grant] = []
        self.issued: list[str] = []
        self._by_token: dict[str, Grant] = {}
        self._codes: dict[str, _Code] = {}

    def of(self, token: str) -> Grant | None:
        """The grant that this token was issued for; None if it was not issued here."""
        return self._by_token.get(token)

    def consent(self, subject: str, *, challenge: str, redirect_uri: str) -> str:
        """An authorization code for a new grant."""
        code = secrets.token_urlsafe(16)
        self.issued.append(code)
        self._codes[code] = _Code(subject, challenge, redirect_uri)
        return code

    def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> Grant | None:
        """A new grant for a code, which works once; None if verifier or redirect URI differ."""
        consent = self._codes.pop(code, None)
        if consent is None:
            return None
        if (consent.challenge, consent.redirect_uri) != (challenge_of(verifier), redirect_uri):
            return None
        grant = Grant(consent.subject)
        self.all.append(grant)
        self._issue_refresh_token(grant)
        self._issue_access_token(grant)
        return grant

    def refresh(self, token: str, script: ProviderScript, *, now: float) -> Grant | None:
        """The grant with its new tokens; None if the refresh token is refused."""
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
        """Revokes a token or its grant. An unknown token is not an error (RFC 7009 section 2.2)."""
        grant = self.of(token)
        if grant is None:
            return
        if token in grant.access_tokens and not script.revocation_ends_grant:
            grant.access_tokens.discard(token)
        else:
            grant.is_revoked = True

    def accepts(self, access_token: str) -> bool:
        """Whether an access token is valid now."""
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
