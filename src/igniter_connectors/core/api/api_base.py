"""The base URL of a connector's API."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import origin_of
from igniter_connectors.core.http.safe_url import is_loopback
from igniter_connectors.core.secret import Secret

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"


_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


_HOST: Final = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")


_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


# RFC 3986 section 2: what an address may consist of, and nothing else.
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")


class ApiBase(msgspec.Struct, frozen=True):
    """An API's base URL, with the config fields that stand in it. Made by `parse_api_base`.

    `authority` and `path` may hold `{field}`; `path` does not end in a slash. No `repr` of
    what comes of it: a path may hold a bot's token.
    """

    scheme: str
    authority: str
    path: str
    idempotency_header: str = IDEMPOTENCY_HEADER


class ResolvedApiBase(msgspec.Struct, frozen=True):
    """An API's origin and base path for one connection. `repr` shows the origin alone."""

    origin: str
    path: str

    def __repr__(self) -> str:
        return f"ApiPlace({self.origin}, …)"


def parse_api_base(
    text: str,
    *,
    fields: frozenset[str],
    secret_fields: frozenset[str],
    idempotency_header: str = IDEMPOTENCY_HEADER,
) -> Result[ApiBase, str]:
    """The base of `https://api.example.com/v1` or `https://{subdomain}.example.com/v1`.

    Args:
        text: https, or http on a loopback host; no user, query or fragment. A field in the
            host is a whole label, and what follows the last one is fixed and holds a dot.
        fields: The config's field names.
        secret_fields: Those that hold secrets: in the path they may stand (Telegram's
            token does), in the host they would be in logs and name servers.
        idempotency_header: Where the API wants a key that makes a repetition harmless.

    Returns:
        The base, or the rule that was broken.
    """
    places = _PLACE.findall(text)
    plain = _PLACE.sub("x", text)
    try:
        parts = urlsplit(plain)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return Failure("the API's base is not a URL")
    if "{" in plain or "}" in plain or not _ADDRESS.fullmatch(plain) or not _HOST.fullmatch(host):
        return Failure("the API's base is https://host/path, its {fields} named as in the config")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return Failure("the API's base is https, or http on a loopback host")
    if "@" in parts.netloc or parts.query or parts.fragment or _dotted(parts.path):
        return Failure("the API's base has no user, query, fragment or dot segment")
    unknown = sorted(set(places) - fields)
    if unknown:
        return Failure(f"the API's base names {', '.join(unknown)}, which the config has not")
    scheme, _, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    labels = authority.partition(":")[0].split(".") if places else []
    in_host = [label for label in labels if "{" in label]
    if in_host:
        fixed = labels[labels.index(in_host[-1]) + 1 :]
        if not all(map(_PLACE.fullmatch, in_host)) or len(fixed) < 2 or not all(fixed):
            return Failure("a field in the API's host is a label before a fixed name with a dot")
        if secret_fields.intersection(_PLACE.findall(authority)):
            return Failure("a secret does not stand in the API's host")
        authority = ".".join(
            label if "{" in label else label.lower() for label in authority.split(".")
        )
    else:
        authority = origin_of(plain).partition("://")[2]
    return Success(
        ApiBase(scheme.lower(), authority, (slash + path).rstrip("/"), idempotency_header)
    )


def resolve_api_base(base: ApiBase, config: msgspec.Struct) -> Result[ResolvedApiBase, str]:
    """The base with one tenant's values in it, or the rule that a value broke.

    In the host a value is one DNS label (RFC 1123 section 2.1), so that what follows it
    stays what it was; in the path one segment, quoted.
    """
    authority, path = base.authority, base.path
    for name in _PLACE.findall(authority):
        value = _text(getattr(config, name)).lower()
        if not _LABEL.fullmatch(value):
            return Failure(f"the config's {name} is not one DNS label")
        authority = authority.replace(f"{{{name}}}", value)
    segments: list[str] = []
    for segment in path.split("/"):
        filled = segment
        for name in _PLACE.findall(segment):
            # A colon is legal there, and Telegram's tokens are written with theirs.
            value = quote(_text(getattr(config, name)), safe=":", errors="replace")
            if not value:
                return Failure(f"the config's {name} is empty")
            filled = filled.replace(f"{{{name}}}", value)
        segments.append(filled)
    path = "/".join(segments)
    if _dotted(path):
        return Failure("the config makes a dot segment of the API's path")
    return Success(ResolvedApiBase(origin_of(f"{base.scheme}://{authority}"), path))


def _dotted(path: str) -> bool:
    """Whether a server might take a segment for this or the parent folder.

    Quoted once or twice, since a gateway may take off one layer and the server behind it
    another; with parameters behind a semicolon, since some servers drop those first.
    """
    segments = re.split(r"[/\\]", unquote(unquote(path)))
    return any(segment.partition(";")[0] in (".", "..") for segment in segments)


def _text(value: object) -> str:
    """A field's value as text; "" for what has no place in an address."""
    if isinstance(value, Secret):
        return value.reveal()
    return str(value) if isinstance(value, str | int) else ""
