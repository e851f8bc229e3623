"""Seals and opens the parts of a connection's row."""

from __future__ import annotations

from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.validation import (
    decode_json,
    encode_json_to_seal,
    validation_fault,
)
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import ConfigInvalid, DecryptFailed, EncryptFailed
from igniter_connectors.core.sealing.associated_data import Binding, Purpose
from igniter_connectors.core.sealing.envelope import NONCE_LENGTH
from igniter_connectors.core.sealing.sealer import open_sealed, seal
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


class NotOpened(Exception):
    """A stored config cannot be opened. `problem` is the problem to return."""

    def __init__(self, problem: ConfigInvalid | DecryptFailed) -> None:
        super().__init__(problem.code)
        self.problem = problem


def place_of(purpose: Purpose, key: ConnectionKey, row: str, generation: int = 0) -> Binding:
    """The binding of one sealed part: it opens for this connection and this row only."""
    return Binding(purpose, key.scope, key.identity, key.connector, key.account, row, generation)


def seal_bytes(engine: Engine, plaintext: bytes, place: Binding) -> Result[bytes, EncryptFailed]:
    """Seals with a fresh nonce; `EncryptFailed` if the plaintext is larger than 1 MiB."""
    sealed = seal(
        plaintext,
        place,
        engine.ciphers,
        nonce=engine.entropy.octets(NONCE_LENGTH),
        now=engine.clock.monotonic(),
    )
    return sealed.alt(lambda _: EncryptFailed(place.connector))


def open_bytes(engine: Engine, sealed: bytes, place: Binding) -> Result[bytes, DecryptFailed]:
    """Opens what was sealed with this binding."""
    opened = open_sealed(sealed, place, engine.ciphers, now=engine.clock.monotonic())
    return opened.alt(lambda _: DecryptFailed(place.connector))


def seal_config(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    config: Conf,
    place: Binding,
) -> Result[tuple[bytes, bytes], ConfigInvalid | EncryptFailed]:
    """A validated config as its public JSON and its sealed part."""
    split = connector.schema.split(config)
    if not is_successful(split):
        fault = split.failure()
        return Failure(ConfigInvalid(connector.key, fault.path, fault.reason))
    parts = split.unwrap()
    sealed = seal_bytes(engine, parts.secret, place)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    return Success((parts.public, sealed.unwrap()))


def open_config(
    engine: Engine, connector: Definition[Conf, Ctx, Any], record: ConnectionRecord
) -> Conf:
    """A row's config. It raises instead of returning a Result: every action pays for this.

    Raises:
        NotOpened: with the `DecryptFailed` or `ConfigInvalid` to return.
    """
    key = record.key
    place = Binding("config", key.scope, key.identity, key.connector, key.account, record.id)
    secret = engine.ciphers.open(record.sealed_config, place, now=engine.clock.monotonic())
    if secret is None:
        raise NotOpened(DecryptFailed(connector.key))
    try:
        return connector.schema.join(record.public_config, secret)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = validation_fault(error, connector.schema.kind)
        raise NotOpened(ConfigInvalid(connector.key, fault.path, fault.reason)) from None


def seal_tokens(
    engine: Engine, tokens: TokenSet, key: ConnectionKey, *, row: str, generation: int
) -> Result[bytes, EncryptFailed]:
    """Tokens, sealed for one row and one generation."""
    encoded = encode_json_to_seal(tokens)
    if not is_successful(encoded):
        return Failure(EncryptFailed(key.connector))
    return seal_bytes(engine, encoded.unwrap(), place_of("tokens", key, row, generation))


def open_tokens(engine: Engine, record: ConnectionRecord) -> Result[TokenSet, DecryptFailed]:
    """A row's tokens."""
    grant = record.grant
    if grant is None:
        return Failure(DecryptFailed(record.key.connector))
    place = place_of("tokens", record.key, record.id, grant.generation)
    return _open_tokens(engine, grant.sealed_tokens, place)


def open_sealed_tokens(
    engine: Engine, key: ConnectionKey, lease: Lease
) -> Result[TokenSet, DecryptFailed]:
    """The tokens that a lease returned: no other tokens may be sent."""
    place = place_of("tokens", key, lease.row, lease.generation)
    return _open_tokens(engine, lease.sealed_tokens, place)


def _open_tokens(engine: Engine, sealed: bytes, place: Binding) -> Result[TokenSet, DecryptFailed]:
    opened = open_bytes(engine, sealed, place)
    if not is_successful(opened):
        return Failure(opened.failure())
    tokens = decode_json(opened.unwrap(), TokenSet)
    return tokens.alt(lambda _: DecryptFailed(place.connector))


def opens_here(engine: Engine, record: ConnectionRecord) -> bool:
    """Whether this process can open a row's tokens. Logs the id of a missing key, once.

    While a new secret is rolled out, other processes can open what this one cannot. So check
    this before you take a lease or write a schedule that would keep them from it.
    """
    if is_successful(open_tokens(engine, record)):
        return True
    if record.grant is not None:
        log_missing_key(engine, record.key.connector, record.grant.sealed_tokens)
    return False


def log_missing_key(engine: Engine, connector: str, sealed: bytes) -> None:
    """Logs which key this process lacks to open an envelope, once for each key."""
    key_id = engine.ciphers.missing_key(sealed)
    if key_id is not None and key_id not in engine.missing_keys:
        engine.missing_keys.add(key_id)
        engine.logger.error(
            "%s: this process has no key %s: add its secret to the previous secrets",
            connector,
            key_id,
        )


def seal_to_export(
    engine: Engine, connector: Definition[Conf, Ctx, Any], key: ConnectionKey, config: Conf
) -> Result[Secret, ConfigInvalid | EncryptFailed]:
    """A config sealed for one connection, in hex, for the application to keep elsewhere."""
    checked = connector.schema.validate(config)
    if not is_successful(checked):
        fault = checked.failure()
        return Failure(ConfigInvalid(connector.key, fault.path, fault.reason))
    encoded = encode_json_to_seal(checked.unwrap())
    if not is_successful(encoded):
        fault = encoded.failure()
        return Failure(ConfigInvalid(connector.key, fault.path, fault.reason))
    sealed = seal_bytes(engine, encoded.unwrap(), place_of("export", key, ""))
    return sealed.map(lambda octets: Secret(octets.hex()))


def open_exported(
    engine: Engine, connector: Definition[Conf, Ctx, Any], key: ConnectionKey, sealed: Secret
) -> Result[Conf, ConfigInvalid | DecryptFailed]:
    """A config that `seal_to_export` sealed for this same connection."""
    try:
        octets = bytes.fromhex(sealed.reveal())
    except ValueError:
        return Failure(DecryptFailed(connector.key))
    opened = open_bytes(engine, octets, place_of("export", key, ""))
    if not is_successful(opened):
        return Failure(opened.failure())
    config = decode_json(opened.unwrap(), connector.schema.kind)
    return config.alt(lambda fault: ConfigInvalid(connector.key, fault.path, fault.reason))
