"""Granted scopes: how they are read, and whether they cover the scopes that an action needs.

RFC 6749 section 3.3 separates scopes by spaces. Providers also use commas, and not always those
of the request. A provider may grant a scope by another name, or one that includes it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.storable_text import storable_scopes

ScopeIncludes = Mapping[str, tuple[str, ...]]
"""Which scopes a granted scope includes. A `*`, once on each side, stands for the same text:
`{"write_*": ("read_*",)}`. Two names of one scope include each other."""

_GAP: Final = re.compile(r"[\s,]+")
_MAX_STEPS: Final = 4


def read_scopes(said: JsonValue, provider: OAuthProvider) -> tuple[str, ...] | None:
    """The scopes of a token answer or of a callback; None if it names none.

    `said` is a text, or a list of texts. They are separated by what the provider declares, else
    by commas and white space. A declared separator of requests that is neither counts too.
    """
    separator = provider.granted_scope_separator
    asked = provider.oauth_scope_separator.strip()
    if separator is None and asked not in ("", ","):
        separator = asked
    parts = said if isinstance(said, list) else [said]
    texts = [part for part in parts if isinstance(part, str)]
    if not texts and not isinstance(said, list):
        return None
    found = (
        scope.strip()
        for text in texts
        for scope in (_GAP.split(text) if separator is None else text.split(separator))
    )
    return storable_scopes(dict.fromkeys(scope for scope in found if scope))


def missing_scopes(
    required: Iterable[str], granted: Collection[str], includes: ScopeIncludes
) -> tuple[str, ...]:
    """The required scopes that are neither granted nor included, in alphabetical order."""
    return tuple(sorted({scope for scope in required if not _covers(granted, scope, includes)}))


def _covers(granted: Collection[str], scope: str, includes: ScopeIncludes) -> bool:
    """Whether a scope is granted, by itself or by one that includes it, over a few steps."""
    seen = wanted = {scope}
    for _ in range(_MAX_STEPS):
        if not wanted.isdisjoint(granted):
            return True
        wanted = {
            wider
            for narrow in wanted
            for pattern, included in includes.items()
            for one in included
            if (wider := _wider(narrow, one, pattern)) is not None
        } - seen
        seen = seen | wanted
    return not wanted.isdisjoint(granted)


def _wider(scope: str, included: str, pattern: str) -> str | None:
    """The scope of this pattern that includes `scope`; None if there is none."""
    if "*" not in included:
        return pattern if scope == included else None
    before, _, after = included.partition("*")
    middle = scope[len(before) : len(scope) - len(after)]
    is_match = scope.startswith(before) and scope.endswith(after) and middle
    return pattern.replace("*", middle) if is_match else None
