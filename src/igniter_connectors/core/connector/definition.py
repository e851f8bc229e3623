"""The immutable definition of one integration: config, actions, webhook, API, OAuth provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, final

import msgspec
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.api.api_base import ApiBase
from igniter_connectors.core.connector.action import Action
from igniter_connectors.core.connector.config import ConfigSchema
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.webhook.webhook import Webhook

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx_co = TypeVar("Ctx_co", covariant=True)
Known_co = TypeVar("Known_co", bound=msgspec.Struct, covariant=True)


class Definition(msgspec.Struct, Generic[Conf, Ctx_co, Known_co], frozen=True):
    """What both kinds of connector share.

    `Known_co` is the config type again, covariant. A type checker identifies a connector by its
    config type; with `Known_co` a tenant of a manager with the connectors A and B accepts A and
    refuses C. The context is covariant too, so a helper over `Definition[C, object, …]` accepts
    every connector.
    """

    key: str
    schema: ConfigSchema[Conf]
    # Each action has its own types, which no single type argument can name.
    actions: Mapping[str, Action[Conf, Ctx_co, Any, Any]]
    context_hook: Callable[[Conf], Awaitable[Ctx_co]] | None = None
    validate_hook: Callable[[Conf], Awaitable[Result[object, str]]] | None = None
    default_config: Conf | None = None
    metadata: msgspec.Struct | None = None
    webhook: Webhook[Conf, Ctx_co, Any] | None = None
    api: ApiBase | None = None


@final
class ConfigConnector(Definition[Conf, Ctx_co, Known_co], frozen=True):
    """A connector that a tenant connects with a config alone, such as an API key."""


@final
class OAuthConnector(Definition[Conf, Ctx_co, Known_co], frozen=True, kw_only=True):
    """A connector that a tenant authorizes at an OAuth provider."""

    provider: OAuthProvider

    @property
    def declared_oauth_scopes(self) -> frozenset[str]:
        """The scopes that the provider's definition or one of the actions declares.

        The URL of an upgrade may request these and no others: anybody can write that URL.
        """
        declared = frozenset(self.provider.oauth_scopes)
        return declared.union(*(action.oauth_scopes for action in self.actions.values()))
