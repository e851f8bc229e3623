"""What came back instead of a value: closed sets of frozen structs, each with a stable code.

A problem holds what the caller acts on: connector, path of the bad field, when to try
again. Never a body, a header, a config value or an exception's text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, TypeVar

import msgspec
from returns.pipeline import is_successful
from returns.result import Result

V = TypeVar("V")
P = TypeVar("P", bound="Problem")


class Problem(msgspec.Struct, frozen=True, tag_field="code"):
    """The base of all problems. The tag is the code; `message` says what to do."""

    says: ClassVar[str] = "an operation could not be done"

    @property
    def code(self) -> str:
        """The stable name, as in `ErrorCode`."""
        return str(self.__struct_config__.tag)

    @property
    def message(self) -> str:
        """One line for a person."""
        return self.says.format_map(msgspec.structs.asdict(self))


class ConnectorError(Exception):
    """A problem, raised for those who prefer exceptions."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.problem = problem


class WrongWiring(ConnectorError):
    """The application put its connectors together wrongly; raised while it is built."""


def value_or_raise(result: Result[V, Problem]) -> V:
    """The value, or its problem raised as a `ConnectorError`."""
    if is_successful(result):
        return result.unwrap()
    raise ConnectorError(result.failure())


def problem_of(result: Result[object, P]) -> P | None:
    """The problem for a `match`, or None where there is a value."""
    return None if is_successful(result) else result.failure()


# --- registering and addressing -------------------------------------------------------


class ConnectorNotFound(Problem, frozen=True, tag="CONNECTOR_NOT_FOUND"):
    """No connector with this key is registered."""

    connector: str
    says: ClassVar[str] = "no connector {connector!r} is registered"


class ScopeInvalid(Problem, frozen=True, tag="CONNECTOR_SCOPE_INVALID"):
    """A kind of tenant that is not registered, or an identity that cannot be stored."""

    scope: str
    reason: str
    says: ClassVar[str] = "scope {scope!r}: {reason}"


class ScopeIdentifierRequired(Problem, frozen=True, tag="CONNECTOR_SCOPE_IDENTIFIER_REQUIRED"):
    """A kind of tenant that needs an identity was given none."""

    scope: str
    says: ClassVar[str] = "scope {scope!r} needs an identity"


class AccountInvalid(Problem, frozen=True, tag="CONNECTOR_ACCOUNT_INVALID"):
    """An account's name that cannot be stored: empty, over 255 characters, not printable."""

    connector: str
    says: ClassVar[str] = "{connector}: an account's name has 1 to 255 printable characters"


# --- connections ----------------------------------------------------------------------


class NotConnected(Problem, frozen=True, tag="CONNECTOR_NOT_CONNECTED"):
    """The tenant has no connection here."""

    connector: str
    account: str = "default"
    says: ClassVar[str] = "{connector} (account {account!r}) is not connected: connect it first"


class AlreadyConnected(Problem, frozen=True, tag="CONNECTOR_ALREADY_CONNECTED"):
    """The tenant is connected here already; `update` or `disconnect` it."""

    connector: str
    account: str = "default"
    says: ClassVar[str] = (
        "{connector} (account {account!r}) is connected already: update or disconnect it"
    )


class Disabled(Problem, frozen=True, tag="CONNECTOR_DISABLED"):
    """The connection is switched off."""

    connector: str
    says: ClassVar[str] = "{connector} is disabled: enable it first"


class Conflict(Problem, frozen=True, tag="CONNECTOR_CONFLICT"):
    """Somebody else changed the connection; read it again and decide anew.

    `current_version` is what is stored now; None where the connection is gone.
    """

    connector: str
    current_version: int | None = None
    says: ClassVar[str] = "{connector} was changed meanwhile: read it again"


class ConfigInvalid(Problem, frozen=True, tag="CONNECTOR_CONFIG_INVALID"):
    """A config does not fit its type or the connector's own check; `path` as in `$.chat_id`."""

    connector: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}: config at {path}: {reason}"


class DefaultConfigRequired(Problem, frozen=True, tag="CONNECTOR_DEFAULT_CONFIG_REQUIRED"):
    """An action was called without a tenant, on a connector that has no default config."""

    connector: str
    says: ClassVar[str] = "{connector} has no default config: call the action for a tenant"


