"""Which addresses are public, for a host that a stranger chose."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.public_address import is_public_address

# The first and the last of each block that is not public, and the public ones beside it.
BLOCKS = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("168.63.129.16", "168.63.129.16"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "255.255.255.255"),
]


@pytest.mark.parametrize(("first", "last"), BLOCKS)
def test_blocks_that_are_not_public(first: str, last: str) -> None:
    """Both ends of each block, and the addresses beside them."""
    assert not is_public_address(first)
    assert not is_public_address(last)
    if first != "0.0.0.0":
        assert is_public_address(str(IPv4Address(first) - 1))
    if last != "255.255.255.255":
        assert is_public_address(str(IPv4Address(last) + 1))


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("2000::", True),
        ("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", False),
        ("2a00:1450:4001::200e", True),
        ("3ffe:ffff::1", True),
        ("3fff::", False),
        ("3fff:fff:ffff::", False),
        ("3fff:1000::", True),
        ("4000::", False),
        ("2001::", False),
        ("2001:1ff:ffff::", False),
        ("2001:200::", True),
        ("2001:db7:ffff::", True),
        ("2001:db8::", False),
        ("2001:db8:ffff::1", False),
        ("2001:db9::", True),
        ("2001:ffff::", True),
        ("2002::", False),
        ("2002:7f00:1::", False),
        ("2003::", True),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", False),
        ("100::1", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b:1::8.8.8.8", False),
        ("fe80::1%eth0", False),
        ("2a00::1%eth0", False),
        ("64:ff9b::8.8.8.8%1", False),
    ],
)
def test_addresses_of_ipv6(address: str, taken: bool) -> None:
    """Global unicast without the reserved blocks; NAT64 depends on the IPv4 address inside."""
    assert is_public_address(address) is taken


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "8.8.8", "8.8.8.8 ", "8.8.8.8/32", "010.8.8.8", "0x8.8.8.8", "134744072",
     "[2a00::1]", "8.8.8.8\n", "٨.٨.٨.٨"],
)  # fmt: skip
def test_text_that_is_not_an_address_is_not_public(text: str) -> None:
    """Also what some systems read as an address."""
    assert is_public_address(text) is False


@given(st.integers(0, 2**32 - 1))
def test_nothing_that_python_calls_private_is_public(number: int) -> None:
    """Python's own list agrees, for every address in it."""
    address = IPv4Address(number)
    if address.is_private or address.is_multicast or address.is_loopback or address.is_reserved:
        assert not is_public_address(str(address))


@given(st.integers(0, 2**128 - 1))
def test_nothing_that_python_calls_private_is_public_in_ipv6(number: int) -> None:
    """The same for IPv6."""
    address = IPv6Address(number)
    if address.is_private or address.is_multicast or address.is_link_local:
        assert not is_public_address(str(address))


@given(st.ip_addresses(v=4))
def test_nat64_depends_on_the_ipv4_address_inside(address: IPv4Address) -> None:
    """RFC 6052 section 2.1."""
    assert is_public_address(f"64:ff9b::{address}") is is_public_address(str(address))
