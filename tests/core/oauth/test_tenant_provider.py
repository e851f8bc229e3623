"""A tenant's values in the addresses of a provider, and a tenant's own client."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.connector.builder import Connector
from igniter_connectors.core.oauth.endpoint_template import (
    fill_template,
    is_template,
    placeholders,
    template_fault,
    value_fault,
    whole_host,
)
from igniter_connectors.core.oauth.provider import OAuthProvider, TenantClient
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.oauth.tenant_provider import (
    TEMPLATE_FIELDS,
    config_fault,
    endpoint_fields,
    provider_for,
)
from igniter_connectors.core.problem import TenantValueInvalid, WrongWiring
from igniter_connectors.core.secret import Secret
from tests.core.vector_files import vectors

from .providers import PROVIDER, provider

ZENDESK = "https://{subdomain}.zendesk.example/oauth/tokens"
WHOLE = "https://{host}/oauth/token"
LABEL = "is one DNS label: letters, digits and hyphens"
HOST = "is a host name, without scheme, port or path, and no address"
CLIENT = TenantClient(id_field="client_id", secret_field="client_secret")


class Hostile(msgspec.Struct):
    label: dict[str, list[str]]
    host: dict[str, list[str]]


HOSTILE = vectors("hostile_tenant_values.json", Hostile)
HOSTILE_LABELS = [value for values in HOSTILE.label.values() for value in values]
HOSTILE_HOSTS = [value for values in HOSTILE.host.values() for value in values]


class Zendesk(msgspec.Struct):
    subdomain: str
    region: str | None = None


class OwnServer(msgspec.Struct):
    host: str = "own.example"
    client_id: str | None = "tenants-client"
    client_secret: Secret | None = Secret("tenants-secret")


ZENDESK_PROVIDER = provider(
    authorization_url="https://{subdomain}.zendesk.example/oauth/authorizations/new",
    token_url=ZENDESK,
)
OWN_SERVER = OAuthProvider(
    authorization_url="https://{host}/oauth/authorize",
    token_url=WHOLE,
    issuer="https://{host}",
    client_id="",
    tenant_client=CLIENT,
)


def at(subdomain: Any) -> OAuthProvider | TenantValueInvalid:
    """The provider with a fixed host suffix, filled with a tenant's value."""
    judged = provider_for(ZENDESK_PROVIDER, Zendesk(subdomain), connector="zendesk")
    return judged.unwrap() if is_successful(judged) else judged.failure()


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["acme", "ACME", "a", "7", "a-b", "4711", "a--b", "xn--mnchen-3ya"]
)
def test_a_label_goes_into_every_endpoint(value: str) -> None:
    """Letters, digits, and hyphens between them. Nothing else of the provider changes."""
    made = at(value)
    assert made == replace(
        ZENDESK_PROVIDER,
        authorization_url=f"https://{value}.zendesk.example/oauth/authorizations/new",
        token_url=f"https://{value}.zendesk.example/oauth/tokens",
    )
    assert provider_fault(made) is None


@pytest.mark.parametrize(
    ("length", "taken"), [(1, True), (2, True), (62, True), (63, True), (64, False)]
)
def test_a_label_has_at_most_63_characters(length: int, taken: bool) -> None:
    """RFC 1035 section 2.3.4."""
    assert isinstance(at("a" * length), OAuthProvider) is taken


@pytest.mark.parametrize("value", HOSTILE_LABELS)
def test_a_hostile_value_is_refused(value: str) -> None:
    """The problem names the field and the rule, and repeats nothing of the value."""
    assert at(value) == TenantValueInvalid("zendesk", "subdomain", LABEL)


@pytest.mark.parametrize("value", [None, 5, Secret("acme"), True])
def test_a_value_that_is_not_text_is_refused(value: object) -> None:
    """For example, an optional field that the tenant left out."""
    assert at(value) == TenantValueInvalid("zendesk", "subdomain", "is required for the URL")


@given(st.text())
def test_no_value_changes_the_suffix_of_the_host(value: str) -> None:
    """The rules exist for this. It is checked on what `urlsplit` reads of the result."""
    made = at(value)
    if isinstance(made, OAuthProvider):
        parts = urlsplit(made.token_url)
        assert parts.hostname == f"{value.lower()}.zendesk.example"
        assert (parts.scheme, parts.path) == ("https", "/oauth/tokens")
        assert parts.netloc == f"{value}.zendesk.example"
        assert (parts.username, parts.port, parts.query, parts.fragment) == (None, None, "", "")


