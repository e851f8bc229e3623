"""One row of a thousand cannot be opened: the others are still listed."""

import tempfile
from pathlib import Path

import msgspec

from benchmarks.reliability.figure import Figure
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Keyring,
    Scope,
    Secret,
    SQLiteStore,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.ports import ConfigChange

ROWS = 1000


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Api(msgspec.Struct, frozen=True):
    """Config of the connector."""

    key: Secret


async def corrupt_row() -> Figure:
    """Counts the connections that are listed as intact and as broken."""
    api = Connector.create("api").with_config(Api).build()
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "connectors.db")
        connectors = (
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(Keyring.from_secret(Keyring.generate()))
            .add_scope(Organization)
            .add_connector(api)
            .build()
        )
        async with connectors:
            tenant = connectors.scope(Organization("acme"))
            for number in range(ROWS):
                at = tenant.at(api, account=f"a{number:04}")
                value_or_raise(await at.connect(Api(Secret(f"key {number}"))))
            key = ConnectionKey("organization", "acme", "api", "a0500")
            record = await store.find(key)
            assert record is not None
            flipped = bytes([record.sealed_config[-1] ^ 1])
            sealed = record.sealed_config[:-1] + flipped
            change = ConfigChange(record.id, 1, record.public_config, sealed, record.updated_at)
            await store.replace_config(key, change)
            page = value_or_raise(await tenant.list(limit=ROWS))
    whole = sum(one.health == "ok" for one in page.items)
    broken = [one.account for one in page.items if one.health == "broken"]
    return Figure(
        "corrupt-row",
        f"{whole} listed as intact, {len(broken)} as broken",
        "999 and 1",
        (whole, broken) == (ROWS - 1, ["a0500"]),
    )
