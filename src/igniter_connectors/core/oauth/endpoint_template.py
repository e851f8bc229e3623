"""A tenant's value inside an endpoint: which places may hold one, and what it may be.

A value is one DNS label (RFC 1123 section 2.1), which cannot end a host, a path segment or
a parameter that it stands in. Whatever it is, the host keeps the end that the template
wrote. Where a placeholder is the whole host, the value is a host name, and the tenant's.
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
# A last label that begins with a digit is read as part of an IPv4 address by some.
_TOP_LEVEL: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])", re.ASCII)


def is_template(url: str) -> bool:
    """Whether a URL waits for a tenant's values."""
    return "{" in url or "}" in url


def placeholders(url: str) -> frozenset[str]:
    """The config fields that a URL's placeholders name."""
    return frozenset(_PLACEHOLDER.findall(url)) if is_template(url) else frozenset()


def whole_host(url: str) -> str | None:
    """The config field that is a template's whole host; None where the template fixes its end."""
    match = _PLACEHOLDER.fullmatch(_authority(url)) if is_template(url) else None
    return match.group(1) if match else None


def template_fault(url: str) -> str | None:
    """What makes a template unusable or unsafe; None where nothing does."""
    if is_template(_PLACEHOLDER.sub("", url)):
        return "has a brace that is no {config_field}"
    scheme, separator, _ = url.partition("://")
    if not separator or is_template(scheme):
        return "has a placeholder in front of its host"
    authority = _authority(url)
    if not is_template(authority) or whole_host(url) is not None:
        return None
    # What follows the last placeholder's own label is the end that no tenant changes.
    _, dot, fixed = authority[authority.rindex("}") + 1 :].partition(".")
    if not dot or not all(_LABEL.fullmatch(label) for label in fixed.split(".")):
        return "does not end its host with a name of its own"
    if "." not in fixed:
        return "leaves more than a label of its host to the tenant"
    return None


def value_fault(url: str, field: str, value: str) -> str | None:
    """The rule that a tenant's value breaks in a template; None where it fits."""
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
    """A template with values in which `value_fault` found no fault.

    None where a label or the host became too long, or the host does not end as the template
    says: the rule that all of the above is there for, looked at once more on the result.
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
