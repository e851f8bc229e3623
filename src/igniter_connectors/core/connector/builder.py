"""The builder of a connector: `Connector.create("telegram").with_config(…)….build()`.

Its type parameters record what was given, so that a type checker refuses a step that is out of
order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any, Generic, final, overload

import msgspec
from returns.pipeline import is_successful
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.api.api_base import ApiBase, parse_api_base
from igniter_connectors.core.api.idempotency_key import IDEMPOTENCY_HEADER
from igniter_connectors.core.connector.action import Action
from igniter_connectors.core.connector.config import ConfigSchema
from igniter_connectors.core.connector.definition import ConfigConnector, OAuthConnector
from igniter_connectors.core.connector.handler_check import require_async
from igniter_connectors.core.connector.validation import type_fault
from igniter_connectors.core.http.routes import KEY
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.oauth.tenant_provider import config_fault
from igniter_connectors.core.problem import BuildConfigRequired, BuildInvalid, WrongWiring
from igniter_connectors.core.webhook.webhook import Webhook, webhook_fault

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")
Payload = TypeVar("Payload")
NewConf = TypeVar("NewConf", bound=msgspec.Struct)
NewCtx = TypeVar("NewCtx")


class Plain:
    """Typestate: no OAuth provider so far."""


class OAuth:
    """Typestate: an OAuth provider is set."""


class Fresh:
    """Typestate: no action and no webhook so far, so `on_context` is allowed."""


class HasHandlers:
    """Typestate: handlers were added, so the context's type can no longer change."""


Auth = TypeVar("Auth")
Stage = TypeVar("Stage")


@final
class Connector:
    """Starts the definition of a connector."""

    @staticmethod
    def create(key: str) -> ConnectorDraft:
        """Starts a connector with this key.

        Args:
            key: 1 to 63 characters of a-z, 0-9, `_` and `-`, starting with a letter.

        Raises:
            WrongWiring: the key is invalid.
        """
        return ConnectorDraft(key)


