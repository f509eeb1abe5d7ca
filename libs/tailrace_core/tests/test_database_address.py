"""What an address of PostgreSQL says of encryption goes with it, into every database and into the driver."""

import pytest

from tailrace.core.addresses.database import for_engine, in_database, tls_of

PLAIN = "postgresql+asyncpg://me:p%2Fw@db:5432/one"
FULL = f"{PLAIN}?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"


def test_what_it_says_of_encryption() -> None:
    assert tls_of(PLAIN) == {}
    assert tls_of(f"{FULL}&application_name=x") == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


@pytest.mark.parametrize("url", [PLAIN, FULL, "postgresql://db/one?sslrootcert=/etc/ca.pem"])
def test_another_database_of_the_same_server(url: str) -> None:
    assert in_database(url, "two") == url.replace("/one", "/two")


def test_an_engine_is_told_by_a_dsn() -> None:
    assert for_engine(PLAIN) == (PLAIN, {})
    assert for_engine(FULL) == (PLAIN, {"dsn": "postgresql://?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"})
    assert for_engine(f"{PLAIN}?sslmode=require&x=y") == (f"{PLAIN}?x=y", {"dsn": "postgresql://?sslmode=require"})
