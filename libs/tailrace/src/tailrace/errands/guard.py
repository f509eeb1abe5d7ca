"""Where a call may go: to public addresses of the Internet by http and https, mail by smtp and smtps, and nowhere else unless the operator allows it.

An address is taken in its canonical form alone: what two programs may read in two ways (127.1, 0x7f000001, user@host, a backslash, dots of other
scripts) is refused before anything is looked up. A name is looked up once; each address that it has must be public, and the connection goes to one of
these, so that a name which changes its answer leads nowhere else. No socket is opened for what is refused.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text. Raises OSError when there are none."""

_PORTS = {"http": 80, "https": 443}
_MAIL_PORTS = {"smtp": 587, "smtps": 465}
_LONGEST = 2000
# RFC 3986 allows these characters and no others. A backslash, a blank or a control character is read differently by different programs.
_URL = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "localdomain", "arpa")

# What `is_global` of the older Pythons calls public, or what is public and yet answers from within (IANA special-purpose registries; RFC 6890).
_NOT_PUBLIC_4 = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, with metadata services in it
        "168.63.129.16/32",  # a platform's own host, on a public address
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ip_network(net)
    for net in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4, which carries any IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


class TargetRefused(Exception):
    """A call is not made. `kind` says why, in a word: url, scheme, userinfo, host, port, address."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads, as far as it says itself. `host` is in lower case, without the brackets of IPv6."""

    scheme: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """`host:port`, by which targets are told apart."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A target, and the address that its connection goes to."""

    target: Target
    address: str


class Guard:
    """`allowed`: targets as `host:port` that the operator means, whatever addresses they have. `ports`: those of any other host."""

    def __init__(
        self,
        allowed: Collection[str] = (),
        *,
        ports: Collection[int] = (80, 443),
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed = {each.lower() for each in allowed}
        self._ports = frozenset(ports)
        self._resolve = resolve or _look_up

    def target(self, url: str, *, mail: bool = False) -> Target:
        """Where it would go, as far as can be said without a look-up. Raises TargetRefused."""
        target = parse(url, mail=mail)
        if target.name in self._allowed:
            return target
        # Port 25 is for relays among each other (RFC 6409): who hands mail in has no business there.
        if target.port not in (_MAIL_PORTS.values() if mail else self._ports):
            raise TargetRefused("port")
        address = _literal(target.host)
        if address is None and _is_local(target.host):
            raise TargetRefused("host")
        if address is not None and not is_public(address):
            raise TargetRefused("address")
        return target

    async def pin(self, url: str, *, mail: bool = False) -> Pinned:
        """The one address to connect to. Raises TargetRefused, and OSError for a name that has none."""
        target = self.target(url, mail=mail)
        if _literal(target.host) is not None:
            return Pinned(target, target.host)
        addresses = [ip_address(text) for text in await self._resolve(target.host, target.port)]
        if not addresses:
            raise OSError(f"{target.host} has no address")
        if target.name not in self._allowed and not all(map(is_public, addresses)):
            raise TargetRefused("address")
        # IPv4 first: a machine without a way out by IPv6 has its addresses nevertheless.
        return Pinned(target, str(min(addresses, key=lambda address: address.version)))


def parse(url: str, *, mail: bool = False) -> Target:
    """The parts of an address that is written in the one way there is; of a mail server's, with `mail`. Raises TargetRefused."""
    ports = _MAIL_PORTS if mail else _PORTS
    if len(url) > _LONGEST or not _URL.fullmatch(url):
        raise TargetRefused("url")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise TargetRefused("url") from None
    if parts.scheme not in ports or not url.lower().startswith(f"{parts.scheme}://"):
        raise TargetRefused("scheme")
    if "@" in parts.netloc:
        raise TargetRefused("userinfo")
    host, port = _host_and_port(parts.netloc)
    return Target(parts.scheme, host, ports[parts.scheme] if port is None else port)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is an address of the Internet at large, and of no network around here, however it is wrapped."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in net for net in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    # Mapped, translated and tunnelled addresses lie outside of the one, or are among the others.
    return address in _PUBLIC_6 and not any(address in net for net in _NOT_PUBLIC_6)


def _host_and_port(netloc: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([1-9][0-9]{0,4}))?", netloc)
    if found is None:
        raise TargetRefused("port" if re.fullmatch(r"(\[.+\]|[^\[\]:]+):.*", netloc) else "host")
    port = None if found[2] is None else int(found[2])
    if port is not None and port > 65535:
        raise TargetRefused("port")
    return _host(found[1].lower()), port


def _host(text: str) -> str:
    """A name of letters, digits and hyphens (RFC 1123), or an IP address as it is written canonically."""
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise TargetRefused("host") from None
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise TargetRefused("host")
    # A last label that is a number makes the whole an IPv4 address in some form (WHATWG URL, "ends in a number").
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(text))
        except ValueError:
            raise TargetRefused("host") from None
    return text


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_local(host: str) -> bool:
    """A name that only a network of its own knows."""
    return "." not in host or host.rpartition(".")[2] in _LOCAL_NAMES


async def _look_up(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
