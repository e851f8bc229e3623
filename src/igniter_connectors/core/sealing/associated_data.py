"""What an envelope is bound to: it opens in this place and no other."""

from __future__ import annotations

from typing import Literal

import msgspec

Purpose = Literal["config", "tokens", "authorization", "webhook", "event", "export"]
"""What a sealed value is for. Each has its own keys, so none stands in for another."""


class Binding(msgspec.Struct, frozen=True, gc=False):
    """The place of a sealed value: purpose, tenant, connector, account, row, generation.

    `row` is the row's random id, so that nothing opens in a row made later under the same
    key; `generation` counts token sets, and is 0 for what is not tokens.
    """

    purpose: Purpose
    scope: str
    identity: str
    connector: str
    account: str
    row: str
    generation: int = 0


def associated_data(place: Binding) -> bytes:
    """The binding as AES-GCM associated data.

    Six parts in the order of `Binding`, each as a 4-byte big-endian length and its UTF-8
    bytes, then the generation in 8 bytes: no two places share an encoding.
    """
    texts = (
        place.purpose,
        place.scope,
        place.identity,
        place.connector,
        place.account,
        place.row,
    )
    return length_prefixed(*texts) + place.generation.to_bytes(8, "big")


def length_prefixed(*texts: str) -> bytes:
    """Texts joined so that no two different lists share their bytes."""
    parts = [text.encode() for text in texts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
