"""Reads `tests/vectors/`: data with its source, decoded into the type that a test names."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

_FOLDER: Final = Path(__file__).parents[1] / "vectors"


def vectors(name: str, kind: type[T]) -> T:
    """The vectors of one file; fields that the type does not name are left out."""
    return msgspec.json.decode((_FOLDER / name).read_bytes(), type=kind)
