"""The HTTP status of each problem."""

from __future__ import annotations

from igniter_connectors.core import problem as p

_STATUS: dict[type[p.Problem], int] = {
    p.ConnectorNotFound: 404,
    p.ProviderNotKnown: 404,
    p.ScopeInvalid: 400,
    p.ScopeIdentifierRequired: 400,
    p.AccountInvalid: 400,
    p.ParameterInvalid: 400,
    p.NotConnected: 404,
    p.AlreadyConnected: 409,
    p.Disabled: 409,
    p.Conflict: 409,
    p.ConfigInvalid: 422,
    p.DefaultConfigRequired: 409,
    p.DecryptFailed: 500,
    p.EncryptFailed: 413,
    p.DatabaseFailed: 503,
    p.ActionNotFound: 404,
    p.ActionInputInvalid: 422,
    p.ActionOutputInvalid: 502,
    p.ActionFailed: 502,
    p.ApiRequestRefused: 500,
    p.ApiUnreachable: 504,
    p.ApiCallsAtLimit: 503,
    p.ApiRateLimited: 503,
    p.ApiUnauthorized: 502,
    p.ApiResponseTooLarge: 502,
    p.ResponseUnexpected: 502,
    p.OAuthNotConfigured: 404,
    p.OAuthStateInvalid: 400,
    p.AuthorizationDenied: 403,
    p.IssuerMismatch: 400,
    p.TokenRefused: 502,
    p.TokenMalformed: 502,
    p.UserInfoMalformed: 502,
    p.RefreshFailed: 503,
    p.MissingScopes: 403,
    p.NeedsReauth: 409,
    p.IdentityMismatch: 409,
    p.ProviderUnreachable: 504,
    p.DiscoveryFailed: 502,
    p.ReturnToInvalid: 400,
    p.TenantValueInvalid: 422,
    p.ProviderAnswerMalformed: 502,
    p.IdTokenInvalid: 502,
    p.PrincipalRequired: 401,
    p.RequestRefused: 403,
    p.RequestTooSlow: 408,
    p.RequestOverloaded: 503,
    p.RouteFailed: 500,
    p.WebhookNotConfigured: 404,
    p.WebhookNotFound: 404,
    p.WebhookTooLarge: 413,
    p.WebhookSecretInvalid: 422,
    p.WebhookVerificationFailed: 401,
    p.WebhookPayloadInvalid: 422,
    p.WebhookFailed: 503,
    p.WebhookOverloaded: 503,
    p.WebhookProcessEnded: 500,
    p.WebhookEventNotFound: 404,
    p.WebhookEventNotReplayable: 409,
}


def status_of(problem: p.Problem) -> int:
    """The HTTP status of a problem that an operation returned.

    A test checks that every problem has one, except those that are only raised while an
    application is built.
    """
    return _STATUS[type(problem)]
