"""Everything that an application gave to the builder of a manager."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.event import Event
from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.http_limits import HttpLimits
from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.ports import Clock, Entropy, Observer, Store


class Registration(msgspec.Struct, frozen=True):
    """What the builder collected. None means: use the container's default.

    Each subscriber accepts the kind of event beside it, which the type of the tuple cannot say.
    `container` is a subclass of `Container`; its module is imported when the manager is built.
    """

    store: Store | None = None
    keyring: Keyring | None = None
    http: HttpClient | None = None
    user_agent: str | None = None
    clock: Clock | None = None
    entropy: Entropy | None = None
    observer: Observer | None = None
    logger: logging.Logger | None = None
    base_url: BaseUrl | None = None
    return_urls: frozenset[str] = frozenset()
    limits: DeliveryLimits = DeliveryLimits()
    http_limits: HttpLimits = HttpLimits()
    kinds: tuple[type[Scope], ...] = ()
    connectors: tuple[Definition[Any, Any, Any], ...] = ()
    subscribers: tuple[tuple[type[Event], Callable[[Any], Awaitable[None]]], ...] = ()
    container: type[object] | None = None
