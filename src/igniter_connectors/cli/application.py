"""Finding the application's manager by its name."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from igniter_connectors.core.problem import SettingInvalid, WrongWiring
from igniter_connectors.manager.connectors import Connectors


def load_application(name: str) -> Connectors[Any, Any]:
    """The manager that `package.module:attribute` names, found from the working folder too.

    Raises:
        WrongWiring: there is no such module or attribute, or it is no manager.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise _wrong("is written package.module:connectors")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise _wrong(f"there is no module {error.name!r}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, Connectors):
        raise _wrong(f"{attribute!r} in {module_name} is not a built manager")
    return found


def _wrong(reason: str) -> WrongWiring:
    return WrongWiring(SettingInvalid("--app", reason))
