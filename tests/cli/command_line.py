"""Runs a command of the command line in a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "igniter_connectors.cli")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs one command in the repository's root, with these environment variables added."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