@given(st.text(st.sampled_from(list("ab-.:/@%#?\\[]{}e2 \n0"))))
def test_a_value_in_a_path_stays_in_its_segment(value: str) -> None:
    """Microsoft's tenant is there."""
    microsoft = provider(token_url="https://login.example/{subdomain}/oauth2/v2.0/token")
    judged = provider_for(microsoft, Zendesk(value), connector="x")
    if is_successful(judged):
        assert urlsplit(judged.unwrap().token_url).path == f"/{value}/oauth2/v2.0/token"
        assert urlsplit(judged.unwrap().token_url).netloc == "login.example"
    else:
        assert value_fault(microsoft.token_url, "subdomain", value) == LABEL


def test_a_label_is_measured_with_the_text_beside_the_placeholder() -> None:
    """`value-eu` has three characters more."""
    url = "https://{subdomain}-eu.zendesk.example/x"
    made = provider_for(provider(token_url=url), Zendesk("a" * 60), connector="x")
    assert made.unwrap().token_url == f"https://{'a' * 60}-eu.zendesk.example/x"
    made = provider_for(provider(token_url=url), Zendesk("a" * 61), connector="x")
    assert made.failure() == TenantValueInvalid(
        "x", "subdomain", "does not make a host of the provider"
    )


@pytest.mark.parametrize(("length", "taken"), [(58, True), (59, True), (60, False)])
def test_a_filled_host_has_at_most_253_characters(length: int, taken: bool) -> None:
    """RFC 1035 section 2.3.4, with the suffix of the template."""
    end = ".".join(["b" * 63] * 3)
    made = fill_template(f"https://{{a}}.x.{end}/", {"a": "a" * length})
    assert len(f"{'a' * length}.x.{end}") == length + 194
    assert (made is not None) is taken


def test_a_host_may_have_two_values() -> None:
    """Each is judged separately."""
    both = provider(token_url="https://{subdomain}.{region}.zendesk.example/x")
    made = provider_for(both, Zendesk("acme", "eu"), connector="x").unwrap()
    assert made.token_url == "https://acme.eu.zendesk.example/x"
    refused = provider_for(both, Zendesk("acme", "eu.evil"), connector="x").failure()
    assert refused == TenantValueInvalid("x", "region", LABEL)


def test_a_host_is_compared_without_regard_to_case() -> None:
    """The template may have capitals."""
    made = provider_for(
        provider(token_url="https://{subdomain}.Zendesk.Example/X"), Zendesk("A"), connector="x"
    )
    assert made.unwrap().token_url == "https://A.Zendesk.Example/X"


def test_a_host_without_its_suffix_is_none() -> None:
    """The result is checked last, whatever value was accepted before."""
    assert fill_template(ZENDESK, {"subdomain": "evil.example/"}) is None
    assert fill_template(ZENDESK, {"subdomain": "evil.example?"}) is None
    assert fill_template(ZENDESK, {"subdomain": "evil.example#"}) is None
    assert fill_template("https://{a}.b.example/", {"a": ""}) is None


# --- templates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "fields", "whole"),
    [
        ("https://provider.example/x", set(), None),
        (ZENDESK, {"subdomain"}, None),
        (WHOLE, {"host"}, "host"),
        ("https://{host}", {"host"}, "host"),
        ("https://{host}?x={x}", {"host", "x"}, "host"),
        ("https://{host}/{tenant_2}", {"host", "tenant_2"}, "host"),
        ("https://provider.example/{host}", {"host"}, None),
        ("https://{a}{b}.x.example", {"a", "b"}, None),
    ],
)
def test_a_template_names_its_fields(url: str, fields: set[str], whole: str | None) -> None:
    """And whether one of them is the host."""
    assert placeholders(url) == fields
    assert is_template(url) is bool(fields)
    assert whole_host(url) == whole
    assert template_fault(url) is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://{}.x.example/", "brace"),
        ("https://{sub domain}.x.example/", "brace"),
        ("https://{0}.x.example/", "brace"),
        ("https://{a.b}.x.example/", "brace"),
        ("https://{a!r}.x.example/", "brace"),
        ("https://{{a}}.x.example/", "brace"),
        ("https://{a.x.example/", "brace"),
        ("https://a}.x.example/", "brace"),
        ("https://${a}.x.example/}", "brace"),
        ("{scheme}://x.example/", "in front of its host"),
        ("{url}", "in front of its host"),
        ("https:{host}/x", "in front of its host"),
        ("https://x.{top}", "end its host"),
        ("https://x.{top}/", "end its host"),
        ("https://x{top}/", "end its host"),
        ("https://{host}:8443/", "end its host"),
        ("https://{a}.x.example:8443/", "end its host"),
        ("https://x.example:{port}/", "end its host"),
        ("https://{a}./", "end its host"),
        ("https://{a}.x..example/", "end its host"),
        ("https://{a}.x.example./", "end its host"),
        ("https://{a}@x.example/", "leaves more than a label"),
        ("https://{a}.example/", "leaves more than a label"),
        ("https://{a}x.example/", "leaves more than a label"),
        ("https://{a}.{b}.example/", "leaves more than a label"),
        ("https://x.example\\{a}.y.example", None),
    ],
)
def test_a_template_has_to_fix_the_suffix_of_the_host(url: str, fault: str | None) -> None:
    """At least two labels, or the whole host is the tenant's."""
    told = template_fault(url)
    assert (told is None) is (fault is None)
    assert fault is None or (told is not None and fault in told)
    assert provider_fault(provider(token_url=url)) is not None or fault is None


