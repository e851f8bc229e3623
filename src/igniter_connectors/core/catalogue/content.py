"""Files, forms, designs and sites."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, seen


class DropboxExtras(msgspec.Struct, frozen=True):
    """What Dropbox sends with the tokens: the user or team that owns the files."""

    account_id: str | None = None
    uid: str | None = None
    team_id: str | None = None


class FigmaExtras(msgspec.Struct, frozen=True):
    """What Figma sends with the tokens: the user's ID, as text."""

    user_id_string: str | None = None


class MiroExtras(msgspec.Struct, frozen=True):
    """What Miro sends with the tokens: team and user; numbers, or text if they are too long."""

    team_id: int | str | None = None
    user_id: int | str | None = None


class WordPressExtras(msgspec.Struct, frozen=True):
    """What WordPress.com sends with the tokens: the site that it is for."""

    blog_id: int | str | None = None
    blog_url: str | None = None


box: Final = KnownProvider(
    key="box",
    name="Box",
    documentation="https://developer.box.com/guides/authentication/tokens/refresh",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://account.box.com/api/oauth2/authorize",
    token_url="https://api.box.com/oauth2/token",
    userinfo_url="https://api.box.com/2.0/users/me",
    account=AccountPaths("id", "name", "login"),
    revocation_url="https://api.box.com/oauth2/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=1),
    refresh_token_lifetime=timedelta(days=60),
    notes=("A refresh token works once.",),
)

canva: Final = KnownProvider(
    key="canva",
    name="Canva",
    documentation="https://www.canva.dev/docs/connect/authentication/",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://www.canva.com/api/oauth/authorize",
    token_url="https://api.canva.com/rest/v1/oauth/token",
    userinfo_url="https://api.canva.com/rest/v1/users/me",
    account=AccountPaths("team_user.user_id"),
    revocation_url="https://api.canva.com/rest/v1/oauth/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_basic", "client_secret_post"),
    pkce="required",
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=4),
    notes=("A refresh token works once; revoking one also revokes its successors.",),
)

docusign: Final = KnownProvider(
    key="docusign",
    name="Docusign",
    documentation="https://developers.docusign.com/platform/auth/confidential-authcode-get-token/",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://account.docusign.com/oauth/auth",
    token_url="https://account.docusign.com/oauth/token",
    userinfo_url="https://account.docusign.com/oauth/userinfo",
    account=AccountPaths("sub", "name", "email"),
    client_authentications=("client_secret_basic",),
    offline_scopes=("extended",),
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=8),
    refresh_token_lifetime=timedelta(days=30),
    notes=(
        "Without the scope `extended`, a refresh does not extend the refresh token's lifetime.",
        "The user info contains the accounts and the base URLs of their APIs.",
    ),
)

docusign_demo: Final = replace(
    docusign,
    key="docusign_demo",
    name="Docusign demo",
    variant_of="docusign",
    authorization_url="https://account-d.docusign.com/oauth/auth",
    token_url="https://account-d.docusign.com/oauth/token",
    userinfo_url="https://account-d.docusign.com/oauth/userinfo",
)

dropbox: Final = KnownProvider(
    key="dropbox",
    name="Dropbox",
    documentation="https://dropbox.tech/developers/using-oauth-2-0-with-offline-access",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "revocation_body", "revocation_ends", "revocation_url"),
    evidence="client library",
    authorization_url="https://www.dropbox.com/oauth2/authorize",
    token_url="https://api.dropboxapi.com/oauth2/token",
    revocation_url="https://api.dropboxapi.com/2/auth/token/revoke",
    revocation_body="bearer",
    revocation_ends="grant",
    client_authentications=("client_secret_post", "client_secret_basic", "none"),
    pkce="supported",
    token_extras=DropboxExtras,
    authorization_parameters={"token_access_type": "offline"},
    rotates_refresh_tokens=False,
    access_token_lifetime=timedelta(hours=4),
    notes=("User info needs POST, and revocation a bearer token; neither is supported.",),
)

figma: Final = KnownProvider(
    key="figma",
    name="Figma",
    documentation="https://developers.figma.com/docs/rest-api/authentication/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://www.figma.com/oauth",
    token_url="https://api.figma.com/v1/oauth/token",
    refresh_url="https://api.figma.com/v1/oauth/refresh",
    userinfo_url="https://api.figma.com/v1/me",
    userinfo_scopes=("current_user:read",),
    account=AccountPaths("id", "handle", "email"),
    oauth_scope_separator=",",
    client_authentications=("client_secret_basic",),
    token_extras=FigmaExtras,
    rotates_refresh_tokens=False,
    access_token_lifetime=timedelta(days=90),
    notes=("A refresh response contains only an access token and its lifetime.",),
)

miro: Final = KnownProvider(
    key="miro",
    name="Miro",
    documentation="https://developers.miro.com/reference/get-new-access-token-using-refresh-token",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://miro.com/oauth/authorize",
    token_url="https://api.miro.com/v1/oauth/token",
    client_authentications=("client_secret_post",),
    token_extras=MiroExtras,
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=1),
    refresh_token_lifetime=timedelta(days=60),
    notes=("Tokens expire only if the app was created so; others have no refresh token.",),
)

mural: Final = KnownProvider(
    key="mural",
    name="Mural",
    documentation="https://developers.mural.co/public/docs/oauth",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://app.mural.co/api/public/v1/authorization/oauth2/",
    token_url="https://app.mural.co/api/public/v1/authorization/oauth2/token",
    client_authentications=("client_secret_basic",),
    pkce="supported",
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(minutes=15),
    notes=(
        (
            "Its examples refresh at `…/oauth2/refresh`, clients at `…/oauth2/token`, with "
            "the secret by HTTP Basic."
        ),
    ),
)

typeform: Final = KnownProvider(
    key="typeform",
    name="Typeform",
    documentation="https://www.typeform.com/developers/get-started/applications/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://api.typeform.com/oauth/authorize",
    token_url="https://api.typeform.com/oauth/token",
    userinfo_url="https://api.typeform.com/me",
    userinfo_scopes=("accounts:read",),
    account=AccountPaths("user_id", "alias", "email"),
    client_authentications=("client_secret_post",),
    offline_scopes=("offline",),
    access_token_lifetime=timedelta(days=7),
    notes=("The European data centre has its own server and its own clients.",),
)

webflow: Final = KnownProvider(
    key="webflow",
    name="Webflow",
    documentation="https://developers.webflow.com/data/reference/oauth-app",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://webflow.com/oauth/authorize",
    token_url="https://api.webflow.com/oauth/access_token",
    userinfo_url="https://api.webflow.com/v2/token/authorized_by",
    userinfo_scopes=("authorized_user:read",),
    account=AccountPaths("id", "firstName", "email"),
    client_authentications=("client_secret_post",),
    notes=("There is no refresh token.",),
)

wordpress: Final = KnownProvider(
    key="wordpress",
    name="WordPress.com",
    documentation="https://developer.wordpress.com/docs/oauth2/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://public-api.wordpress.com/oauth2/authorize",
    token_url="https://public-api.wordpress.com/oauth2/token",
    client_authentications=("client_secret_post",),
    token_extras=WordPressExtras,
    notes=("There is no refresh token.",),
)

PROVIDERS: Final = (
    box, canva, docusign, docusign_demo, dropbox, figma, miro, mural, typeform, webflow,
    wordpress,
)  # fmt: skip