class DecryptFailed(Problem, frozen=True, tag="CONNECTOR_DECRYPT_FAILED"):
    """A stored secret does not open in this place with any key of the keyring.

    Says nothing of why: not the tag, the key, or the length.
    """

    connector: str
    says: ClassVar[str] = (
        "{connector}: the stored secrets do not open; was a key removed, or the row moved?"
    )


class EncryptFailed(Problem, frozen=True, tag="CONNECTOR_ENCRYPT_FAILED"):
    """A value could not be sealed: larger than 1 MiB, or not text that can be stored."""

    connector: str
    says: ClassVar[str] = "{connector}: the value cannot be sealed"


class DatabaseFailed(Problem, frozen=True, tag="CONNECTOR_DATABASE_FAILED"):
    """The database did not answer, or refused. Nothing is known to have been written."""

    says: ClassVar[str] = "the database did not answer: try again"


# --- actions --------------------------------------------------------------------------


class ActionNotFound(Problem, frozen=True, tag="CONNECTOR_ACTION_NOT_FOUND"):
    """The action was never added to this connector."""

    connector: str
    action: str
    says: ClassVar[str] = "{connector} has no action {action!r}"


class ActionInputInvalid(Problem, frozen=True, tag="CONNECTOR_ACTION_INPUT_INVALID"):
    """The input does not fit its type. The handler did not run."""

    connector: str
    action: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}.{action}: input at {path}: {reason}"


class ActionOutputInvalid(Problem, frozen=True, tag="CONNECTOR_ACTION_OUTPUT_INVALID"):
    """The handler ran, and what it returned does not fit its type."""

    connector: str
    action: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}.{action}: output at {path}: {reason}"


class ActionFailed(Problem, frozen=True, tag="CONNECTOR_ACTION_FAILED"):
    """The handler said so, or raised (then `reason` names the exception's type alone).

    `retry_at`: when another try makes sense; None where the handler did not say.
    """

    connector: str
    action: str
    reason: str
    retry_at: datetime | None = None
    says: ClassVar[str] = "{connector}.{action} failed: {reason}"


# --- OAuth ----------------------------------------------------------------------------


class OAuthNotConfigured(Problem, frozen=True, tag="CONNECTOR_OAUTH_NOT_CONFIGURED"):
    """The connector has no OAuth provider."""

    connector: str
    says: ClassVar[str] = "{connector} has no OAuth provider"


class OAuthStateInvalid(Problem, frozen=True, tag="CONNECTOR_OAUTH_STATE_INVALID"):
    """The state or ticket is unknown, used, expired, another browser's or another subject's.

    One problem for all five, so that an answer never tells an attacker which.
    """

    connector: str
    says: ClassVar[str] = "{connector}: this authorization is not open here: begin again"


class AuthorizationDenied(Problem, frozen=True, tag="CONNECTOR_OAUTH_AUTHORIZATION_DENIED"):
    """The provider sent the browser back with an error.

    `error` is a code of RFC 6749 section 4.1.2.1 or OpenID Connect, else `other`.
    """

    connector: str
    error: str
    says: ClassVar[str] = "{connector}: the provider refused the authorization ({error})"


class IssuerMismatch(Problem, frozen=True, tag="CONNECTOR_OAUTH_ISSUER_MISMATCH"):
    """The answer came from another authorization server than the one asked (RFC 9207)."""

    connector: str
    says: ClassVar[str] = "{connector}: the answer came from another authorization server"


class TokenRefused(Problem, frozen=True, tag="CONNECTOR_OAUTH_TOKEN_FAILED"):
    """The token endpoint refused. `error` is a code of RFC 6749 section 5.2, else `other`."""

    connector: str
    error: str
    says: ClassVar[str] = "{connector}: the provider refused to issue a token ({error})"


class TokenMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_PARSE_TOKEN_FAILED"):
    """The token endpoint's answer cannot be read; `path` says where, never what stood there."""

    connector: str
    path: str
    says: ClassVar[str] = "{connector}: the provider's token answer is unusable at {path}"


