"""An OAuth 2.0 provider as data: its endpoints, the client, and its deviations from the RFCs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, TypeAlias

import msgspec

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.http.user_agent import with_default_user_agent
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.secret import Secret

ClientAuthentication = Literal[
    "client_secret_basic", "client_secret_post", "private_key_jwt", "none"
]
AssertionAlgorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]
RevocationBody = Literal["form", "json", "kind", "access_token", "bearer"]

OAuthScopes: TypeAlias = list[str] | tuple[str, ...] | frozenset[str]
"""OAuth scopes as an argument. Not `Collection[str]`, which a single `str` would satisfy."""


class TenantClient(msgspec.Struct, frozen=True, kw_only=True):
    """The config fields that hold a tenant's own OAuth client; both name fields of the config type.

    A tenant that leaves the id empty uses the application's client, if there is one. A tenant
    that gives an id without a secret has a public client.
    """

    id_field: str
    secret_field: str


class OAuthProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, and the application's client there.

    Endpoints and the issuer may contain placeholders named after fields of the tenant's
    config, as in `https://{subdomain}.zendesk.com/oauth/tokens`. `tenant_provider.provider_for`
    fills in the tenant's values, each one a DNS label. If a placeholder is the whole host, the
    tenant must bring its own client, and the application's client must not be declared here.

    Attributes:
        authorization_url: Where the browser is sent; https, or http on a loopback host.
        token_url: Where codes and refresh tokens are exchanged. The same rule applies to it and
            to every other endpoint.
        refresh_url: A separate endpoint for refresh tokens, as Figma has; None for the token
            endpoint.
        client_id: As registered; "" if each tenant brings its own client.
        client_secret: None for a public client, which only PKCE protects, and for
            `private_key_jwt`.
        client_authentication: The method at the token endpoint. None means basic with a secret,
            and none without.
        client_assertion_key: The private key for `private_key_jwt`, as PEM or JWK. Not allowed
            with another method (RFC 7523).
        client_assertion_algorithm: The algorithm of that key.
        client_assertion_key_id: The `kid` under which the provider knows the key; None leaves it
            out, if the provider knows only one key.
        client_assertion_audience: The `aud` of the assertion; None means the token endpoint
            (RFC 7523 section 3). Some providers require their issuer.
        client_assertion_names_endpoint: Whether `aud` is the endpoint that is called: the token,
            pushed authorization, device or revocation endpoint.
        client_assertion_certificate: The certificate of the key, as PEM. Its thumbprints `x5t`
            and `x5t#S256` are added to the header (RFC 7515 section 4.1.7), as Microsoft Entra
            requires.
        client_assertion_source: Returns an assertion made elsewhere (federated credentials), for
            the audience that it gets. It replaces the key. It must return at once.
        oauth_scopes: The scopes to request, in order. With `openid` among them, and with `issuer`
            and `jwks_url`, the ID token is requested and validated.
        oauth_scope_separator: Between requested scopes. A space in RFC 6749 section 3.3; some
            providers use a comma.
        granted_scope_separator: Between granted scopes; None reads commas and white space.
        oauth_scope_includes: Which scopes a granted scope includes, for `MissingScopes`: other
            names of the same scope, or narrower ones. A `*` stands for the same text on both
            sides, as in `{"write_*": ("read_*",)}`.
        pkce: False if the provider refuses the parameters of PKCE. Then only the state, the
            browser's cookie and the issuer protect the code.
        request_headers: Headers that every request to the provider needs, also from an action,
            such as a version. `{client_id}` in a value is replaced.
        userinfo_url: Where the account of a token is read; None leaves the account unknown.
        userinfo_graphql: A GraphQL query to POST to `userinfo_url`; None sends a GET.
        revocation_url: Where tokens are revoked (RFC 7009); None if that is not possible.
        revocation_body: What the revocation request contains: `form` (RFC 7009); `json`, the
            same in JSON; `kind`, a form whose field is named `access_token` or `refresh_token`;
            `access_token`, the same for access tokens alone; `bearer`, nothing but the
            access token in the `Authorization` header.
        revocation_ends: Whether one revocation ends only the token, or the whole grant with every
            other connection of the same client and account.
        pushed_authorization_url: Where the authorization request is pushed before the browser
            is sent (RFC 9126); None sends the parameters through the browser.
        requires_pushed_authorization: Whether the provider accepts no other request.
        device_authorization_url: Where device codes are issued (RFC 8628); None if nowhere.
        jwks_url: The public keys of ID tokens; None validates no ID token.
        issuer: The identifier of the authorization server. If given, an `iss` in the callback
            must equal it (RFC 9207).
        sends_issuer: Whether this server always sends `iss`; then a callback without it is
            refused.
        dpop: Whether access tokens are bound to a key of the connection (RFC 9449).
            `token_types` must then contain `dpop`.
        token_types: The accepted values of `token_type`, in lower case. A missing one means bearer.
        token_body: The body format of token requests; RFC 6749 says form.
        token_extras: A struct of other members of the token response that are kept, by their
            names there. Type secrets as `Secret`. None keeps nothing.
        expires_at_member: A member of the token response that holds the access token's expiry
            as an instant, in RFC 3339 or in seconds since 1970, as Square's `expires_at`. Used
            only without `expires_in`. None reads no instants.
        refresh_expires_at_member: The same for the refresh token's expiry.
        authorization_parameters: Extra parameters for the authorization endpoint.
        token_parameters: Extra parameters for the token endpoint.
        dead_grant_errors: The token endpoint's error codes that mean that the grant is gone.
            Capitals do not matter. They are found wherever `error_answer.error_of` looks; the
            code of an error about a resource may be written `resource.code`.
        dead_grant_texts: Parts of the token endpoint's free text that mean the same, for a
            provider whose code means other things too. Capitals do not matter.
        rotates_refresh_tokens: Whether each refresh issues a new refresh token; None if unknown.
        reuse_grace: How long a spent refresh token still works: more than zero, at most 30 days.
            None if unknown, which is treated as not at all.
        refresh_token_lifetime: The lifetime of a refresh token if the response does not say:
            more than zero, at most ten years. None if unknown.
        parse_token: Converts a decoded token response to the member names of RFC 6749 section
            5.1, for responses that are not understood otherwise.
        parse_userinfo: Reads the account from user info with unusual member names.
        tenant_client: The config fields of a tenant's own client; None uses the application's
            client for every tenant.
        has_tenant_host: Set by `tenant_provider.provider_for`, never by hand: a tenant chose a
            whole host, so its IP address is checked before anything is sent.
    """

    authorization_url: str
    token_url: str
    client_id: str
    client_secret: Secret | None = None
    client_authentication: ClientAuthentication | None = None
    client_assertion_key: Secret | None = None
    client_assertion_algorithm: AssertionAlgorithm = "RS256"
    client_assertion_key_id: str | None = None
    client_assertion_audience: str | None = None
    client_assertion_names_endpoint: bool = False
    client_assertion_certificate: str | None = None
    client_assertion_source: Callable[[str], Secret] | None = None
    oauth_scopes: tuple[str, ...] = ()
    oauth_scope_separator: str = " "
    granted_scope_separator: str | None = None
    oauth_scope_includes: Mapping[str, tuple[str, ...]] = {}
    pkce: bool = True
    request_headers: Mapping[str, str] = {}
    refresh_url: str | None = None
    userinfo_url: str | None = None
    userinfo_graphql: str | None = None
    revocation_url: str | None = None
    revocation_body: RevocationBody = "form"
    revocation_ends: Literal["token", "grant"] = "token"
    pushed_authorization_url: str | None = None
    requires_pushed_authorization: bool = False
    device_authorization_url: str | None = None
    jwks_url: str | None = None
    issuer: str | None = None
    sends_issuer: bool = False
    dpop: bool = False
    token_types: frozenset[str] = frozenset({"bearer"})
    token_body: Literal["form", "json"] = "form"  # noqa: S105  # a format, not a token
    token_extras: type[msgspec.Struct] | None = None
    expires_at_member: str | None = None
    refresh_expires_at_member: str | None = None
    authorization_parameters: Mapping[str, str] = {}
    token_parameters: Mapping[str, str] = {}
    dead_grant_errors: frozenset[str] = frozenset({"invalid_grant"})
    dead_grant_texts: frozenset[str] = frozenset()
    rotates_refresh_tokens: bool | None = None
    reuse_grace: timedelta | None = None
    refresh_token_lifetime: timedelta | None = None
    parse_token: Callable[[dict[str, JsonValue]], dict[str, JsonValue]] | None = None
    parse_userinfo: Callable[[dict[str, JsonValue]], UpstreamAccount] | None = None
    tenant_client: TenantClient | None = None
    has_tenant_host: bool = False


def authentication_of(provider: OAuthProvider) -> ClientAuthentication:
    """The client authentication method: as declared, else basic with a secret and none without."""
    if provider.client_authentication is not None:
        return provider.client_authentication
    return "none" if provider.client_secret is None else "client_secret_basic"


def headers_of(provider: OAuthProvider) -> tuple[tuple[str, str], ...]:
    """The headers that every request to the provider needs, `User-Agent` among them."""
    declared = tuple(
        (name, value.replace("{client_id}", provider.client_id))
        for name, value in provider.request_headers.items()
    )
    return with_default_user_agent(declared)


def is_openid(provider: OAuthProvider) -> bool:
    """Whether an ID token is requested and validated: needs `openid`, an issuer and its keys."""
    return (
        "openid" in provider.oauth_scopes
        and provider.issuer is not None
        and provider.jwks_url is not None
    )
