"""Hypothesis profiles, and the limit of the time that a test may take.

The profiles are `dev` at a desk, `ci` with the same examples each time, `quick` with a few of those
where the suite runs once more, and `nightly` with many.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# No deadline: a busy machine is no fault of the code's.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=10)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Loads the plugin."""
    config.pluginmanager.import_plugin("tests.time_limit")
