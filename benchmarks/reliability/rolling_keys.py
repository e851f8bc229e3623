"""A new secret is rolled out: the process without it does not hinder the others.

Half of the connections were renewed by a process with the new secret, which seals their tokens
with it; their configs are sealed with the old one. The process that knows only the old secret calls
all connections first, several times.
"""

from datetime import timedelta

from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.operations import call_all
from igniter_connectors import Keyring

CONNECTIONS = 10
CALLS = 4


async def rolling_keys() -> Figure:
    """One process with the old secret only, two with both. Twenty connections, tokens expired."""
    old_names, new_names = tenants(CONNECTIONS, "old"), tenants(CONNECTIONS, "new")
    names = [*old_names, *new_names]
    async with running_cluster() as cluster:
        await cluster.connect(old_names)
        await cluster.connect(new_names, skew=timedelta(hours=-4))
        behind = cluster.start()
        cluster.rotate(Keyring.generate().reveal())
        # These tokens have expired again by now.
        early = cluster.start(skew=timedelta(hours=-2))
        answers = await early.run(call_all, new_names)
        cluster.kill(early)
        rotated = [cluster.start() for _ in range(2)]
        # The connections that it cannot open are the first to be called.
        refused = await behind.run(call_all, new_names * CALLS)
        answers += await behind.run(call_all, old_names)
        for worker in rotated:
            answers += await worker.run(call_all, names * CALLS)
        grants = await cluster.grants()
        consistent_tenants = await cluster.consistent_tenants(rotated[0], names)
    requests = [len(grants[name].requests) - (name in new_names) for name in names]
    failed = sum(bool(one.code) for one in answers)
    codes = {one.code for one in refused}
    return Figure(
        "rolling-keys",
        f"{min(requests)} to {max(requests)} requests a connection, {failed} actions failed, "
        f"{len(consistent_tenants)} of {len(names)} rows match the provider",
        f"1 to 1, 0, {len(names)}",
        set(requests) == {1}
        and not failed
        and len(consistent_tenants) == len(names)
        and codes == {"CONNECTOR_DECRYPT_FAILED"},
    )
