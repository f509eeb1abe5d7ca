"""How a client reaches Kafka, in one text, as a database's address is: `sasl_ssl://user:password@broker:9092,other:9092?ca=/etc/ca.pem`.

`broker:9092` alone is Kafka without a lock. The scheme is Kafka's own `security.protocol`, in small letters. Where a user is wanted and none is
named, each process puts in its own (`Settings.as_kafka_user`). Only `brokers` may be shown: the whole text holds a password.
"""

from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode

OPERATOR = "operator"
"""The user of the tools, who may do everything."""
CONNECT = "connect"
"""The user of Kafka Connect."""
BROKER = "broker"
"""What a broker is to itself, who may do everything."""
RESERVED = frozenset({OPERATOR, CONNECT, BROKER})
"""Users of the installation's own: nothing else is called so."""
CONNECT_GROUP = "tailrace-connect"
PROTOCOLS = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SCRAM = MECHANISMS[0]


@dataclass(frozen=True)
class KafkaAddress:
    brokers: str
    """`host:port`, separated by commas."""
    protocol: str = "plaintext"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = SCRAM
    ca: str | None = None
    """The file of the certificates that brokers are verified with; without one, those of the machine."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for a scheme, a mechanism or a parameter that is not known; its text holds no password."""
        scheme, found, rest = text.partition("://")
        if not found:
            return cls(text)
        at, _, query = rest.partition("?")
        login, _, brokers = at.rstrip("/").rpartition("@")
        user, _, password = login.partition(":")
        more = dict(parse_qsl(query, strict_parsing=bool(query)))
        if scheme not in PROTOCOLS:
            raise ValueError(f"Kafka's address begins with {scheme}://; known are {', '.join(PROTOCOLS)}")
        if unknown := sorted(set(more) - {"mechanism", "ca"}):
            raise ValueError(f"Kafka's address has the parameter {unknown[0]}; known are mechanism and ca")
        if more.get("mechanism", SCRAM) not in MECHANISMS:
            raise ValueError(
                f"Kafka's address names the mechanism {more['mechanism']}; known are {', '.join(MECHANISMS)}"
            )
        return cls(brokers, scheme, unquote(user) or None, unquote(password) or None, **more)

    @property
    def wants_user(self) -> bool:
        """Whether a user has to be put in before a client can use it."""
        return self.protocol.startswith("sasl") and self.user is None

    def as_user(self, user: str, password: str) -> Self:
        return replace(self, user=user, password=password)

    def text(self) -> str:
        """What `parse` reads, with the password."""
        if self.protocol == "plaintext":
            return self.brokers
        login = f"{quote(self.user, safe='')}:{quote(self.password or '', safe='')}@" if self.user else ""
        more = {"mechanism": self.mechanism} if self.mechanism != SCRAM else {}
        query = urlencode({**more, **({"ca": self.ca} if self.ca else {})})
        return f"{self.protocol}://{login}{self.brokers}{'?' if query else ''}{query}"


def brokers_of(text: str) -> str:
    """The part of an address that may be shown."""
    return KafkaAddress.parse(text).brokers
