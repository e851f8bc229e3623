"""A real PostgreSQL server."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Loads the fixtures as a plugin, so that a test session starts only one server."""
    config.pluginmanager.import_plugin("tests.postgres.fixtures")
