"""Taking secrets out of text that somebody else wrote: an exception's message."""

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
_HIDDEN: Final = "[secret]"
_LONGEST: Final = 500


def secrets_in(value: object) -> tuple[Secret, ...]:
    """Every secret inside a config or token set."""
    found: list[Secret] = []

    def collect(inner: object) -> str:
        if isinstance(inner, Secret):
            found.append(inner)
            return ""
        raise NotImplementedError(type(inner))

    msgspec.to_builtins(value, enc_hook=collect)
    return tuple(found)


def redact(text: str, secrets: tuple[Secret, ...]) -> str:
    """The text, at most 500 characters, with each secret replaced: plain, quoted for a URL,
    escaped for JSON or Python, or in base64."""
    for shown in sorted(
        {form for secret in secrets for form in _forms(secret)}, key=len, reverse=True
    ):
        text = text.replace(shown, _HIDDEN)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


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
        # A text with both kinds of quotes has the single ones escaped.
        repr(f"""'"{plain}""")[4:-1],
        repr(octets)[2:-1],
        repr(b"'\"" + octets)[5:-1],
        base64.b64encode(octets).decode().rstrip("="),
        base64.urlsafe_b64encode(octets).decode().rstrip("="),
    }
    with suppress(UnicodeEncodeError):  # a lone surrogate is in no JSON that msgspec writes
        forms.add(msgspec.json.encode(plain).decode()[1:-1])
    return {form for form in forms if form}