@final
class ConnectorDraft:
    """A connector that has a key and no config type."""

    def __init__(self, key: str) -> None:
        if not KEY.fullmatch(key):
            raise WrongWiring(BuildInvalid(f"{key!r}: a key is a-z, 0-9, _ and -, a letter first"))
        self._key = key

    def with_config(self, config: type[NewConf]) -> ConnectorBuilder[NewConf, None, Plain, Fresh]:
        """Sets the config type: what a tenant enters to connect. `Secret` fields are sealed.

        A type checker identifies a connector by its config type. Give each connector a type of
        its own; if there is nothing to configure, an empty struct.

        Raises:
            WrongWiring: the type is not a msgspec struct, or cannot be stored.
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
    """Collects the parts of a connector. Immutable: every method returns a new builder."""

    def __init__(self, parts: _Parts[Conf, Ctx]) -> None:
        self._parts = parts

    def with_metadata(self, metadata: msgspec.Struct) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """Sets what a catalogue shows, such as name, icon, category. Public: no secrets here."""
        return ConnectorBuilder(msgspec.structs.replace(self._parts, metadata=metadata))

    def with_default_config(self, config: Conf) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """Sets the application's own config, for `connectors.action(…)` without a tenant.

        A tenant that is not connected never uses it.
        """
        return ConnectorBuilder(msgspec.structs.replace(self._parts, default_config=config))

    def with_api(
        self, base_url: str, *, idempotency_header: str = IDEMPOTENCY_HEADER
    ) -> ConnectorBuilder[Conf, Ctx, Auth, Stage]:
        """Sets the base URL that `call.http` calls. Only this origin receives the token.

        Args:
            base_url: For example `https://api.example.com/v1`; http only on a loopback host.
                It may contain config fields. In the host, `https://{subdomain}.zendesk.com`,
                a tenant's value is one DNS label. In the path,
                `https://api.telegram.org/bot{bot_token}`, it is percent-encoded.
            idempotency_header: The header in which the API takes an idempotency key.

        Raises:
            WrongWiring: the URL is invalid, the config has no such field, a secret is in the
                host, a field is only part of a DNS label, or the host consists of fields only.
        """
        kind = self._parts.schema.kind
        # The URL uses the names in Python; `secret_names` has the names in JSON.
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
        """Sets the hook that makes `call.context`, once for each call of a handler.

        If the value is an async context manager, it is entered before the handler runs and
        exited afterwards.

        Raises:
            WrongWiring: an action or a webhook was added before, or the hook is not an async
                function of one argument.
        """
        parts = self._parts
        require_async(hook, f"{parts.key}: the on_context hook")
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
        """Sets a check of the config beyond its type, called before the config is stored.

        The hook returns a `Success`, or a `Failure` with a reason such as "no such chat".

        Raises:
            WrongWiring: the hook is not an async function of one argument.
        """
        require_async(hook, f"{self._parts.key}: the on_validate hook")
        return ConnectorBuilder(msgspec.structs.replace(self._parts, validate_hook=hook))

    def add_action(
        self, action: Action[Conf, Ctx, In, Out]
    ) -> ConnectorBuilder[Conf, Ctx, Auth, HasHandlers]:
        """Adds an action.

        Raises:
            WrongWiring: the key is invalid or taken, or msgspec cannot decode the input or the
                output type.
        """
        if any(known.key == action.key for known in self._parts.actions):
            raise WrongWiring(BuildInvalid(f"{self._parts.key} has two actions {action.key!r}"))
        if not KEY.fullmatch(action.key):
            raise WrongWiring(
                BuildInvalid(f"{action.key!r}: a key is a-z, 0-9, _ and -, a letter first")
            )
        fault = type_fault(action.input) or type_fault(action.output)
        if fault is not None:
            raise WrongWiring(BuildInvalid(f"{self._parts.key}.{action.key}: {fault}"))
        actions = (*self._parts.actions, action)
        return ConnectorBuilder(msgspec.structs.replace(self._parts, actions=actions))

    def with_webhook(
        self, webhook: Webhook[Conf, Ctx, Payload]
    ) -> ConnectorBuilder[Conf, Ctx, Auth, HasHandlers]:
        """Sets how the connector receives webhooks.

        Raises:
            WrongWiring: the webhook is invalid, its handler is not an async function of one
                argument, or the connector has a webhook already.
        """
        fault = webhook_fault(webhook) or type_fault(webhook.payload)
        if self._parts.webhook is not None:
            fault = "a connector has one webhook; its payload may be a tagged union"
        if fault is not None:
            raise WrongWiring(BuildInvalid(f"{self._parts.key}: {fault}"))
        require_async(webhook.handler, f"{self._parts.key}: the webhook's handler")
        return ConnectorBuilder(msgspec.structs.replace(self._parts, webhook=webhook))

    def with_oauth(
        self: ConnectorBuilder[Conf, Ctx, Plain, Stage], provider: OAuthProvider
    ) -> ConnectorBuilder[Conf, Ctx, OAuth, Stage]:
        """Sets the OAuth provider at which a tenant authorizes. The tenant still has a config.

        Raises:
            WrongWiring: the provider is invalid, or the connector has one already.
        """
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
        """The connector.

        Raises:
            WrongWiring: the default config does not fit its type, or the webhook's `route`
                does not go with the kind of connector.
        """
        parts = self._parts
        default = _checked_default(parts)
        fault = _route_fault(parts)
        if fault is not None:
            raise WrongWiring(BuildInvalid(f"{parts.key}: {fault}"))
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


def _checked_default(parts: _Parts[Conf, Ctx]) -> Conf | None:
    if parts.default_config is None:
        return None
    checked = parts.schema.validate(parts.default_config)
    if not is_successful(checked):
        fault = checked.failure()
        raise WrongWiring(
            BuildInvalid(f"{parts.key}: default config at {fault.path}: {fault.reason}")
        )
    return checked.unwrap()


def _route_fault(parts: _Parts[Conf, Ctx]) -> str | None:
    """Why the webhook's route cannot find a connection of this connector; None if it can."""
    webhook = parts.webhook
    if webhook is None or webhook.route is None:
        return None
    if parts.provider is None and webhook.account_of is None:
        return "a route needs account_of, which finds a config's account"
    if parts.provider is not None and webhook.account_of is not None:
        return "the account of an OAuth connection is its subject, not its config's"
    return None
