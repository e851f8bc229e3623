"""Pauses an OAuth client whose credentials its provider refuses. Pure: the caller gives the time.

Nothing that a tenant can do mends a refused client, so no tenant's request is sent for a while.
One tenant's answer must not stop the others, so a pause needs a clear answer, or several tenants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, final

from igniter_connectors.core.connection.record import Tenant
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.secret import Secret

PAUSE_SECONDS: Final = 60.0
"""How long a client is paused."""

PROBE_SECONDS: Final = 15.0
"""How long the others wait for the one request that is sent after a pause, and how much longer a
refused tenant waits, so that another tenant's request is that one."""

TENANTS_IN_A_ROW: Final = 3
"""How many tenants must get the same unclear answer, with no success in between."""

Client = tuple[str, str, Secret | None, Secret | None]


def client_of(provider: OAuthProvider) -> Client:
    """What identifies a client: its endpoint, id and credentials.

    The credentials are part of it, so that a tenant's own client with a wrong secret does not
    stop the tenants that use the same client id with the right one.
    """
    return (
        provider.token_url,
        provider.client_id,
        provider.client_secret,
        provider.client_assertion_key,
    )


@dataclass
class _Refusals:
    """`contradicted`: refused tenants, although another tenant's request succeeded later."""

    error: str = ""
    tenants: set[Tenant] = field(default_factory=set)
    contradicted: set[Tenant] = field(default_factory=set)
    paused_until: float | None = None
    probe: Tenant | None = None
    probe_until: float = 0.0


@final
class ClientPauses:
    """The refused clients of this process. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._clients: dict[Client, _Refusals] = {}

    def wait(self, client: Client, tenant: Tenant, *, now: float) -> float:
        """How many seconds this tenant may not send anything as this client; 0 if it may."""
        refusals = self._clients.get(client)
        if refusals is None or refusals.paused_until is None:
            return 0.0
        until = refusals.paused_until
        if tenant in refusals.tenants:
            until += PROBE_SECONDS
        if refusals.probe not in (None, tenant):
            until = max(until, refusals.probe_until)
        return max(until - now, 0.0)

    def begin(self, client: Client, tenant: Tenant, *, now: float) -> None:
        """Records that this tenant is about to send.

        After a pause, the other tenants wait for its answer.
        """
        refusals = self._clients.get(client)
        if refusals is not None and refusals.paused_until is not None:
            refusals.probe, refusals.probe_until = tenant, now + PROBE_SECONDS

    def refused(
        self, client: Client, tenant: Tenant, error: str, *, is_clear: bool, now: float
    ) -> bool:
        """Records an answer that refuses the client. True if the client is refused from now on.

        That is once until the provider accepts it again, however often it is refused.

        Args:
            client: The client of the request.
            tenant: Whose request it was.
            error: The error code.
            is_clear: Whether the answer means the client and nothing else, so that it pauses the
                client at once. Otherwise `TENANTS_IN_A_ROW` tenants must get the same error. The
                same holds for a tenant that was refused while others succeeded.
            now: Monotonic seconds.
        """
        refusals = self._clients.setdefault(client, _Refusals())
        if error != refusals.error:
            refusals.error, refusals.tenants = error, set()
        refusals.tenants.add(tenant)
        was_paused = refusals.paused_until is not None
        refusals.probe = None
        is_enough = len(refusals.tenants) >= TENANTS_IN_A_ROW
        if was_paused or is_enough or (is_clear and tenant not in refusals.contradicted):
            refusals.paused_until = now + PAUSE_SECONDS
            return not was_paused
        return False

    def accepted(self, client: Client, tenant: Tenant) -> None:
        """Records that the provider issued a token to this client. Ends a pause."""
        refusals = self._clients.get(client)
        if refusals is None:
            return
        refusals.contradicted |= refusals.tenants
        refusals.contradicted.discard(tenant)
        refusals.tenants = set()
        refusals.paused_until = refusals.probe = None
        if not refusals.contradicted:
            del self._clients[client]