@pytest.mark.parametrize("name", TEMPLATE_FIELDS)
def test_every_address_may_be_a_template(name: str) -> None:
    """Each is checked with an example when the connector is built."""
    judged = provider(**{name: "https://{subdomain}.x.example/y"})
    assert provider_fault(judged) is None
    assert endpoint_fields(judged) == {"subdomain"}
    made = provider_for(judged, Zendesk("acme"), connector="x").unwrap()
    assert getattr(made, name) == "https://acme.x.example/y"
    fault = provider_fault(provider(**{name: "https://x.{subdomain}/y"}))
    assert fault is not None
    assert fault.startswith(name)


@pytest.mark.parametrize(
    "url",
    [
        "http://{subdomain}.x.example/",
        "ftp://{subdomain}.x.example/",
        "https://user@{subdomain}.x.example/",
        "https://{subdomain}.x.example/#x",
        "https://{subdomain}.x.example/ x",
        "https://-{subdomain}.x.example/",
        "http://{host}/",
    ],
)
def test_a_filled_template_is_a_safe_endpoint(url: str) -> None:
    """The rules for endpoints hold for an example of it."""
    fault = provider_fault(provider(token_url=url))
    assert fault is not None
    assert fault.startswith("token_url must be https")


def test_a_loopback_template_may_be_plain_http() -> None:
    """For an application's own tests."""
    assert provider_fault(provider(token_url="http://{subdomain}.app.localhost:80/")) is not None
    assert provider_fault(provider(token_url="http://{subdomain}.app.localhost/")) is None


# --- a host of the tenant's -------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["gitlab.acme.example", "a.bc", "GITLAB.Example", "1.example", "xn--a.xn--b"]
)
def test_a_host_name_is_accepted_with_the_tenants_client(host: str) -> None:
    """The provider, and each request to it, says that the host is the tenant's."""
    made = provider_for(OWN_SERVER, OwnServer(host), connector="gitlab").unwrap()
    assert made.token_url == f"https://{host}/oauth/token"
    assert made.issuer == f"https://{host}"
    assert made.has_tenant_host
    assert (made.client_id, made.client_secret) == ("tenants-client", Secret("tenants-secret"))


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_a_hostile_host_is_refused(host: str) -> None:
    """No address, no port, no path, no name of this machine."""
    judged = provider_for(OWN_SERVER, OwnServer(host), connector="gitlab")
    assert judged.failure() == TenantValueInvalid("gitlab", "host", HOST)


@pytest.mark.parametrize(("length", "taken"), [(252, True), (253, True), (254, False)])
def test_a_host_name_has_at_most_253_characters(length: int, taken: bool) -> None:
    """In labels of at most 63."""
    name = ".".join(["a" * 49] * 5) + "." + "b" * (length - 250)
    assert len(name) == length
    made = provider_for(OWN_SERVER, OwnServer(name), connector="gitlab")
    assert is_successful(made) is taken


@given(st.text())
def test_a_tenants_host_changes_only_the_host(host: str) -> None:
    """Whatever the value is, requests go to the path of the template."""
    judged = provider_for(OWN_SERVER, OwnServer(host), connector="gitlab")
    if is_successful(judged):
        parts = urlsplit(judged.unwrap().token_url)
        assert (parts.netloc, parts.path) == (host, "/oauth/token")


