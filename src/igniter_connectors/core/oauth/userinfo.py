"""User info: the account that a token belongs to. OpenID Connect Core section 5.3."""

from __future__ import annotations

from typing import Final

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.lenient_json import decode_json_object
from igniter_connectors.core.oauth.provider import OAuthProvider, headers_of
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import UserInfoMalformed
from igniter_connectors.core.storable_text import display_text, is_storable

_SUBJECT: Final = ("sub", "id", "user_id", "userId", "account_id")
_NAME: Final = ("name", "displayName", "display_name", "login", "username")
_EMAIL: Final = ("email", "mail", "emailAddress")
_AVATAR: Final = ("avatar", "picture", "avatar_url", "avatarUrl")


def userinfo_request(provider: OAuthProvider, tokens: TokenSet) -> HttpRequest | None:
    """The request for the account of a new access token (RFC 6750 section 2.1).

    None if the provider has no user info. A token that is bound by DPoP has its own scheme and
    also needs a proof (`dpop.with_proof`, RFC 9449 section 7.1).
    """
    scheme = "DPoP" if tokens.token_type == "dpop" else "Bearer"  # noqa: S105  # a kind
    carried = f"{scheme} {tokens.access_token.reveal()}"
    url, query = provider.userinfo_url, provider.userinfo_graphql
    if url is None:
        return None
    headers = (
        ("Accept", "application/json"),
        ("Authorization", carried),
        *headers_of(provider),
    )
    if query is None:
        return HttpRequest("GET", url, headers, b"", provider.has_tenant_host)
    headers = (*headers, ("Content-Type", "application/json"))
    body = msgspec.json.encode({"query": query})
    return HttpRequest("POST", url, headers, body, provider.has_tenant_host)


def judge_userinfo(
    response: HttpResponse, provider: OAuthProvider, *, connector: str
) -> Result[UpstreamAccount, UserInfoMalformed]:
    """The account, read by the provider's parser or from the usual member names.

    Returns:
        The account, or `UserInfoMalformed`: a status other than 200, no JSON object, or no
        subject of 1 to 255 printable characters.
    """
    answer = decode_json_object(response.body)
    if response.status != 200 or answer is None:
        return Failure(UserInfoMalformed(connector))
    try:
        account = (provider.parse_userinfo or _detect)(answer)
        is_usable = bool(account.subject) and is_storable(account.subject)
    except Exception:  # the application's parser may fail on any input, or return anything
        return Failure(UserInfoMalformed(connector))
    return (
        Success(storable_account(account)) if is_usable else Failure(UserInfoMalformed(connector))
    )


def storable_account(account: UpstreamAccount) -> UpstreamAccount:
    """An account without the display texts that cannot be stored; its subject was judged."""
    return UpstreamAccount(
        account.subject,
        display_text(account.name),
        display_text(account.email),
        display_text(account.avatar),
    )


def _detect(answer: dict[str, JsonValue]) -> UpstreamAccount:
    return UpstreamAccount(
        _text(answer, _SUBJECT),
        _text(answer, _NAME),
        _text(answer, _EMAIL),
        _text(answer, _AVATAR),
    )


def _text(answer: dict[str, JsonValue], names: tuple[str, ...]) -> str:
    for name in names:
        value = answer.get(name)
        if isinstance(value, bool):
            continue
        if isinstance(value, int) or (isinstance(value, str) and value):
            return str(value)
    return ""
