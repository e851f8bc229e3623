"""Why an attempt at an event failed, as it is stored and shown."""

from __future__ import annotations

from typing import Final

from igniter_connectors.core.printable import printable
from igniter_connectors.core.problem import Problem, WebhookFailed, WebhookPayloadInvalid
from igniter_connectors.core.redaction import redact
from igniter_connectors.core.secret import Secret

MAX_REASON_CHARS: Final = 500
"""The most characters of a stored reason, with the "…" at the end of one that was cut."""


def failure_reason(problem: Problem, *, secrets: tuple[Secret, ...] = ()) -> str:
    """The reason to store: one printable line, without secrets, cut after 500 characters.

    Args:
        problem: Why the attempt failed. Of a handler's failure it is what `call.failed` got, or
            the type of the exception; of a payload, the path and the rule; of any other problem,
            its message.
        secrets: What the handler could see. Each is replaced.
    """
    match problem:
        case WebhookFailed(reason=reason):
            said = reason
        case WebhookPayloadInvalid(path=path, reason=reason):
            said = f"{path}: {reason}"
        case _:
            said = problem.message
    # A handler may pass anything, although its type says a text.
    text = printable(redact(said if isinstance(said, str) else type(said).__name__, secrets))
    return text if len(text) <= MAX_REASON_CHARS else f"{text[: MAX_REASON_CHARS - 1]}…"
