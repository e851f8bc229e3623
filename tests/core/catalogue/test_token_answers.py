"""The documented token responses, read with the facts of the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest
from returns.pipeline import is_successful

from igniter_connectors.core.catalogue.listing import find_provider, known_providers
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.token_response import judge_token
from igniter_connectors.core.secret import Secret, decode_secret
from tests.core.vector_files import vectors

NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)


class Answer(msgspec.Struct, frozen=True):
    provider: str
    source: str
    body: dict[str, Any]
    seconds: int | None
    refresh: bool = True
    refresh_seconds: int | None = None
    date: str | None = None
    oauth_scopes: tuple[str, ...] | None = None
    extras: dict[str, Any] | None = None


class Answers(msgspec.Struct, frozen=True):
    source: str
    answers: list[Answer]


ANSWERS: Final = vectors("oauth_token_answers.json", Answers).answers


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.provider)
def test_a_documented_response_is_read(answer: Answer) -> None:
    """Tokens, lifetime and granted scopes are what the page says."""
    known = find_provider(answer.provider).unwrap()
    provider = known.provider(client_id="client", client_secret=Secret("secret"))
    headers = () if answer.date is None else (("date", answer.date),)
    response = HttpResponse(200, headers, msgspec.json.encode(answer.body))
    tokens = judge_token(response, provider, connector="c", received_at=NOW).unwrap()
    assert tokens.access_token == Secret("access")
    assert tokens.refresh_token == (Secret("refresh") if answer.refresh else None)
    life = None if answer.seconds is None else NOW + timedelta(seconds=answer.seconds)
    assert tokens.expires_at == life
    if answer.refresh_seconds is not None:
        ends = NOW + timedelta(seconds=answer.refresh_seconds)
        assert tokens.refresh_expires_at == ends
    assert tokens.oauth_scopes == answer.oauth_scopes


@pytest.mark.parametrize(
    "answer",
    [answer for answer in ANSWERS if answer.extras is not None],
    ids=lambda answer: answer.provider,
)
def test_the_extras_of_a_documented_response_are_read(answer: Answer) -> None:
    """The fields of the struct are read, others are ignored."""
    kind = find_provider(answer.provider).unwrap().token_extras
    assert kind is not None
    extras = msgspec.convert(answer.body, kind, dec_hook=decode_secret)
    shown = msgspec.to_builtins(extras, enc_hook=lambda secret: "**********")
    assert _without_none(shown) == answer.extras


@pytest.mark.parametrize(
    "known",
    [known for known in known_providers() if known.token_extras],
    ids=lambda known: known.key,
)
def test_extras_require_nothing_that_a_refresh_may_leave_out(known: Any) -> None:
    """Only Salesforce's address is required: its documentation has it in every response."""
    required = [
        field.name for field in msgspec.structs.fields(known.token_extras) if field.required
    ]
    assert required == (["instance_url"] if known.key.startswith("salesforce") else [])


def test_zero_seconds_mean_no_end_only_for_mailchimp() -> None:
    """For every other provider, a token with 0 seconds has expired."""
    for seconds, is_kept in ((0, False), (1, True)):
        answer: dict[str, JsonValue] = {"access_token": "access", "expires_in": seconds}
        parse = find_provider("mailchimp").unwrap().parse_token
        assert parse is not None
        assert ("expires_in" in parse(answer)) is is_kept
    assert [known.key for known in known_providers() if known.parse_token] == ["mailchimp"]


def test_errors_with_status_200_are_errors() -> None:
    """GitHub, Slack and Zoho respond in this way."""
    response = HttpResponse(200, (), b'{"ok":false,"error":"bad_refresh_token"}')
    provider = (
        find_provider("github_app").unwrap().provider(client_id="c", client_secret=Secret("s"))
    )
    assert not is_successful(judge_token(response, provider, connector="c", received_at=NOW))
    assert "bad_refresh_token" in provider.dead_grant_errors


def _without_none(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_none(held) for name, held in value.items() if held is not None}
