"""Actions: a handler with its types, and the call that it receives."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from msgspec import Struct
from returns.result import Failure, Result

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.connector.action import ActionCall, action, http_action
from igniter_connectors.core.connector.validation import VALIDATION_ERRORS
from igniter_connectors.core.problem import ActionFailed
from igniter_connectors.core.secret import Secret
from tests.core.api_calls import Named, Senders
from tests.core.examples import NOW

CANARY = "canary-5f1d"


class Config(Struct):
    key: Secret


class Message(Struct):
    text: str


class Sent(Struct):
    id: int


def send(call: ActionCall[Config, None, Message]) -> Awaitable[Result[Sent, ActionFailed]]:
    raise AssertionError("core runs no handler")


def call_of(senders: Senders) -> ActionCall[Config, None, Message]:
    config = Config(Secret(CANARY))
    return ActionCall(Message("hello"), config, None, senders, Named("telegram"), Named("send"))


def test_an_action_is_closed_to_http_unless_asked() -> None:
    """Users may call over HTTP only what was made with `http_action`."""
    assert action("send", input=Message, output=Sent)(send).open_to_http is False
    assert http_action("send", input=Message, output=Sent)(send).open_to_http is True


def test_both_decorators_keep_everything_else() -> None:
    """Key, types, handler and checks are the same in both."""
    for bind in (action, http_action):
        made = bind("send", input=Message, output=Sent)(send)
        assert (made.key, made.input, made.output) == ("send", Message, Sent)
        assert made.handler is send
        assert made.check_input({"text": "x"}) == Message("x")
        assert made.check_output({"id": 5}) == Sent(5)


def test_the_checks_refuse_what_does_not_fit() -> None:
    """Input and output are validated against their types, even if they were made in Python."""
    made = action("send", input=Message, output=Sent)(send)
    with pytest.raises(VALIDATION_ERRORS):
        made.check_input(Message(5))  # type: ignore[arg-type]  # what an unchecked caller does
    with pytest.raises(VALIDATION_ERRORS):
        made.check_output({"id": "x"})


def test_a_handler_says_why_it_failed() -> None:
    """The problem names connector and action, and `retry_at` if the handler knows it."""
    call = call_of(Senders())
    assert call.failed("no such chat") == Failure(ActionFailed("telegram", "send", "no such chat"))
    assert call.failed("busy", retry_at=NOW).failure().retry_at == NOW


def test_a_call_shows_neither_secrets_nor_tokens() -> None:
    """A handler that logs its whole call reveals nothing."""
    token = AccessToken(Secret(CANARY), "bearer", ("read",), NOW)
    assert CANARY not in repr(call_of(Senders()))
    assert CANARY not in repr(token)


def test_a_call_on_the_default_config_has_no_tenant() -> None:
    """Tenant and token are None unless they are given."""
    call = call_of(Senders())
    assert (call.tenant, call.access_token) == (None, None)


def test_a_call_makes_its_client_once_and_when_it_is_asked_for() -> None:
    """The API client is made when it is first used, and then kept with a renewed token."""
    senders = Senders()
    call = call_of(senders)
    assert call.connector == "telegram"
    assert senders.made == []
    assert call.http is call.http
    assert senders.made == [("telegram", call.config, None, None)]


def test_the_authorization_header_carries_the_token() -> None:
    """Always `Bearer`, whatever the provider calls the type (RFC 6750 section 2.1)."""
    token = AccessToken(Secret("abc"), "bot", (), None)
    assert token.authorization_header() == ("Authorization", "Bearer abc")
