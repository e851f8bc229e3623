"""Where a provider's user info contains the account, as paths to its members."""

from __future__ import annotations

import msgspec

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.json_value import JsonValue


class AccountPaths(msgspec.Struct, frozen=True):
    """Paths to the members of the user info, with dots: "data.gid".

    `subject` identifies the account permanently. `name` and `email` are for display; None if the
    provider does not send them.
    """

    subject: str
    name: str | None = None
    email: str | None = None

    def read(self, answer: dict[str, JsonValue]) -> UpstreamAccount:
        """The account. A missing member is "", which the caller refuses as a subject."""
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
    # A bool is an int in Python, but it is not an identifier.
    return str(answer) if isinstance(answer, str | int) and not isinstance(answer, bool) else ""
