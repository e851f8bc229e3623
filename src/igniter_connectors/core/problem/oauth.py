"""Problems of OAuth: authorization, token exchange and refresh, and of the HTTP routes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class OAuthNotConfigured(Problem, frozen=True, tag="CONNECTOR_OAUTH_NOT_CONFIGURED"):
    """The connector has no OAuth provider."""

    connector: str
    template: ClassVar[str] = "{connector} has no OAuth provider"


@final
class OAuthStateInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_STATE_INVALID"):
    """The state or ticket is unknown, used, expired, or of another browser or subject.

    One problem for all five cases, so that the response never tells an attacker which.
    """

    connector: str
    template: ClassVar[str] = (
        "{connector}: this authorization is not valid or has expired: start again"
    )


@final
class AuthorizationDenied(Problem, frozen=True, tag="CONNECTOR_OAUTH_AUTHORIZATION_DENIED"):
    """The provider redirected the browser back with an error.

    `error` is a code of RFC 6749 section 4.1.2.1 or of OpenID Connect, otherwise `other`.
    """

    connector: str
    error: str
    template: ClassVar[str] = "{connector}: the provider refused the authorization ({error})"


@final
class IssuerMismatch(Problem, frozen=True, tag="CONNECTOR_OAUTH_ISSUER_MISMATCH"):
    """The response came from a different authorization server (RFC 9207)."""

    connector: str
    template: ClassVar[str] = "{connector}: the response came from a different authorization server"


@final
class TokenRefused(Problem, frozen=True, tag="CONNECTOR_OAUTH_TOKEN_FAILED"):
    """The token endpoint refused.

    `error` is a code of RFC 6749 section 5.2, otherwise `other`.
    """

    connector: str
    error: str
    template: ClassVar[str] = "{connector}: the provider refused to issue a token ({error})"


@final
class TokenMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_PARSE_TOKEN_FAILED"):
    """The token response is malformed. `path` names the place, never the value."""

    connector: str
    path: str
    template: ClassVar[str] = "{connector}: the provider's token response is malformed at {path}"


@final
class UserInfoMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_PARSE_USERINFO_FAILED"):
    """The provider's user info does not identify the account of the tokens."""

    connector: str
    template: ClassVar[str] = "{connector}: the provider's user info is malformed"


@final
class RefreshFailed(Problem, frozen=True, tag="CONNECTOR_OAUTH_REFRESH_FAILED"):
    """The access token has expired, and refreshing it failed for now. The grant may be valid.

    `retry_at`: when the next attempt may run; None if unknown.
    """

    connector: str
    retry_at: datetime | None = None
    template: ClassVar[str] = (
        "{connector}: the access token could not be refreshed: try again later"
    )


@final
class NeedsReauth(Problem, frozen=True, tag="CONNECTOR_NEEDS_REAUTH"):
    """The grant is no longer valid. The tenant must authorize again."""

    connector: str
    reason: str
    template: ClassVar[str] = "{connector} must be authorized again: {reason}"


@final
class MissingScopes(Problem, frozen=True, tag="CONNECTOR_MISSING_SCOPES"):
    """The tenant did not grant all OAuth scopes that the action needs. Nothing was called.

    `upgrade_url` starts an authorization for them in the signed-in user's browser; "" if the
    manager has no base URL.
    """

    connector: str
    oauth_scopes: tuple[str, ...]
    upgrade_url: str
    template: ClassVar[str] = (
        "{connector}: OAuth scopes are missing: authorize again: {upgrade_url}"
    )


@final
class IdentityMismatch(Problem, frozen=True, tag="CONNECTOR_IDENTITY_MISMATCH"):
    """The user signed in at the provider with a different account than the connected one."""

    connector: str
    template: ClassVar[str] = (
        "{connector}: the user signed in with a different account than the connected one"
    )


@final
class ProviderUnreachable(Problem, frozen=True, tag="CONNECTOR_PROVIDER_UNREACHABLE"):
    """The provider did not respond in time, or the response is not HTTP or is too large."""

    connector: str
    template: ClassVar[str] = "{connector}: the provider could not be reached"


@final
class DiscoveryFailed(Problem, frozen=True, tag="CONNECTOR_OAUTH_DISCOVERY_FAILED"):
    """The authorization server's metadata cannot be fetched, or is for another issuer."""

    issuer: str
    reason: str
    template: ClassVar[str] = "{issuer}: {reason}"


@final
class ReturnToInvalid(Problem, frozen=True, tag="CONNECTOR_RETURN_TO_INVALID"):
    """`return_to` is neither a path of this site nor on the allow-list."""

    connector: str
    template: ClassVar[str] = "{connector}: return_to must be a path that starts with one '/'"


@final
class PrincipalRequired(Problem, frozen=True, tag="CONNECTOR_PRINCIPAL_REQUIRED"):
    """The application did not identify the caller."""

    template: ClassVar[str] = "sign in first"


@final
class RequestRefused(Problem, frozen=True, tag="CONNECTOR_REQUEST_REFUSED"):
    """The request comes from another site, or the application does not permit it."""

    reason: str
    template: ClassVar[str] = "{reason}"


@final
class RequestTooSlow(Problem, frozen=True, tag="CONNECTOR_REQUEST_TOO_SLOW"):
    """The body did not arrive within `DeliveryLimits.body_within`."""

    template: ClassVar[str] = "the request's body did not arrive in time: send it again"


@final
class RequestOverloaded(Problem, frozen=True, tag="CONNECTOR_REQUEST_OVERLOADED"):
    """Too many bodies are being received: `DeliveryLimits.unfinished_bodies_bytes`."""

    retry_after_seconds: int
    template: ClassVar[str] = (
        "too many requests are being received: retry after {retry_after_seconds} s"
    )


@final
class RouteFailed(Problem, frozen=True, tag="CONNECTOR_ROUTE_FAILED"):
    """The application's `principal` or `permit` hook raised, or the route has a bug.

    The log has the type and the frames of the exception. This problem has nothing of it.
    """

    template: ClassVar[str] = "the request could not be answered: the application's log says why"


@final
class TenantValueInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_TENANT_VALUE_INVALID"):
    """A tenant's config value cannot be used in the provider's URL or as its client.

    `field` is the config field; `reason` is the broken rule, never the value.
    """

    connector: str
    field: str
    reason: str
    template: ClassVar[str] = "{connector}: {field} {reason}"


@final
class ProviderAnswerMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_ANSWER_MALFORMED"):
    """A response of the provider, other than a token response, is malformed.

    `path` names the place, never the value.
    """

    connector: str
    path: str
    template: ClassVar[str] = "{connector}: the provider's response is malformed at {path}"


@final
class IdTokenInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_ID_TOKEN_INVALID"):
    """The ID token is not from the provider, not for this client, or not of this authorization.

    `reason` is our text: the broken rule of OpenID Connect Core section 3.1.3.7.
    """

    connector: str
    reason: str
    template: ClassVar[str] = "{connector}: the provider's ID token {reason}"