@given(st.from_regex(r"[a-z]{1,9}(\.[a-z0-9]{1,9}){0,3}\.[a-z]{2,9}", fullmatch=True))
def test_ordinary_hosts_are_accepted(host: str) -> None:
    """Unchanged."""
    if not host.endswith("localhost"):
        assert is_successful(provider_for(OWN_SERVER, OwnServer(host), connector="gitlab"))


def test_a_host_with_a_fixed_suffix_is_not_the_tenants() -> None:
    """Its address is not checked, and it gets the application's client."""
    made = provider_for(ZENDESK_PROVIDER, Zendesk("acme"), connector="zendesk").unwrap()
    assert not made.has_tenant_host
    assert made.client_secret == Secret("client-secret")


@pytest.mark.parametrize("name", TEMPLATE_FIELDS)
def test_one_endpoint_with_the_tenants_host_is_enough(name: str) -> None:
    """Whichever it is, beside others that are fixed or have a fixed suffix."""
    fixed = dict.fromkeys(TEMPLATE_FIELDS, "https://{host}.x.example/") | {
        "issuer": "https://x.example"
    }
    judged = replace(OWN_SERVER, **(fixed | {name: "https://{host}/y"}))
    refused = provider_for(judged, OwnServer("own.example"), connector="x")
    assert refused.failure() == TenantValueInvalid("x", "host", LABEL)
    fixed = dict.fromkeys(TEMPLATE_FIELDS, "https://x.example/")
    judged = replace(OWN_SERVER, **(fixed | {name: "https://{host}/y"}))
    assert provider_for(judged, OwnServer(), connector="x").unwrap().has_tenant_host


@pytest.mark.parametrize("name", TEMPLATE_FIELDS)
def test_the_applications_client_never_goes_to_a_tenants_host(name: str) -> None:
    """Refused when the connector is built, for each endpoint."""
    chosen = provider(**{name: "https://{host}/x"})
    whose = f"{name} has a host that the tenant chooses"
    assert provider_fault(chosen) == f"{whose}, which needs tenant_client"
    told = f"{whose}, so client_id must be empty"
    assert provider_fault(replace(chosen, tenant_client=CLIENT)) == told
    public = replace(chosen, tenant_client=CLIENT, client_secret=None)
    assert provider_fault(public) == told
    assert provider_fault(replace(public, client_id="")) is None


@pytest.mark.parametrize("name", ["client_secret", "client_assertion_key"])
def test_a_secret_without_a_client_is_a_fault(name: str) -> None:
    """So none is left beside a tenant's client."""
    judged = replace(OWN_SERVER, **{name: Secret("x")})
    assert provider_fault(judged) == f"{name} needs client_id"


# --- the tenant's client ----------------------------------------------------------------------


OPTIONAL = provider(tenant_client=CLIENT)


def test_a_tenant_may_bring_its_own_client() -> None:
    """Id and secret are the tenant's; nothing of the application's stays."""
    made = provider_for(OPTIONAL, OwnServer(), connector="x").unwrap()
    assert (made.client_id, made.client_secret) == ("tenants-client", Secret("tenants-secret"))
    assert made.client_authentication is None
    public = provider_for(OPTIONAL, OwnServer(client_secret=None), connector="x").unwrap()
    assert (public.client_id, public.client_secret) == ("tenants-client", None)
    assert provider_fault(public) is None


@pytest.mark.parametrize("client_id", [None, ""])
@pytest.mark.parametrize("secret", [None, Secret("")])
def test_without_one_it_uses_the_applications(client_id: str | None, secret: Secret | None) -> None:
    """If there is one; otherwise the tenant's is required."""
    empty = OwnServer(client_id=client_id, client_secret=secret)
    assert provider_for(OPTIONAL, empty, connector="x").unwrap() is OPTIONAL
    refused = provider_for(OWN_SERVER, empty, connector="x").failure()
    assert refused == TenantValueInvalid("x", "client_id", "is required")


@pytest.mark.parametrize("client_id", ["a\x00b", "a\n", "\ud83d", "x" * 256])
def test_a_client_id_that_no_store_accepts_is_refused(client_id: str) -> None:
    """It is stored unsealed beside the grant."""
    refused = provider_for(OPTIONAL, OwnServer(client_id=client_id), connector="x").failure()
    assert refused.field == "client_id"
    assert "255" in refused.reason


