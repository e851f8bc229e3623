"""A real Postgres for flows that every store must bear."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin, so that a session has one server, whichever folders it collects."""
    config.pluginmanager.import_plugin("tests.postgres.fixtures")
