"""Endpoint templates: URLs with placeholders for a tenant's values.

A value is one DNS label (RFC 1123 section 2.1), so it cannot end the host, path segment or
parameter that contains it. The end of the host is always fixed by the template. If a placeholder
is the whole host, the value is a host name that the tenant chooses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from igniter_connectors.core.http.safe_url import is_loopback

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_MAX_HOST_CHARS: Final = 253
# Some parsers read a last label that begins with a digit as part of an IPv4 address.
_TOP_LEVEL: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])", re.ASCII)


def is_template(url: str) -> bool:
    """Whether a URL contains placeholders."""
    return "{" in url or "}" in url


def placeholders(url: str) -> frozenset[str]:
    """The config fields that a URL's placeholders name."""
    return frozenset(_PLACEHOLDER.findall(url)) if is_template(url) else frozenset()


def whole_host(url: str) -> str | None:
    """The config field that is the whole host; None if the template fixes the end of the host."""
    match = _PLACEHOLDER.fullmatch(_authority(url)) if is_template(url) else None
    return match.group(1) if match else None


def template_fault(url: str) -> str | None:
    """Why a template is unusable or unsafe; None if it is fine."""
    if is_template(_PLACEHOLDER.sub("", url)):
        return "has a brace that is no {config_field}"
    scheme, separator, _ = url.partition("://")
    if not separator or is_template(scheme):
        return "has a placeholder in front of its host"
    authority = _authority(url)
    if not is_template(authority) or whole_host(url) is not None:
        return None
    # After the label of the last placeholder comes the fixed end of the host.
    _, dot, fixed = authority[authority.rindex("}") + 1 :].partition(".")
    if not dot or not all(_LABEL.fullmatch(label) for label in fixed.split(".")):
        return "does not end its host with a name of its own"
    if "." not in fixed:
        return "leaves more than a label of its host to the tenant"
    return None


def value_fault(url: str, field: str, value: str) -> str | None:
    """The rule that a tenant's value breaks in a template; None if it is valid."""
    if whole_host(url) != field:
        return None if _LABEL.fullmatch(value) else "is one DNS label: letters, digits and hyphens"
    labels = value.split(".")
    is_name = (
        len(value) <= _MAX_HOST_CHARS
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and _TOP_LEVEL.fullmatch(labels[-1]) is not None
        and not is_loopback(value.lower())
    )
    return None if is_name else "is a host name, without scheme, port or path, and no address"


def fill_template(url: str, values: Mapping[str, str]) -> str | None:
    """The URL with values that `value_fault` accepted.

    None if a label or the host is too long, or if the host does not end as the template says.
    The result is checked again, in case a rule above missed something.
    """
    result = _PLACEHOLDER.sub(lambda match: values[match.group(1)], url)
    authority = _authority(url)
    if not is_template(authority):
        return result
    host = urlsplit(result).hostname or ""
    fits = len(host) <= _MAX_HOST_CHARS and all(_LABEL.fullmatch(part) for part in host.split("."))
    return result if fits and host.endswith(authority.rpartition("}")[2].lower()) else None


def _authority(url: str) -> str:
    return re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0]
