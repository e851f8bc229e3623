"""What flows need from outside, as Protocols. Adapters implement them; tests may too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from igniter_connectors.core.connection import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.event import Event
from igniter_connectors.core.http import HttpClient
from igniter_connectors.core.oauth.lease import Lease
from igniter_connectors.core.oauth.revocation import Handover, PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.delivery import Delivery
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent, NewEvent, Recorded

__all__ = [
    "AuthorizationStore",
    "Clock",
    "ConnectionStore",
    "DeliveryLost",
    "EndpointStore",
    "Entropy",
    "HttpClient",
    "InboxStore",
    "Observer",
    "RevocationStore",
    "RoutingStore",
    "Store",
    "StoreUnavailable",
]


class Clock(Protocol):
    """The time. `now` may step, `monotonic` never does."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed instant."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes."""

    def octets(self, count: int) -> bytes:
        """Fresh random bytes, fit for keys, nonces and tokens."""
        ...

    def fraction(self) -> float:
        """A number from 0 to 1, for jitter; not for secrets."""
        ...


class Observer(Protocol):
    """Telemetry: told of each event at once, in the caller's own time, so it returns fast."""

    def observe(self, event: Event) -> None:
        """Counts, times or traces. What it raises is logged and goes no further."""
        ...


class StoreUnavailable(Exception):
    """The database did not answer in time, or refused. `reason` holds no value of a row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeliveryLost(Exception):
    """The attempt is no longer its event's latest: another process has it, or it has ended.

    Raised where a transaction would complete the event; let it through, and nothing is written.
    """


class ConnectionStore(Protocol):
    """Connections. Each write names what it changes and the condition under which it may.

    Every method raises `StoreUnavailable` where the database does not answer.
    """

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None; a tombstone is None too."""
        ...

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """What an authorization that begins now will find: the id of the row's grant, or of its
        tombstone; None where neither stands."""
        ...

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False where one stands under its key."""
        ...

    async def replace_config(
        self,
        key: ConnectionKey,
        *,
        row: str,
        version: int,
        public_config: bytes,
        sealed_config: bytes,
        now: datetime,
    ) -> bool:
        """Writes the config where the row's id and version still match, and counts one up."""
        ...

    async def replace_config_ending_grant(
        self,
        key: ConnectionKey,
        *,
        row: str,
        version: int,
        public_config: bytes,
        sealed_config: bytes,
        now: datetime,
        grant_id: str,
        handover: Handover | None,
    ) -> bool:
        """As `replace_config`, and ends the grant, which was minted under the config before.

        The tokens go, the generation counts up, the grant's id becomes the new one given, and
        the status `config_changed`; lease, mark, failures and next attempt are cleared. In the
        same step, the old tokens with the old config are handed over to be revoked.
        """
        ...

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False where there is none. Counts the version up on a change."""
        ...

    async def disconnect(
        self, key: ConnectionKey, *, handover: Handover | None, now: datetime
    ) -> ConnectionRecord | None:
        """Takes a row away, its webhook endpoints with it, and returns it; None if absent.

        Where it held a grant, a tombstone stays with the generation counted up and no secret.
        It names the grant by another id than the row did (`…-ended`), so that an authorization
        that began before does not land on it. In the same step, tokens that are not shared are
        handed over.
        """
        ...

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization may still meet; at most 1,000."""
        ...

    async def save_authorized(
        self,
        record: ConnectionRecord,
        *,
        expected_grant: str | None,
        handover: Handover | None = None,
        keep_config: bool = False,
    ) -> bool:
        """Writes config, grant and status of a finished authorization.

        Without `expected_grant` it adds the row, where neither row nor tombstone stands under
        its key. With it, it overwrites a tombstone of that grant as if nothing stood there, or
        the row of the record's id, whose grant is the expected one and whose generation is one
        below the record's: then `enabled` and `created_at` stay, the version counts up, lease,
        mark, failures and next attempt are cleared, and in the same step the tokens that stood
        there, unless shared, are handed over. With `keep_config` the row's config stays as it
        is then, and not as the record has it. False where that did not hold.
        """
        ...

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, in one statement, by the store's own clock.

        Sets owner, end, and the mark that the outcome is unknown, where the generation is
        the one seen, the status is ok, no lease is running and no next attempt lies ahead.
        Returns the tokens and the mark as it stood before; None where that did not hold.
        """
        ...

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure, and restores the mark that stood before it.

        Only where row, generation and owner are the lease's. The next attempt lies ahead
        by the store's own clock.
        """
        ...

    async def save_verdict(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead, where row, generation and owner are the lease's.

        Clears lease and mark.
        """
        ...

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease whose attempt's outcome is not known; the mark stays.

        Only where row, generation and owner are the lease's.
        """
        ...

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant where the row's id and generation still match.

        Whoever holds the lease, or nobody: what the provider gave must not be lost. Writes
        tokens, generation, no failures, no lease, no mark, and status ok unless the config
        was changed; nothing of config or `enabled`.
        """
        ...

    async def list_lapsing(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token lapses soon, the soonest first.

        Soon is `within`, and the last fifth of the token's life.
        Only those that may be refreshed now: enabled, status ok, no lease held, no next
        attempt ahead, by the store's own clock.
        """
        ...

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One tenant's rows by connector and account, after a place, at most `limit`."""
        ...

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        ...

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has, over all tenants."""
        ...


class RevocationStore(Protocol):
    """Tokens to be revoked, kept until the provider has confirmed."""

    async def add(self, pending: PendingRevocation, *, due_in: timedelta) -> None:
        """Keeps one, due by the store's own clock."""
        ...

    async def claim(self, *, limit: int, duration: timedelta) -> Sequence[PendingRevocation]:
        """Takes those that are due, the longest waiting first: nobody else gets them for
        `duration`. Whoever crashes meanwhile leaves them to the next."""
        ...

    async def postpone(self, id: str, *, attempts: int, retry_in: timedelta) -> None:
        """Makes one due later."""
        ...

    async def end(self, id: str) -> None:
        """Deletes one."""
        ...

    async def is_authorization_pending(self, key: ConnectionKey) -> bool:
        """Whether the key's tenant has begun an authorization at the key's connector."""
        ...

    async def is_grant_shared(self, connector: str, client_id: str, subject: str | None) -> bool:
        """Whether a connection of any tenant lives on a grant of this client and subject.

        Grants whose subject is not known are taken for one another.
        """
        ...


class AuthorizationStore(Protocol):
    """Authorizations that have begun. One use, and gone when their time is over."""

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Keeps one for a while, by the store's own clock; clears away some that are over."""
        ...

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns one, in one statement, where both hashes match and it lives."""
        ...


class EndpointStore(Protocol):
    """Webhook endpoints, found by the hash of their token."""

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds one. Its hash is of 256 random bits and stands nowhere else."""
        ...

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection; None where either is gone. A previous secret
        whose time is over is not told."""
        ...

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        ...

    async def save_endpoint_secret(
        self,
        key: ConnectionKey,
        *,
        endpoint: str,
        sealed_secret: bytes,
        overlap: timedelta = timedelta(0),
    ) -> bool:
        """Replaces an endpoint's signing secret; False where it is not this connection's.

        The one before stays beside it for the overlap, by the store's own clock; one older
        than that goes at once.
        """
        ...

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap, by the store's own clock, or sooner where it was to
        end sooner; False where it is not this connection's."""
        ...


class InboxStore(Protocol):
    """The webhook inbox: the only truth about what was acknowledged and what became of it.

    Instants and pauses are by the store's own clock. What takes a `Delivery` changes nothing,
    and returns False, where that attempt is no longer the event's latest, or has ended.
    Every method raises `StoreUnavailable` where the database does not answer.
    """

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; when this returns it is durable. None where its id is there already.

        With an `owner` other than "", and neither held nor ordered, the event is the owner's
        first attempt from the start, and nobody else's before the lease is over.
        """
        ...

    async def claim(
        self, connectors: Collection[str], *, owner: str, lease: timedelta, limit: int
    ) -> Sequence[InboxEvent]:
        """Takes due events of these connectors and any tenant, at most `limit`, the longest
        due first; one more attempt each.

        Of events with the same order key the earliest alone, and none while another is held
        or being handled. Of several callers at once no two get the same. An event whose lease
        is over is due.
        """
        ...

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until some event of these connectors is due, ordered ones that wait for
        another included; 0 or less where one is; None where there is none."""
        ...

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Holds on to attempts that still run; passes over those that are not the latest."""
        ...

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Ends attempts that did not come to their end, as if they had not begun: due now."""
        ...

    async def complete(self, delivery: Delivery) -> bool:
        """The event is done; its body goes when its time is over."""
        ...

    async def retry(self, delivery: Delivery, *, code: str, pause: timedelta) -> bool:
        """The attempt failed; the next one is due after the pause."""
        ...

    async def bury(self, delivery: Delivery, *, code: str) -> bool:
        """The event is dead."""
        ...

    async def hold(self, delivery: Delivery) -> bool:
        """The event's connection is disabled: held, and the attempt does not count."""
        ...

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due whose connection is enabled: one connection's, or some of any
        tenant's. How many."""
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` when an event was recorded that no process has, until it is cancelled.

        No more than a hint: a store that cannot tell waits for ever, one that can may miss some.
        """
        ...

    async def purge(self) -> int:
        """Clears away some bodies and events whose time is over, of any tenant. How many."""
        ...

    async def find(self, key: ConnectionKey, id: str) -> InboxEvent | None:
        """One event of a connection."""
        ...

    async def list(
        self,
        key: ConnectionKey,
        *,
        state: EventState | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[InboxEvent]:
        """A connection's events, the latest first, before an instant and id; at most `limit`."""
        ...

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due whose attempts then count anew.

        False where there is none with a body, or an attempt at it is running.
        """
        ...


class RoutingStore(Protocol):
    """Which connections belong to an account at the provider, for webhooks of an application.

    Every method raises `StoreUnavailable` where the database does not answer.
    """

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Says that a connection's row belongs to an account there, beside those it has. The row
        may come later, or never."""
        ...

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Forgets every other account of a connection's row."""
        ...

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Forgets all accounts of a connection, whatever its row."""
        ...

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that belong to an account, 1,000 at most."""
        ...

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections of any tenant that a subject authorized, 1,000 at most."""
        ...


class Store(ConnectionStore, AuthorizationStore, EndpointStore, Protocol):
    """The database, whole. `testing.store_contract` holds any implementation to all this."""

    @property
    def revocations(self) -> RevocationStore:
        """Tokens to be revoked."""
        ...

    @property
    def inbox(self) -> InboxStore:
        """The webhook inbox."""
        ...

    @property
    def routing(self) -> RoutingStore:
        """The accounts at providers."""
        ...

    async def open(self) -> None:
        """Opens what it holds and makes sure that its schema is the one this version reads."""
        ...

    async def close(self) -> None:
        """Closes it. A closed store may be opened again."""
        ...
