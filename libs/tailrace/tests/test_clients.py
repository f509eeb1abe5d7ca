"""Whatever reads or writes Kafka does so through one factory, whose clients skip no history, see nothing rolled back, and commit when asked to."""

import ast
import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import tailrace
import tailrace_testing
from tailrace.core.ids import uuid7
from tailrace.kafka import clients, shutdown
from tailrace.kafka.topic_reader import committed
from tailrace.kafka.topics import create_topics

_CONSTRUCTORS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaClient"}


def _makes_a_client(source: str) -> bool:
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any((getattr(f, "id", None) or getattr(f, "attr", None)) in _CONSTRUCTORS for f in calls)


def test_no_client_of_kafka_is_made_elsewhere() -> None:
    packages = [Path(folder) for package in (tailrace, tailrace_testing) for folder in package.__path__]
    making = [path for package in packages for path in package.rglob("*.py") if _makes_a_client(path.read_text())]
    assert making == [Path(clients.__file__)]


async def test_a_consumer_begins_at_the_beginning_sees_what_was_committed_and_moves_no_offset(kafka: str) -> None:
    topic, group = f"clients-{uuid7().hex[-8:]}", f"clients-{uuid7().hex[-8:]}"
    await create_topics(kafka, [topic], 1, 1)
    async with AIOKafkaProducer(**clients.connection(kafka), transactional_id=topic) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"before")
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"rolled back")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"after")
    consumer = clients.consumer(kafka, topic, group=group)
    await consumer.start()
    assert [(await consumer.getone()).value for _ in range(2)] == [b"before", b"after"]
    await shutdown.stop(consumer)
    assert await committed(kafka, group) == {}


async def test_what_is_produced_is_acknowledged_by_all_and_sent_once(kafka: str) -> None:
    """An idempotent producer asks the broker for an id, and is refused any other acknowledgement than that of all replicas."""
    producer = clients.producer(kafka)
    await producer.start()
    assert producer._txn_manager.has_pid()
    await shutdown.stop(producer)


@pytest.mark.parametrize("setting", ["enable_auto_commit", "isolation_level", "auto_offset_reset", "bootstrap_servers"])
async def test_what_keeps_a_promise_cannot_be_set_otherwise(setting: str) -> None:
    with pytest.raises(TypeError, match=setting):
        clients.consumer("127.0.0.1:1", **{setting: "other"})  # type: ignore[arg-type]


@pytest.fixture
async def encrypted(tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """The port of a server whose certificate is its own authority's, for 127.0.0.1, and that authority's file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    file, private = tmp_path / "ca.pem", tmp_path / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], file


async def test_a_broker_is_verified_by_the_authority_that_the_address_names(encrypted: tuple[int, Path]) -> None:
    port, authority = encrypted

    async def shake_hands(query: str, host: str) -> None:
        context = clients.connection(f"sasl_ssl://me:mine@127.0.0.1:{port}{query}")["ssl_context"]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
        writer.close()

    await shake_hands(f"?ca={authority}", "127.0.0.1")
    for query, host in ((f"?ca={authority}", "kafka.example"), ("", "127.0.0.1")):
        with pytest.raises(ssl.SSLCertVerificationError):
            await shake_hands(query, host)
