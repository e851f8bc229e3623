"""Webhook endpoints: found by their token, rotated with an overlap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import Store
from igniter_connectors.testing.contract_records import (
    NOW,
    disconnect,
    endpoint_of,
    inserted,
    key_of,
    record_of,
)


async def an_endpoint_is_found_with_its_connection(store: Store) -> None:
    """A token's hash finds its own endpoint among several of one connection."""
    record = await inserted(store, record_of())
    one, two = endpoint_of(record, b"1" * 32), endpoint_of(record, b"2" * 32)
    await store.add_endpoint(one)
    await store.add_endpoint(two)
    assert await store.find_endpoint(b"1" * 32) == (one, record)
    assert await store.find_endpoint(b"3" * 32) is None
    assert list(await store.list_endpoints(record.key)) == [one, two]
    assert list(await store.list_endpoints(key_of("other"))) == []


async def an_endpoint_goes_with_its_connection(store: Store) -> None:
    """Deleting a connection ends its endpoints, and connecting again does not revive them."""
    record = await inserted(store, record_of())
    await store.add_endpoint(endpoint_of(record, b"1" * 32))
    assert await disconnect(store, record.key)
    assert await store.find_endpoint(b"1" * 32) is None
    again = await inserted(store, record_of())
    assert await store.find_endpoint(b"1" * 32) is None
    assert list(await store.list_endpoints(again.key)) == []


async def an_endpoint_ends(store: Store) -> None:
    """An endpoint is not found after `valid_until`."""
    record = await inserted(store, record_of())
    soon = datetime(2999, 1, 1, tzinfo=UTC)
    await store.add_endpoint(endpoint_of(record, b"1" * 32, valid_until=NOW - timedelta(days=9999)))
    await store.add_endpoint(endpoint_of(record, b"2" * 32, valid_until=soon))
    assert await store.find_endpoint(b"1" * 32) is None
    assert await store.find_endpoint(b"2" * 32) is not None


async def an_endpoints_secret_is_replaced_by_its_owner(store: Store) -> None:
    """Another tenant cannot replace the secret."""
    record = await inserted(store, record_of())
    endpoint = endpoint_of(record, b"1" * 32)
    await store.add_endpoint(endpoint)
    assert not await store.save_endpoint_secret(
        key_of("other"), endpoint=endpoint.id, sealed_secret=b"evil"
    )
    assert await store.save_endpoint_secret(record.key, endpoint=endpoint.id, sealed_secret=b"new")
    found = await store.find_endpoint(b"1" * 32)
    assert found is not None
    assert found[0].sealed_secret == b"new"


async def a_replaced_secret_stays_for_its_overlap(store: Store) -> None:
    """The old secret stays valid for the overlap; without an overlap it is deleted."""
    record = await inserted(store, record_of())
    endpoint = endpoint_of(record, b"1" * 32)
    await store.add_endpoint(endpoint)

    async def secrets_now() -> tuple[bytes, bytes | None]:
        found = await store.find_endpoint(b"1" * 32)
        assert found is not None
        return found[0].sealed_secret, found[0].sealed_previous

    async def replace_secret(secret: bytes, overlap: timedelta) -> None:
        assert await store.save_endpoint_secret(
            record.key, endpoint=endpoint.id, sealed_secret=secret, overlap=overlap
        )

    assert await secrets_now() == (endpoint.sealed_secret, None)
    await replace_secret(b"second", timedelta(minutes=1))
    assert await secrets_now() == (b"second", endpoint.sealed_secret)
    await replace_secret(b"third", timedelta(milliseconds=50))
    assert (await secrets_now())[0] == b"third"
    await asyncio.sleep(0.12)
    assert await secrets_now() == (b"third", None)
    await replace_secret(b"fourth", timedelta(minutes=1))
    await replace_secret(b"fifth", timedelta(0))
    assert await secrets_now() == (b"fifth", None)


async def a_retired_endpoint_ends_after_its_overlap(store: Store) -> None:
    """Retiring again never moves the end back, and another tenant cannot retire the endpoint."""
    record = await inserted(store, record_of())
    endpoint = endpoint_of(record, b"1" * 32)
    await store.add_endpoint(endpoint)

    async def retire(overlap: timedelta) -> bool:
        return await store.retire_endpoint(record.key, endpoint=endpoint.id, overlap=overlap)

    assert not await store.retire_endpoint(
        key_of("other"), endpoint=endpoint.id, overlap=timedelta(0)
    )
    assert not await store.retire_endpoint(record.key, endpoint="none", overlap=timedelta(0))
    assert await store.find_endpoint(b"1" * 32) is not None
    assert await retire(timedelta(milliseconds=80))
    assert await retire(timedelta(minutes=1))
    assert await store.find_endpoint(b"1" * 32) is not None
    await asyncio.sleep(0.15)
    assert await store.find_endpoint(b"1" * 32) is None
    (listed,) = await store.list_endpoints(record.key)
    assert listed.valid_until is not None


async def an_endpoint_added_twice_is_one(store: Store) -> None:
    """The second time changes nothing: the answer of the first may have been lost."""
    record = await inserted(store, record_of())
    endpoint = endpoint_of(record, b"1" * 32)
    await store.add_endpoint(endpoint)
    assert await store.save_endpoint_secret(record.key, endpoint=endpoint.id, sealed_secret=b"new")
    await store.add_endpoint(endpoint)
    (listed,) = await store.list_endpoints(record.key)
    assert listed.sealed_secret == b"new"


