"""Writes a module that registers 160 connectors with one manager.

A checker that gives up on a long chain of calls infers no type and reports no error. The module
therefore ends in types that must be inferred and in misuses that must be refused.
"""

from __future__ import annotations

from typing import Final

CONNECTORS: Final = 160
AT_ONCE: Final = 8
"""How many connectors `add_connectors` takes."""

HEAD: Final = '''\
"""Generated: a manager of many connectors."""

from __future__ import annotations

from typing import assert_type

import msgspec

from igniter_connectors import AtConfig, Connector, ConnectorManager, Keyring, MemoryStore, Scope


class Tenant(Scope, frozen=True, tag="tenant"): ...
'''

CONNECTOR: Final = """

class Config{0}(msgspec.Struct, frozen=True):
    field_{0}: str


c{0} = Connector.create("c{0}").with_config(Config{0}).build()
"""

TAIL: Final = """
    .build()
)
tenant = manager.scope(Tenant("a"))
assert_type(tenant.at(c0), AtConfig[Config0, None])
assert_type(tenant.at(c{last}), AtConfig[Config{last}, None])


async def misuses() -> None:
    tenant.at(c{unregistered})  # refused: 1 a connector that is not registered
    await tenant.at(c{last}).connect(Config0(""))  # refused: 2 another connector's config
    tenant.at(c0).no_such_method()  # refused: 3 a method that does not exist
"""


def module_of_many_connectors(count: int = CONNECTORS) -> str:
    """The source of the module. One more connector than `count` is defined, and not registered."""
    parts = [HEAD, *(CONNECTOR.format(number) for number in range(count + 1))]
    parts.append(
        "\n\nmanager = (\n    ConnectorManager.create()\n    .with_database(MemoryStore())\n"
        "    .with_encryption(Keyring.from_secret(Keyring.generate()))\n    .add_scope(Tenant)"
    )
    for first in range(0, count, AT_ONCE):
        names = ", ".join(f"c{number}" for number in range(first, min(first + AT_ONCE, count)))
        parts.append(f"\n    .add_connectors({names})")
    return "".join(parts) + TAIL.format(last=count - 1, unregistered=count)
