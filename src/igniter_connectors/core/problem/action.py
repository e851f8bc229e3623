"""Calling actions."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class ActionNotFound(Problem, frozen=True, tag="CONNECTOR_ACTION_NOT_FOUND"):
    """The action was never added to this connector."""

    connector: str
    action: str
    says: ClassVar[str] = "{connector} has no action {action!r}"


@final
class ActionInputInvalid(Problem, frozen=True, tag="CONNECTOR_ACTION_INPUT_INVALID"):
    """The input does not fit its type. The handler did not run."""

    connector: str
    action: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}.{action}: input at {path}: {reason}"


@final
class ActionOutputInvalid(Problem, frozen=True, tag="CONNECTOR_ACTION_OUTPUT_INVALID"):
    """The handler ran, and what it returned does not fit its type."""

    connector: str
    action: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}.{action}: output at {path}: {reason}"


@final
class ActionFailed(Problem, frozen=True, tag="CONNECTOR_ACTION_FAILED"):
    """The handler said so, or raised (then `reason` names the exception's type alone).

    `retry_at`: when another try makes sense; None where the handler did not say.
    """

    connector: str
    action: str
    reason: str
    retry_at: datetime | None = None
    says: ClassVar[str] = "{connector}.{action} failed: {reason}"