@pytest.mark.parametrize("client_id", [None, "", 5])
def test_a_secret_without_an_id_is_refused(client_id: Any) -> None:
    """It would be the tenant's secret with the application's id."""
    half = OwnServer(client_id=client_id)
    refused = provider_for(OPTIONAL, half, connector="x").failure()
    assert refused == TenantValueInvalid("x", "client_id", "is required")


@pytest.mark.parametrize(
    ("declared", "secret", "used"),
    [
        (None, Secret("s"), None),
        (None, None, None),
        ("client_secret_post", Secret("s"), "client_secret_post"),
        ("client_secret_basic", Secret("s"), "client_secret_basic"),
        ("client_secret_post", None, None),
        ("private_key_jwt", Secret("s"), None),
        ("none", Secret("s"), None),
    ],
)
def test_how_a_tenants_client_authenticates(
    declared: Any, secret: Secret | None, used: str | None
) -> None:
    """Like the application's if both have a secret; never with the application's key."""
    judged = replace(
        OPTIONAL,
        client_authentication=declared,
        client_secret=None,
        client_assertion_key=Secret("key"),
        client_assertion_key_id="kid",
        client_assertion_audience="https://x.example",
    )
    made = provider_for(judged, OwnServer(client_secret=secret), connector="x").unwrap()
    assert (made.client_authentication, made.client_secret) == (used, secret)
    assert made.client_assertion_key is None
    assert made.client_assertion_key_id is None
    assert made.client_assertion_audience is None


def test_a_provider_without_either_is_returned_unchanged() -> None:
    """It is not copied."""
    assert provider_for(PROVIDER, Zendesk("evil/"), connector="x").unwrap() is PROVIDER


def test_a_problem_of_a_tenants_value_names_the_connector() -> None:
    """In one line, for the person who typed it."""
    problem = at("evil/")
    assert isinstance(problem, TenantValueInvalid)
    assert problem.message == f"zendesk: subdomain {LABEL}"


# --- what the config type must have -----------------------------------------------------------


class Named(msgspec.Struct, rename="camel"):
    sub_domain: str
    client_id: str = ""
    client_secret: Secret | None = None


class Shown(msgspec.Struct):
    subdomain: Secret
    client_id: str = ""
    client_secret: str = ""


def test_the_fields_whose_change_needs_a_new_authorization() -> None:
    """Those in endpoints and those of the client, by their Python names."""
    assert endpoint_fields(PROVIDER) == frozenset()
    assert endpoint_fields(ZENDESK_PROVIDER) == {"subdomain"}
    assert endpoint_fields(OWN_SERVER) == {"host", "client_id", "client_secret"}


def test_a_config_type_has_the_fields_that_are_named() -> None:
    """A renamed field is found by its Python name."""
    named = provider(token_url="https://{sub_domain}.x.example/", tenant_client=CLIENT)
    assert config_fault(named, Named) is None
    assert config_fault(PROVIDER, Named) is None
    assert config_fault(ZENDESK_PROVIDER, Named) == (
        "the OAuth provider names subdomain, which is no field of Named"
    )


def test_the_type_secret_is_for_the_client_secret_and_not_for_urls() -> None:
    """Both mistakes are found when the connector is built."""
    assert config_fault(ZENDESK_PROVIDER, Shown) == "subdomain stands in URLs and is no Secret"
    assert config_fault(OPTIONAL, Shown) == (
        "client_secret holds a client's secret and is typed Secret or Secret | None"
    )
    assert config_fault(OPTIONAL, Named) is None


def test_a_client_id_is_not_a_secret() -> None:
    """It is in the authorization URL."""
    swapped = provider(
        tenant_client=TenantClient(id_field="client_secret", secret_field="client_secret")
    )
    assert config_fault(swapped, OwnServer) is None
    other = provider(tenant_client=TenantClient(id_field="subdomain", secret_field="subdomain"))
    assert config_fault(other, Shown) is None
    mixed = provider(tenant_client=TenantClient(id_field="subdomain", secret_field="key"))

    class Mixed(msgspec.Struct):
        subdomain: Secret
        key: Secret

    assert config_fault(mixed, Mixed) == "subdomain stands in URLs and is no Secret"


def test_a_connector_that_names_no_such_field_is_not_built() -> None:
    """The mistake is found before any tenant uses it."""
    with pytest.raises(WrongWiring, match="which is no field of Named"):
        Connector.create("zendesk").with_config(Named).with_oauth(ZENDESK_PROVIDER)
    Connector.create("zendesk").with_config(Zendesk).with_oauth(ZENDESK_PROVIDER)
