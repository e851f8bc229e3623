"""Identity pinning: a connection keeps the provider account it was made for.

Without it, a user who signs in to another account, by mistake or through an attack, would redirect
the tenant's actions to that account. RFC 9700 section 4.7.
"""

from __future__ import annotations

from igniter_connectors.core.connection.record import Grant
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.problem import IdentityMismatch


def judge_identity(
    standing: Grant | None,
    account: UpstreamAccount | None,
    *,
    replace_account: bool,
    connector: str,
) -> IdentityMismatch | None:
    """`IdentityMismatch` if another account signed in than the connected one; else None.

    Args:
        standing: The current grant; None if nothing is connected.
        account: The account that signed in; None if the provider does not say.
        replace_account: Whether the caller asked for another account.
        connector: The connector's key, for the problem.
    """
    subject = account.subject if account is not None else None
    if standing is None or replace_account or standing.subject == subject:
        return None
    return IdentityMismatch(connector)
