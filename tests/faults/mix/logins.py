"""How a stranger reaches a Kafka that is locked: by what its address says, and by nothing of the product's."""

from typing import Any
from urllib.parse import unquote


def of(kafka: str) -> dict[str, Any]:
    """What a client of aiokafka takes. The address is `host:port`, or `sasl_plaintext://user:password@host:port`."""
    scheme, locked, rest = kafka.partition("://")
    if not locked:
        return {"bootstrap_servers": kafka}
    login, _, brokers = rest.rpartition("@")
    user, _, password = login.partition(":")
    return {
        "bootstrap_servers": brokers,
        "security_protocol": scheme.upper(),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": unquote(user),
        "sasl_plain_password": unquote(password),
    }
