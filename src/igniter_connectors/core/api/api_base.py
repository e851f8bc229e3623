"""The base URL of a connector's API, with one tenant's values filled in. RFC 3986."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.api.idempotency_key import IDEMPOTENCY_HEADER
from igniter_connectors.core.http.messages import origin_of
from igniter_connectors.core.http.safe_url import is_loopback
from igniter_connectors.core.secret import Secret

URL_CHARACTERS: Final = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
"""The characters that a URL may consist of (RFC 3986 section 2)."""

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST: Final = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ApiBase(msgspec.Struct, frozen=True):
    """An API's base URL, with `{field}` placeholders for config fields. See `parse_api_base`.

    `authority` and `path` may contain placeholders. `path` does not end in a slash.
    """

    scheme: str
    authority: str
    path: str
    idempotency_header: str = IDEMPOTENCY_HEADER


class ResolvedApiBase(msgspec.Struct, frozen=True):
    """An API's origin and base path for one connection.

    `repr` shows only the origin: a path can contain a bot's token.
    """

    origin: str
    path: str

    def __repr__(self) -> str:
        return f"ResolvedApiBase({self.origin}, …)"


def parse_api_base(
    text: str,
    *,
    fields: frozenset[str],
    secret_fields: frozenset[str],
    idempotency_header: str = IDEMPOTENCY_HEADER,
) -> Result[ApiBase, str]:
    """Parses `https://api.example.com/v1` or `https://{subdomain}.example.com/v1`.

    Args:
        text: https, or http on a loopback host; no user, query or fragment. A placeholder in
            the host is a whole label, and a fixed name with a dot follows the last one.
        fields: The names of the config's fields.
        secret_fields: The fields that hold secrets. They may be in the path, as Telegram's
            token is, but not in the host, which appears in logs and DNS queries.
        idempotency_header: The header in which the API expects an idempotency key.

    Returns:
        The base, or the rule that the text breaks.
    """
    plain = _PLACEHOLDER.sub("x", text)
    fault = _url_fault(plain)
    if fault is not None:
        return Failure(fault)
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - fields)
    if unknown:
        return Failure(f"the API's base names {', '.join(unknown)}, which the config has not")
    scheme, _, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    if "{" in authority:
        fault = _placeholder_fault(authority, secret_fields)
        if fault is not None:
            return Failure(fault)
        labels = authority.split(".")
        authority = ".".join(label if "{" in label else label.lower() for label in labels)
    else:
        authority = origin_of(plain).partition("://")[2]
    return Success(
        ApiBase(scheme.lower(), authority, (slash + path).rstrip("/"), idempotency_header)
    )


def _url_fault(plain: str) -> str | None:
    """The rule that a base URL breaks, each placeholder replaced by a letter."""
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "the API's base is not a URL"
    if "{" in plain or "}" in plain or not URL_CHARACTERS.fullmatch(plain):
        return "the API's base is https://host/path, its {fields} named as in the config"
    if not _HOST.fullmatch(host):
        return "the API's base is https://host/path, its {fields} named as in the config"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return "the API's base is https, or http on a loopback host"
    if "@" in parts.netloc or parts.query or parts.fragment or has_dot_segment(parts.path):
        return "the API's base has no user, query, fragment or dot segment"
    return None


def _placeholder_fault(authority: str, secret_fields: frozenset[str]) -> str | None:
    """The rule that placeholders in the host break."""
    labels = authority.partition(":")[0].split(".")
    variable = [label for label in labels if "{" in label]
    if not variable:
        return None
    fixed = labels[labels.index(variable[-1]) + 1 :]
    if not all(map(_PLACEHOLDER.fullmatch, variable)) or len(fixed) < 2 or not all(fixed):
        return "a field in the API's host is a label before a fixed name with a dot"
    if secret_fields.intersection(_PLACEHOLDER.findall(authority)):
        return "a secret is not allowed in the API's host"
    return None


def resolve_api_base(base: ApiBase, config: msgspec.Struct) -> Result[ResolvedApiBase, str]:
    """The base with one tenant's values, or the rule that a value breaks.

    In the host, a value is one DNS label (RFC 1123 section 2.1), so that it cannot change the
    name that follows. In the path, it is one quoted segment.
    """
    authority, path = base.authority, base.path
    for name in _PLACEHOLDER.findall(authority):
        value = _text(getattr(config, name)).lower()
        if not _LABEL.fullmatch(value):
            return Failure(f"the config's {name} is not one DNS label")
        authority = authority.replace(f"{{{name}}}", value)
    segments: list[str] = []
    for segment in path.split("/"):
        filled = segment
        for name in _PLACEHOLDER.findall(segment):
            # A colon is legal here, and Telegram's tokens contain one.
            value = quote(_text(getattr(config, name)), safe=":", errors="replace")
            if not value:
                return Failure(f"the config's {name} is empty")
            filled = filled.replace(f"{{{name}}}", value)
        segments.append(filled)
    path = "/".join(segments)
    if has_dot_segment(path):
        return Failure("the config makes a dot segment of the API's path")
    return Success(ResolvedApiBase(origin_of(f"{base.scheme}://{authority}"), path))


def has_dot_segment(path: str) -> bool:
    """Whether a server could read a path segment as the current or the parent folder.

    Decodes percent-encoding twice, because a gateway may decode once and the server behind it
    again. Ignores parameters after a semicolon, which some servers remove first.
    """
    segments = re.split(r"[/\\]", unquote(unquote(path)))
    return any(segment.partition(";")[0] in (".", "..") for segment in segments)


def _text(value: object) -> str:
    """A field's value as text; "" for a type that cannot be part of a URL."""
    if isinstance(value, Secret):
        return value.reveal()
    return str(value) if isinstance(value, str | int) else ""
