"""A description and a client make a provider; the application's own values go into addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec
import pytest

from igniter_connectors.core.catalogue.known_provider import KnownProvider, TenantValue
from igniter_connectors.core.catalogue.listing import known_providers
from igniter_connectors.core.connector.builder import Connector
from igniter_connectors.core.oauth.provider import OAuthProvider, TenantClient, authentication_of
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.problem import WrongWiring
from igniter_connectors.core.secret import Secret
from igniter_connectors.providers import (
    auth0,
    cognito,
    github,
    gitlab_self_hosted,
    google,
    microsoft,
    okta,
    okta_custom_server,
    shopify,
    slack,
    square,
    xero,
    zendesk,
)

SECRET: Final = Secret("secret")
OWN_CLIENT: Final = TenantClient(id_field="client_id", secret_field="client_secret")


class ZendeskConfig(msgspec.Struct, frozen=True):
    """A value of the tenant's own."""

    subdomain: str


def test_the_provider_has_the_facts_of_the_description() -> None:
    """Each fact that both have is the same in both."""
    shared = set(OAuthProvider.__struct_fields__) & set(KnownProvider.__struct_fields__)
    for known in known_providers():
        every = (*known.userinfo_scopes, *known.offline_scopes)
        made = known.provider(client_id="client", oauth_scopes=every)
        assert made.pkce == (known.pkce != "refused")
        for field in shared - {"pkce"}:
            assert getattr(made, field) == getattr(known, field), (known.key, field)


def test_the_client_is_unchanged() -> None:
    """Id, secret, and scopes in their order."""
    made = github.provider(client_id="id", client_secret=SECRET, oauth_scopes=("repo", "gist"))
    assert (made.client_id, made.client_secret) == ("id", SECRET)
    assert made.oauth_scopes == ("repo", "gist")
    assert provider_fault(made) is None


@pytest.mark.parametrize(
    ("known", "secret", "method"),
    [
        (google, SECRET, "client_secret_post"),
        (slack, SECRET, "client_secret_basic"),
        (xero, SECRET, "client_secret_basic"),
        (xero, None, "none"),
        (square, None, "none"),
    ],
)
def test_the_first_method_that_fits_the_client_is_used(
    known: KnownProvider, secret: Secret | None, method: str
) -> None:
    """With a secret, one that sends it; without, `none`."""
    made = known.provider(client_id="client", client_secret=secret)
    assert authentication_of(made) == method
    assert provider_fault(made) is None


def test_the_application_can_choose_the_method() -> None:
    """For a provider that accepts several."""
    made = google.provider(
        client_id="c", client_secret=SECRET, client_authentication="client_secret_basic"
    )
    assert made.client_authentication == "client_secret_basic"


def test_scopes_for_a_refresh_token_are_added_once() -> None:
    """After the requested ones, unless they are among them."""
    assert xero.provider(client_id="c", oauth_scopes=("openid",)).oauth_scopes == (
        "openid",
        "offline_access",
    )
    asked = ("offline_access", "openid")
    assert xero.provider(client_id="c", oauth_scopes=asked).oauth_scopes == asked


def test_user_info_is_requested_only_if_the_scopes_allow_it() -> None:
    """A connection does not fail because a scope for the user info was not requested."""
    assert google.provider(client_id="c").userinfo_url is None
    made = google.provider(client_id="c", oauth_scopes=("openid", "email"))
    assert made.userinfo_url == google.userinfo_url
    assert microsoft.provider(client_id="c", oauth_scopes=("openid",)).userinfo_url is None
    both = microsoft.provider(client_id="c", oauth_scopes=("openid", "User.Read"))
    assert both.userinfo_url == microsoft.userinfo_url
    assert github.provider(client_id="c").userinfo_url == github.userinfo_url


def test_the_applications_parameters_replace_those_of_the_catalogue() -> None:
    """By name; the others stay."""
    made = google.provider(
        client_id="c",
        authorization_parameters={"prompt": "select_account", "hd": "acme.example"},
        token_parameters={"audience": "api"},
    )
    assert made.authorization_parameters == {
        "access_type": "offline",
        "prompt": "select_account",
        "hd": "acme.example",
    }
    assert made.token_parameters == {"audience": "api"}
    assert google.authorization_parameters == {"access_type": "offline", "prompt": "consent"}


def test_a_domain_that_the_application_knows_goes_into_every_address() -> None:
    """Also into issuer and keys. No placeholder is left."""
    here = okta.at(domain="acme.okta.com")
    assert here.token_url == "https://acme.okta.com/oauth2/v1/token"
    assert here.issuer == "https://acme.okta.com"
    assert here.tenant_values == ()
    assert okta.token_url == "https://{domain}/oauth2/v1/token"
    assert provider_fault(here.provider(client_id="c", client_secret=SECRET)) is None


