"""The folder of a server: its path fits a socket, and it is deleted even after a crash."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

# A socket's path holds about 100 bytes, and TMPDIR alone may be longer.
_BASE = Path("/tmp")
_PREFIX = "igniter-pg-"
_LOCK = "lock"


class ServerFolder:
    """A fresh folder that others can traverse, locked while this process runs.

    Several test runs can have one at the same time. If a run is killed, the next one deletes its
    folder, because nobody holds the lock.
    """

    def __init__(self) -> None:
        _remove_abandoned()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_BASE))
            self.path.chmod(0o711)
            self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            # Another run may have taken it for abandoned before the lock was held.
            if (self.path / _LOCK).exists():
                return
            os.close(self._lock)

    def remove(self) -> None:
        """Deletes the folder and everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_abandoned() -> None:
    for folder in _BASE.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another user's, locked by its owner, or gone meanwhile
            lock = os.open(folder / _LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
