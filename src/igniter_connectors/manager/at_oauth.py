"""One tenant at a connector that is authorized at an OAuth provider."""

from __future__ import annotations

from typing import Any, final

import msgspec
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.adopted_tokens import AdoptedTokens
from igniter_connectors.core.oauth.authorization_request import (
    AuthorizationRequest,
    CookieAuthorization,
)
from igniter_connectors.core.oauth.provider import OAuthScopes
from igniter_connectors.core.problem import (
    AdoptProblem,
    AuthorizeDirectlyProblem,
    AuthorizeProblem,
    ClientConnectProblem,
    DeviceStartProblem,
    ReauthorizeProblem,
)
from igniter_connectors.flows.oauth import (
    adopt,
    authorize,
    authorize_without_start_route,
    client_credentials,
    device,
)
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions
from igniter_connectors.manager.at import At
from igniter_connectors.manager.pending_device import PendingDevice

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx_co = TypeVar("Ctx_co", covariant=True)


@final
class AtOAuth(At[Conf, Ctx_co]):
    """A tenant at a connector that is authorized at an OAuth provider."""

    __slots__ = ()

    async def authorize(
        self,
        config: Conf,
        *,
        subject: str,
        return_to: str = "",
        oauth_scopes: OAuthScopes = (),
    ) -> Result[AuthorizationRequest, AuthorizeProblem]:
        """Begins an authorization. The tenant is connected when its browser comes back.

        If the tenant is connected already, the same account is authorized again, with this
        config. A config that `update` stores until the browser is back is newer, and stays.

        Args:
            config: Stored beside the tokens once they are granted.
            subject: Who is signed in to the application now. Only a browser in which the
                same subject is signed in can begin and finish.
            return_to: Where the browser goes afterwards: a path of this site, or one of
                the URLs that were allowed when the manager was built. "" means "/".
            oauth_scopes: Requested beside the scopes of the provider's definition.

        Returns:
            A URL of our own start route, which opens once, within 10 minutes; or
            `ConfigInvalid`, `ReturnToInvalid`, `EncryptFailed`, `DatabaseFailed`.

        Raises:
            WrongWiring: the manager was built without a base URL.
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await authorize.authorize(self._engine, self._oauth, self._key, config, options)

    async def authorize_replacing_account(
        self,
        config: Conf,
        *,
        subject: str,
        return_to: str = "",
        oauth_scopes: OAuthScopes = (),
    ) -> Result[AuthorizationRequest, AuthorizeProblem]:
        """As `authorize`, but another account of the provider may replace the connected one,
        which `authorize` refuses with `IdentityMismatch`."""
        options = AuthorizationOptions(
            subject, return_to, tuple(oauth_scopes), may_replace_account=True
        )
        return await authorize.authorize(self._engine, self._oauth, self._key, config, options)

    async def reauthorize(
        self, *, subject: str, return_to: str = "", oauth_scopes: OAuthScopes = ()
    ) -> Result[AuthorizationRequest, ReauthorizeProblem]:
        """Begins to authorize the connection again, whatever the state of its grant.

        The stored config stays, and the scopes that were granted before are requested
        again, together with `oauth_scopes`. The arguments are those of `authorize`.

        Returns:
            As `authorize`; or `NotConnected`, or `DecryptFailed` (the stored config does not
            open: use `authorize` with a config).
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await authorize.reauthorize(self._engine, self._oauth, self._key, options)

    async def authorize_with_cookie(
        self,
        config: Conf,
        *,
        subject: str,
        return_to: str = "",
        oauth_scopes: OAuthScopes = (),
    ) -> Result[CookieAuthorization, AuthorizeDirectlyProblem]:
        """As `authorize`, for an application that does not serve our start route.

        Answer the request of the browser in which the subject is signed in with a redirect
        to `url` and with the `Set-Cookie` header. The provider sends that browser to
        `{base URL}/connectors/{connector}/oauth/callback`. A route there passes the request,
        with its `Cookie` header, to `connectors.handle`.

        Returns:
            The URL and the cookie; or as `authorize`; or, if the request is pushed to the
            provider, `ProviderUnreachable`, `ProviderAnswerMalformed`, `AuthorizationDenied`.
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await authorize_without_start_route.authorize_with_cookie(
            self._engine, self._oauth, self._key, config, options
        )

    async def authorize_without_browser_binding(
        self,
        config: Conf,
        *,
        subject: str,
        return_to: str = "",
        oauth_scopes: OAuthScopes = (),
    ) -> Result[AuthorizationRequest, AuthorizeDirectlyProblem]:
        """As `authorize`, for a program that has no browser: a command line, a desktop tool.

        The URL is the provider's. The callback is finished by `connectors.handle` with a
        principal of the same subject, without a cookie.

        Danger: no browser is bound. If several people share one subject, or if an attacker
        can make another person's browser open the callback, the attacker's account can be
        connected to the victim's tenant (RFC 9700 section 4.7). Never use it in a web
        application. On a command line, listen on loopback, for one callback, while the person
        waits.

        Returns:
            As `authorize_with_cookie`, without a cookie.

        Raises:
            WrongWiring: there is no base URL, or the provider refuses PKCE.
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await authorize_without_start_route.authorize_without_browser_binding(
            self._engine, self._oauth, self._key, config, options
        )

    async def authorize_device(
        self, config: Conf, *, oauth_scopes: OAuthScopes = ()
    ) -> Result[PendingDevice[Conf], DeviceStartProblem]:
        """Begins an authorization that a person finishes on another device (RFC 8628).

        Show `user_code` and `verification_uri`, then await `finished()`. No base URL is
        needed. Show the code to the tenant only: whoever enters it connects their account.

        Args:
            config: Stored beside the tokens once they are granted.
            oauth_scopes: Requested beside the scopes of the provider's definition.

        Returns:
            The code, or
            - `ConfigInvalid`.
            - `TokenRefused`: the provider gives this client no code.
            - `ProviderUnreachable`, `ProviderAnswerMalformed`.
            - `DatabaseFailed`.

        Raises:
            WrongWiring: the provider has no `device_authorization_url`.
        """
        begun = await device.begin(
            self._engine, self._oauth, self._key, config, tuple(oauth_scopes)
        )
        return begun.map(lambda flow: PendingDevice(self._engine, flow))

    async def authorize_device_replacing_account(
        self, config: Conf, *, oauth_scopes: OAuthScopes = ()
    ) -> Result[PendingDevice[Conf], DeviceStartProblem]:
        """As `authorize_device`, but another account of the provider may replace the connected
        one, which `finished()` refuses there with `IdentityMismatch`."""
        begun = await device.begin(
            self._engine,
            self._oauth,
            self._key,
            config,
            tuple(oauth_scopes),
            may_replace_account=True,
        )
        return begun.map(lambda flow: PendingDevice(self._engine, flow))

    async def connect_as_client(
        self, config: Conf
    ) -> Result[Connection[Conf], ClientConnectProblem]:
        """Connects in the client's own name, without a person (RFC 6749 section 4.4).

        The scopes are those of the provider's definition. When the token expires, the
        client asks for a new one; no refresh token is kept. For a tenant's own client, or
        for an API that the application uses as itself.

        Returns:
            The connection, or
            - `ConfigInvalid`, `EncryptFailed`.
            - `TokenRefused`, `TokenMalformed`, `ProviderUnreachable`.
            - `IdentityMismatch`: a person's account is connected here; disconnect it first.
            - `Conflict`: another authorization or a disconnect came first.
            - `DecryptFailed`, `DatabaseFailed`.

        Raises:
            WrongWiring: the application's client is a public client.
        """
        return await client_credentials.connect_as_client(
            self._engine, self._oauth, self._key, config
        )

    async def adopt(
        self, config: Conf, tokens: AdoptedTokens
    ) -> Result[Connection[Conf], AdoptProblem]:
        """Connects with tokens that the application already has, and that others use too.

        They are neither refreshed nor revoked: when the access token expires, the tenant has
        to authorize. Before anything is stored, the provider's `userinfo_url` is asked whose
        account the tokens are for.

        Returns:
            The connection, or
            - `ConfigInvalid`, `EncryptFailed`, `DecryptFailed`.
            - `TokenMalformed`: a token has characters that no request can carry.
            - `ProviderUnreachable`, `UserInfoMalformed`: the account is not known.
            - `IdentityMismatch`: another account is connected here.
            - `Conflict`: another authorization or a disconnect came first.
            - `DatabaseFailed`.
        """
        return await adopt.adopt(
            self._engine, self._oauth, self._key, config, tokens, source="adopted_shared"
        )

    async def adopt_as_only_user(
        self, config: Conf, tokens: AdoptedTokens
    ) -> Result[Connection[Conf], AdoptProblem]:
        """As `adopt`, for tokens that nobody else uses from now on: they are refreshed.

        If another program refreshes them too, a provider that rotates refresh tokens may end
        the grant.
        """
        return await adopt.adopt(
            self._engine, self._oauth, self._key, config, tokens, source="adopted"
        )

    @property
    def _oauth(self) -> OAuthConnector[Conf, Ctx_co, Any]:
        # `Scoped.at` makes this class for OAuth connectors only.
        assert isinstance(self._connector, OAuthConnector)
        return self._connector
