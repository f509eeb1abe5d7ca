"""How a client reaches Kafka, in one text, as a database's address is: `sasl_ssl://user:password@broker:9092,other:9092?ca=/etc/ca.pem`.

`broker:9092` alone is Kafka without a lock. The scheme is Kafka's own `security.protocol`, in small letters. Where a user is wanted and none is
named, each process puts in its own (`Settings.as_kafka_user`). Only `brokers` may be shown: the whole text holds a password.

`mechanism=OAUTHBEARER&token_url=…` logs in with a token that the user and password get there (OAuth's client credentials), from identity or another
issuer; `cert=…&key=…` shows the brokers a certificate of one's own (mTLS). Where paths of those hold `{user}`, each process puts in its own there.
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
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER")
SCRAM = MECHANISMS[0]
OAUTHBEARER = MECHANISMS[-1]
PARAMETERS = ("mechanism", "token_url", "scope", "ca", "cert", "key")
_USER = "{user}"


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
    cert: str | None = None
    """The file of the client's own certificate, as PEM, with those between it and the one that the brokers trust."""
    key: str | None = None
    """The file of its private key, as PEM without a password; without one, it is in `cert`."""
    token_url: str | None = None
    """Where tokens are asked for, with OAUTHBEARER alone."""
    scope: str | None = None
    """What a token is asked to be good for, where the issuer wants that said."""

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
        if unknown := sorted(set(more) - set(PARAMETERS)):
            raise ValueError(f"Kafka's address has the parameter {unknown[0]}; known are {', '.join(PARAMETERS)}")
        if more.get("mechanism", SCRAM) not in MECHANISMS:
            raise ValueError(
                f"Kafka's address names the mechanism {more['mechanism']}; known are {', '.join(MECHANISMS)}"
            )
        read = cls(brokers, scheme, unquote(user) or None, unquote(password) or None, **more)
        read._check()
        return read

    def _check(self) -> None:
        """Raises ValueError for what does not go together: nobody is to think that he has what has no effect."""
        tls, oauth = self.protocol.endswith("ssl"), self.mechanism == OAUTHBEARER
        for name in ("ca", "cert", "key"):
            if getattr(self, name) and not tls:
                raise ValueError(f"Kafka's address has the parameter {name}, which {self.protocol}:// has no use for")
        if self.key and not self.cert:
            raise ValueError("Kafka's address has the parameter key, and no cert that it is the key of")
        if oauth and (not self.protocol.startswith("sasl") or not self.token_url):
            raise ValueError(
                "Kafka's address names OAUTHBEARER, which wants sasl_plaintext:// or sasl_ssl://, and a token_url"
            )
        for name in ("token_url", "scope"):
            if getattr(self, name) and not oauth:
                raise ValueError(f"Kafka's address has the parameter {name}, which is for mechanism=OAUTHBEARER alone")

    @property
    def wants_user(self) -> bool:
        """Whether a user has to be put in before a client can use it."""
        nobody = self.protocol.startswith("sasl") and self.user is None
        return nobody or _USER in f"{self.cert}{self.key}"

    def as_user(self, user: str, password: str) -> Self:
        """The same for this user; what the address says already stays."""
        files = {
            name: path.replace(_USER, user)
            for name, path in (("cert", self.cert), ("key", self.key))
            if path is not None
        }
        login = {"user": user, "password": password} if self.protocol.startswith("sasl") else {}
        return replace(self, **login, **files)

    def text(self) -> str:
        """What `parse` reads, with the password."""
        if self.protocol == "plaintext":
            return self.brokers
        login = f"{quote(self.user, safe='')}:{quote(self.password or '', safe='')}@" if self.user else ""
        said = {name: getattr(self, name) for name in PARAMETERS}
        query = urlencode({name: value for name, value in said.items() if value and value != SCRAM})
        return f"{self.protocol}://{login}{self.brokers}{'?' if query else ''}{query}"


def brokers_of(text: str) -> str:
    """The part of an address that may be shown."""
    return KafkaAddress.parse(text).brokers
