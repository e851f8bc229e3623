"""The client authenticates in one way for each request. RFC 6749 section 2.3."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl, unquote_plus

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.provider import ClientAuthentication
from igniter_connectors.core.secret import Secret
from tests.core.vector_files import vectors

from .providers import PROVIDER, provider

TEXT = st.text(st.characters(codec="utf-8"), min_size=1)


class Client(msgspec.Struct):
    client_id: str
    client_secret: str
    authorization: str


class Clients(msgspec.Struct):
    clients: list[Client]


def form_of(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True))


@pytest.mark.parametrize(
    "client",
    vectors("client_secret_basic.json", Clients).clients,
    ids=lambda client: client.client_secret,
)
def test_published_examples_of_basic_headers(client: Client) -> None:
    """The examples of the RFC, and one with `=` and `%` from a provider's manual."""
    request = token_request(
        provider(client_id=client.client_id, client_secret=Secret(client.client_secret)), {}
    )
    assert request.header("authorization") == client.authorization


@given(TEXT, TEXT)
@example("a:b", "c:d")
@example("%3A", "100%")
@example("a+b c", "ä€/&=")
def test_basic_encodes_every_character(client_id: str, secret: str) -> None:
    """A server splits at the first `:` and decodes both parts (section 2.3.1)."""
    request = token_request(provider(client_id=client_id, client_secret=Secret(secret)), {})
    header = request.header("authorization")
    assert header is not None
    scheme, _, encoded = header.partition(" ")
    name, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    assert scheme == "Basic"
    assert (unquote_plus(name), unquote_plus(password)) == (client_id, secret)


@given(TEXT, TEXT)
def test_post_encodes_every_character(client_id: str, secret: str) -> None:
    """Both values are form-encoded."""
    request = token_request(
        provider(
            client_id=client_id,
            client_secret=Secret(secret),
            client_authentication="client_secret_post",
        ),
        {},
    )
    assert form_of(request) == {"client_id": client_id, "client_secret": secret}


@pytest.mark.parametrize(
    ("method", "in_header", "in_form"),
    [
        (None, True, set()),
        ("client_secret_basic", True, set()),
        ("client_secret_post", False, {"client_id", "client_secret"}),
    ],
)
def test_each_request_uses_one_method(
    method: ClientAuthentication | None, in_header: bool, in_form: set[str]
) -> None:
    """A secret is in the header or in the form, never in both (section 2.3)."""
    request = token_request(provider(client_authentication=method), {})
    assert (request.header("authorization") is not None) is in_header
    assert set(form_of(request)) == in_form


@pytest.mark.parametrize("method", [None, "none"])
def test_a_public_client_sends_its_id(method: ClientAuthentication | None) -> None:
    """Without a secret, the form has the client id, and there is no header (section 3.2.1)."""
    request = token_request(provider(client_secret=None, client_authentication=method), {})
    assert request.header("authorization") is None
    assert form_of(request) == {"client_id": "client"}


def test_the_request_asks_for_json_and_sends_a_form() -> None:
    """GitHub responds with a form unless `Accept` asks for JSON."""
    request = token_request(PROVIDER, {"grant_type": "x"})
    assert (request.method, request.url) == ("POST", PROVIDER.token_url)
    assert request.header("accept") == "application/json"
    assert request.header("content-type") == "application/x-www-form-urlencoded"


def test_extra_parameters_never_replace_the_flows_own() -> None:
    """Even a provider that was not checked cannot change the grant or the client."""
    extra = {"grant_type": "password", "client_id": "evil", "audience": "api"}
    request = token_request(
        provider(token_parameters=extra, client_authentication="client_secret_post"),
        {"grant_type": "refresh_token"},
    )
    assert form_of(request) == {
        "grant_type": "refresh_token",
        "client_id": "client",
        "client_secret": "client-secret",
        "audience": "api",
    }


def test_the_request_does_not_show_the_secret() -> None:
    """Neither its `repr` nor its URL has it."""
    request = token_request(provider(client_authentication="client_secret_post"), {})
    assert "client-secret" not in repr(request) + request.url


def test_a_provider_may_want_json() -> None:
    """Notion and Atlassian do. The secret is sent in the same place as in a form."""
    judged = provider(token_body="json", token_parameters={"audience": "api"})
    request = token_request(judged, {"grant_type": "x", "code": 'a"b'})
    assert request.header("content-type") == "application/json"
    assert msgspec.json.decode(request.body) == {
        "audience": "api",
        "grant_type": "x",
        "code": 'a"b',
    }
    assert request.header("authorization") is not None
    posted = token_request(
        provider(token_body="json", client_authentication="client_secret_post"), {}
    )
    assert msgspec.json.decode(posted.body) == {
        "client_id": "client",
        "client_secret": "client-secret",
    }


@pytest.mark.parametrize("has_tenant_host", [True, False])
def test_a_tenants_host_is_passed_on(has_tenant_host: bool) -> None:
    """The request says that the tenant chose the host."""
    request = token_request(provider(has_tenant_host=has_tenant_host), {})
    assert request.has_tenant_host is has_tenant_host
