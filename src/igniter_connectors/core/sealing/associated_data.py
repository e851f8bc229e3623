"""The associated data of an envelope: it binds the ciphertext to one row and one purpose."""

from __future__ import annotations

from typing import Literal

import msgspec

Purpose = Literal["config", "tokens", "authorization", "webhook", "event", "export"]
"""What a sealed value is for. Each purpose has its own keys, so no value can replace another."""


class Binding(msgspec.Struct, frozen=True, gc=False):
    """Where a sealed value is stored: purpose, tenant, connector, account, row, generation.

    `row` is the row's random id, so that an envelope does not open in a row that is created
    later under the same connection key. `generation` counts token sets; it is 0 for all
    other values.
    """

    purpose: Purpose
    scope: str
    identity: str
    connector: str
    account: str
    row: str
    generation: int = 0


def associated_data(binding: Binding) -> bytes:
    """The binding as AES-GCM associated data.

    The six texts in the order of `Binding`, each as a 4-byte big-endian length and its UTF-8
    bytes, then the generation as 8 big-endian bytes. No two bindings have the same encoding.
    """
    texts = (
        binding.purpose,
        binding.scope,
        binding.identity,
        binding.connector,
        binding.account,
        binding.row,
    )
    return length_prefixed(*texts) + binding.generation.to_bytes(8, "big")


def length_prefixed(*texts: str) -> bytes:
    """Joins texts, each after its length. Two different lists never give the same bytes."""
    parts = [text.encode() for text in texts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
