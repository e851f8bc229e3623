"""No two places, and no two lists of texts, share their bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igniter_connectors.core.sealing.associated_data import (
    Binding,
    associated_data,
    length_prefixed,
)

from .places import BINDINGS, PLACE, SWAPPED, TEXTS


@given(BINDINGS, BINDINGS)
def test_associated_data_is_injective(one: Binding, other: Binding) -> None:
    """Two places have the same associated data exactly when they are the same place."""
    assert (associated_data(one) == associated_data(other)) == (one == other)


def read_back(data: bytes) -> tuple[list[str], int]:
    """The parts and the generation, taken apart by the layout that the docstring gives."""
    texts = []
    for _ in range(6):
        length = int.from_bytes(data[:4], "big")
        texts.append(data[4 : 4 + length].decode())
        data = data[4 + length :]
    assert len(data) == 8
    return texts, int.from_bytes(data, "big")


@given(BINDINGS)
def test_associated_data_reads_back(place: Binding) -> None:
    """From the bytes alone the place can be told, so nothing of it is left out."""
    texts, generation = read_back(associated_data(place))
    parts = [place.purpose, place.scope, place.identity, place.connector, place.account, place.row]
    assert (texts, generation) == (parts, place.generation)


@pytest.mark.parametrize("swap", SWAPPED)
def test_each_part_of_a_place_counts(swap: str) -> None:
    """One step away in one part alone is another place."""
    assert associated_data(SWAPPED[swap]) != associated_data(PLACE)


@pytest.mark.parametrize("generation", [0, 1, 2**64 - 1])
def test_generations_have_eight_bytes(generation: int) -> None:
    """The least and the greatest that fit are bound whole."""
    place = Binding("tokens", "", "", "", "", "", generation)
    assert associated_data(place)[-8:] == generation.to_bytes(8, "big")


@pytest.mark.parametrize("generation", [-1, 2**64])
def test_generations_that_do_not_fit_are_faults(generation: int) -> None:
    """One step outside raises, rather than wrapping round to another generation."""
    with pytest.raises(OverflowError):
        associated_data(Binding("tokens", "", "", "", "", "", generation))


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
@example(["ab", "c"], ["a", "bc"])
@example(["", "a"], ["a", ""])
@example(["a"], ["a", ""])
@example(["\x00\x00\x00\x01a"], ["a"])
def test_length_prefixed_is_injective(one: list[str], other: list[str]) -> None:
    """However texts are cut, two different lists do not join to the same bytes."""
    assert (length_prefixed(*one) == length_prefixed(*other)) == (one == other)


def test_lengths_count_bytes_not_characters() -> None:
    """A part of several bytes a character does not run into the next."""
    assert length_prefixed("é") == b"\x00\x00\x00\x02\xc3\xa9"
