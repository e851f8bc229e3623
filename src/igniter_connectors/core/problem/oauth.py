"""OAuth: authorizing, exchanging, refreshing."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class OAuthNotConfigured(Problem, frozen=True, tag="CONNECTOR_OAUTH_NOT_CONFIGURED"):
    """The connector has no OAuth provider."""

    connector: str
    says: ClassVar[str] = "{connector} has no OAuth provider"


@final
class OAuthStateInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_STATE_INVALID"):
    """The state or ticket is unknown, used, expired, another browser's or another subject's.

    One problem for all five, so that an answer never tells an attacker which.
    """

    connector: str
    says: ClassVar[str] = "{connector}: this authorization is not open here: begin again"


@final
class AuthorizationDenied(Problem, frozen=True, tag="CONNECTOR_OAUTH_AUTHORIZATION_DENIED"):
    """The provider sent the browser back with an error.

    `error` is a code of RFC 6749 section 4.1.2.1 or OpenID Connect, else `other`.
    """

    connector: str
    error: str
    says: ClassVar[str] = "{connector}: the provider refused the authorization ({error})"


@final
class IssuerMismatch(Problem, frozen=True, tag="CONNECTOR_OAUTH_ISSUER_MISMATCH"):
    """The answer came from another authorization server than the one asked (RFC 9207)."""

    connector: str
    says: ClassVar[str] = "{connector}: the answer came from another authorization server"


@final
class TokenRefused(Problem, frozen=True, tag="CONNECTOR_OAUTH_TOKEN_FAILED"):
    """The token endpoint refused. `error` is a code of RFC 6749 section 5.2, else `other`."""

    connector: str
    error: str
    says: ClassVar[str] = "{connector}: the provider refused to issue a token ({error})"


@final
class TokenMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_PARSE_TOKEN_FAILED"):
    """The token endpoint's answer cannot be read; `path` says where, never what stood there."""

    connector: str
    path: str
    says: ClassVar[str] = "{connector}: the provider's token answer is unusable at {path}"


@final
class UserInfoMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_PARSE_USERINFO_FAILED"):
    """The account behind the tokens cannot be told from the provider's answer."""

    connector: str
    says: ClassVar[str] = "{connector}: the provider's user info cannot be read"


@final
class RefreshFailed(Problem, frozen=True, tag="CONNECTOR_OAUTH_REFRESH_FAILED"):
    """The access token expired and could not be renewed now; the grant may well be alive.

    `retry_at`: when the next attempt is made.
    """

    connector: str
    retry_at: datetime | None = None
    says: ClassVar[str] = "{connector}: the access token could not be renewed: try again later"


@final
class NeedsReauth(Problem, frozen=True, tag="CONNECTOR_NEEDS_REAUTH"):
    """The grant is dead; only the tenant can authorize anew."""

    connector: str
    reason: str
    says: ClassVar[str] = "{connector} needs to be authorized again: {reason}"


@final
class MissingScopes(Problem, frozen=True, tag="CONNECTOR_MISSING_SCOPES"):
    """The tenant did not grant all that the action declares; nothing was called.

    `upgrade_url` opens an authorization for them in the browser of whoever is signed in; ""
    where the manager has no base URL.
    """

    connector: str
    oauth_scopes: tuple[str, ...]
    upgrade_url: str
    says: ClassVar[str] = "{connector}: authorize again to grant more: {upgrade_url}"


@final
class IdentityMismatch(Problem, frozen=True, tag="CONNECTOR_IDENTITY_MISMATCH"):
    """Another account of the provider than the one that is connected here."""

    connector: str
    says: ClassVar[str] = "{connector}: another account was signed in than the one connected"


@final
class ProviderUnreachable(Problem, frozen=True, tag="CONNECTOR_PROVIDER_UNREACHABLE"):
    """The provider did not answer in time, or not with HTTP, or with more than is read."""

    connector: str
    says: ClassVar[str] = "{connector}: the provider could not be reached"


@final
class DiscoveryFailed(Problem, frozen=True, tag="CONNECTOR_OAUTH_DISCOVERY_FAILED"):
    """An authorization server's own description cannot be had or is not its own."""

    issuer: str
    reason: str
    says: ClassVar[str] = "{issuer}: {reason}"


@final
class ReturnToInvalid(Problem, frozen=True, tag="CONNECTOR_RETURN_TO_INVALID"):
    """The place to return to is neither a path of this site nor on the allow-list."""

    connector: str
    says: ClassVar[str] = "{connector}: return_to must be a path that starts with one '/'"


@final
class PrincipalRequired(Problem, frozen=True, tag="CONNECTOR_PRINCIPAL_REQUIRED"):
    """The application did not say who is calling."""

    says: ClassVar[str] = "sign in first"


@final
class RequestRefused(Problem, frozen=True, tag="CONNECTOR_REQUEST_REFUSED"):
    """A request from another site, or one that the application does not permit."""

    reason: str
    says: ClassVar[str] = "{reason}"


@final
class TenantValueInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_TENANT_VALUE_INVALID"):
    """A tenant's config value does not fit into the provider's address or client.

    `field` is the config field; `reason` the rule broken, never the value.
    """

    connector: str
    field: str
    reason: str
    says: ClassVar[str] = "{connector}: {field} {reason}"


@final
class ProviderAnswerMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_ANSWER_MALFORMED"):
    """An answer of the provider, other than one with tokens, cannot be read.

    `path` says where, never what stood there.
    """

    connector: str
    path: str
    says: ClassVar[str] = "{connector}: the provider's answer is unusable at {path}"


@final
class IdTokenInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_ID_TOKEN_INVALID"):
    """An ID token is not the provider's, not for this client, or not of this authorization.

    `reason` is ours: the rule of OpenID Connect Core section 3.1.3.7 that was broken.
    """

    connector: str
    reason: str
    says: ClassVar[str] = "{connector}: the provider's ID token {reason}"
