"""What a handler or hook must be and return, checked for code that no type checker has read."""

from __future__ import annotations

import inspect
import re
from functools import partial
from types import FunctionType, MethodType, NoneType
from typing import Final, get_args, get_origin, get_type_hints

from returns.result import Failure, Result, Success

from igniter_connectors.core.problem import BuildInvalid, HandlerProblem, Problem, WrongWiring

WHAT_TO_RETURN: Final = "return Success(…), call.failed('why'), or Failure(problem) to pass it on"
"""The end of each message about a handler's return value."""

HANDLER_PROBLEMS: Final = frozenset(get_args(HandlerProblem))
"""The problems that an action returns to its caller unchanged."""

_RESULT: Final = re.compile(r"(?:\w+\.)*(?:Result|ResultE|Success|Failure|None)\b")


def require_async(handler: object, name: str) -> None:
    """Refuses a handler or hook that cannot be awaited after it is called with one argument.

    A plain function that returns an awaitable is allowed, so a plain function is refused only if
    its annotation says that it returns a Result or None.

    Args:
        handler: The function, method or callable object.
        name: What it is, for the message: "send_message: the handler".

    Raises:
        WrongWiring: it is not callable, not async, a generator, or does not take one argument.
    """
    fault = _fault(handler)
    if fault is not None:
        raise WrongWiring(BuildInvalid(f"{name} {fault}"))


def returned_fault(answer: object) -> str:
    """Why a handler may not return something. It names the type, never the value."""
    if type(answer) is Failure:
        inner = answer.failure()
        kind = type(inner).__name__
        if isinstance(inner, Problem):
            return f"the handler returned Failure({kind}), which no call has: {WHAT_TO_RETURN}"
        return f"the handler returned Failure({kind}), which is not a problem: {WHAT_TO_RETURN}"
    kind = "None" if answer is None else type(answer).__name__
    return f"the handler returned {kind}, which is not a Result: {WHAT_TO_RETURN}"


def is_not_async(error: BaseException) -> bool:
    """Whether an exception says that a handler could not be awaited or called with one argument.

    Such a TypeError comes from the frame that calls the handler, so its traceback has one frame.
    """
    trace = error.__traceback__
    return type(error) is TypeError and trace is not None and trace.tb_next is None


def _fault(handler: object) -> str | None:
    if not callable(handler):
        return f"is {type(handler).__name__}, and must be an async function"
    function = _function_of(handler)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "is a generator: it must return, not yield"
    if not inspect.iscoroutinefunction(function) and _returns_no_awaitable(function):
        return "is not async: write `async def`"
    try:
        _ = inspect.signature(handler).bind(None)
    except TypeError:
        return "must take one argument"
    except ValueError:  # a callable written in C has no signature
        return None
    return None


def _function_of(handler: object) -> object:
    if isinstance(handler, FunctionType | MethodType):
        return handler
    return _function_of(handler.func) if isinstance(handler, partial) else type(handler).__call__


def _returns_no_awaitable(function: object) -> bool:
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, FunctionType) or hasattr(plain, "__wrapped__"):
        return False  # a wrapper has the annotation of what it wraps
    try:
        returned: object = get_type_hints(plain).get("return", object)
    except Exception:  # a name that only type checkers import; evaluating may raise anything
        return _is_result(_return_annotation(plain))
    return returned is NoneType or get_origin(returned) in {Result, Success, Failure}


def _return_annotation(function: FunctionType) -> object:
    try:
        return function.__annotations__.get("return")
    except Exception:  # from Python 3.14 on, reading it evaluates it
        return None


def _is_result(annotation: object) -> bool:
    return isinstance(annotation, str) and _RESULT.match(annotation) is not None
