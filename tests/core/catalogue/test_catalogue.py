"""The whole catalogue: complete, in order, without faults, and loaded only when it is used."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Final

import pytest
from returns.result import Failure, Success

from igniter_connectors import providers
from igniter_connectors.core.catalogue.known_provider import KnownProvider
from igniter_connectors.core.catalogue.lint import faults_of, faults_of_all
from igniter_connectors.core.catalogue.listing import (
    FAMILIES,
    find_provider,
    known_providers,
)
from igniter_connectors.core.problem import ProviderNotKnown

ALL: Final = known_providers()
TODAY: Final[date] = datetime.now(UTC).date()

ASKED_FOR: Final = {
    "google",
    "microsoft",
    "github",
    "gitlab",
    "slack",
    "stripe",
    "shopify",
    "hubspot",
    "salesforce",
    "notion",
    "linear",
    "atlassian",
    "zoom",
    "dropbox",
    "box",
    "discord",
    "mailchimp",
    "intercom",
    "zendesk",
    "asana",
    "xero",
    "quickbooks",
    "spotify",
    "linkedin",
    "facebook",
    "x",
    "twitch",
    "reddit",
    "figma",
    "airtable",
    "calendly",
    "docusign",
    "monday",
    "clickup",
    "typeform",
    "webex",
    "paypal",
    "square",
    "bitbucket",
    "okta",
    "auth0",
}


@pytest.mark.parametrize("known", ALL, ids=lambda known: known.key)
def test_no_description_has_a_fault(known: KnownProvider) -> None:
    """Each is complete, and makes a provider that a connector accepts."""
    assert faults_of(known, today=TODAY) == ()


def test_keys_are_unique_and_variants_exist() -> None:
    """The keys are in order. Each variant names a provider of the catalogue."""
    assert faults_of_all(ALL) == ()
    assert sum(len(family.PROVIDERS) for family in FAMILIES) == len(ALL)
    for family in FAMILIES:
        keys = [known.key for known in family.PROVIDERS]
        assert keys == sorted(keys), family.__name__


def test_there_are_at_least_sixty_providers() -> None:
    """Variants are not counted."""
    originals = {known.key for known in ALL if known.variant_of is None}
    assert originals >= ASKED_FOR
    assert len(originals) >= 60


def test_each_is_public_under_its_key() -> None:
    """`from igniter_connectors.providers import github` is what `find_provider("github")` finds."""
    for known in ALL:
        assert known.key in providers.__all__
        assert getattr(providers, known.key) is known
        assert find_provider(known.key) == Success(known)


def test_every_public_name_exists_and_has_a_docstring() -> None:
    """The classes and functions have one."""
    for name in providers.__all__:
        found = getattr(providers, name)
        assert isinstance(found, KnownProvider) or found.__doc__, name


@pytest.mark.parametrize("key", ["", "GitHub", "github ", "nobody"])
def test_an_unknown_key_is_a_problem(key: str) -> None:
    """Keys are compared exactly."""
    assert find_provider(key) == Failure(ProviderNotKnown(key))


def test_the_package_loads_without_the_catalogue() -> None:
    """`import igniter_connectors` does not import it."""
    script = (
        "import sys, igniter_connectors; igniter_connectors.ConnectorManager;"
        "print(*[name for name in sys.modules if 'catalogue.' in name and 'oauth' in name])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
