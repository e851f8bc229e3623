"""What is publicly known about an OAuth provider, and the `OAuthProvider` built from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.endpoint_template import fill_template, placeholders, value_fault
from igniter_connectors.core.oauth.granted_scopes import missing_scopes
from igniter_connectors.core.oauth.provider import (
    ClientAuthentication,
    OAuthProvider,
    OAuthScopes,
    RevocationBody,
    TenantClient,
)
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret

Evidence = Literal["documentation", "client library"]
PkceSupport = Literal["required", "supported", "unknown", "refused"]

ENDPOINTS: Final = (
    "authorization_url", "token_url", "refresh_url", "userinfo_url", "revocation_url",
    "pushed_authorization_url", "device_authorization_url", "jwks_url", "issuer",
)  # fmt: skip
"""The fields that hold URLs, and may contain `{placeholder}`s."""


class TenantValue(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's value that appears in a provider's URLs as `{placeholder}`.

    Attributes:
        placeholder: Its name in the URLs. The config field with the value has the same name.
        description: Describes the value to the person who enters it.
        example: A valid value.
        suffix: The fixed end of the host, with its dot; "" if the value is in a path, or is the
            whole host.
    """

    placeholder: str
    description: str
    example: str
    suffix: str = ""


class KnownProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as its documentation describes it, without a client.

    An application can create its own. An unknown fact is None or "unknown", never a guess.
    Correct a wrong field with `msgspec.structs.replace`.

    Attributes:
        key: Lower case letters, digits and underscores; the key in the catalogue.
        name: As the provider writes its own name.
        documentation: The provider's page about OAuth.
        checked_on: The day on which somebody looked at the facts, except those of `seen_on`.
        seen_on: The day on which somebody looked at a fact, by field name.
        evidence: "documentation" if the provider's own text showed an endpoint; "client
            library" if only public client libraries did. It says nothing about the other
            fields: a fact that neither showed is left out.
        variant_of: The key of the provider of which this is another installation (a sandbox, a
            region); None for the provider itself.
        authorization_url: Where the browser is sent.
        token_url: Where codes are exchanged, and refresh tokens if there is no `refresh_url`.
        refresh_url: Where refresh tokens are exchanged, if elsewhere.
        userinfo_url: Where the account of a token is read, with a bearer token; None if a
            request needs more than that.
        userinfo_graphql: The GraphQL query to POST there; None for a GET.
        userinfo_scopes: Without all of these scopes, user info is not requested.
        account: Where the user info contains the account; given together with `userinfo_url`.
        revocation_url: Where tokens are revoked.
        revocation_body: What the request contains; `form` is RFC 7009.
        revocation_ends: Whether one revocation ends only the token or the whole grant. Use
            "grant" if unknown: it protects connections that share a grant.
        pushed_authorization_url: RFC 9126.
        device_authorization_url: RFC 8628.
        jwks_url: The public keys of ID tokens.
        issuer: The identifier in ID tokens and in RFC 9207.
        oauth_scope_separator: The separator of scopes in a request.
        granted_scope_separator: The separator of granted scopes; None for commas and white space.
        oauth_scope_includes: Which scopes a granted scope includes, other names among them; a
            `*` stands for the same text on both sides.
        offline_scopes: Scopes that are required for a refresh token; always requested.
        client_authentications: The methods of the token endpoint, the preferred one first.
            Contains "none" if public clients exist.
        pkce: S256 is sent unless it is "refused": then the provider answers an error, and only
            state, the browser's cookie and the issuer protect the code. "required": the
            provider refuses requests without it. "supported": it checks it. "unknown": it may
            ignore it.
        request_headers: Headers that every request needs; `{client_id}` is replaced.
        token_types: The accepted values of `token_type`, in lower case.
        token_body: The body format of token requests.
        token_extras: Other members of the token response that are kept.
        expires_at_member: The member that holds the access token's expiry as an instant.
        refresh_expires_at_member: The same for the refresh token.
        parse_token: Converts a token response that would be misread otherwise.
        authorization_parameters: Required at the authorization endpoint, often for a refresh
            token.
        token_parameters: Required at the token endpoint.
        dead_grant_errors: The token endpoint's error codes that mean that the grant is gone.
        dead_grant_texts: Parts of the token endpoint's free text that mean the same.
        rotates_refresh_tokens: Whether a refresh issues a new refresh token.
        reuse_grace: How long a spent refresh token still works.
        access_token_lifetime: The usual lifetime. The token response takes precedence.
        refresh_token_lifetime: From the time of issue.
        tenant_values: One for each placeholder in the URLs.
        other_sites: Other domains of the provider: those of endpoints that are not on the
            domain of its documentation or of its two main endpoints.
        notes: Quirks that no field describes, a sentence each.
    """

    key: str
    name: str
    documentation: str
    checked_on: date
    evidence: Evidence
    authorization_url: str
    token_url: str
    client_authentications: tuple[ClientAuthentication, ...]
    seen_on: Mapping[str, date] = {}
    variant_of: str | None = None
    refresh_url: str | None = None
    userinfo_url: str | None = None
    userinfo_graphql: str | None = None
    userinfo_scopes: tuple[str, ...] = ()
    account: AccountPaths | None = None
    revocation_url: str | None = None
    revocation_body: RevocationBody = "form"
    revocation_ends: Literal["token", "grant"] = "token"
    pushed_authorization_url: str | None = None
    device_authorization_url: str | None = None
    jwks_url: str | None = None
    issuer: str | None = None
    oauth_scope_separator: str = " "
    granted_scope_separator: str | None = None
    oauth_scope_includes: Mapping[str, tuple[str, ...]] = {}
    offline_scopes: tuple[str, ...] = ()
    pkce: PkceSupport = "unknown"
    request_headers: Mapping[str, str] = {}
    token_types: frozenset[str] = frozenset({"bearer"})
    token_body: Literal["form", "json"] = "form"
    token_extras: type[msgspec.Struct] | None = None
    expires_at_member: str | None = None
    refresh_expires_at_member: str | None = None
    parse_token: Callable[[dict[str, JsonValue]], dict[str, JsonValue]] | None = None
    authorization_parameters: Mapping[str, str] = {}
    token_parameters: Mapping[str, str] = {}
    dead_grant_errors: frozenset[str] = frozenset({"invalid_grant"})
    dead_grant_texts: frozenset[str] = frozenset()
    rotates_refresh_tokens: bool | None = None
    reuse_grace: timedelta | None = None
    access_token_lifetime: timedelta | None = None
    refresh_token_lifetime: timedelta | None = None
    tenant_values: tuple[TenantValue, ...] = ()
    other_sites: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def at(self, **values: str) -> KnownProvider:
        """The provider with the application's own values in its URLs.

        For values that the application knows, as in `okta.at(domain="acme.okta.com")`. Values
        that each tenant has stay placeholders, and are read from the tenant's config.

        Raises:
            WrongWiring: With `BuildInvalid`: the values are not those of `tenant_values`, or a
                value is not a DNS label (or not a host name, if it is the whole host).
        """
        wanted = {value.placeholder for value in self.tenant_values}
        if values.keys() != wanted:
            takes = ", ".join(f"{name}=" for name in sorted(wanted)) or "nothing"
            got = ", ".join(f"{name}=" for name in values) or "nothing"
            raise WrongWiring(BuildInvalid(f"{self.key}: at(…) takes {takes}, and got {got[:200]}"))
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
        """The provider for a client. It is validated when a connector is built.

        Args:
            client_id: As registered; "" if each tenant brings its own client.
            client_secret: None for a public client.
            oauth_scopes: The scopes that the application needs. `offline_scopes` are added.
            client_authentication: None uses the first of `client_authentications` that takes a
                secret.
            authorization_parameters: They override the catalogue's parameters of the same name.
            token_parameters: The same for the token endpoint.
            tenant_client: The config fields of a tenant's own client.

        Returns:
            A provider for `with_oauth`. `msgspec.structs.replace` can change any of its fields.
        """
        asked = frozenset((*oauth_scopes, *self.offline_scopes))
        asks_userinfo = not missing_scopes(self.userinfo_scopes, asked, self.oauth_scope_includes)
        return OAuthProvider(
            authorization_url=self.authorization_url,
            token_url=self.token_url,
            refresh_url=self.refresh_url,
            client_id=client_id,
            client_secret=client_secret,
            client_authentication=client_authentication or self._method(client_secret),
            oauth_scopes=tuple(dict.fromkeys((*oauth_scopes, *self.offline_scopes))),
            oauth_scope_separator=self.oauth_scope_separator,
            granted_scope_separator=self.granted_scope_separator,
            oauth_scope_includes=self.oauth_scope_includes,
            pkce=self.pkce != "refused",
            request_headers=self.request_headers,
            userinfo_graphql=self.userinfo_graphql if asks_userinfo else None,
            revocation_body=self.revocation_body,
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
            dead_grant_texts=self.dead_grant_texts,
            rotates_refresh_tokens=self.rotates_refresh_tokens,
            reuse_grace=self.reuse_grace,
            refresh_token_lifetime=self.refresh_token_lifetime,
            parse_token=self.parse_token,
            parse_userinfo=self.account.read if self.account is not None else None,
            tenant_client=tenant_client,
        )

    def _method(self, client_secret: Secret | None) -> ClientAuthentication | None:
        """None lets `OAuthProvider` choose: without a secret, or if no listed method takes one."""
        if client_secret is None:
            return None
        secrets = ("client_secret_basic", "client_secret_post")
        return next((method for method in self.client_authentications if method in secrets), None)


def seen(day: date, *fields: str) -> dict[str, date]:
    """The value of `seen_on` for fields that somebody looked at on the same day."""
    return dict.fromkeys(fields, day)


def templates_of(known: KnownProvider) -> dict[str, str]:
    """The URLs by field name, without those that are None."""
    found = {name: getattr(known, name) for name in ENDPOINTS}
    return {name: url for name, url in found.items() if url is not None}
