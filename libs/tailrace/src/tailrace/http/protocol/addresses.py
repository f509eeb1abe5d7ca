"""Whom an address stands for, where something is shared out by addresses."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network


def address_key(host: str | None) -> str:
    """The key of a connection's other end; empty when it has no address.

    An IPv6 site counts as one (/64), since its hosts are free to pick addresses.
    """
    if host is None:
        return ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_among(host: str | None, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether this is an address in one of the networks; an IPv4 address counts also where it is written as IPv6."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
