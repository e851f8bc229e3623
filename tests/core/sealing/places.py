"""Keyrings and places that the tests of sealing begin from."""

from __future__ import annotations

from typing import Final, get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.sealing.associated_data import Binding, Purpose

SECRET: Final = "correct-horse-battery-staple-0123456789"
OTHER_SECRET: Final = "9876543210-elpats-yrettab-esroh-tcerroc"
NONCE: Final = bytes(range(12))
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

PLACE: Final = Binding("tokens", "organization", "acme", "telegram", "default", "row-1", 7)

# One step away from `PLACE` in each part of the binding.
SWAPPED: Final = {
    "purpose": replace(PLACE, purpose="config"),
    "scope": replace(PLACE, scope="system"),
    "identity": replace(PLACE, identity="acme2"),
    "connector": replace(PLACE, connector="slack"),
    "account": replace(PLACE, account="work"),
    "row": replace(PLACE, row="row-2"),
    "an older generation": replace(PLACE, generation=6),
    "a newer generation": replace(PLACE, generation=8),
    "parts that join to the same text": replace(PLACE, scope="organizationa", identity="cme"),
    "parts that trade places": replace(PLACE, connector="default", account="telegram"),
}

TEXTS: Final = st.text(st.characters(codec="utf-8"), max_size=20)
BINDINGS: Final = st.builds(
    Binding,
    purpose=st.sampled_from(PURPOSES),
    scope=TEXTS,
    identity=TEXTS,
    connector=TEXTS,
    account=TEXTS,
    row=TEXTS,
    generation=st.integers(min_value=0, max_value=2**64 - 1),
)
