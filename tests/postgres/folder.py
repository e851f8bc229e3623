"""A server's folder: short enough for a socket's path, and cleared away even after a crash."""

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
    """A fresh folder that others can traverse, held by a lock as long as this process lives.

    Any number of test runs may have one at once. What a killed run left behind is removed
    by the next one: nobody holds its lock.
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
        """Removes the folder and everything in it."""
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
