"""Identity pinning: a connection stays the account's that it was made for. RFC 9700 section 4.7.

Without it, whoever signs in to another account at the provider by mistake, or is made to, would
have the tenant's actions run there from then on.
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
    """`IdentityMismatch` where another account signed in than the one connected; else None.

    Args:
        standing: The grant that is connected now; None where nothing is.
        account: Who signed in; None where the provider does not tell.
        replace_account: Whether another account was asked for.
        connector: Named in the problem.
    """
    subject = account.subject if account is not None else None
    if standing is None or replace_account or standing.subject == subject:
        return None
    return IdentityMismatch(connector)
