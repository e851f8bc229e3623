"""The problems that each operation returns, as union types."""

from __future__ import annotations

from igniter_connectors.core.problem.action import (
    ActionFailed,
    ActionInputInvalid,
    ActionNotFound,
    ActionOutputInvalid,
)
from igniter_connectors.core.problem.addressing import (
    AccountInvalid,
    ConnectorNotFound,
    ParameterInvalid,
    ScopeIdentifierRequired,
    ScopeInvalid,
)
from igniter_connectors.core.problem.api import (
    ApiCallsAtLimit,
    ApiRateLimited,
    ApiRequestRefused,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    ResponseUnexpected,
)
from igniter_connectors.core.problem.connection import (
    AlreadyConnected,
    ConfigInvalid,
    Conflict,
    DatabaseFailed,
    DecryptFailed,
    DefaultConfigRequired,
    Disabled,
    EncryptFailed,
    NotConnected,
)
from igniter_connectors.core.problem.oauth import (
    AuthorizationDenied,
    IdentityMismatch,
    IdTokenInvalid,
    IssuerMismatch,
    MissingScopes,
    NeedsReauth,
    OAuthNotConfigured,
    OAuthStateInvalid,
    PrincipalRequired,
    ProviderAnswerMalformed,
    ProviderUnreachable,
    RefreshFailed,
    RequestOverloaded,
    RequestRefused,
    RequestTooSlow,
    ReturnToInvalid,
    RouteFailed,
    TokenMalformed,
    TokenRefused,
    UserInfoMalformed,
)
from igniter_connectors.core.problem.webhook import (
    WebhookEventNotFound,
    WebhookEventNotReplayable,
    WebhookFailed,
    WebhookNotConfigured,
    WebhookNotFound,
    WebhookOverloaded,
    WebhookPayloadInvalid,
    WebhookSecretInvalid,
    WebhookTooLarge,
    WebhookVerificationFailed,
)

ScopeProblem = ScopeInvalid | ScopeIdentifierRequired
GetProblem = NotConnected | ConfigInvalid | DecryptFailed | DatabaseFailed
ConnectProblem = AlreadyConnected | ConfigInvalid | EncryptFailed | DecryptFailed | DatabaseFailed
UpdateProblem = (
    NotConnected | Conflict | ConfigInvalid | EncryptFailed | DecryptFailed | DatabaseFailed
)
ToggleProblem = NotConnected | DatabaseFailed
DisconnectProblem = NotConnected | DatabaseFailed
TokenProblem = NeedsReauth | RefreshFailed | DecryptFailed | DatabaseFailed
ApiProblem = (
    ApiRequestRefused
    | ApiUnreachable
    | ApiCallsAtLimit
    | ApiRateLimited
    | ApiUnauthorized
    | ApiResponseTooLarge
    | NeedsReauth
    | RefreshFailed
    | DecryptFailed
    | DatabaseFailed
)
AnywhereProblem = ApiRequestRefused | ApiUnreachable | ApiCallsAtLimit | ApiResponseTooLarge
# A handler may call an API and other actions, and pass on any problem that it gets from them. So
# what it may return and what a call may return are the same.
HandlerProblem = (
    ActionFailed
    | ApiProblem
    | ResponseUnexpected
    | NotConnected
    | Disabled
    | ConfigInvalid
    | DefaultConfigRequired
    | ActionNotFound
    | ActionInputInvalid
    | ActionOutputInvalid
    | MissingScopes
)
CallProblem = HandlerProblem
DefaultCallProblem = HandlerProblem
AuthorizeProblem = ConfigInvalid | EncryptFailed | ReturnToInvalid | DatabaseFailed
AccountProblem = ProviderUnreachable | ProviderAnswerMalformed | UserInfoMalformed | IdTokenInvalid
StartProblem = (
    OAuthStateInvalid
    | EncryptFailed
    | ProviderUnreachable
    | ProviderAnswerMalformed
    | AuthorizationDenied
)
AuthorizeDirectlyProblem = AuthorizeProblem | StartProblem
ReauthorizeProblem = NotConnected | DecryptFailed | AuthorizeProblem
BodyProblem = RequestTooSlow | RequestOverloaded
AccessProblem = PrincipalRequired | RequestRefused | ScopeInvalid | RouteFailed
CallbackRouteProblem = (
    AccessProblem
    | ConnectorNotFound
    | OAuthNotConfigured
    | OAuthStateInvalid
    | DecryptFailed
    | DatabaseFailed
)
StartRouteProblem = (
    CallbackRouteProblem | ParameterInvalid | AccountInvalid | StartProblem | ReauthorizeProblem
)
AdoptProblem = (
    ConfigInvalid
    | TokenMalformed
    | EncryptFailed
    | DecryptFailed
    | AccountProblem
    | IdentityMismatch
    | Conflict
    | DatabaseFailed
)
GrantedProblem = (
    ConfigInvalid
    | EncryptFailed
    | DecryptFailed
    | TokenRefused
    | TokenMalformed
    | IdentityMismatch
    | Conflict
    | DatabaseFailed
)
DeviceStartProblem = (
    ConfigInvalid | TokenRefused | ProviderUnreachable | ProviderAnswerMalformed | DatabaseFailed
)
DeviceProblem = GrantedProblem | AccountProblem
ClientConnectProblem = GrantedProblem | ProviderUnreachable
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
    | AccountProblem
    | IdentityMismatch
    | Conflict
    | ConfigInvalid
    | EncryptFailed
    | DatabaseFailed
)
WebhookProblem = (
    WebhookNotFound
    | WebhookTooLarge
    | WebhookOverloaded
    | RequestTooSlow
    | WebhookVerificationFailed
    | WebhookPayloadInvalid
    | WebhookFailed
    | DecryptFailed
    | DatabaseFailed
)
EventProblem = WebhookEventNotFound | DatabaseFailed
ReplayProblem = (
    NotConnected
    | Disabled
    | ConfigInvalid
    | DecryptFailed
    | WebhookNotConfigured
    | WebhookEventNotFound
    | WebhookEventNotReplayable
    | WebhookPayloadInvalid
    | DatabaseFailed
)
