"""Problems of calling an action."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class ActionNotFound(Problem, frozen=True, tag="CONNECTOR_ACTION_NOT_FOUND"):
    """The connector has no action with this name."""

    connector: str
    action: str
    template: ClassVar[str] = "{connector} has no action {action!r}"


@final
class ActionInputInvalid(Problem, frozen=True, tag="CONNECTOR_ACTION_INPUT_INVALID"):
    """The input does not match its type. The handler did not run."""

    connector: str
    action: str
    path: str
    reason: str
    template: ClassVar[str] = "{connector}.{action}: invalid input at {path}: {reason}"


@final
class ActionOutputInvalid(Problem, frozen=True, tag="CONNECTOR_ACTION_OUTPUT_INVALID"):
    """The handler ran, and its return value does not match the declared type."""

    connector: str
    action: str
    path: str
    reason: str
    template: ClassVar[str] = "{connector}.{action}: invalid output at {path}: {reason}"


@final
class ActionFailed(Problem, frozen=True, tag="CONNECTOR_ACTION_FAILED"):
    """The handler returned a failure or raised.

    `reason` is the handler's own, or the exception's type without its text. `retry_at` is
    when a retry makes sense; None if the handler did not say.
    """

    connector: str
    action: str
    reason: str
    retry_at: datetime | None = None
    template: ClassVar[str] = "{connector}.{action} failed: {reason}"
