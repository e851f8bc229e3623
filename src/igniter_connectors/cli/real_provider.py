"""`demo --issuer`: a real OpenID provider, discovered from its issuer."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from returns.pipeline import is_successful

from igniter_connectors import (
    AtOAuth,
    AuthorizationRequest,
    Connectors,
    Event,
    HttpClient,
    OAuthProvider,
    Secret,
    WrongWiring,
    discover_provider,
    value_or_raise,
)
from igniter_connectors.cli.demo_connectors import Drive, WhoAmI, who_am_i
from igniter_connectors.cli.demo_output import DemoFailed, StepPrinter, check
from igniter_connectors.events import AuthorizationCompleted, AuthorizationFailed
from igniter_connectors.problems import BuildInvalid

_CONSENT_SECONDS: Final = 600


class RealProvider(msgspec.Struct, frozen=True):
    """The command line's options for the provider."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"RealProvider({self.issuer!r}, …)"


async def discover(real: RealProvider, http: HttpClient) -> OAuthProvider:
    """The provider, from the metadata that its issuer publishes.

    Raises:
        ConnectorError: the metadata cannot be fetched, is invalid, or has no user info
            endpoint.
    """
    found = await discover_provider(
        real.issuer,
        client_id=real.client_id,
        client_secret=Secret(real.client_secret) if real.client_secret else None,
        oauth_scopes=real.scopes,
        http=http,
    )
    provider = value_or_raise(found)
    if provider.userinfo_url is None:
        raise WrongWiring(BuildInvalid(f"{real.issuer} publishes no user info endpoint"))
    return provider


async def authorize_in_browser(
    printer: StepPrinter,
    connectors: Connectors[Any, Any],
    at: AtOAuth[Drive, None],
    request: AuthorizationRequest,
    userinfo_url: str,
) -> None:
    """Asks the user to consent, waits for the callback, and uses the token.

    Raises:
        DemoFailed: the user did not consent within 10 minutes, or a check failed.
    """
    returned = asyncio.Event()

    async def on_event(event: Event) -> None:
        if isinstance(event, AuthorizationCompleted | AuthorizationFailed):
            returned.set()

    _ = connectors.subscribe(on_event)
    printer.open_url(request.url)
    try:
        async with asyncio.timeout(_CONSENT_SECONDS):
            _ = await returned.wait()
    except TimeoutError:
        raise DemoFailed("nobody consented within 10 minutes") from None
    found = await at.get()
    check(is_successful(found), "the provider grants the authorization")
    authorization = found.unwrap().authorization
    account = authorization.account if authorization is not None else None
    check(account is not None, "the provider names the account")
    me = value_or_raise(await at.action(who_am_i).call(WhoAmI(userinfo_url)))
    check(account is not None and me.sub == account.subject, "the token works")
    printer.step("An OAuth connector was authorized at the real provider", f"as {me.sub}")
