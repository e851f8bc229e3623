"""The builder of connectors refuses what could not work."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from returns.result import Result, Success

from igniter_connectors.core.connector.action import Action, ActionCall, action
from igniter_connectors.core.connector.builder import Connector, ConnectorBuilder, Fresh, Plain
from igniter_connectors.core.connector.definition import ConfigConnector, OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import (
    ActionFailed,
    BuildConfigRequired,
    BuildInvalid,
    WebhookFailed,
    WrongWiring,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import GITHUB
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    HmacScheme,
    StandardWebhooks,
)
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall

CANARY = "canary-5f1d"


class Config(Struct):
    key: Secret
    chat: str = "general"


class Message(Struct):
    text: str


class Card(Struct):
    """What a catalogue shows."""

    title: str


PROVIDER = OAuthProvider(
    authorization_url="https://provider.example/authorize",
    token_url="https://provider.example/token",
    client_id="client",
)


def handle(call: ActionCall[Config, object, Message]) -> Awaitable[Result[Message, ActionFailed]]:
    raise AssertionError("core runs no handler")


def receive(call: WebhookCall[Config, object, Message]) -> Awaitable[Result[None, WebhookFailed]]:
    raise AssertionError("core runs no handler")


def open_context(config: Config) -> Awaitable[int]:
    raise AssertionError("core runs no hook")


def judge(config: Config) -> Awaitable[Result[object, str]]:
    raise AssertionError("core runs no hook")


def an_action(key: str) -> Action[Config, object, Message, Message]:
    return action(key, input=Message, output=Message)(handle)


def a_webhook(
    scheme: HmacScheme | AcceptUnsignedEvents = GITHUB,
) -> Webhook[Config, object, Message]:
    return Webhook(payload=Message, verification=scheme, handler=receive)


def begin() -> ConnectorBuilder[Config, None, Plain, Fresh]:
    return Connector.create("telegram").with_config(Config)


# --- what is built ------------------------------------------------------------------------


def test_the_least_connector_has_a_key_and_a_config() -> None:
    """Everything else is optional, and absent unless given."""
    built = begin().build()
    assert isinstance(built, ConfigConnector)
    assert (built.key, built.schema.kind, dict(built.actions)) == ("telegram", Config, {})
    rest = (built.context_hook, built.validate_hook, built.default_config, built.metadata)
    assert (*rest, built.webhook) == (None,) * 5


def test_a_connector_keeps_everything_it_was_given() -> None:
    """No step loses what an earlier one set."""
    webhook, card, default = a_webhook(), Card("Telegram"), Config(Secret(CANARY))
    built = (
        begin()
        .with_metadata(card)
        .with_default_config(default)
        .on_validate(judge)
        .with_oauth(PROVIDER)
        .on_context(open_context)
        .add_action(an_action("send"))
        .add_action(an_action("edit"))
        .with_webhook(webhook)
        .build()
    )
    assert isinstance(built, OAuthConnector)
    assert list(built.actions) == ["send", "edit"]
    assert (built.metadata, built.default_config, built.webhook) == (card, default, webhook)
    assert (built.context_hook, built.validate_hook) == (open_context, judge)
    assert built.provider is PROVIDER


def test_a_config_connector_keeps_everything_too() -> None:
    """The same without OAuth, which has its own branch in `build`."""
    webhook, card, default = a_webhook(), Card("Telegram"), Config(Secret(CANARY))
    built = (
        begin()
        .on_context(open_context)
        .with_webhook(webhook)
        .add_action(an_action("send"))
        .on_validate(judge)
        .with_default_config(default)
        .with_metadata(card)
        .build()
    )
    assert isinstance(built, ConfigConnector)
    assert list(built.actions) == ["send"]
    assert (built.metadata, built.default_config, built.webhook) == (card, default, webhook)
    assert (built.context_hook, built.validate_hook) == (open_context, judge)


def test_a_builder_does_not_change() -> None:
    """Two connectors built from one builder do not share what was added later."""
    base = begin()
    base.add_action(an_action("send"))
    base.with_webhook(a_webhook())
    base.with_oauth(PROVIDER)
    base.with_metadata(Card("x"))
    built = base.build()
    assert isinstance(built, ConfigConnector)
    assert (dict(built.actions), built.webhook, built.metadata) == ({}, None, None)


def test_a_definition_does_not_change() -> None:
    """Neither its fields nor its actions can be replaced."""
    built = begin().add_action(an_action("send")).build()
    with pytest.raises(AttributeError):
        built.key = "other"  # type: ignore[misc]  # frozen; this tries it all the same
    with pytest.raises(TypeError):
        built.actions["other"] = built.actions["send"]  # type: ignore[index]  # as above


def test_a_definition_does_not_show_its_default_secrets() -> None:
    """The repr of a connector reveals nothing."""
    assert CANARY not in repr(begin().with_default_config(Config(Secret(CANARY))).build())


# --- keys ---------------------------------------------------------------------------------

GOOD_KEYS = ["a", "telegram", "a1", "a-b_c", "z" * 62, "z" * 63]
BAD_KEYS = ["", "A", "1a", "-a", "_a", "a b", "a/b", "a.b", "é", "a\n", "z" * 64]


@pytest.mark.parametrize("key", GOOD_KEYS)
def test_keys_of_the_form_are_taken(key: str) -> None:
    """1 to 63 of a-z, 0-9, `_` and `-`, starting with a letter, for URLs, rows and logs."""
    built = Connector.create(key).with_config(Config).add_action(an_action(key)).build()
    assert (built.key, list(built.actions)) == (key, [key])


@pytest.mark.parametrize("key", BAD_KEYS)
def test_other_keys_are_refused(key: str) -> None:
    """For connectors and for actions."""
    with pytest.raises(WrongWiring):
        Connector.create(key)
    with pytest.raises(WrongWiring):
        begin().add_action(an_action(key))


# --- wrong wiring ---------------------------------------------------------------------------


@pytest.mark.parametrize("config", [int, dict, None, Config(Secret("x"))])
def test_a_config_type_is_a_struct(config: object) -> None:
    """Any other type is refused by name."""
    with pytest.raises(WrongWiring) as caught:
        Connector.create("telegram").with_config(config)  # type: ignore[arg-type]  # unchecked
    assert caught.value.problem == BuildConfigRequired("telegram")


def test_a_config_type_that_cannot_be_stored_is_refused() -> None:
    """The error is raised here, not at the first tenant."""
    with pytest.raises(WrongWiring):
        Connector.create("telegram").with_config(msgspec.defstruct("Odd", [("value", complex)]))


def test_two_actions_with_one_key_are_refused() -> None:
    """Neither action silently replaces the other."""
    with pytest.raises(WrongWiring, match="two actions 'send'"):
        begin().add_action(an_action("send")).add_action(an_action("send"))


def test_a_second_webhook_is_refused() -> None:
    """A connector has one webhook; its payload may be a tagged union."""
    with pytest.raises(WrongWiring, match="one webhook"):
        begin().with_webhook(a_webhook()).with_webhook(a_webhook())


def test_a_webhook_whose_scheme_protects_nothing_is_refused() -> None:
    """A signature that does not cover the body is reported while the application is built."""
    with pytest.raises(WrongWiring, match="telegram: the signed template"):
        begin().with_webhook(a_webhook(HmacScheme(header="X-Signature", signed="fixed")))


@pytest.mark.parametrize("payload", [complex, Secret | str, dict[str, complex]])
def test_a_payload_that_cannot_be_decoded_is_refused(payload: Any) -> None:
    """The error is raised here, not at the first genuine webhook."""
    with pytest.raises(WrongWiring):
        begin().with_webhook(Webhook(payload=payload, verification=GITHUB, handler=receive))


def test_a_webhook_without_verification_has_to_say_so() -> None:
    """The unsafe scheme has a long name, and it is accepted."""
    assert begin().with_webhook(a_webhook(AcceptUnsignedEvents())).build().webhook is not None


def test_a_second_provider_is_refused() -> None:
    """A connector has one provider; type checkers say so too."""
    with pytest.raises(WrongWiring, match="one OAuth provider"):
        begin().with_oauth(PROVIDER).with_oauth(PROVIDER)  # type: ignore[misc]  # this tries it


def test_an_unsafe_provider_is_refused() -> None:
    """For example plain http, or a reserved parameter."""
    unsafe = msgspec.structs.replace(PROVIDER, token_url="http://provider.example/token")
    with pytest.raises(WrongWiring, match="telegram: token_url must be https"):
        begin().with_oauth(unsafe)


def test_a_default_config_is_checked() -> None:
    """The fault names the path and does not quote the value."""
    wrong = Config(Secret("x"), [CANARY])  # type: ignore[arg-type]  # what an unchecked caller does
    with pytest.raises(WrongWiring, match=r"default config at \$\.chat") as caught:
        begin().with_default_config(wrong).build()
    assert isinstance(caught.value.problem, BuildInvalid)
    assert CANARY not in str(caught.value)


def test_a_context_chosen_too_late_is_refused() -> None:
    """Type checkers refuse it; at run time it does not silently drop actions and webhook."""
    for later in (begin().add_action(an_action("send")), begin().with_webhook(a_webhook())):
        with pytest.raises(WrongWiring):
            later.on_context(open_context)  # type: ignore[misc]  # this tries it


def test_an_action_whose_types_cannot_be_read_is_refused() -> None:
    """The error is raised while the application is built, not at the first call."""

    class Odd(msgspec.Struct):
        value: complex

    async def handler(call: ActionCall[Any, Any, Odd]) -> Result[None, ActionFailed]:
        raise AssertionError

    odd = action("odd", input=Odd, output=None)(handler)
    with pytest.raises(WrongWiring, match="complex"):
        begin().add_action(odd)


def test_a_connector_says_where_its_api_is() -> None:
    """No other step loses it, and it loses nothing of the others."""

    class Tenanted(Struct, rename="camel"):
        sub_domain: str
        api_key: Secret

    async def open_nothing(config: Tenanted) -> None:
        raise AssertionError("core runs no hook")

    built = (
        Connector.create("crm")
        .with_config(Tenanted)
        .with_metadata(Card("CRM"))
        .with_api("https://{sub_domain}.crm.example/v1", idempotency_header="X-Key")
        .on_context(open_nothing)
        .with_default_config(Tenanted("acme", Secret("k")))
        .with_oauth(PROVIDER)
        .build()
    )
    assert built.metadata == Card("CRM")
    assert built.api is not None
    assert (built.api.authority, built.api.path) == ("{sub_domain}.crm.example", "/v1")
    assert built.api.idempotency_header == "X-Key"
    plain = Connector.create("crm").with_config(Tenanted)
    assert plain.build().api is None
    in_path = plain.with_api("https://api.crm.example/{api_key}").build().api
    assert in_path is not None
    assert in_path.idempotency_header == "Idempotency-Key"


@pytest.mark.parametrize(
    "base_url",
    [
        "http://crm.example",
        "https://{chats}.crm.example",
        "https://{key}.crm.example",
        "https://crm.example/v1?x=1",
    ],
)
def test_an_api_that_could_not_be_called_safely_is_refused(base_url: str) -> None:
    """Plain http, an unknown config field, or a secret in the host."""
    with pytest.raises(WrongWiring) as raised:
        Connector.create("crm").with_config(Config).with_api(base_url)
    assert isinstance(raised.value.problem, BuildInvalid)
    assert raised.value.problem.reason.startswith("crm: ")


def test_handlers_and_hooks_that_are_not_async_are_refused() -> None:
    """Where they are registered: actions, webhooks, on_context and on_validate."""

    def judge(_config: Config) -> Result[None, str]:
        return Success(None)

    def take(_call: object) -> Result[None, WebhookFailed]:
        return Success(None)

    builder = Connector.create("bot").with_config(Config)
    with pytest.raises(WrongWiring, match="bot: the on_validate hook is not async"):
        builder.on_validate(judge)  # type: ignore[arg-type]  # the misuse
    with pytest.raises(WrongWiring, match="bot: the on_context hook is not async"):
        builder.on_context(judge)  # type: ignore[arg-type]  # the misuse
    untyped: Any = take
    webhook: Webhook[Config, None, Config] = Webhook(
        payload=Config, verification=StandardWebhooks(), handler=untyped
    )
    with pytest.raises(WrongWiring, match="bot: the webhook's handler is not async"):
        builder.with_webhook(webhook)
    with pytest.raises(WrongWiring, match="send: the handler is not async"):
        action("send", input=Config, output=Config)(untyped)
