"""Fetching the metadata of an authorization server."""

from __future__ import annotations

from igniter_connectors import problem_of, value_or_raise
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.flows.oauth.discover import discover
from igniter_connectors.problems import DiscoveryFailed
from igniter_connectors.testing import FakeHttp, json_response

ISSUER = "https://forge.example"
METADATA = json_response(
    {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
    }
)


async def test_the_second_document_is_fetched_if_the_first_does_not_exist() -> None:
    """OpenID Connect first, then RFC 8414."""
    http = FakeHttp([HttpResponse(404), METADATA])
    found = value_or_raise(await discover(http, ISSUER))
    assert found.issuer == ISSUER
    assert [request.url for request in http.requests] == [
        f"{ISSUER}/.well-known/openid-configuration",
        f"{ISSUER}/.well-known/oauth-authorization-server",
    ]


async def test_the_first_document_counts() -> None:
    """No second request, not even if it is malformed or does not arrive."""
    for answer in (METADATA, HttpResponse(200, (), b"{}"), HttpFailed(sent=False)):
        http = FakeHttp([answer])
        await discover(http, ISSUER)
        assert len(http.requests) == 1


async def test_an_issuer_that_is_no_url_is_refused_without_a_request() -> None:
    """And so is a server with neither document."""
    http = FakeHttp([])
    assert isinstance(problem_of(await discover(http, "ftp://forge")), DiscoveryFailed)
    assert http.requests == []
    http = FakeHttp([HttpResponse(404), HttpResponse(404)])
    assert isinstance(problem_of(await discover(http, ISSUER)), DiscoveryFailed)
