"""Requests and responses as values: how a header is read, and what may be logged."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from igniter_connectors.core.http.messages import (
    HttpRequest,
    HttpResponse,
    cookies_in,
    form_body,
    origin_of,
    single_header,
)
from igniter_connectors.core.problem import ResponseUnexpected
from tests.core.vector_files import vectors


class FormEncoding(msgspec.Struct):
    plain: str
    encoded: str


def test_header_names_ignore_case() -> None:
    """Header names match without regard to case (RFC 9110 section 5.1)."""
    headers = (("Content-Type", "a"), ("X-Other", "b"))
    assert single_header(headers, "content-TYPE") == "a"
    assert HttpRequest("POST", "https://own.example", headers).header("x-other") == "b"
    assert HttpResponse(200, headers).header("X-OTHER") == "b"


def test_an_absent_header_is_none() -> None:
    """An absent header is not the same as an empty one."""
    assert single_header((("A", ""),), "B") is None
    assert single_header((("A", ""),), "A") == ""


def test_a_header_given_twice_is_none() -> None:
    """Two values are ambiguous, so neither is used, even if their names differ in case."""
    headers = (("Signature", "good"), ("signature", "bad"))
    assert single_header(headers, "Signature") is None


def test_divided_cookies_are_joined() -> None:
    """HTTP/2 may send each in a header of its own (RFC 9113 section 8.2.3)."""
    headers = (("cookie", "a=1"), ("X-Other", "b=2"), ("Cookie", "c=3; d=4"))
    assert cookies_in(headers) == "a=1; c=3; d=4"
    assert cookies_in(headers[:1]) == "a=1"
    assert cookies_in(headers[1:2]) is None


def test_repr_shows_neither_path_nor_headers_nor_body() -> None:
    """A token in a path, a code in a query and a secret in a body do not reach a log by `repr`."""
    request = HttpRequest(
        "POST",
        "https://user:canary@own.example:8443/canary?code=canary#canary",
        (("Authorization", "canary"),),
        b"canary",
    )
    assert repr(request) == "HttpRequest(POST https://own.example:8443, …)"
    answer = HttpResponse(200, (("Set-Cookie", "canary"),), b"canary")
    assert repr(answer) == "HttpResponse(200, …)"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://own.example/a?b#c", "https://own.example"),
        ("https://own.example:8443/", "https://own.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://user:canary@own.example/", "https://own.example"),
        ("HTTPS://Own.Example/", "https://own.example"),
        ("/path/canary", "-"),
        ("canary", "-"),
        ("", "-"),
        ("https:///canary", "-"),
        ("https://own.example:99999/canary", "-"),
        ("https://own.example:canary/", "-"),
        ("https://[canary", "-"),
    ],
)
def test_origin_of_keeps_only_scheme_host_and_port(url: str, origin: str) -> None:
    """The logged address has no user, path, query or fragment. `-` replaces what is not a URL."""
    assert origin_of(url) == origin


def test_origin_of_an_ipv6_host_keeps_its_brackets() -> None:
    """Without the brackets, host and port cannot be told apart (RFC 3986 section 3.2.2)."""
    assert origin_of("http://[::1]:8080/canary") == "http://[::1]:8080"
    assert origin_of("http://[::1]/canary") == "http://[::1]"


@given(st.text())
def test_origin_of_never_raises(url: str) -> None:
    """An address can be logged, whatever it is."""
    assert isinstance(origin_of(url), str)


def test_form_body_encodes_as_rfc_6749_says() -> None:
    """The characters of appendix B in UTF-8, with `+` for a space."""
    vector = vectors("rfc6749_form_encoding.json", FormEncoding)
    assert form_body({"a": vector.plain}) == f"a={vector.encoded}".encode()


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_form_body_reads_back(fields: dict[str, str]) -> None:
    """A server that decodes the form gets the fields that were sent."""
    read = parse_qsl(form_body(fields).decode("ascii"), keep_blank_values=True)
    assert dict(read) == fields


class User(msgspec.Struct):
    """What an API returns."""

    id: int
    name: str = ""


def test_json_is_decoded_as_the_given_type() -> None:
    """The types inside are checked too."""
    assert HttpResponse(200, body=b'{"id":7,"more":1}').decode(User) == Success(User(7))
    assert HttpResponse(201, body=b'[{"id":7}]').decode(list[User]) == Success([User(7)])
    assert HttpResponse(404, body=b'{"id":7}').decode(User, statuses=(404,)) == Success(User(7))


@pytest.mark.parametrize(
    ("body", "path", "reason"),
    [
        (b'{"id":"canary"}', "$.id", "expected `int`, got `str`"),
        (b'{"name":"canary"}', "$.id", "is required"),
        (b"canary", "$", "is not JSON"),
        (b"", "$", "is not JSON"),
    ],
)
def test_a_response_of_another_type_is_reported_by_its_path(
    body: bytes, path: str, reason: str
) -> None:
    """The problem never has the value."""
    problem = HttpResponse(200, body=body).decode(User).failure()
    assert problem == ResponseUnexpected(200, path, reason)
    assert "canary" not in problem.message


@pytest.mark.parametrize("status", [199, 300, 404, 500])
def test_the_body_of_an_error_is_not_decoded(status: int) -> None:
    """It could match a struct whose fields are all optional."""
    problem = HttpResponse(status, body=b'{"id":7}').decode(User).failure()
    assert problem == ResponseUnexpected(status, "$", "is another status than expected")
    assert HttpResponse(200, body=b'{"id":7}').decode(User, statuses=()).failure().path == "$"


def test_a_received_request_does_not_show_its_path_headers_or_body() -> None:
    """A webhook's path holds a token, its headers a signature, its body a tenant's data."""
    headers = (("X-Signature", "canary"),)
    request = HttpRequest("POST", "https://own.example/canary", headers, b"canary")
    assert repr(request) == "HttpRequest(POST https://own.example, …)"


def test_a_repeated_header_has_no_value_and_is_present() -> None:
    """Neither of two values is used, but a repeated header is not the same as a missing one."""
    request = HttpRequest("POST", "", (("A", "1"), ("B", "2"), ("a", "3")), b"")
    assert [request.header(name) for name in ("a", "b", "c")] == [None, "2", None]
    assert [request.has_header(name) for name in ("a", "b", "c")] == [True, True, False]
