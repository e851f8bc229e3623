"""Child processes that end with their parent and do not run as root."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

_PR_SET_PDEATHSIG = 1


class Unprivileged(TypedDict, total=False):
    """Arguments of `subprocess` for another user. Empty if the tests do not run as root."""

    user: int
    group: int
    extra_groups: list[int]


def unprivileged() -> Unprivileged:
    """The user `nobody` if root runs the tests, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def start_child(command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Starts a child in the foreground, its output appended to a log.

    On Linux the kernel sends it SIGQUIT when the thread that started it is gone, `kill -9`
    of the test run included; call this from a thread that lives as long as the server.
    A process group of its own keeps the terminal's Ctrl-C from it, and one that is stopped
    is continued by the kernel when its parent dies, so that it does get the SIGQUIT.
    """
    parent = os.getpid()

    def end_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            process_group=0,
            preexec_fn=end_with_parent,  # noqa: PLW1509  # it takes no lock
            **unprivileged(),
        )


def children_of(pid: int) -> list[int]:
    """The ids of a process's children."""
    if Path("/proc/self/stat").exists():
        return [int(one.name) for one in Path("/proc").glob("[0-9]*") if _parent(one) == pid]
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True, text=True
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def _parent(folder: Path) -> int | None:
    try:
        # The name, in brackets, may hold anything; what follows it does not.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):  # it ended meanwhile
        return None
