"""The type of a decoded JSON value."""

from __future__ import annotations

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
"""Any value that JSON can hold, as msgspec decodes it."""
