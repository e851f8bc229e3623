"""Typed, multi-tenant connections to third-party services, inside your own process and database.

The public names stand in `igniter_connectors.api`; they are loaded when the first of them
is asked for, so that a command line which needs none starts at once.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from igniter_connectors.api import *
else:

    def __getattr__(name: str) -> object:
        """A public name, found in `api`."""
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        from importlib import import_module

        return getattr(import_module("igniter_connectors.api"), name)
