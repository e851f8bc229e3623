"""Removes secrets from text that other code wrote, such as the message of an exception."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import Final
from urllib.parse import quote, quote_plus

import msgspec

from igniter_connectors.core.secret import Secret

_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_REPLACEMENT: Final = "[secret]"
_MAX_LENGTH: Final = 500


def secrets_in(value: object) -> tuple[Secret, ...]:
    """Every secret in a config or token set."""
    found: list[Secret] = []

    def collect(inner: object) -> str:
        if isinstance(inner, Secret):
            found.append(inner)
            return ""
        raise NotImplementedError(type(inner))

    msgspec.to_builtins(value, enc_hook=collect)
    return tuple(found)


def redact(text: str, secrets: tuple[Secret, ...]) -> str:
    """The text with each secret replaced, cut after 500 characters.

    It finds a secret as it is, percent-encoded, escaped for JSON or Python, and in base64.
    """
    for shown in sorted(
        {form for secret in secrets for form in _forms(secret)}, key=len, reverse=True
    ):
        text = text.replace(shown, _REPLACEMENT)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"


def _forms(secret: Secret) -> set[str]:
    plain = secret.reveal()
    octets = plain.encode("utf-8", "surrogatepass")
    quoted = {quote(octets, safe=""), quote(octets), quote_plus(octets)}
    forms = {
        plain,
        *quoted,
        *(_ESCAPE.sub(lambda found: found.group().lower(), one) for one in quoted),
        json.dumps(plain)[1:-1],
        json.dumps(plain, ensure_ascii=False)[1:-1],
        repr(plain)[1:-1],
        # In a repr with both kinds of quotes, the single quotes are escaped.
        repr(f"""'"{plain}""")[4:-1],
        repr(octets)[2:-1],
        repr(b"'\"" + octets)[5:-1],
        base64.b64encode(octets).decode().rstrip("="),
        base64.urlsafe_b64encode(octets).decode().rstrip("="),
    }
    with suppress(UnicodeEncodeError):  # msgspec writes no lone surrogate
        forms.add(msgspec.json.encode(plain).decode()[1:-1])
    return {form for form in forms if form}
