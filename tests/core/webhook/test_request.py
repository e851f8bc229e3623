"""A webhook as it came in."""

from __future__ import annotations

from igniter_connectors.core.webhook.request import SignedRequest


def test_a_request_does_not_show_itself() -> None:
    """Its address holds a token, its headers a signature, its body a tenant's data."""
    headers = (("X-Signature", "canary"),)
    request = SignedRequest("POST", "https://own.example/canary", headers, b"canary")
    assert repr(request) == "SignedRequest(POST, 6 bytes)"


def test_a_header_given_twice_is_none() -> None:
    """Of two values neither is to be trusted."""
    request = SignedRequest("POST", "", (("A", "1"), ("B", "2"), ("a", "3")), b"")
    assert request.header("a") is None
    assert request.header("b") == "2"
    assert request.header("c") is None


def test_a_header_that_stands_twice_does_stand() -> None:
    """What cannot be read is told apart from what is absent."""
    request = SignedRequest("POST", "", (("A", "1"), ("B", "2"), ("a", "3")), b"")
    assert (request.has("a"), request.has("b"), request.has("c")) == (True, True, False)
