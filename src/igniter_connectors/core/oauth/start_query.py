"""The query of the start route: a ticket, or an account that needs more OAuth scopes."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.problem import AccountInvalid, OAuthStateInvalid, ParameterInvalid
from igniter_connectors.core.storable_text import is_storable

_KNOWN: Final = ("ticket", "account", "oauth_scopes")
_MAX_FIELDS: Final = 64


class Ticket(msgspec.Struct, frozen=True):
    """The ticket of an authorization that the application began."""

    ticket: str

    def __repr__(self) -> str:
        return "Ticket(…)"


class Upgrade(msgspec.Struct, frozen=True):
    """A connected account to authorize again, and the scopes to request beside the granted ones."""

    account: str
    oauth_scopes: tuple[str, ...]


StartQueryProblem = OAuthStateInvalid | ParameterInvalid | AccountInvalid


def parse_start_query(query: str, *, connector: str) -> Result[Ticket | Upgrade, StartQueryProblem]:
    """What a browser asks of the start route.

    Args:
        query: The raw query, without "?".
        connector: The connector's key, for the problem.

    Returns:
        The ticket or the upgrade, or
        - `OAuthStateInvalid`: no ticket and no account, or a ticket that is given twice.
        - `ParameterInvalid`: another parameter is given twice, or an account beside a ticket.
        - `AccountInvalid`: the account's name cannot be stored.

    RFC 6749, section 3.1: a parameter is given at most once.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return Failure(OAuthStateInvalid(connector))
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name in _KNOWN:
            is_ticket = name == "ticket"
            return Failure(OAuthStateInvalid(connector) if is_ticket else ParameterInvalid(name))
        values[name] = value
    ticket, account = values.get("ticket"), values.get("account")
    if ticket and account:
        return Failure(ParameterInvalid("account"))
    if ticket:
        return Success(Ticket(ticket))
    if not account:
        return Failure(OAuthStateInvalid(connector))
    if not is_storable(account):
        return Failure(AccountInvalid(connector))
    return Success(Upgrade(account, tuple(values.get("oauth_scopes", "").split())))
