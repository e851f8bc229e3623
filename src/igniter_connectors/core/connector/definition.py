"""Connectors: the immutable definition of one integration, and the builder that makes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, final, overload

import msgspec
from returns.pipeline import is_successful
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.api.api_base import IDEMPOTENCY_HEADER, ApiBase, parse_api_base
from igniter_connectors.core.connector.action import Action
from igniter_connectors.core.connector.config import ConfigSchema
from igniter_connectors.core.connector.form_fields import decoding_fault
from igniter_connectors.core.http.routes import KEY
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.oauth.tenant_provider import config_fault
from igniter_connectors.core.problem import (
    BuildConfigRequired,
    BuildInvalid,
    WrongWiring,
)
from igniter_connectors.core.webhook.webhook import Webhook, webhook_fault

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")
Payload = TypeVar("Payload")
NewConf = TypeVar("NewConf", bound=msgspec.Struct)
NewCtx = TypeVar("NewCtx")
Known = TypeVar("Known", bound=msgspec.Struct, covariant=True)


class Definition(msgspec.Struct, Generic[Conf, Ctx, Known], frozen=True):
    """What both kinds of connector share. `Known` is the config type once more, covariant.

    A type checker tells connectors apart by their config type; `Known` lets a tenant of a
    manager that registered A and B accept a connector of A and refuse one of C.
    """

    key: str
    schema: ConfigSchema[Conf]
    # Each action has types of its own, which no single type argument could name.
    actions: Mapping[str, Action[Conf, Ctx, Any, Any]]
    context_hook: Callable[[Conf], Awaitable[Ctx]] | None = None
    validate_hook: Callable[[Conf], Awaitable[Result[object, str]]] | None = None
    default_config: Conf | None = None
    metadata: msgspec.Struct | None = None
    webhook: Webhook[Conf, Ctx, Any] | None = None
    api: ApiBase | None = None


@final
class ConfigConnector(Definition[Conf, Ctx, Known], frozen=True):
    """A connector that a config alone connects: an API key, a bot token."""


@final
class OAuthConnector(Definition[Conf, Ctx, Known], frozen=True, kw_only=True):
    """A connector that a tenant authorizes at an OAuth provider."""

    provider: OAuthProvider


class Plain:
    """Typestate: no OAuth provider yet."""


class OAuth:
    """Typestate: an OAuth provider is set."""


class Fresh:
    """Typestate: neither actions nor a webhook, so the context may still be chosen."""


class HasHandlers:
    """Typestate: handlers were added, and the context's type is settled."""


Auth = TypeVar("Auth")
Stage = TypeVar("Stage")


@final
class Connector:
    """Where a definition begins: `Connector.create("telegram").with_config(…)….build()`."""

    @staticmethod
    def create(key: str) -> ConnectorDraft:
        """A connector with this key: 1 to 63 of a-z, 0-9, `_` and `-`, a letter first."""
        return ConnectorDraft(key)


@final
class ConnectorDraft:
    """A key, waiting for its config type."""

    def __init__(self, key: str) -> None:
        if not KEY.fullmatch(key):
            raise WrongWiring(BuildInvalid(f"{key!r}: a key is a-z, 0-9, _ and -, a letter first"))
        self._key = key

    def with_config(self, config: type[NewConf]) -> ConnectorBuilder[NewConf, None, Plain, Fresh]:
        """What a tenant gives to connect. Fields typed `Secret` are sealed.

        The type is the connector's identity to the checker: each has one of its own, an
        empty struct when there is nothing to configure.
        """
        if not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
            raise WrongWiring(BuildConfigRequired(self._key))
        return ConnectorBuilder(_Parts(self._key, ConfigSchema(config)))


class _Parts(msgspec.Struct, Generic[Conf, Ctx], frozen=True):
    key: str
    schema: ConfigSchema[Conf]
    actions: tuple[Action[Conf, Ctx, Any, Any], ...] = ()
    context_hook: Callable[[Conf], Awaitable[Ctx]] | None = None
    validate_hook: Callable[[Conf], Awaitable[Result[object, str]]] | None = None
    default_config: Conf | None = None
    metadata: msgspec.Struct | None = None
    webhook: Webhook[Conf, Ctx, Any] | None = None
    provider: OAuthProvider | None = None
    api: ApiBase | None = None