def test_an_address_may_have_several_values() -> None:
    """A host and a path, or two labels of a host."""
    server = okta_custom_server.at(domain="acme.okta.com", server="default")
    assert server.issuer == "https://acme.okta.com/oauth2/default"
    pool = cognito.at(domain="acme", region="eu-west-1")
    assert pool.token_url == "https://acme.auth.eu-west-1.amazoncognito.com/oauth2/token"


@pytest.mark.parametrize(
    ("known", "values"),
    [
        (okta, {}),
        (okta, {"host": "acme.okta.com"}),
        (okta, {"domain": "acme.okta.com", "server": "default"}),
        (okta, {"domain": ""}),
        (okta, {"domain": "https://acme.okta.com"}),
        (okta, {"domain": "acme.okta.com/x"}),
        (okta, {"domain": "acme.okta.com:8443"}),
        (okta, {"domain": "127.0.0.1"}),
        (auth0, {"domain": "localhost"}),
        (gitlab_self_hosted, {"host": "user@gitlab.example"}),
        (zendesk, {"subdomain": "acme.evil"}),
        (shopify, {"shop": "acme/"}),
        (shopify, {"shop": "evil.example#"}),
        (google, {"tenant": "acme"}),
        (github, {"x": ""}),
    ],
)
def test_an_invalid_value_is_refused(known: KnownProvider, values: dict[str, str]) -> None:
    """By the rules for the values of a tenant."""
    with pytest.raises(WrongWiring) as raised:
        known.at(**values)
    assert raised.value.problem.message.startswith(f"{known.key}: ")


def test_a_host_that_becomes_too_long_is_refused() -> None:
    """Each label is valid, but a host has at most 253 characters."""
    host = "{a}{b}{c}{d}.acme.example".replace("}{", "}.{")
    long = KnownProvider(
        key="acme",
        name="Acme",
        documentation="https://acme.example",
        checked_on=github.checked_on,
        evidence="documentation",
        authorization_url=f"https://{host}/authorize",
        token_url=f"https://{host}/token",
        client_authentications=("client_secret_basic",),
        tenant_values=tuple(
            TenantValue(placeholder=name, description="A label", example="a") for name in "abcd"
        ),
    )
    fixed = len("....acme.example")
    fits = {"a": "x" * 63, "b": "x" * 63, "c": "x" * 63, "d": "x" * (253 - 3 * 63 - fixed)}
    assert long.at(**fits).token_url.startswith("https://x")
    with pytest.raises(WrongWiring, match="does not take these values"):
        long.at(**{**fits, "d": fits["d"] + "x"})


def test_a_tenants_value_is_filled_in_later() -> None:
    """The connector's config has a field with the placeholder's name."""
    made = zendesk.provider(client_id="c", client_secret=SECRET, oauth_scopes=("read",))
    Connector.create("zendesk").with_config(ZendeskConfig).with_oauth(made).build()


def test_a_host_that_a_tenant_chooses_gets_the_tenants_client() -> None:
    """The application's secret is not sent to a host that a tenant chooses."""
    with_secret = gitlab_self_hosted.provider(
        client_id="c", client_secret=SECRET, tenant_client=OWN_CLIENT
    )
    assert provider_fault(with_secret) is not None
    own = gitlab_self_hosted.provider(client_id="", tenant_client=OWN_CLIENT)
    assert provider_fault(own) is None


def test_an_application_can_describe_its_own_provider() -> None:
    """It needs no registration. A wrong fact is corrected with `replace`."""
    acme = msgspec.structs.replace(
        github,
        key="acme",
        authorization_url="https://acme.example/authorize",
        token_url="https://acme.example/token",
    )
    assert acme.provider(client_id="c").token_url == "https://acme.example/token"
    shorter = msgspec.structs.replace(xero, reuse_grace=timedelta(minutes=1))
    assert shorter.provider(client_id="c").reuse_grace == timedelta(minutes=1)


def test_a_misspelt_value_is_named_beside_the_right_one() -> None:
    """What was given and what is taken, so that a typing error is seen."""
    with pytest.raises(WrongWiring, match=r"okta: at\(…\) takes domain=, and got domian=$"):
        okta.at(domian="acme.okta.com")
    with pytest.raises(WrongWiring, match=r"google: at\(…\) takes nothing, and got tenant=$"):
        google.at(tenant="acme")