class UserInfoMalformed(Problem, frozen=True, tag="CONNECTOR_OAUTH_PARSE_USERINFO_FAILED"):
    """The account behind the tokens cannot be told from the provider's answer."""

    connector: str
    says: ClassVar[str] = "{connector}: the provider's user info cannot be read"


class RefreshFailed(Problem, frozen=True, tag="CONNECTOR_OAUTH_REFRESH_FAILED"):
    """The access token expired and could not be renewed now; the grant may well be alive.

    `retry_at`: when the next attempt is made.
    """

    connector: str
    retry_at: datetime | None = None
    says: ClassVar[str] = "{connector}: the access token could not be renewed: try again later"


class NeedsReauth(Problem, frozen=True, tag="CONNECTOR_NEEDS_REAUTH"):
    """The grant is dead; only the tenant can authorize anew."""

    connector: str
    reason: str
    says: ClassVar[str] = "{connector} needs to be authorized again: {reason}"


class IdentityMismatch(Problem, frozen=True, tag="CONNECTOR_IDENTITY_MISMATCH"):
    """Another account of the provider than the one that is connected here."""

    connector: str
    says: ClassVar[str] = "{connector}: another account was signed in than the one connected"


class ProviderUnreachable(Problem, frozen=True, tag="CONNECTOR_PROVIDER_UNREACHABLE"):
    """The provider did not answer in time, or not with HTTP, or with more than is read."""

    connector: str
    says: ClassVar[str] = "{connector}: the provider could not be reached"


class DiscoveryFailed(Problem, frozen=True, tag="CONNECTOR_OAUTH_DISCOVERY_FAILED"):
    """An authorization server's own description cannot be had or is not its own."""

    issuer: str
    reason: str
    says: ClassVar[str] = "{issuer}: {reason}"


class ReturnToInvalid(Problem, frozen=True, tag="CONNECTOR_RETURN_TO_INVALID"):
    """The place to return to is neither a path of this site nor on the allow-list."""

    connector: str
    says: ClassVar[str] = "{connector}: return_to must be a path that starts with one '/'"


class PrincipalRequired(Problem, frozen=True, tag="CONNECTOR_PRINCIPAL_REQUIRED"):
    """The application did not say who is calling."""

    says: ClassVar[str] = "sign in first"


class RequestRefused(Problem, frozen=True, tag="CONNECTOR_REQUEST_REFUSED"):
    """A request from another site, or one that the application does not permit."""

    reason: str
    says: ClassVar[str] = "{reason}"


# --- webhooks -------------------------------------------------------------------------


