"""A handler's request as it is sent: URL, headers, body."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from returns.result import Failure

from igniter_connectors.core.api.api_base import ResolvedApiBase
from igniter_connectors.core.api.request import ApiRequest, PreparedRequest, build_request
from igniter_connectors.core.http.user_agent import default_user_agent
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"
PLACE = ResolvedApiBase("https://api.example", "/v1")


def build(method: str = "GET", path: str = "/users", **asked: Any) -> PreparedRequest:
    """A request that is accepted."""
    return build_request(
        ApiRequest(method=method, path=path, **asked), PLACE, idempotency_header="Idempotency-Key"
    ).unwrap()


def fault(method: str = "POST", path: str = "/users", **asked: Any) -> str:
    """The rule that a request breaks."""
    return build_request(
        ApiRequest(method=method, path=path, **asked), PLACE, idempotency_header="Idempotency-Key"
    ).failure()


def test_a_request_says_what_it_wants_and_who_it_is() -> None:
    """It accepts JSON and names the library. A handler can change both."""
    assert build().request.headers == (
        ("Accept", "application/json"),
        ("User-Agent", default_user_agent()),
    )
    mine = build(headers={"accept": "text/csv", "USER-AGENT": "mine"}).request
    assert mine.headers == (("accept", "text/csv"), ("USER-AGENT", "mine"))


@pytest.mark.parametrize(
    ("path", "query", "url"),
    [
        ("/users", {}, "/users"),
        ("/users", {"a": "x y&z", "b": 2}, "/users?a=x+y%26z&b=2"),
        ("/users?a=1", {"b": "2"}, "/users?a=1&b=2"),
        ("/users", {"on": True, "off": False, "part": 0.5}, "/users?on=true&off=false&part=0.5"),
        ("/users", {"id": ["1", "2"]}, "/users?id=1&id=2"),
        ("/users", {"id": []}, "/users"),
        ("/users", {"näme": "…"}, "/users?n%C3%A4me=%E2%80%A6"),
    ],
)
def test_a_query_is_encoded_and_added(path: str, query: Any, url: str) -> None:
    """After the query that the path already has."""
    assert build(path=path, query=query).request.url == f"https://api.example/v1{url}"


@pytest.mark.parametrize("value", [Secret(CANARY), [Secret(CANARY)], [None], b"x", [b"x"]])
def test_a_secret_is_no_value_of_a_query(value: object) -> None:
    """It would be sent as `Secret('…')`, and nobody would notice at first."""
    assert (
        fault(query={"key": value})
        == "its query contains a value that is neither text nor a number"
    )


def test_what_no_address_can_carry_is_refused() -> None:
    """A lone surrogate; a path of another host."""
    assert "query" in fault(query={"key": "\ud800"})
    assert "another host" in fault(path="//evil.example")


@pytest.mark.parametrize(
    ("asked", "kind", "body"),
    [
        ({}, None, b""),
        ({"json": {"a": 1}}, "application/json", b'{"a":1}'),
        ({"json": None}, "application/json", b"null"),
        ({"form": {"a": "x y", "b": "é"}}, "application/x-www-form-urlencoded", b"a=x+y&b=%C3%A9"),
        ({"form": {}}, "application/x-www-form-urlencoded", b""),
        ({"body": b"raw"}, None, b"raw"),
    ],
)
def test_a_body_is_bytes_with_its_type(
    asked: dict[str, Any], kind: str | None, body: bytes
) -> None:
    """So it can be sent again."""
    request = build("POST", **asked).request
    assert (request.header("content-type"), request.body) == (kind, body)


def test_the_handlers_own_content_type_stays() -> None:
    """`application/vnd.api+json` is JSON too."""
    request = build("POST", json={}, headers={"content-type": "application/vnd.api+json"}).request
    assert request.header("Content-Type") == "application/vnd.api+json"


@pytest.mark.parametrize(
    "asked",
    [
        {"json": 1, "form": {}},
        {"json": None, "body": b""},
        {"form": {}, "body": b""},
        {"json": 1, "form": {}, "body": b""},
    ],
)
def test_a_request_has_one_body(asked: dict[str, Any]) -> None:
    """Otherwise one of two would be dropped silently."""
    assert fault(**asked) == "it has more than one of json, form and body"


def test_a_body_that_cannot_be_carried_is_refused() -> None:
    """A secret is not written into JSON by mistake."""
    assert "json" in fault(json={"key": Secret(CANARY)})
    assert "form" in fault(form={"key": "\ud800"})


@pytest.mark.parametrize(
    "name",
    [
        "Host", "hOsT", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE",
        "Trailer", "Expect", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection",
        "Accept-Encoding",
    ],
)  # fmt: skip
def test_a_header_that_frames_the_message_is_refused(name: str) -> None:
    """Another host, or a length that smuggles a second request."""
    assert fault(headers={name: "x"}) == f"the header {name.lower()} cannot be set by a handler"


@pytest.mark.parametrize(
    "value", [f"a\r\nX-Key: {CANARY}", "a\nb", "a\rb", "a\x00b", "a\x7fb", "é", "\ud800"]
)
def test_a_header_is_one_line_of_ascii(value: str) -> None:
    """The reason does not quote it."""
    said = fault(headers={"X-One": value})
    assert said == "the header x-one contains a line break or a character outside of ASCII"


@pytest.mark.parametrize("name", ["", "X One", "X-One:", "X\r\nHost", "é", "X\x00"])
def test_a_headers_name_is_a_token(name: str) -> None:
    """RFC 9110 section 5.6.2. The reason does not quote it: it may contain a line break."""
    assert fault(headers={name: "x"}) == "a header's name is not valid (RFC 9110 section 5.1)"


def test_a_header_stands_once() -> None:
    """Of two values, it is unclear which one the server reads."""
    assert "twice" in fault(headers={"X-One": "1", "x-one": "2"})
    assert "twice" in fault(headers={"idempotency-key": "1"}, idempotency_key="2")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"])
def test_what_may_be_repeated(method: str) -> None:
    """Idempotent methods (RFC 9110 section 9.2.2), and any method with a key."""
    assert build(method).is_idempotent == (method not in ("POST", "PATCH"))
    assert build(method, idempotency_key="one").is_idempotent
    assert build(method, headers={"idempotency-key": "one"}).is_idempotent
    assert build(method, headers={"idempotency-key": ""}).is_idempotent == (
        method not in ("POST", "PATCH")
    )


def test_a_key_goes_into_the_apis_own_header() -> None:
    """PayPal uses another name."""
    asked = ApiRequest(method="POST", path="/orders", idempotency_key="one")
    ready = build_request(asked, PLACE, idempotency_header="PayPal-Request-Id").unwrap()
    assert ready.request.header("paypal-request-id") == "one"
    assert ready.is_idempotent


@pytest.mark.parametrize("method", ["get", "TRACE", "CONNECT", "BREW", "", "GET /x HTTP/1.1\r\n"])
def test_another_method_is_refused(method: str) -> None:
    """CONNECT opens a tunnel, TRACE sends the token back."""
    assert fault(method).startswith("its method is not one of DELETE, GET")


def test_a_handlers_own_authorization_stands_instead_of_the_token() -> None:
    """For a call that needs other credentials."""
    assert build().needs_token
    assert not build(headers={"authorization": "Basic x"}).needs_token


def test_what_was_asked_for_shows_nothing() -> None:
    """Path, headers and body can contain secrets."""
    asked = ApiRequest(method="POST", path=CANARY, headers={"X": CANARY}, json=CANARY)
    assert repr(asked) == "ApiRequest(POST, …)"
    assert CANARY not in repr(build("POST", CANARY, headers={"X": CANARY}, json=CANARY))
    assert build_request(
        msgspec.structs.replace(asked, method=CANARY), PLACE, idempotency_header="K"
    ) == Failure("its method is not one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")


def test_the_headers_of_the_provider_are_added() -> None:
    """A handler's own header of the same name takes precedence."""
    for given, expected in ((None, "2025-09-03"), ({"notion-version": "own"}, "own")):
        built = build_request(
            ApiRequest(method="GET", path="a", headers=given),
            PLACE,
            idempotency_header="Idempotency-Key",
            provider_headers=(("Notion-Version", "2025-09-03"),),
        )
        assert built.unwrap().request.header("notion-version") == expected
