"""The metadata of a server: accepted only from the server that it describes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.http.messages import HttpFailed, HttpResponse, origin_of
from igniter_connectors.core.oauth.discovery import (
    Document,
    ServerMetadata,
    discovery_requests,
    is_document_missing,
    judge_discovery,
    openid_configuration_request,
    provider_from,
    server_metadata_request,
)
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.problem import DiscoveryFailed
from igniter_connectors.core.secret import Secret
from tests.core.vector_files import vectors

from .keys import EC, pem
from .providers import answer

CANARY: Final = "zqCanary"
ISSUER: Final = "https://provider.example"
DOCUMENT: Final[dict[str, Any]] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
}


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/tenant", f"{ISSUER}/tenant/.well-known/openid-configuration"),
    ],
)
def test_the_document_is_below_the_issuer(issuer: str, url: str) -> None:
    """With one slash between, whether or not the issuer ends in one (Discovery section 4.1)."""
    request = openid_configuration_request(issuer)
    assert (request.method, request.url) == ("GET", url)
    assert request.header("accept") == "application/json"


def test_the_issuers_own_document_is_accepted() -> None:
    """Absent members are None, unknown members are ignored."""
    least = judge_discovery(answer({**DOCUMENT, "op_policy_uri": "x"}), ISSUER).unwrap()
    assert least == ServerMetadata(ISSUER, f"{ISSUER}/authorize", f"{ISSUER}/token")
    more = {
        "userinfo_endpoint": f"{ISSUER}/me",
        "revocation_endpoint": f"{ISSUER}/revoke",
        "authorization_response_iss_parameter_supported": True,
    }
    whole = judge_discovery(answer({**DOCUMENT, **more}), ISSUER).unwrap()
    assert whole.userinfo_endpoint == f"{ISSUER}/me"
    assert whole.revocation_endpoint == f"{ISSUER}/revoke"
    assert whole.authorization_response_iss_parameter_supported is True


@pytest.mark.parametrize(
    "issuer",
    [f"{ISSUER}/x", ISSUER.upper(), "http://provider.example", f"{ISSUER}:443", "", "/", CANARY],
)
def test_another_issuers_document_is_refused(issuer: str) -> None:
    """Compared as a plain string (RFC 8414 section 3.3). The other name is not repeated."""
    judged = judge_discovery(answer({**DOCUMENT, "issuer": issuer}), ISSUER)
    problem = judged.failure()
    assert problem == DiscoveryFailed(ISSUER, "the document names another issuer")
    assert CANARY not in f"{problem!r} {problem.message}"


@pytest.mark.parametrize(("asked", "named"), [(ISSUER, f"{ISSUER}/"), (f"{ISSUER}/", ISSUER)])
def test_a_missing_last_slash_is_reported(asked: str, named: str) -> None:
    """It is part of the name (Auth0's issuer has one), and easily forgotten."""
    problem = judge_discovery(answer({**DOCUMENT, "issuer": named}), asked).failure()
    told = "the document names another issuer, by the slash at its end"
    assert problem == DiscoveryFailed(asked, told)


@pytest.mark.parametrize("member", DOCUMENT)
def test_a_document_needs_issuer_and_both_endpoints(member: str) -> None:
    """A missing member, or one of another type, is named."""
    rest = {name: value for name, value in DOCUMENT.items() if name != member}
    for document in (rest, {**DOCUMENT, member: 5}):
        problem = judge_discovery(answer(document), ISSUER).failure()
        assert f"$.{member}" in problem.reason


@pytest.mark.parametrize("status", [199, 201, 299, 300, 302, 399, 400, 404, 500])
def test_only_a_200_is_a_document(status: int) -> None:
    """A redirect is not followed, and the body of another status is not read."""
    problem = judge_discovery(answer(DOCUMENT, status), ISSUER).failure()
    assert problem.reason == (
        "the server redirects, which is not followed"
        if 300 <= status < 400
        else f"the document is not there: the server answered {status}"
    )


@pytest.mark.parametrize(
    ("failed", "reason"),
    [
        (HttpFailed(sent=False), "the server cannot be reached"),
        (HttpFailed(sent=True), "the server cannot be reached"),
        (HttpFailed(sent=True, is_too_large=True), "the document is too long"),
    ],
)
def test_no_response_is_a_problem(failed: HttpFailed, reason: str) -> None:
    """Also a response that is longer than the limit."""
    assert judge_discovery(failed, ISSUER).failure() == DiscoveryFailed(ISSUER, reason)


@given(st.binary(), st.sampled_from([200, 404]))
def test_any_body_is_judged(body: bytes, status: int) -> None:
    """Any bytes give a description or a problem."""
    assert isinstance(judge_discovery(answer(body, status), ISSUER), Result)


@given(st.dictionaries(st.sampled_from([*DOCUMENT, "x"]), st.text() | st.integers()))
def test_no_problem_repeats_the_document(fields: dict[str, object]) -> None:
    """Text of a stranger's server does not reach a problem."""
    document = {name: f"{CANARY}{value}" for name, value in fields.items()} | {CANARY: CANARY}
    problem = judge_discovery(answer(document), ISSUER).failure()
    shown = f"{problem!r} {problem.message} {msgspec.json.encode(problem).decode()}"
    assert CANARY not in shown


# --- where the documents lie --------------------------------------------------------------------


class Address(msgspec.Struct):
    issuer: str
    url: str
    document: Document = "oauth-authorization-server"


class Rfc8414(msgspec.Struct):
    addresses: list[Address]
    openid_address: Address
    metadata: dict[str, Any]


VECTOR: Final = vectors("rfc8414_metadata.json", Rfc8414)


@pytest.mark.parametrize("address", VECTOR.addresses, ids=lambda address: address.url)
def test_the_rfcs_addresses(address: Address) -> None:
    """Between host and path (section 3.1), under OpenID's name too (section 5)."""
    request = server_metadata_request(address.issuer, document=address.document)
    assert (request.method, request.url) == ("GET", address.url)
    assert request.header("accept") == "application/json"


def test_the_default_document_is_the_rfcs() -> None:
    """A slash at the end of the issuer is not doubled."""
    url = "https://example.com/.well-known/oauth-authorization-server/a"
    assert server_metadata_request("https://example.com/a/").url == url
    assert server_metadata_request("https://example.com/").url == url.removesuffix("/a")


def test_openids_address_is_below_the_path() -> None:
    """The older form of section 5, as in OpenID Connect Discovery."""
    assert (
        openid_configuration_request(VECTOR.openid_address.issuer).url == VECTOR.openid_address.url
    )


# --- where to ask -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issuer", "paths"),
    [
        (ISSUER, ["openid-configuration", "oauth-authorization-server"]),
        (f"{ISSUER}/", ["openid-configuration", "oauth-authorization-server"]),
        ("http://localhost:9000", ["openid-configuration", "oauth-authorization-server"]),
    ],
)
def test_an_issuer_without_a_path_has_two_addresses(issuer: str, paths: list[str]) -> None:
    """OpenID's first, because it has the most members."""
    asked = [request.url for request in discovery_requests(issuer).unwrap()]
    assert asked == [f"{issuer.rstrip('/')}/.well-known/{path}" for path in paths]


