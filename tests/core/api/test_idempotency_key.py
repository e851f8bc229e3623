"""Which requests may be sent twice."""

from __future__ import annotations

import pytest

from igniter_connectors.core.api.idempotency_key import IDEMPOTENCY_HEADER, is_idempotent


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_an_idempotent_method_needs_no_key(method: str) -> None:
    """RFC 9110 section 9.2.2."""
    assert is_idempotent(method, (), idempotency_header=IDEMPOTENCY_HEADER)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_key_makes_any_request_idempotent(method: str) -> None:
    """In the header that the API expects; an empty key does not count."""
    for headers, expected in (
        ((), False),
        ((("idempotency-key", "k"),), True),
        ((("idempotency-key", ""),), False),
        ((("x-request-id", "k"),), False),
    ):
        assert is_idempotent(method, headers, idempotency_header="Idempotency-Key") is expected
