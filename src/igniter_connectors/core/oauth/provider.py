"""An OAuth 2.0 provider as data: endpoints, client, and how it differs from the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, TypeAlias

import msgspec

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.secret import Secret

ClientAuthentication = Literal[
    "client_secret_basic", "client_secret_post", "private_key_jwt", "none"
]
AssertionAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"
]

OAuthScopes: TypeAlias = list[str] | tuple[str, ...] | frozenset[str]
"""OAuth scopes as an argument. Not `Collection[str]`, which a single `str` would satisfy."""


class TenantClient(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tenant's config holds its own OAuth client; both name fields of the config type.

    A tenant that leaves the id empty uses the application's client, where there is one. One
    that gives an id without a secret has a public client.
    """

    id_field: str
    secret_field: str


class OAuthProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider and the application's client there.

    An endpoint and the issuer may hold placeholders named after fields of the tenant's
    config, as in `https://{subdomain}.zendesk.com/oauth/tokens`; `tenant.provider_for` puts
    the tenant's values in, each one DNS label. Where a placeholder is the whole host, the
    tenant brings its own client, and none of the application's is declared here.

    Attributes:
        authorization_url: Where the browser goes; https, or http on a loopback host.
        token_url: Where codes and refresh tokens are exchanged; the same rule, as for every
            other endpoint.
        refresh_url: Where refresh tokens are exchanged instead, as Figma has it; None where
            that is the token endpoint too.
        client_id: As registered; "" where each tenant brings its own client.
        client_secret: None for a public client, which PKCE alone protects, and for one
            that signs.
        client_authentication: How the client proves itself at the token endpoint; None
            means basic with a secret and none without.
        client_assertion_key: The private key of `private_key_jwt`, as PEM or JWK, and of no
            other way (RFC 7523).
        client_assertion_algorithm: What that key signs with.
        client_assertion_key_id: The `kid` under which the provider knows the key; None
            leaves it out, where the provider knows one key alone.
        client_assertion_audience: Whom the signed assertion is for; None means the token
            endpoint (RFC 7523 section 3). Some want their issuer.
        oauth_scopes: What is asked for, in order. With `openid` among them, and `issuer` and
            `jwks_url` declared, the ID token is asked for and judged.
        oauth_scope_separator: A space by RFC 6749 section 3.3; some say a comma.
        userinfo_url: Where the account behind a token is told; None leaves it unknown.
        revocation_url: Where tokens are revoked (RFC 7009); None where they cannot be.
        revocation_ends: Whether one revocation takes away the token alone, or the whole
            grant, with every other connection that shares client and account.
        pushed_authorization_url: Where the authorization request is deposited before the
            browser goes (RFC 9126); None sends it through the browser.
        requires_pushed_authorization: Whether the provider takes no other request.
        device_authorization_url: Where a device code is had (RFC 8628); None where none is.
        jwks_url: Where the keys of ID tokens lie; None judges no ID token.
        issuer: The authorization server's identifier; when given, an `iss` in the answer
            must equal it (RFC 9207).
        sends_issuer: Whether this server is known to send `iss`; then one must come.
        dpop: Whether access tokens are bound to a key of the connection's own (RFC 9449).
            `token_types` then holds `dpop`.
        token_types: What `token_type` may say, in lower case; absent counts as bearer.
        token_body: How requests to the token endpoint are written; a form by RFC 6749.
        token_extras: What else comes with the tokens, by the names in the answer: a struct
            of optional and required fields; secrets in it are typed `Secret`. None keeps
            nothing.
        expires_at_member: The name under which token answers tell the access token's end as
            an instant, in RFC 3339 or in seconds since 1970, as Square's `expires_at`. It
            counts where no `expires_in` comes. None: instants are not read.
        refresh_expires_at_member: Likewise the refresh token's end.
        authorization_parameters: Sent along to the authorization endpoint.
        token_parameters: Sent along to the token endpoint.
        dead_grant_errors: The token endpoint's errors that mean the grant is gone.
        rotates_refresh_tokens: Whether each refresh gives a new refresh token; None where
            that is not known.
        reuse_grace: How long a refresh token still works once it was spent: more than
            nothing, at most 30 days. None: not known, so none.
        refresh_token_lifetime: How long a refresh token lives from its issue where the
            answer does not say: more than nothing, at most ten years. None: not known.
        parse_token: For answers that the field detection cannot read: the decoded answer
            to one with the names of RFC 6749 section 5.1.
        parse_userinfo: For user info whose subject is not at a usual name.
        tenant_client: Where a tenant's own client stands; None gives every tenant the
            application's.
        has_tenant_host: Set by `tenant.provider_for`, not by hand: a tenant named a whole
            host, so addresses are checked before anything is sent.
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
    oauth_scopes: tuple[str, ...] = ()
    oauth_scope_separator: str = " "
    refresh_url: str | None = None
    userinfo_url: str | None = None
    revocation_url: str | None = None
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
    rotates_refresh_tokens: bool | None = None
    reuse_grace: timedelta | None = None
    refresh_token_lifetime: timedelta | None = None
    parse_token: Callable[[dict[str, JsonValue]], dict[str, JsonValue]] | None = None
    parse_userinfo: Callable[[dict[str, JsonValue]], UpstreamAccount] | None = None
    tenant_client: TenantClient | None = None
    has_tenant_host: bool = False


def authentication_of(provider: OAuthProvider) -> ClientAuthentication:
    """How the client authenticates: as declared, else basic with a secret, none without."""
    if provider.client_authentication is not None:
        return provider.client_authentication
    return "none" if provider.client_secret is None else "client_secret_basic"


def is_openid(provider: OAuthProvider) -> bool:
    """Whether an ID token is asked for and judged: `openid`, an issuer and its keys."""
    return (
        "openid" in provider.oauth_scopes
        and provider.issuer is not None
        and provider.jwks_url is not None
    )