class WebhookNotConfigured(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_NOT_CONFIGURED"):
    """The connector takes no webhooks."""

    connector: str
    says: ClassVar[str] = "{connector} takes no webhooks"


class WebhookNotFound(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_NOT_FOUND"):
    """No such webhook endpoint; or the connection behind it is gone."""

    says: ClassVar[str] = "no such webhook endpoint"


class WebhookTooLarge(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_TOO_LARGE"):
    """The body is over the cap."""

    limit_bytes: int
    says: ClassVar[str] = "a webhook's body has at most {limit_bytes} bytes"


class WebhookSecretInvalid(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_SECRET_INVALID"):
    """A signing secret that is not of the form the scheme signs with."""

    connector: str
    says: ClassVar[str] = "{connector}: the signing secret is not of the scheme's form"


class WebhookVerificationFailed(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_VERIFICATION_FAILED"):
    """The signature is missing, malformed, too old, or does not match. Nothing was decoded."""

    connector: str
    says: ClassVar[str] = "{connector}: the webhook's signature is not accepted"


class WebhookPayloadInvalid(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_VALIDATION_FAILED"):
    """A genuine webhook whose payload does not fit the connector's type."""

    connector: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}: webhook payload at {path}: {reason}"


class WebhookFailed(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_FAILED"):
    """The handler said so, or raised; the provider is asked to deliver again."""

    connector: str
    reason: str
    says: ClassVar[str] = "{connector}: the webhook's handler failed: {reason}"


# --- wiring: raised inside WrongWiring while an application is built --------------------


class BuildInvalid(Problem, frozen=True, tag="CONNECTOR_BUILD_INVALID"):
    """Two parts do not go together, or one is not usable."""

    reason: str
    says: ClassVar[str] = "{reason}"


class BuildConfigRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_CONFIG_REQUIRED"):
    """A connector was given no config type, or something else than a msgspec.Struct."""

    connector: str
    says: ClassVar[str] = "{connector}: with_config(…) takes a msgspec.Struct subclass"


class BuildScopesRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_SCOPES_REQUIRED"):
    """No kind of tenant was registered."""

    says: ClassVar[str] = "register a kind of tenant: add_scope(…)"


class BuildConnectorsRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_CONNECTORS_REQUIRED"):
    """No connector was registered."""

    says: ClassVar[str] = "register a connector: add_connector(…)"


class DatabaseRequired(Problem, frozen=True, tag="CONNECTOR_DATABASE_REQUIRED"):
    """No store was given."""

    says: ClassVar[str] = "give a store: with_database(SQLiteStore('connectors.db'))"


class EncryptionSecretRequired(Problem, frozen=True, tag="CONNECTOR_ENCRYPTION_SECRET_REQUIRED"):
    """The secret to seal with is missing or short."""

    reason: str
    says: ClassVar[str] = (
        "{reason}; `igniter-connectors generate-secret` makes one, to be set as IGNITER_SECRET"
    )


class SettingInvalid(Problem, frozen=True, tag="CONNECTOR_SETTING_INVALID"):
    """An environment variable or option that cannot be used."""

    setting: str
    reason: str
    says: ClassVar[str] = "{setting}: {reason}"


# --- the sets that operations return ----------------------------------------------------

ScopeProblem = ScopeInvalid | ScopeIdentifierRequired
GetProblem = NotConnected | ConfigInvalid | DecryptFailed | DatabaseFailed
ConnectProblem = AlreadyConnected | ConfigInvalid | EncryptFailed | DecryptFailed | DatabaseFailed
UpdateProblem = (
    NotConnected | Conflict | ConfigInvalid | EncryptFailed | DecryptFailed | DatabaseFailed
)
ToggleProblem = NotConnected | DatabaseFailed
DisconnectProblem = NotConnected | DatabaseFailed
TokenProblem = NeedsReauth | RefreshFailed | DecryptFailed | DatabaseFailed
HandlerProblem = ActionFailed
CallProblem = (
    NotConnected
    | Disabled
    | ConfigInvalid
    | DecryptFailed
    | DatabaseFailed
    | ActionNotFound
    | ActionInputInvalid
    | ActionOutputInvalid
    | ActionFailed
    | NeedsReauth
    | RefreshFailed
)
DefaultCallProblem = (
    DefaultConfigRequired | ActionNotFound | ActionInputInvalid | ActionOutputInvalid | ActionFailed
)
AuthorizeProblem = ConfigInvalid | EncryptFailed | ReturnToInvalid | DatabaseFailed
EndpointProblem = (
    NotConnected | WebhookNotConfigured | WebhookSecretInvalid | EncryptFailed | DatabaseFailed
)
ExchangeProblem = TokenRefused | TokenMalformed | ProviderUnreachable
CallbackProblem = (
    OAuthStateInvalid
    | AuthorizationDenied
    | IssuerMismatch
    | TokenRefused
    | TokenMalformed
    | UserInfoMalformed
    | ProviderUnreachable
    | IdentityMismatch
    | Conflict
    | ConfigInvalid
    | EncryptFailed
    | DatabaseFailed
)
WebhookProblem = (
    WebhookNotFound
    | WebhookTooLarge
    | WebhookVerificationFailed
    | WebhookPayloadInvalid
    | WebhookFailed
    | ConfigInvalid
    | DecryptFailed
    | DatabaseFailed
)


def _leaves(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _leaves(child)


# A functional StrEnum, so that the structs stay the only list; mypy wants a literal there.
ErrorCode = StrEnum(  # type: ignore[misc]
    "ErrorCode",
    [(code, code) for code in sorted(str(kind.__struct_config__.tag) for kind in _leaves(Problem))],
)
"""Every code that a problem can have."""
