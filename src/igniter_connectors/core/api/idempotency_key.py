"""Idempotency: which requests may be sent twice, and the header that makes a POST one of them."""

from __future__ import annotations

from typing import Final

from igniter_connectors.core.http.messages import Headers, single_header

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
"""The usual header name. A connector can declare another one."""

IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods for which two requests have the effect of one (RFC 9110 section 9.2.2)."""


def is_idempotent(method: str, headers: Headers, *, idempotency_header: str) -> bool:
    """Whether a request may be sent again after an unknown outcome.

    True for an idempotent method, and for any method with a non-empty idempotency key.
    """
    has_key = single_header(headers, idempotency_header) not in (None, "")
    return method in IDEMPOTENT_METHODS or has_key
