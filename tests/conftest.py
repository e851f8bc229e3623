"""Hypothesis profiles: `dev` at a desk, `ci` the same examples each time, `nightly` many more."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a busy machine is no fault of the code's.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
