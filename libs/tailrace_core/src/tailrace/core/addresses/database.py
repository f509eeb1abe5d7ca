"""Addresses of PostgreSQL, whose query says how a connection is encrypted, as libpq has it: `?sslmode=verify-full&sslrootcert=/etc/ca.pem`."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")


def tls_of(url: str) -> dict[str, str]:
    """What an address says of encryption, by libpq's names; files are those of the machine that connects."""
    return {name: value for name, value in parse_qsl(urlsplit(url).query) if name in _TLS}


def in_database(url: str, name: str) -> str:
    """The same server, user and encryption, and this database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def for_engine(url: str) -> tuple[str, dict[str, str]]:
    """An address, and arguments of the driver, for SQLAlchemy: it hands a query to asyncpg argument by argument, which takes most of this in a
    DSN alone. What asyncpg is told besides goes before the DSN."""
    tls = tls_of(url)
    if not tls:
        return url, {}
    parts = urlsplit(url)
    rest = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] not in _TLS])
    return urlunsplit(parts._replace(query=rest)), {"dsn": f"postgresql://?{urlencode(tls)}"}
