"""One tenant at a connector that is authorized at an OAuth provider."""

from __future__ import annotations

from typing import Any, final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result
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
from igniter_connectors.flows.oauth.adopt import adopt
from igniter_connectors.flows.oauth.authorize_without_start_route import (
    begin_unbound,
    begin_with_cookie,
)
from igniter_connectors.flows.oauth.client_credentials import connect_as_client
from igniter_connectors.flows.oauth.device import begin_device
from igniter_connectors.flows.oauth.start import AuthorizationOptions, begin, begin_again
from igniter_connectors.flows.store_errors import guarded
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
        """Begins an authorization; the tenant is connected when its browser comes back.

        Where it is connected already, the same account is authorized again with this config.

        Args:
            config: Stored beside the tokens once they are granted.
            subject: Who is signed in to the application now. Only a browser in which the
                same subject is signed in can begin and finish.
            return_to: Where the browser goes afterwards: a path of this site, or one of
                the URLs allowed when the manager was built. "" means "/".
            oauth_scopes: Asked for beyond those of the provider's definition.

        Returns:
            A URL of our own start route that opens once, within 10 minutes; or
            `ConfigInvalid`, `ReturnToInvalid`, `EncryptFailed`, `DatabaseFailed`.
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await self._begin(config, options)

    async def authorize_replacing_account(
        self,
        config: Conf,
        *,
        subject: str,
        return_to: str = "",
        oauth_scopes: OAuthScopes = (),
    ) -> Result[AuthorizationRequest, AuthorizeProblem]:
        """As `authorize`, and another account of the provider may take the place of the one
        connected, which `authorize` refuses as `IdentityMismatch`."""
        options = AuthorizationOptions(
            subject, return_to, tuple(oauth_scopes), replace_account=True
        )
        return await self._begin(config, options)

    async def reauthorize(
        self, *, subject: str, return_to: str = "", oauth_scopes: OAuthScopes = ()
    ) -> Result[AuthorizationRequest, ReauthorizeProblem]:
        """Begins to authorize in place what is connected, whatever state its grant is in.

        The config stays as it is stored, and the scopes granted before are asked for again,
        with those given here. Arguments are those of `authorize`.

        Returns:
            As `authorize`; or `NotConnected`, `DecryptFailed` (what is stored does not open:
            use `authorize` with a config).
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await guarded(
            self._engine,
            begin_again(self._engine, self._oauth, self._key, options),
        )

    async def authorize_with_cookie(
        self,
        config: Conf,
        *,
        subject: str,
        return_to: str = "",
        oauth_scopes: OAuthScopes = (),
    ) -> Result[CookieAuthorization, AuthorizeDirectlyProblem]:
        """As `authorize`, for an application that serves no start route of ours.

        Answer the request of the very browser in which the subject is signed in with a
        redirect to `url` and the header `Set-Cookie`. The provider sends that browser to
        `{base URL}/connectors/{connector}/oauth/callback`: a route there hands the
        request, its `Cookie` header with it, to `connectors.handle`.

        Returns:
            Both; or as `authorize`, or where the request is pushed to the provider
            `ProviderUnreachable`, `ProviderAnswerMalformed`, `AuthorizationDenied`.
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await guarded(
            self._engine,
            begin_with_cookie(self._engine, self._oauth, self._key, config, options),
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

        The URL is the provider's. Whoever comes back finishes it, as `connectors.handle` with
        a principal of the same subject, without any cookie.

        Danger: no browser is bound. Where one subject stands for several people, or somebody
        can make another's browser open the callback, an attacker's account can be connected
        to the victim's tenant (RFC 9700 section 4.7). Never use it in a web application;
        on a command line, listen on loopback, for one callback, while the person waits.

        Returns:
            As `authorize_with_cookie`.
        """
        options = AuthorizationOptions(subject, return_to, tuple(oauth_scopes))
        return await guarded(
            self._engine,
            begin_unbound(self._engine, self._oauth, self._key, config, options),
        )

    async def authorize_device(
        self, config: Conf, *, oauth_scopes: OAuthScopes = ()
    ) -> Result[PendingDevice[Conf], DeviceStartProblem]:
        """Begins an authorization that somebody finishes on another device (RFC 8628).

        Show `user_code` and `verification_uri`, then await `finished()`. No base URL is
        needed. Only the tenant may see the code: whoever types it in connects their account.

        Args:
            config: Stored beside the tokens once they are granted.
            oauth_scopes: Asked for beyond those of the provider's definition.

        Returns:
            The code, or
            - `ConfigInvalid`.
            - `TokenRefused`: the provider gives this client no code.
            - `ProviderUnreachable`, `ProviderAnswerMalformed`.
            - `DatabaseFailed`.

        Raises:
            WrongWiring: the provider has no `device_authorization_url`.
        """
        return await guarded(
            self._engine, self._begin_device(config, tuple(oauth_scopes), replace_account=False)
        )

    async def authorize_device_replacing_account(
        self, config: Conf, *, oauth_scopes: OAuthScopes = ()
    ) -> Result[PendingDevice[Conf], DeviceStartProblem]:
        """As `authorize_device`, and another account of the provider may take the place of the
        one connected, which `finished()` refuses there as `IdentityMismatch`."""
        return await guarded(
            self._engine, self._begin_device(config, tuple(oauth_scopes), replace_account=True)
        )

    async def connect_as_client(
        self, config: Conf
    ) -> Result[Connection[Conf], ClientConnectProblem]:
        """Connects in the client's own name, without any person (RFC 6749 section 4.4).

        The scopes are those of the provider's definition. When the token expires, another is
        asked for; no refresh token is kept. For a tenant's own client, or for an API that
        the application uses as itself.

        Returns:
            The connection, or
            - `ConfigInvalid`, `EncryptFailed`.
            - `TokenRefused`, `TokenMalformed`, `ProviderUnreachable`.
            - `IdentityMismatch`: a person's account is connected here; disconnect it first.
            - `Conflict`: something else was authorized or disconnected meanwhile.
            - `DecryptFailed`, `DatabaseFailed`.

        Raises:
            WrongWiring: the application's client is a public one.
        """
        return await guarded(self._engine, self._connect_as_client(config))

    async def adopt(
        self, config: Conf, tokens: AdoptedTokens
    ) -> Result[Connection[Conf], AdoptProblem]:
        """Connects with tokens that the application already has, and that others use too.

        They are neither refreshed nor revoked from here: when the access token expires, the
        tenant has to authorize. Whose account they are for is asked at the provider's
        `userinfo_url` before anything is stored.

        Returns:
            The connection, or
            - `ConfigInvalid`, `EncryptFailed`.
            - `ProviderUnreachable`, `UserInfoMalformed`: whose tokens they are cannot be told.
            - `IdentityMismatch`: another account is connected here.
            - `Conflict`: something else was authorized or disconnected meanwhile.
            - `DatabaseFailed`.
        """
        return await guarded(self._engine, self._adopt(config, tokens, is_shared=True))

    async def adopt_as_only_user(
        self, config: Conf, tokens: AdoptedTokens
    ) -> Result[Connection[Conf], AdoptProblem]:
        """As `adopt`, where nobody else uses the tokens from now on: they are refreshed.

        Another program that refreshed them too could destroy the grant at a provider that
        rotates refresh tokens.
        """
        return await guarded(self._engine, self._adopt(config, tokens, is_shared=False))

    @property
    def _oauth(self) -> OAuthConnector[Conf, Ctx_co, Any]:
        # Scoped.at made this for no other kind of connector.
        assert isinstance(self._connector, OAuthConnector)
        return self._connector

    async def _adopt(
        self, config: Conf, tokens: AdoptedTokens, *, is_shared: bool
    ) -> Result[Connection[Conf], AdoptProblem]:
        stored = await adopt(
            self._engine, self._oauth, self._key, config, tokens, is_shared=is_shared
        )
        return self._opened(stored.unwrap()) if is_successful(stored) else Failure(stored.failure())

    async def _begin_device(
        self, config: Conf, oauth_scopes: tuple[str, ...], *, replace_account: bool
    ) -> Result[PendingDevice[Conf], DeviceStartProblem]:
        begun = await begin_device(
            self._engine,
            self._oauth,
            self._key,
            config,
            oauth_scopes,
            replace_account=replace_account,
        )
        return begun.map(lambda flow: PendingDevice(self._engine, flow, self._opened))

    async def _connect_as_client(
        self, config: Conf
    ) -> Result[Connection[Conf], ClientConnectProblem]:
        stored = await connect_as_client(self._engine, self._oauth, self._key, config)
        return self._opened(stored.unwrap()) if is_successful(stored) else Failure(stored.failure())

    async def _begin(
        self, config: Conf, options: AuthorizationOptions
    ) -> Result[AuthorizationRequest, AuthorizeProblem]:
        return await guarded(
            self._engine,
            begin(self._engine, self._oauth, self._key, config, options),
        )
