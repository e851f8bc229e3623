"""Misuse that no type checker refuses, or that comes from code without type checks."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    Connector,
    ConnectorManager,
    Keyring,
    MemoryStore,
    OAuthProvider,
    Scope,
    Secret,
    WrongWiring,
    action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.problem import (
    ActionFailed,
    ActionNotFound,
    BuildInvalid,
    ConfigInvalid,
    EncryptionSecretRequired,
)
from tests.sample import (
    KEYRING,
    BotConfig,
    Organization,
    Said,
    Say,
    System,
    bot,
    config,
    running_bot,
    say,
)

ACME = Organization("acme")
registered = ConnectorManager.create().add_scope(Organization).add_connector(bot)


class MailConfig(msgspec.Struct, frozen=True):
    """The config of a connector that is not registered."""


class OwnBotConfig(BotConfig, frozen=True):
    """For a type checker a subtype of the bot's config; for the manager another connector."""


@action("whisper", input=Say, output=Said)
async def whisper(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """It fits the bot's types and is not one of its actions."""
    return Success(Said(call.input.text.lower(), 0))


@action("say", input=Say, output=Said)
async def another_say(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """It has the key of one of the bot's actions."""
    return Success(Said(call.input.text.upper(), 0))


def assert_wiring(caught: pytest.ExceptionInfo[WrongWiring], *words: str) -> None:
    """Checks that the fault contains these words."""
    assert isinstance(caught.value.problem, BuildInvalid)
    for word in words:
        assert word in str(caught.value)


# --- secrets --------------------------------------------------------------------------


def test_a_secret_in_an_f_string_raises() -> None:
    """A URL that contains `Secret('…')` would fail much later."""
    token = Secret("t0ken")
    with pytest.raises(TypeError, match=r"\.reveal\(\)"):
        len(f"https://api.example/bot{token}")


def test_a_secret_as_text_is_redacted() -> None:
    """Loggers use `str` and `%s`."""
    token = Secret("t0ken")
    assert "t0ken" not in str(token) + "%s" % token  # noqa: UP031


def test_a_secret_compared_with_its_string_differs() -> None:
    """Only checkers that report deprecations refuse the comparison."""
    assert Secret("t0ken") != "t0ken"


async def test_a_plain_string_for_a_secret_is_wrapped_once_validated() -> None:
    """A form or a JSON body brings a str; what is stored and returned is a Secret."""
    loose = BotConfig(cast("Secret", "t0ken"), "42")
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        connected = value_or_raise(await at.connect(loose))
        found = value_or_raise(await at.get())
    assert connected.config == found.config == BotConfig(Secret("t0ken"), "42")
    assert isinstance(found.config.token, Secret)


def test_a_string_of_previous_secrets_is_refused() -> None:
    """A str is a sequence of strings, one for each character."""
    with pytest.raises(WrongWiring) as caught:
        Keyring.from_secret(Keyring.generate(), previous=Keyring.generate().reveal())
    assert isinstance(caught.value.problem, EncryptionSecretRequired)


# --- actions --------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", [whisper, another_say])
async def test_an_action_that_was_never_added_is_not_found(stranger: Any) -> None:
    """The types fit, but the action was not added; an equal key does not change that."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        called = await at.action(stranger).call(Say("hello"))
        on_default = await connectors.action(bot, stranger).call(Say("hello"))
    assert problem_of(called) == ActionNotFound("bot", stranger.key)
    assert problem_of(on_default) == ActionNotFound("bot", stranger.key)


# --- registering ----------------------------------------------------------------------


def test_two_connectors_that_share_a_config_type_are_refused() -> None:
    """The config type tells connectors apart."""
    twin = Connector.create("twin").with_config(BotConfig).build()
    with pytest.raises(WrongWiring) as caught:
        registered.add_connector(twin)
    assert_wiring(caught, "'bot'", "'twin'", "config type")


def test_two_connectors_that_share_a_key_are_refused() -> None:
    """The database stores the key."""
    namesake = Connector.create("bot").with_config(MailConfig).build()
    with pytest.raises(WrongWiring) as caught:
        registered.add_connector(namesake)
    assert_wiring(caught, "'bot'", "key")


def test_a_connector_is_added_once() -> None:
    """Registering a connector twice is the same fault."""
    with pytest.raises(WrongWiring) as caught:
        registered.add_connector(bot)
    assert_wiring(caught, "'bot'")


def test_two_kinds_with_one_tag_are_refused() -> None:
    """Their tenants would share rows."""

    class Company(Scope, frozen=True, tag="organization"):
        """Another kind with a tag that is taken."""

    with pytest.raises(WrongWiring) as caught:
        registered.add_scope(Company)
    assert_wiring(caught, "'organization'")


def test_a_kind_is_added_once() -> None:
    """Registering a kind twice is the same fault."""
    with pytest.raises(WrongWiring) as caught:
        registered.add_scope(Organization)
    assert_wiring(caught, "'organization'")


async def test_a_second_tag_for_one_kind_makes_another_kind() -> None:
    """To a type checker its tenants are organizations; the manager does not know the kind."""

    class Department(Organization, frozen=True, tag="department"):
        """A subclass with a tag of its own."""

    class Renamed(Organization, frozen=True, tag="organization"):
        """A subclass with the same tag."""

    async with running_bot() as connectors:
        for stranger in (Department("acme"), Renamed("acme")):
            with pytest.raises(WrongWiring) as caught:
                connectors.scope(stranger)
            assert_wiring(caught, type(stranger).__name__)


def test_a_kind_without_a_tag_is_refused() -> None:
    """The name of a class changes too easily to be stored in a database."""

    class Nameless(Scope, frozen=True):
        """No tag."""

    class Automatic(Scope, frozen=True, tag=True):
        """The name of the class as the tag."""

    class Numbered(Scope, frozen=True, tag=7):
        """A tag that is not a string."""

    for kind in (Scope, Nameless, Automatic, Numbered):
        with pytest.raises(WrongWiring) as caught:
            registered.add_scope(kind)
        assert_wiring(caught, kind.__name__, "tag")


def test_a_kind_with_fields_of_its_own_is_refused() -> None:
    """The other fields would not be stored."""

    class Team(Scope, frozen=True, tag="team"):
        """One field too many."""

        lead: str = ""

    with pytest.raises(WrongWiring) as caught:
        registered.add_scope(Team)
    assert_wiring(caught, "Team", "identity")


# --- what was not registered ----------------------------------------------------------

STRANGERS: list[Any] = [
    Connector.create("mail").with_config(MailConfig).build(),
    Connector.create("bot").with_config(MailConfig).build(),
    Connector.create("bot").with_config(BotConfig).add_action(say).build(),
    Connector.create("mail")
    .with_config(MailConfig)
    .with_oauth(
        OAuthProvider(
            authorization_url="https://a.example", token_url="https://a.example", client_id="c"
        )
    )
    .build(),
]
NO_CONNECTORS: list[Any] = ["bot", None, BotConfig, Connector.create("bot").with_config(BotConfig)]


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_connector_that_is_not_registered_is_refused(stranger: Any) -> None:
    """An equal key or config type does not make a connector registered."""
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring) as caught:
            connectors.scope(ACME).at(stranger)
        assert_wiring(caught, repr(stranger.key))


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_default_action_of_a_connector_that_is_not_registered_is_refused(
    stranger: Any,
) -> None:
    """As for a tenant: the manager runs only what it was given."""
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring) as caught:
            connectors.action(stranger, say)
        assert_wiring(caught, repr(stranger.key))


async def test_a_connector_of_a_narrower_config_is_refused() -> None:
    """Checkers accept it, because its config type is a subclass of a registered one."""
    own = Connector.create("own").with_config(OwnBotConfig).build()
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring) as caught:
            connectors.scope(ACME).at(own)
        assert_wiring(caught, "'own'")


@pytest.mark.parametrize("stranger", NO_CONNECTORS)
async def test_what_is_no_connector_is_refused(stranger: Any) -> None:
    """For a key there is `find`."""
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring):
            connectors.scope(ACME).at(stranger)
        with pytest.raises(WrongWiring):
            connectors.action(stranger, say)


async def test_what_is_no_tenant_is_refused() -> None:
    """For the name of a kind there is `tenant`."""
    strangers: list[Any] = ["organization", None, Organization]
    async with running_bot() as connectors:
        for stranger in strangers:
            with pytest.raises(WrongWiring):
                connectors.scope(stranger)


async def test_a_kind_that_is_not_registered_is_refused() -> None:
    """A known identity does not make a tenant known."""
    connectors = registered.with_database(MemoryStore()).with_encryption(KEYRING).build()
    stranger: Any = System()
    with pytest.raises(WrongWiring) as caught:
        connectors.scope(stranger)
    assert_wiring(caught, "System")


async def test_a_connector_found_by_its_key_checks_what_it_is_given() -> None:
    """Its types are unknown until it runs."""
    async with running_bot() as connectors:
        found: Any = value_or_raise(connectors.find("bot"))
        refused = await connectors.scope(ACME).at(found).connect(Say("hello"))
    problem = problem_of(refused)
    assert isinstance(problem, ConfigInvalid)
    assert (problem.connector, problem.path) == ("bot", "$.token")
