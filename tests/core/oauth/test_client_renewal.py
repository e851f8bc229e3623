"""A token in the client's own name is asked for anew, and nothing can be lost by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from igniter_connectors import HttpResponse, OAuthProvider, Secret
from igniter_connectors.core.connection.record import Grant
from igniter_connectors.core.oauth.client_renewal import judge_client_renewal, renews_as_client
from igniter_connectors.core.oauth.refresh import DefiniteFailure, Outcome, Renewed
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.typing import HttpFailed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROVIDER = OAuthProvider(
    authorization_url="https://forge.example/authorize",
    token_url="https://forge.example/token",
    client_id="app",
    client_secret=Secret("a secret"),
)
PUBLIC = replace(PROVIDER, client_secret=None)
GRANT = Grant(
    sealed_tokens=b"",
    generation=1,
    grant_id="g",
    oauth_scopes=(),
    refreshable=True,
    refreshed_at=NOW,
)
FORMER = TokenSet(Secret("old"), dpop_key=Secret("{}"))


def judged(status: int, body: object) -> Outcome:
    """What an answer means."""
    return judge_client_renewal(
        HttpResponse(status, (), msgspec.json.encode(body)),
        PROVIDER,
        FORMER,
        connector="forge",
        received_at=NOW,
    )


@pytest.mark.parametrize(
    ("refreshable", "tokens", "provider", "expected"),
    [
        (True, FORMER, PROVIDER, True),
        (False, FORMER, PROVIDER, False),
        (True, replace(FORMER, refresh_token=Secret("r")), PROVIDER, False),
        (True, FORMER, PUBLIC, False),
    ],
)
def test_what_is_the_client_s_own_is_told_by_row_tokens_and_client(
    refreshable: bool, tokens: TokenSet, provider: OAuthProvider, expected: bool
) -> None:
    """To be renewed, by no refresh token, and by a client that can prove itself."""
    assert renews_as_client(replace(GRANT, refreshable=refreshable), tokens, provider) is expected


def test_new_tokens_take_the_place_of_the_former_ones_without_a_refresh_token() -> None:
    """One that came beside them is left aside, its end too; the key they are bound to stays."""
    body = {"access_token": "new", "refresh_token": "r", "refresh_expires_in": 9, "expires_in": 60}
    assert judged(200, body) == Renewed(
        TokenSet(Secret("new"), expires_at=NOW + timedelta(seconds=60), dpop_key=FORMER.dpop_key)
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (400, {"error": "invalid_grant"}),
        (500, {}),
        (502, {}),
    ],
)
def test_no_answer_is_a_verdict_or_leaves_a_mark(status: int, body: object) -> None:
    """What would condemn a grant or leave its outcome unknown is a failure to try again."""
    assert judged(status, body) == DefiniteFailure()


def test_a_lost_answer_is_a_failure_to_try_again() -> None:
    """Nothing was spent."""
    outcome = judge_client_renewal(
        HttpFailed(sent=True), PROVIDER, FORMER, connector="forge", received_at=NOW
    )
    assert outcome == DefiniteFailure()


def test_a_refused_client_is_told_as_such() -> None:
    """The application is at fault, so the client is left alone for a while."""
    assert judged(401, {"error": "invalid_client"}) == DefiniteFailure(is_client_credentials=True)