async def a_secret_is_replaced_if_it_is_the_expected_one(store: Store) -> None:
    """Of concurrent callers that read one secret, one replaces it, and it stays accepted."""
    record = await inserted(store, record_of())
    endpoint = endpoint_of(record, b"1" * 32)
    await store.add_endpoint(endpoint)

    async def save(sealed: bytes, expected: bytes) -> bool:
        return await store.save_endpoint_secret(
            record.key,
            endpoint=endpoint.id,
            sealed_secret=sealed,
            overlap=timedelta(minutes=1),
            expected=expected,
        )

    assert not await save(b"new", b"another")
    names = [f"new-{number}".encode() for number in range(6)]
    written = await asyncio.gather(*(save(name, endpoint.sealed_secret) for name in names))
    assert sum(written) == 1
    (listed,) = await store.list_endpoints(record.key)
    assert listed.sealed_secret == names[written.index(True)]
    assert listed.sealed_previous == endpoint.sealed_secret


async def a_previous_secret_ends_at_the_sooner_end(store: Store) -> None:
    """Never later than before, and another tenant cannot end it."""
    record = await inserted(store, record_of())
    endpoint = endpoint_of(record, b"1" * 32)
    await store.add_endpoint(endpoint)

    async def end(seconds: float, tenant: str = "acme") -> bool:
        return await store.end_previous_secret(
            key_of(tenant), endpoint=endpoint.id, overlap=timedelta(seconds=seconds)
        )

    async def ends_at() -> datetime | None:
        (listed,) = await store.list_endpoints(record.key)
        return listed.previous_until

    assert not await end(60)
    assert await store.save_endpoint_secret(
        record.key, endpoint=endpoint.id, sealed_secret=b"new", overlap=timedelta(minutes=1)
    )
    first = await ends_at()
    assert first is not None
    assert not await end(0, "other")
    assert await end(600)
    assert await ends_at() == first
    assert await end(0)
    ended = await ends_at()
    assert ended is not None
    assert ended < first
    found = await store.find_endpoint(b"1" * 32)
    assert found is not None
    assert found[0].sealed_previous is None


async def an_endpoint_is_rotated_once(store: Store) -> None:
    """Of concurrent rotations one adds its endpoint, and repeating that one changes nothing."""
    record = await inserted(store, record_of())
    old = endpoint_of(record, b"0" * 32)
    await store.add_endpoint(old)
    news = [endpoint_of(record, bytes([number]) * 32) for number in range(1, 7)]

    async def rotate(new: EndpointRecord, seconds: float = 60) -> bool:
        overlap = timedelta(seconds=seconds)
        return await store.rotate_endpoint(new, replaces=old.id, overlap=overlap)

    foreign = replace(news[0], key=key_of("other"))
    assert not await rotate(foreign)
    assert not await store.rotate_endpoint(news[0], replaces="none", overlap=timedelta(0))
    assert list(await store.list_endpoints(record.key)) == [old]
    done = await asyncio.gather(*map(rotate, news))
    assert sum(done) == 1
    new = news[done.index(True)]
    assert await rotate(new, 600)
    listed = {one.id: one for one in await store.list_endpoints(record.key)}
    assert listed.keys() == {old.id, new.id}
    assert listed[new.id] == new
    replaced = listed[old.id]
    assert replaced.replaced_by == new.id
    assert replaced.valid_until is not None
    assert await store.find_endpoint(old.token_hash) == (replaced, record)
    assert await rotate(new, 0)
    assert await store.find_endpoint(old.token_hash) is None
    assert await store.find_endpoint(new.token_hash) == (new, record)


async def an_endpoint_is_removed_by_its_owner(store: Store) -> None:
    """It leaves nothing; the others stay."""
    record = await inserted(store, record_of())
    one, two = endpoint_of(record, b"1" * 32), endpoint_of(record, b"2" * 32)
    for endpoint in (one, two):
        await store.add_endpoint(endpoint)
    assert not await store.remove_endpoint(key_of("other"), endpoint=one.id)
    assert await store.remove_endpoint(record.key, endpoint=one.id)
    assert not await store.remove_endpoint(record.key, endpoint=one.id)
    assert list(await store.list_endpoints(record.key)) == [two]


async def many_look_for_endpoints_at_once(store: Store) -> None:
    """Concurrent callers each get their own endpoint, or None for an unknown hash."""
    record = await inserted(store, record_of())
    hashes = [bytes([number]) * 32 for number in range(70)]
    for token_hash in hashes:
        await store.add_endpoint(endpoint_of(record, token_hash))
    wanted = [*hashes, *hashes, b"none" * 8]
    found = await asyncio.gather(*(store.find_endpoint(one) for one in wanted))
    assert [one and one[0].token_hash for one in found] == [*hashes, *hashes, None]
    assert all(one is None or one[1] == record for one in found)


ENDPOINTS_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    an_endpoint_is_found_with_its_connection,
    an_endpoint_goes_with_its_connection,
    an_endpoint_ends,
    an_endpoints_secret_is_replaced_by_its_owner,
    a_replaced_secret_stays_for_its_overlap,
    a_retired_endpoint_ends_after_its_overlap,
    an_endpoint_added_twice_is_one,
    a_secret_is_replaced_if_it_is_the_expected_one,
    a_previous_secret_ends_at_the_sooner_end,
    an_endpoint_is_rotated_once,
    an_endpoint_is_removed_by_its_owner,
    many_look_for_endpoints_at_once,
)
