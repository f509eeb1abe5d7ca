"""Whom an address stands for, where something is shared out by addresses."""

import ipaddress


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