@pytest.mark.parametrize("issuer", [f"{ISSUER}/a", f"{ISSUER}/a/"])
def test_an_issuer_with_a_path_has_three(issuer: str) -> None:
    """Below the path, and both names between host and path (RFC 8414 section 5)."""
    assert [request.url for request in discovery_requests(issuer).unwrap()] == [
        f"{ISSUER}/a/.well-known/openid-configuration",
        f"{ISSUER}/.well-known/oauth-authorization-server/a",
        f"{ISSUER}/.well-known/openid-configuration/a",
    ]


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "provider.example",
        "http://provider.example",
        "ftp://provider.example",
        "https://",
        "https://[",
        "https://user:zqCanary@provider.example",
        "https://provider.example/ ",
        "https://provider.example/\n",
        "https://provider.example?",
        "https://provider.example/?tenant=zqCanary",
        "https://provider.example#",
        "https://provider.example#zqCanary",
        "https://{tenant}.provider.example",
        "https://provider.example/{tenant}",
    ],
)
def test_an_invalid_issuer_is_not_requested(issuer: str) -> None:
    """The problem does not repeat what may be a secret in it (RFC 8414 section 2)."""
    problem = discovery_requests(issuer).failure()
    assert problem.reason.startswith("an issuer ")
    assert CANARY not in f"{problem!r} {problem.message}"