@final
class ConnectorBuilder(Generic[Conf, Ctx, Auth, Stage]):
    """Immutable: every method returns a new builder that lost nothing of the one before."""

    def __init__(self, parts: _Parts[Conf, Ctx]) -> None:
        self._parts = parts

    def with_metadata(self, metadata: msgspec.Struct) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """What a catalogue shows of the connector: name, icon, category. Public, no secrets."""
        return ConnectorBuilder(msgspec.structs.replace(self._parts, metadata=metadata))

    def with_default_config(self, config: Conf) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """The application's own config, for `connectors.action(…)` without a tenant.

        A tenant that is not connected does not fall back to it.
        """
        return ConnectorBuilder(msgspec.structs.replace(self._parts, default_config=config))

    def with_api(
        self, base_url: str, *, idempotency_header: str = IDEMPOTENCY_HEADER
    ) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """Where the connector's API is: what `call.http` calls, and who alone gets the token.

        Args:
            base_url: `https://api.example.com/v1`; http on a loopback host alone. Config
                fields may stand in it: `https://{subdomain}.zendesk.com/api/v2`, where a
                tenant's value is one DNS label, or in the path, as in
                `https://api.telegram.org/bot{bot_token}`, where it is quoted.
            idempotency_header: The header in which the API takes an idempotency key.

        Raises:
            WrongWiring: not such a URL, a field that the config has not, a secret in the
                host, a field that is no whole label, or nothing fixed behind it.
        """
        kind = self._parts.schema.kind
        # The config's names in Python; what holds a secret is known by those in JSON.
        names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
        base = parse_api_base(
            base_url,
            fields=frozenset(names.values()),
            secret_fields=frozenset(names[name] for name in self._parts.schema.secret_names),
            idempotency_header=idempotency_header,
        )
        if not is_successful(base):
            raise WrongWiring(BuildInvalid(f"{self._parts.key}: {base.failure()}"))
        return ConnectorBuilder(msgspec.structs.replace(self._parts, api=base.unwrap()))

    def on_context(
        self: ConnectorBuilder[Conf, None, Auth, Fresh],
        hook: Callable[[Conf], Awaitable[NewCtx]],
    ) -> ConnectorBuilder[Conf, NewCtx, Auth, Fresh]:
        """What each handler gets as `call.context`, made anew for each call.

        A value that is an async context manager is entered before and left after the call.
        """
        parts = self._parts
        if parts.actions or parts.webhook is not None:
            raise WrongWiring(BuildInvalid(f"{parts.key}: choose the context before the handlers"))
        return ConnectorBuilder(
            _Parts(
                parts.key,
                parts.schema,
                context_hook=hook,
                validate_hook=parts.validate_hook,
                default_config=parts.default_config,
                metadata=parts.metadata,
                provider=parts.provider,
                api=parts.api,
            )
        )

    def on_validate(
        self, hook: Callable[[Conf], Awaitable[Result[object, str]]]
    ) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """A check beyond the type, before a config is stored: `Failure("no such chat")`."""
        return ConnectorBuilder(msgspec.structs.replace(self._parts, validate_hook=hook))

    def add_action(
        self, action: Action[Conf, Ctx, In, Out]
    ) -> ConnectorBuilder[Conf, Ctx, Auth, HasHandlers]:
        """One more action; its key is new to this connector."""
        if any(known.key == action.key for known in self._parts.actions):
            raise WrongWiring(BuildInvalid(f"{self._parts.key} has two actions {action.key!r}"))
        if not KEY.fullmatch(action.key):
            raise WrongWiring(
                BuildInvalid(f"{action.key!r}: a key is a-z, 0-9, _ and -, a letter first")
            )
        fault = decoding_fault(action.input) or decoding_fault(action.output)
        if fault is not None:
            raise WrongWiring(BuildInvalid(f"{self._parts.key}.{action.key}: {fault}"))
        actions = (*self._parts.actions, action)
        return ConnectorBuilder(msgspec.structs.replace(self._parts, actions=actions))

    def with_webhook(
        self, webhook: Webhook[Conf, Ctx, Payload]
    ) -> ConnectorBuilder[Conf, Ctx, Auth, HasHandlers]:
        """How the connector receives webhooks."""
        fault = webhook_fault(webhook) or decoding_fault(webhook.payload)
        if self._parts.webhook is not None:
            fault = "a connector has one webhook; its payload may be a tagged union"
        if fault is not None:
            raise WrongWiring(BuildInvalid(f"{self._parts.key}: {fault}"))
        return ConnectorBuilder(msgspec.structs.replace(self._parts, webhook=webhook))

    def with_oauth(
        self: ConnectorBuilder[Conf, Ctx, Plain, Stage], provider: OAuthProvider
    ) -> ConnectorBuilder[Conf, Ctx, OAuth, Stage]:
        """The provider at which a tenant authorizes; the config stays beside it."""
        fault = provider_fault(provider) or config_fault(provider, self._parts.schema.kind)
        if self._parts.provider is not None:
            fault = "a connector has one OAuth provider"
        if fault is not None:
            raise WrongWiring(BuildInvalid(f"{self._parts.key}: {fault}"))
        return ConnectorBuilder(msgspec.structs.replace(self._parts, provider=provider))

    @overload
    def build(
        self: ConnectorBuilder[Conf, Ctx, Plain, Stage],
    ) -> ConfigConnector[Conf, Ctx, Conf]: ...
    @overload
    def build(
        self: ConnectorBuilder[Conf, Ctx, OAuth, Stage],
    ) -> OAuthConnector[Conf, Ctx, Conf]: ...
    def build(
        self,
    ) -> ConfigConnector[Conf, Ctx, Conf] | OAuthConnector[Conf, Ctx, Conf]:
        """The definition.

        Raises:
            WrongWiring: the default config does not fit its own type.
        """
        parts = self._parts
        default = parts.default_config
        if default is not None:
            checked = parts.schema.validate(default)
            if not is_successful(checked):
                fault = checked.failure()
                raise WrongWiring(
                    BuildInvalid(f"{parts.key}: default config at {fault.path}: {fault.reason}")
                )
            default = checked.unwrap()
        misrouted = _routing_fault(parts)
        if misrouted is not None:
            raise WrongWiring(BuildInvalid(f"{parts.key}: {misrouted}"))
        actions = MappingProxyType({action.key: action for action in parts.actions})
        if parts.provider is None:
            return ConfigConnector(
                parts.key,
                parts.schema,
                actions,
                parts.context_hook,
                parts.validate_hook,
                default,
                parts.metadata,
                parts.webhook,
                parts.api,
            )
        return OAuthConnector(
            parts.key,
            parts.schema,
            actions,
            parts.context_hook,
            parts.validate_hook,
            default,
            parts.metadata,
            parts.webhook,
            parts.api,
            provider=parts.provider,
        )


def _routing_fault(parts: _Parts[Conf, Ctx]) -> str | None:
    webhook = parts.webhook
    if webhook is None or webhook.route is None:
        return None
    if parts.provider is None and webhook.account_of is None:
        return "a route needs account_of, which finds a config's account"
    if parts.provider is not None and webhook.account_of is not None:
        return "the account of an OAuth connection is its subject, not its config's"
    return None
