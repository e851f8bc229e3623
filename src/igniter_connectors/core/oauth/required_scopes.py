"""The OAuth scopes that an action needs, checked before it calls the provider."""

from __future__ import annotations

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.routes import upgrade_url
from igniter_connectors.core.oauth.granted_scopes import ScopeIncludes, missing_scopes
from igniter_connectors.core.problem import MissingScopes


def check_required_scopes(
    record: ConnectionRecord,
    required: frozenset[str],
    base_url: BaseUrl | None,
    includes: ScopeIncludes,
) -> MissingScopes | None:
    """None if the connection has every required scope.

    Args:
        record: The connection. Without a grant, it has no scopes.
        required: The scopes that the action declares.
        base_url: Where our start route is mounted; None if it is not mounted.
        includes: The provider's other names, and scopes that include others.

    Returns:
        None, or `MissingScopes` with the missing scopes in alphabetical order and the URL
        where the user can grant them. Without a base URL, that URL is "".
    """
    granted = record.grant.oauth_scopes if record.grant is not None else ()
    missing = missing_scopes(required, granted, includes)
    if not missing:
        return None
    key = record.key
    url = "" if base_url is None else upgrade_url(base_url, key.connector, key.account, missing)
    return MissingScopes(key.connector, missing, url)