@given(st.text() | st.text().map(lambda text: f"https://{text}"))
def test_any_text_is_an_issuer_or_none(issuer: str) -> None:
    """No exception. Requests go to the issuer's own origin."""
    requests = discovery_requests(issuer)
    for request in requests.value_or(()):
        assert origin_of(request.url) == origin_of(issuer)


@pytest.mark.parametrize(
    ("status", "elsewhere"),
    [
        (200, False), (299, False), (301, False), (399, False), (400, True), (404, True),
        (428, True), (429, False), (430, True), (499, True), (500, False), (503, False),
    ],
)  # fmt: skip
def test_the_next_address_is_tried_only_after_a_missing_document(
    status: int, elsewhere: bool
) -> None:
    """After another error, the server could seem to publish less than it does."""
    assert is_document_missing(HttpResponse(status)) is elsewhere


# --- a provider of it ---------------------------------------------------------------------------


METADATA: Final = judge_discovery(answer(VECTOR.metadata), "https://server.example.com").unwrap()


def test_the_rfcs_metadata_makes_a_provider() -> None:
    """With every endpoint that it names, and a client authentication that it accepts."""
    made = provider_from(
        METADATA, client_id="c", client_secret=Secret("s"), oauth_scopes=("openid",)
    ).unwrap()
    assert made == OAuthProvider(
        authorization_url="https://server.example.com/authorize",
        token_url="https://server.example.com/token",
        userinfo_url="https://server.example.com/userinfo",
        jwks_url="https://server.example.com/jwks.json",
        issuer="https://server.example.com",
        client_id="c",
        client_secret=Secret("s"),
        client_authentication="client_secret_basic",
        oauth_scopes=("openid",),
    )
    assert provider_fault(made) is None


def test_optional_metadata_is_used() -> None:
    """Pushed authorization, device codes, revocation, and whether `iss` is sent."""
    document = {
        **DOCUMENT,
        "revocation_endpoint": f"{ISSUER}/revoke",
        "pushed_authorization_request_endpoint": f"{ISSUER}/par",
        "require_pushed_authorization_requests": True,
        "device_authorization_endpoint": f"{ISSUER}/device",
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["plain", "S256"],
    }
    metadata = judge_discovery(answer(document), ISSUER).unwrap()
    made = provider_from(metadata, client_id="c").unwrap()
    assert made.revocation_url == f"{ISSUER}/revoke"
    assert made.pushed_authorization_url == f"{ISSUER}/par"
    assert made.requires_pushed_authorization
    assert made.device_authorization_url == f"{ISSUER}/device"
    assert made.sends_issuer
    assert made.client_authentication == "none"


@pytest.mark.parametrize(
    ("taken", "secret", "key", "method"),
    [
        (None, "s", False, "client_secret_basic"),
        (["client_secret_basic", "client_secret_post"], "s", False, "client_secret_basic"),
        (["client_secret_post"], "s", False, "client_secret_post"),
        (["client_secret_post", "client_secret_basic"], "s", False, "client_secret_basic"),
        (["private_key_jwt"], "s", False, None),
        (["none"], "s", False, None),
        (None, None, False, "none"),
        (["client_secret_basic"], None, False, "none"),
        (["private_key_jwt", "client_secret_basic"], None, True, "private_key_jwt"),
        (["client_secret_basic"], None, True, None),
        (None, None, True, None),
    ],
)
def test_a_client_authentication_that_both_support(
    taken: list[str] | None, secret: str | None, key: bool, method: str | None
) -> None:
    """Basic if nothing is published (section 2); the key if the client signs."""
    methods = {} if taken is None else {"token_endpoint_auth_methods_supported": taken}
    metadata = judge_discovery(answer({**DOCUMENT, **methods}), ISSUER).unwrap()
    made = provider_from(
        metadata,
        client_id="c",
        client_secret=None if secret is None else Secret(secret),
        client_assertion_key=pem(EC["ES256"]) if key else None,
        client_assertion_algorithm="ES256",
        client_assertion_key_id="kid",
    )
    if method is None:
        told = "the server takes no way to authenticate that this client has"
        assert made.failure() == DiscoveryFailed(ISSUER, told)
    else:
        provider = made.unwrap()
        assert provider.client_authentication == method
        assert provider.client_assertion_algorithm == "ES256"
        assert provider.client_assertion_key_id == "kid"


