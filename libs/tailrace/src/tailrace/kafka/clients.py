"""Every client of Kafka is made here, so that what keeps a promise is set in one place: no history skipped, nothing committed before its effect,
nothing read that was rolled back, nothing sent that one broker alone has, or that a second try doubles.

aiokafka's own defaults do none of that. A client is not started yet; `shutdown.stop` ends it.
"""

from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.helpers import create_ssl_context

from tailrace.core.addresses.kafka import OAUTHBEARER, KafkaAddress
from tailrace.kafka.tokens import tokens_for


def consumer(
    bootstrap: str,
    *topics: str,
    group: str | None = None,
    start: Literal["earliest", "latest", "none"] = "earliest",
    **tuning: Any,
) -> AIOKafkaConsumer:
    """Reads `topics`, or what it is assigned or subscribes to later. Offsets move only when it is asked to commit.

    `start` is where it begins when there is no offset for a partition, or a void one; "none" raises OffsetOutOfRangeError instead.
    `tuning` are times and sizes, by aiokafka's names.
    """
    return AIOKafkaConsumer(
        *topics,
        group_id=group,
        auto_offset_reset=start,
        enable_auto_commit=False,
        isolation_level="read_committed",
        **{"retry_backoff_ms": 200, **tuning},
        **connection(bootstrap),
    )


def producer(bootstrap: str) -> AIOKafkaProducer:
    """Its partitioner hashes keys as Connect's producer does (murmur2), so an aggregate stays in its partition."""
    return AIOKafkaProducer(acks="all", enable_idempotence=True, **connection(bootstrap))


def transactional(bootstrap: str, name: str, *, lasting_ms: int = 20_000) -> AIOKafkaProducer:
    """A producer whose transactions are all or nothing, and end when they last too long. Starting another of that name fences this one off."""
    return AIOKafkaProducer(
        acks="all", transactional_id=name, transaction_timeout_ms=lasting_ms, linger_ms=0, **connection(bootstrap)
    )


def admin(bootstrap: str) -> AIOKafkaAdminClient:
    """Topics and groups: asked about, made, deleted."""
    return AIOKafkaAdminClient(**connection(bootstrap))


def probe(bootstrap: str, *, within_ms: int) -> AIOKafkaClient:
    """A bare connection, for what can be learnt from the brokers' metadata."""
    return AIOKafkaClient(request_timeout_ms=within_ms, **connection(bootstrap))


def connection(address: str) -> dict[str, Any]:
    """How any client of aiokafka reaches the brokers, by an address as `tailrace.core.addresses.kafka` says. Raises ValueError for
    another, and OSError for certificates that cannot be read."""
    to = KafkaAddress.parse(address)
    reached: dict[str, Any] = {"bootstrap_servers": to.brokers, "security_protocol": to.protocol.upper()}
    if to.protocol.endswith("ssl"):
        reached["ssl_context"] = create_ssl_context(cafile=to.ca, certfile=to.cert, keyfile=to.key)
    if to.protocol.startswith("sasl"):
        reached["sasl_mechanism"] = to.mechanism
        if to.mechanism == OAUTHBEARER:
            reached["sasl_oauth_token_provider"] = tokens_for(to)
        else:
            reached |= {"sasl_plain_username": to.user, "sasl_plain_password": to.password}
    return reached


def connection_of_librdkafka(address: str) -> dict[str, Any]:
    """The same for a client of confluent-kafka."""
    to = KafkaAddress.parse(address)
    reached: dict[str, Any] = {"bootstrap.servers": to.brokers, "security.protocol": to.protocol.upper()}
    files = {"ssl.ca.location": to.ca, "ssl.certificate.location": to.cert, "ssl.key.location": to.key or to.cert}
    reached |= {name: path for name, path in files.items() if path is not None}
    if to.protocol.startswith("sasl"):
        reached["sasl.mechanism"] = to.mechanism
        if to.mechanism == OAUTHBEARER:
            oauth = {
                "method": "oidc",
                "client.id": to.user,
                "client.secret": to.password,
                "token.endpoint.url": to.token_url,
                "scope": to.scope,
            }
            reached |= {f"sasl.oauthbearer.{name}": value for name, value in oauth.items() if value is not None}
        elif to.user is not None:
            reached |= {"sasl.username": to.user, "sasl.password": to.password}
    return reached
