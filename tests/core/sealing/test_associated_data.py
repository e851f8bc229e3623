"""Two different bindings, or two different lists of texts, never give the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igniter_connectors.core.sealing.associated_data import (
    Binding,
    associated_data,
    length_prefixed,
)

from .bindings import BINDING, BINDINGS, SWAPPED, TEXTS


@given(BINDINGS, BINDINGS)
def test_associated_data_is_injective(one: Binding, other: Binding) -> None:
    """Two bindings have the same associated data only if they are equal."""
    assert (associated_data(one) == associated_data(other)) == (one == other)


def read_back(data: bytes) -> tuple[list[str], int]:
    """The texts and the generation, parsed with the layout from the docstring."""
    texts = []
    for _ in range(6):
        length = int.from_bytes(data[:4], "big")
        texts.append(data[4 : 4 + length].decode())
        data = data[4 + length :]
    assert len(data) == 8
    return texts, int.from_bytes(data, "big")


@given(BINDINGS)
def test_associated_data_reads_back(binding: Binding) -> None:
    """The bytes contain the whole binding: it can be parsed from them."""
    texts, generation = read_back(associated_data(binding))
    parts = [
        binding.purpose,
        binding.scope,
        binding.identity,
        binding.connector,
        binding.account,
        binding.row,
    ]
    assert (texts, generation) == (parts, binding.generation)


@pytest.mark.parametrize("swap", SWAPPED)
def test_each_part_of_a_binding_counts(swap: str) -> None:
    """A change in one part gives other associated data."""
    assert associated_data(SWAPPED[swap]) != associated_data(BINDING)


@pytest.mark.parametrize("generation", [0, 1, 2**64 - 1])
def test_generations_have_eight_bytes(generation: int) -> None:
    """The smallest and the largest generation that fit are encoded in full."""
    binding = Binding("tokens", "", "", "", "", "", generation)
    assert associated_data(binding)[-8:] == generation.to_bytes(8, "big")


@pytest.mark.parametrize("generation", [-1, 2**64])
def test_generations_that_do_not_fit_are_faults(generation: int) -> None:
    """One step outside the range raises; it does not wrap round to another generation."""
    with pytest.raises(OverflowError):
        associated_data(Binding("tokens", "", "", "", "", "", generation))


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
@example(["ab", "c"], ["a", "bc"])
@example(["", "a"], ["a", ""])
@example(["a"], ["a", ""])
@example(["\x00\x00\x00\x01a"], ["a"])
def test_length_prefixed_is_injective(one: list[str], other: list[str]) -> None:
    """Two different lists of texts never join to the same bytes."""
    assert (length_prefixed(*one) == length_prefixed(*other)) == (one == other)


def test_lengths_count_bytes_not_characters() -> None:
    """A character of several bytes does not spill into the next part."""
    assert length_prefixed("é") == b"\x00\x00\x00\x02\xc3\xa9"
