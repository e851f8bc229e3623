"""Whether an IP address is on the public internet. A host that a tenant names must be.

Uses the special-purpose registries (RFC 6890), not `ipaddress.is_global`, whose answers differ
between Python versions.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final

_NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private, RFC 1918
            "100.64.0.0/10",  # shared by carriers, RFC 6598
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's own services, seen by its machines alone
            "169.254.0.0/16",  # link-local, and the metadata service of every cloud
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_PUBLIC_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo and ORCHID among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address inside, private ones too
            "3fff::/20",  # documentation
        ),
    )
)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")


def is_public_address(address: str) -> bool:
    """Whether an IP address is outside of all private networks.

    False for private, loopback, link-local, shared, multicast, reserved and documentation
    addresses, for IPv4 inside IPv6 (except NAT64, RFC 6052, judged by the address inside), for
    an address with a zone, and for text that is no address.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_public_4(parsed)
    if parsed.scope_id is not None:
        return False
    if parsed in _TRANSLATED:
        return _is_public_4(IPv4Address(int(parsed) & 0xFFFFFFFF))
    return _is_public_6(parsed)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_4)


def _is_public_6(address: IPv6Address) -> bool:
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)
