"""The order key, as the inbox stores it."""

from __future__ import annotations

from igniter_connectors.core.webhook.order_key import stored_order_key


def test_an_order_key_is_stored_in_one_length() -> None:
    """Whatever a connector returns, also lone surrogates. An empty key stays empty."""
    assert stored_order_key("") == ""
    assert len(stored_order_key("x" * 10_000)) == len(stored_order_key("\ud800\x00")) == 32
    assert stored_order_key("a") != stored_order_key("b")
