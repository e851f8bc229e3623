"""Forms and queries, parsed strictly and with limits: for Twilio's signatures, Slack's bodies."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_FORM_FIELDS: Final = 1000

_ESCAPED: Final = re.compile(rb"[^%]*(?:%[0-9A-Fa-f]{2}[^%]*)*")

Form = tuple[tuple[str, str], ...]
"""Names and values in order. A name may occur several times."""


def read_form(octets: bytes) -> Form | None:
    """The fields of `application/x-www-form-urlencoded` bytes.

    A field without `=` has the value "". Empty pieces between `&` are skipped.

    Returns:
        The fields, or None: more than 1,000 fields, an invalid `%` escape, or text that is
        not UTF-8. Lenient parsers read those differently, but the fields that are verified
        must be the fields that are decoded.

    WHATWG URL, section 5.1.
    """
    if octets.count(b"&") >= MAX_FORM_FIELDS:
        return None
    fields: list[tuple[str, str]] = []
    for piece in octets.split(b"&"):
        if not piece:
            continue
        if not _ESCAPED.fullmatch(piece):
            return None
        name, _, value = piece.replace(b"+", b" ").partition(b"=")
        try:
            fields.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
        except UnicodeDecodeError:
            return None
    return tuple(fields)


def read_query(url: str) -> Form | None:
    """The fields of a URL's query; None as for `read_form`."""
    return read_form(url.partition("?")[2].encode("utf-8", "replace"))


def single_field(form: Form, name: str) -> str | None:
    """The value of a field that occurs exactly once; None otherwise."""
    values = [value for key, value in form if key == name]
    return values[0] if len(values) == 1 else None
