"""The list of all providers in the catalogue, and the lookup by key."""

from __future__ import annotations

from typing import Final

from returns.result import Failure, Result, Success

from igniter_connectors.core.catalogue import (
    accounting,
    commerce,
    communication,
    content,
    customers,
    development,
    identity,
    social,
    work,
)
from igniter_connectors.core.catalogue.known_provider import KnownProvider
from igniter_connectors.core.problem import ProviderNotKnown

FAMILIES: Final = (
    accounting, commerce, communication, content, customers, development, identity, social, work,
)  # fmt: skip

_BY_KEY: Final = {
    known.key: known
    for known in sorted(
        (known for family in FAMILIES for known in family.PROVIDERS), key=lambda known: known.key
    )
}


def known_providers() -> tuple[KnownProvider, ...]:
    """Every provider and variant of the catalogue, sorted by key."""
    return tuple(_BY_KEY.values())


def find_provider(key: str) -> Result[KnownProvider, ProviderNotKnown]:
    """The provider with a key from a setting or a form.

    Returns:
        The provider or variant, or `ProviderNotKnown`: the catalogue does not contain it. An
        application's own providers are not searched.
    """
    known = _BY_KEY.get(key)
    return Failure(ProviderNotKnown(key)) if known is None else Success(known)
