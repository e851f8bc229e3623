"""What is publicly known of an OAuth provider, and the `OAuthProvider` that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.endpoint_template import fill_template, placeholders, value_fault
from igniter_connectors.core.oauth.provider import (
    ClientAuthentication,
    OAuthProvider,
    OAuthScopes,
    TenantClient,
)
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret

Evidence = Literal["documentation", "client library"]
PkceSupport = Literal["required", "supported", "unknown"]

ENDPOINTS: Final = (
    "authorization_url", "token_url", "refresh_url", "userinfo_url", "revocation_url",
    "pushed_authorization_url", "device_authorization_url", "jwks_url", "issuer",
)  # fmt: skip
"""The fields that hold addresses, and may hold `{placeholder}`s."""


class TenantValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the tenant's that stands in a provider's addresses as `{placeholder}`.

    Attributes:
        placeholder: As it stands in the addresses; the config field that holds the value
            has the same name.
        description: What a person is asked for.
        example: A value that fits.
        suffix: What the host always ends in, with its dot; "" where the value stands in a
            path, or is the whole host.
    """

    placeholder: str
    description: str
    example: str
    suffix: str = ""


class KnownProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as its documentation describes it, without anybody's client.

    A value of one's own is as good as one of the catalogue. What is not known is None, or
    "unknown", never guessed; a wrong field is set right by `msgspec.structs.replace`.

    Attributes:
        key: Lower case letters, digits and underscores; how the catalogue finds it.
        name: As the provider writes itself.
        documentation: The provider's page about it.
        checked_on: The day on which the facts were last compared with public sources.
        evidence: "documentation" where text of the provider's own showed an endpoint;
            "client library" where public client libraries alone did. Says nothing of the
            other fields: what neither showed is left out.
        variant_of: The key of the provider that this is another installation of (a
            sandbox, a region); None for the provider itself.
        authorization_url: Where the browser goes.
        token_url: Where codes are exchanged, and refresh tokens too unless `refresh_url`
            says otherwise.
        refresh_url: Where refresh tokens are exchanged, if elsewhere.
        userinfo_url: Where the account behind a token is told, by GET with the token as
            bearer; None where that takes more than that.
        userinfo_scopes: What must be among the scopes asked for, or user info is not asked.
        account: Where the user info holds the account; given where `userinfo_url` is.
        revocation_url: An endpoint that takes what RFC 7009 says.
        revocation_ends: Whether one revocation takes away the token alone or the grant;
            "grant" where that is not known, for it spares connections that share one.
        pushed_authorization_url: RFC 9126.
        device_authorization_url: RFC 8628.
        jwks_url: The keys of ID tokens.
        issuer: The identifier that ID tokens and RFC 9207 name.
        oauth_scope_separator: What joins scopes in a request.
        offline_scopes: Scopes without which no refresh token comes; always asked for.
        client_authentications: What the token endpoint takes, the one to use first; "none"
            among them where public clients exist.
        pkce: S256 is sent always; "required" refuses without, "supported" checks it,
            "unknown" may pass it over.
        token_types: What `token_type` may say, in lower case.
        token_body: How requests to the token endpoint are written.
        token_extras: What else comes with the tokens.
        expires_at_member: Where token answers tell the access token's end as an instant.
        refresh_expires_at_member: Likewise the refresh token's end.
        parse_token: For answers that field detection reads wrongly.
        authorization_parameters: Needed at the authorization endpoint, for a refresh token
            most of all.
        token_parameters: Needed at the token endpoint.
        dead_grant_errors: The token endpoint's errors that mean the grant is gone.
        rotates_refresh_tokens: Whether a refresh gives a new refresh token to be kept.
        reuse_grace: How long a spent refresh token still works.
        access_token_lifetime: As usually granted; what the answer says goes before it.
        refresh_token_lifetime: From its issue.
        tenant_values: One for each placeholder in the addresses.
        other_sites: Domains of the provider's that neither its page nor its two main
            endpoints stand under, but another endpoint does.
        notes: Quirks that no field holds, a sentence each.
    """

    key: str
    name: str
    documentation: str
    checked_on: date
    evidence: Evidence
    authorization_url: str
    token_url: str
    client_authentications: tuple[ClientAuthentication, ...]
    variant_of: str | None = None
    refresh_url: str | None = None
    userinfo_url: str | None = None
    userinfo_scopes: tuple[str, ...] = ()
    account: AccountPaths | None = None
    revocation_url: str | None = None
    revocation_ends: Literal["token", "grant"] = "token"
    pushed_authorization_url: str | None = None
    device_authorization_url: str | None = None
    jwks_url: str | None = None
    issuer: str | None = None
    oauth_scope_separator: str = " "
    offline_scopes: tuple[str, ...] = ()
    pkce: PkceSupport = "unknown"
    token_types: frozenset[str] = frozenset({"bearer"})
    token_body: Literal["form", "json"] = "form"
    token_extras: type[msgspec.Struct] | None = None
    expires_at_member: str | None = None
    refresh_expires_at_member: str | None = None
    parse_token: Callable[[dict[str, JsonValue]], dict[str, JsonValue]] | None = None
    authorization_parameters: Mapping[str, str] = {}
    token_parameters: Mapping[str, str] = {}
    dead_grant_errors: frozenset[str] = frozenset({"invalid_grant"})
    rotates_refresh_tokens: bool | None = None
    reuse_grace: timedelta | None = None
    access_token_lifetime: timedelta | None = None
    refresh_token_lifetime: timedelta | None = None
    tenant_values: tuple[TenantValue, ...] = ()
    other_sites: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def at(self, **values: str) -> KnownProvider:
        """The provider with the application's own values in its addresses.

        For values that the application knows, as `okta.at(domain="acme.okta.com")`. Values
        that each tenant has stay placeholders, and are read from the tenant's config.

        Raises:
            WrongWiring: With `BuildInvalid`: another set of values than `tenant_values`
                lists, or one that is no DNS label, or no host name where it is the host.
        """
        if values.keys() != {value.placeholder for value in self.tenant_values}:
            raise WrongWiring(BuildInvalid(f"{self.key}: at(…) takes each tenant value, once"))
        changes: dict[str, str] = {}
        for name, url in templates_of(self).items():
            for field in placeholders(url):
                fault = value_fault(url, field, values[field])
                if fault is not None:
                    raise WrongWiring(BuildInvalid(f"{self.key}: {field} {fault}"))
            result = fill_template(url, values)
            if result is None:
                raise WrongWiring(BuildInvalid(f"{self.key}: {name} does not take these values"))
            changes[name] = result
        return msgspec.structs.replace(self, **changes, tenant_values=())

    def provider(
        self,
        *,
        client_id: str,
        client_secret: Secret | None = None,
        oauth_scopes: OAuthScopes = (),
        client_authentication: ClientAuthentication | None = None,
        authorization_parameters: Mapping[str, str] = {},
        token_parameters: Mapping[str, str] = {},
        tenant_client: TenantClient | None = None,
    ) -> OAuthProvider:
        """The provider for a client; what is wrong with it is told when a connector is built.

        Args:
            client_id: As registered; "" where each tenant brings its own client.
            client_secret: None for a public client.
            oauth_scopes: What the application needs. `offline_scopes` are added where they
                are not among them.
            client_authentication: None takes the first of `client_authentications` that
                goes with a secret.
            authorization_parameters: Over the catalogue's own of the same name.
            token_parameters: Likewise.
            tenant_client: Where a tenant's own client stands.

        Returns:
            A value to hand to `with_oauth`, or to change first: `msgspec.structs.replace`
            takes any field of `OAuthProvider`.
        """
        asks_userinfo = set(self.userinfo_scopes) <= {*oauth_scopes, *self.offline_scopes}
        return OAuthProvider(
            authorization_url=self.authorization_url,
            token_url=self.token_url,
            refresh_url=self.refresh_url,
            client_id=client_id,
            client_secret=client_secret,
            client_authentication=client_authentication or self._method(client_secret),
            oauth_scopes=tuple(dict.fromkeys((*oauth_scopes, *self.offline_scopes))),
            oauth_scope_separator=self.oauth_scope_separator,
            userinfo_url=self.userinfo_url if asks_userinfo else None,
            revocation_url=self.revocation_url,
            revocation_ends=self.revocation_ends,
            pushed_authorization_url=self.pushed_authorization_url,
            device_authorization_url=self.device_authorization_url,
            jwks_url=self.jwks_url,
            issuer=self.issuer,
            token_types=self.token_types,
            token_body=self.token_body,
            token_extras=self.token_extras,
            expires_at_member=self.expires_at_member,
            refresh_expires_at_member=self.refresh_expires_at_member,
            authorization_parameters={**self.authorization_parameters, **authorization_parameters},
            token_parameters={**self.token_parameters, **token_parameters},
            dead_grant_errors=self.dead_grant_errors,
            rotates_refresh_tokens=self.rotates_refresh_tokens,
            reuse_grace=self.reuse_grace,
            refresh_token_lifetime=self.refresh_token_lifetime,
            parse_token=self.parse_token,
            parse_userinfo=self.account.read if self.account is not None else None,
            tenant_client=tenant_client,
        )

    def _method(self, client_secret: Secret | None) -> ClientAuthentication | None:
        """None leaves the choice to `OAuthProvider`: without a secret, and to a wrong catalogue."""
        if client_secret is None:
            return None
        secrets = ("client_secret_basic", "client_secret_post")
        return next((method for method in self.client_authentications if method in secrets), None)


def templates_of(known: KnownProvider) -> dict[str, str]:
    """The addresses that are there, by field."""
    found = {name: getattr(known, name) for name in ENDPOINTS}
    return {name: url for name, url in found.items() if url is not None}
