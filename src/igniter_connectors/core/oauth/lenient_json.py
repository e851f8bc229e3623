"""A provider's JSON object, read as far as it can be read.

One member with a lone surrogate, a number out of range, invalid UTF-8 or too deep nesting must not
cost the others: among them can be a token that the provider has just issued.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from typing import Final

import msgspec

from igniter_connectors.core.json_value import JsonValue

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def decode_json_object(body: bytes) -> dict[str, JsonValue] | None:
    """The members of a JSON object; None if the body is not one.

    A byte order mark before it is ignored (RFC 8259 section 8.1). If the body as a whole cannot
    be decoded, each member is decoded by itself, and those that cannot be decoded are left out.
    Strings may then contain lone surrogates.
    """
    body = body.removeprefix(BOM_UTF8)
    try:
        decoded: JsonValue = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _readable_members(body.decode("utf-8", "surrogateescape").strip())
    return decoded if isinstance(decoded, dict) else None


def _readable_members(text: str) -> dict[str, JsonValue] | None:
    """The members at the top level of an object that can be decoded by themselves."""
    if not text.startswith("{") or not text.endswith("}"):
        return None
    members: dict[str, JsonValue] = {}
    depth, start, name = 0, 1, ""
    for found in _TOKEN.finditer(text):
        mark = found.group()
        depth += (mark in ("{", "[")) - (mark in ("}", "]"))
        if depth == 1 and mark == ":":
            name, start = text[start : found.start()], found.end()
        elif (depth == 1 and mark == ",") or depth == 0:
            key, value = _decoded(name), _decoded(text[start : found.start()])
            if isinstance(key, str) and value is not None:
                members[key] = value
            name, start = "", found.end()
        if depth == 0:
            return members if found.end() == len(text) else None
    return None


def _decoded(text: str) -> JsonValue:
    """One value; None if it cannot be decoded."""
    try:
        decoded: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return decoded
