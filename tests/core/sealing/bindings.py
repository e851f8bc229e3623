"""Secrets and bindings that the tests of sealing share."""

from __future__ import annotations

from typing import Final, get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.sealing.associated_data import Binding, Purpose

SECRET: Final = "correct-horse-battery-staple-0123456789"
OTHER_SECRET: Final = "9876543210-elpats-yrettab-esroh-tcerroc"
NONCE: Final = bytes(range(12))
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

BINDING: Final = Binding("tokens", "organization", "acme", "telegram", "default", "row-1", 7)

# `BINDING` with one part changed.
SWAPPED: Final = {
    "purpose": replace(BINDING, purpose="config"),
    "scope": replace(BINDING, scope="system"),
    "identity": replace(BINDING, identity="acme2"),
    "connector": replace(BINDING, connector="slack"),
    "account": replace(BINDING, account="work"),
    "row": replace(BINDING, row="row-2"),
    "an older generation": replace(BINDING, generation=6),
    "a newer generation": replace(BINDING, generation=8),
    "parts that join to the same text": replace(BINDING, scope="organizationa", identity="cme"),
    "parts exchanged": replace(BINDING, connector="default", account="telegram"),
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
