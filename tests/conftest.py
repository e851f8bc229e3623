"""Hypothesis profiles: `dev` at a desk, `ci` with the same examples each time, `quick` with a few
of those where the suite runs once more, `nightly` with many."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a busy machine is no fault of the code's.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=10)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