@pytest.mark.parametrize(("methods", "taken"), [([], False), (["plain"], False), (["S256"], True)])
def test_a_server_without_s256_is_refused(methods: list[str], taken: bool) -> None:
    """Otherwise it would be used without PKCE (RFC 9700)."""
    document = {**DOCUMENT, "code_challenge_methods_supported": methods}
    metadata = judge_discovery(answer(document), ISSUER).unwrap()
    made = provider_from(metadata, client_id="c")
    assert is_successful(made) is taken
    if not taken:
        assert made.failure().reason == "the server does not take PKCE with S256"


ENDPOINTS: Final = {
    "authorization_endpoint": "authorization_url",
    "token_endpoint": "token_url",
    "userinfo_endpoint": "userinfo_url",
    "revocation_endpoint": "revocation_url",
    "pushed_authorization_request_endpoint": "pushed_authorization_url",
    "device_authorization_endpoint": "device_authorization_url",
    "jwks_uri": "jwks_url",
}


@pytest.mark.parametrize("member", ENDPOINTS)
@pytest.mark.parametrize("url", [f"http://{CANARY}.example/", f"javascript:{CANARY}", f"/{CANARY}"])
def test_an_endpoint_that_is_not_https_is_refused(member: str, url: str) -> None:
    """The problem names the endpoint, and does not repeat its text."""
    metadata = judge_discovery(answer({**DOCUMENT, member: url}), ISSUER).unwrap()
    problem = provider_from(metadata, client_id="c").failure()
    assert problem.reason.startswith(ENDPOINTS[member])
    assert CANARY not in repr(problem)


LOOPBACK: Final = ["http://127.0.0.1:8080/x", "HTTP://localhost/x", "http://[::1]/x"]


@pytest.mark.parametrize("member", ENDPOINTS)
@pytest.mark.parametrize("url", LOOPBACK)
def test_a_strangers_document_does_not_name_this_machine(member: str, url: str) -> None:
    """Only the application's code may use plain http on loopback, as for the issuer."""
    metadata = judge_discovery(answer({**DOCUMENT, member: url}), ISSUER).unwrap()
    problem = provider_from(metadata, client_id="c").failure()
    assert problem == DiscoveryFailed(ISSUER, f"{ENDPOINTS[member]} is not https")
    for issuer in ("http://127.0.0.1:8080", "HTTP://localhost"):
        own = judge_discovery(answer({**DOCUMENT, member: url, "issuer": issuer}), issuer).unwrap()
        assert getattr(provider_from(own, client_id="c").unwrap(), ENDPOINTS[member]) == url


@pytest.mark.parametrize("member", ENDPOINTS)
def test_a_published_endpoint_is_not_a_template(member: str) -> None:
    """Otherwise a brace in it would be replaced by a tenant's value."""
    metadata = judge_discovery(
        answer({**DOCUMENT, member: "https://{host}.x.example/"}), ISSUER
    ).unwrap()
    problem = provider_from(metadata, client_id="c").failure()
    assert problem == DiscoveryFailed(ISSUER, f"{ENDPOINTS[member]} has a brace in it")


def test_an_issuer_is_not_a_template() -> None:
    """The same for the issuer that was requested."""
    issuer = "https://{host}.x.example"
    metadata = judge_discovery(answer({**DOCUMENT, "issuer": issuer}), issuer).unwrap()
    problem = provider_from(metadata, client_id="c").failure()
    assert problem.reason == "issuer has a brace in it"
