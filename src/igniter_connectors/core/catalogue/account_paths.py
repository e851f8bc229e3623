"""Where a provider's user info holds the account: paths instead of a parser for each."""

from __future__ import annotations

import msgspec

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.json_value import JsonValue


class AccountPaths(msgspec.Struct, frozen=True):
    """Names from the outermost to the value, with dots between: "data.gid".

    `subject` identifies the account for good. `name` and `email` are for show; None where
    the provider does not tell them.
    """

    subject: str
    name: str | None = None
    email: str | None = None

    def read(self, answer: dict[str, JsonValue]) -> UpstreamAccount:
        """The account; "" for what is not there, which the caller refuses as a subject."""
        return UpstreamAccount(
            _text_at(answer, self.subject),
            _text_at(answer, self.name) if self.name is not None else "",
            _text_at(answer, self.email) if self.email is not None else "",
        )


def _text_at(answer: JsonValue, path: str) -> str:
    for name in path.split("."):
        if not isinstance(answer, dict):
            return ""
        answer = answer.get(name)
    # A boolean is an int to Python, and no identifier to anybody.
    return str(answer) if isinstance(answer, str | int) and not isinstance(answer, bool) else ""
