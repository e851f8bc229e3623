"""Notices that an open SQLite file is no longer the one at its path."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

from igniter_connectors.ports import StoreUnavailable

_MOVED: Final = "SQLite: the file was deleted, moved, replaced or cut: open the store again"

# The write-ahead log and its index belong to the file. What is written to a log that was deleted
# is lost, and another process may then damage the file.
_SUFFIXES: Final = ("-wal", "-shm")

# https://sqlite.org/fileformat.html#the_database_header
_HEADER_BYTES: Final = 100


@final
class FileWatch:
    """Compares the files at a path with those that were there when it was opened.

    An open file that is deleted goes on taking writes, which end with the process. So every call
    checks before it is answered. Three calls of `stat`, some microseconds. What was noticed once
    is not forgotten: other data may have been written meanwhile.
    """

    def __init__(self, path: str) -> None:
        # A link may lead elsewhere later. SQLite puts the log beside the file that it led to.
        self._path = Path(path).absolute()
        target = str(self._path.resolve())
        self._paths = (self._path, *(Path(target + suffix) for suffix in _SUFFIXES))
        self._files: dict[Path, tuple[int, int]] = {}
        self._size = self._found_size = 0
        self._is_moved = False
        self.check()

    def check(self) -> None:
        """Raises `StoreUnavailable` if a file is gone, is another one, or was cut."""
        if not self._is_moved:
            self._is_moved = not all(map(self._is_same, self._paths)) or self._is_cut()
        if self._is_moved:
            raise StoreUnavailable(_MOVED)

    def _is_same(self, path: Path) -> bool:
        try:
            found = path.stat()
        except FileNotFoundError:
            return path not in self._files and path is not self._path
        except OSError:
            return True  # it cannot be seen: SQLite says what is wrong
        if path is self._path:
            self._found_size = found.st_size
        identity = (found.st_dev, found.st_ino)
        return self._files.setdefault(path, identity) == identity

    def _is_cut(self) -> bool:
        """Whether the file is shorter than its own header says.

        Asked when it has become shorter. After VACUUM it is, too, and nothing is missing.
        """
        size, before = self._found_size, self._size
        self._size = size
        if size >= before:
            return False
        with self._path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return True
        page_bytes = int.from_bytes(header[16:18])
        page_bytes = 65536 if page_bytes == 1 else page_bytes
        return size < page_bytes * int.from_bytes(header[28:32])
