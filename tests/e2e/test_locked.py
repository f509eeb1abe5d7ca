"""What a stolen or an absent password opens on the fleet that runs: nothing that its owner has no use for."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import psutil
import pytest
import way
from aiokafka.errors import KafkaError

from tailrace.capture.connect_api import Rest
from tailrace.core.addresses.kafka import RESERVED, KafkaAddress
from tailrace.kafka import clients
from tailrace.runtime import access
from tailrace.runtime.fleet import load_services
from tailrace.settings import Settings, settings_from
from tailrace.stack.embedded import Stack

pytestmark = pytest.mark.embedded("the parts in containers are open")
SERVICES = load_services()


@pytest.fixture
def settings(fleet: Stack) -> Settings:
    return settings_from(fleet.environment)


async def _ends(kafka: str, topic: str) -> dict[Any, int]:
    """Where the topic ends, for who may read it. Raises KafkaError."""
    async with asyncio.timeout(10), clients.consumer(kafka, topic, request_timeout_ms=3000) as consumer:
        assert consumer.assignment(), f"{topic} is not shown"
        return dict(await consumer.end_offsets(consumer.assignment()))


async def test_who_does_not_log_in_reads_and_writes_nothing(fleet: Stack) -> None:
    """Nor does who guesses a password of a user that there is."""
    address = KafkaAddress.parse(fleet.kafka)
    for stranger in (address.brokers, address.as_user("operator", "guessed").text()):
        with pytest.raises((KafkaError, AssertionError, TimeoutError)):
            await _ends(stranger, "order.events")
        producer = clients.producer(stranger)
        with pytest.raises((KafkaError, TimeoutError)):
            async with asyncio.timeout(5), producer:
                await producer.send_and_wait("order.events", b"{}", key=str(uuid4()).encode())


async def test_a_service_reads_its_topics_and_no_others(fleet: Stack, settings: Settings) -> None:
    """For each pair of the fleet's own: allowed where the manifest subscribes to it, refused where it does not."""
    topics = [str(service.topic) for service in way.PUBLISHING][:4]
    for service in SERVICES:
        address = KafkaAddress.parse(settings.kafka).as_user(service.name, settings.kafka_user_password(service.name))
        allowed = {right.name for right in access.rights_of(service) if right.operation == "READ"}
        for topic in topics:
            if topic in allowed:
                assert await _ends(address.text(), topic)
            else:
                with pytest.raises((KafkaError, AssertionError, TimeoutError)):
                    await _ends(address.text(), topic)


async def test_a_service_writes_no_event_itself(settings: Settings) -> None:
    """Not to its own topic either: that is Connect's work, out of the outbox."""
    address = KafkaAddress.parse(settings.kafka).as_user("orders", settings.kafka_user_password("orders"))
    producer = clients.producer(address.text())
    with pytest.raises((KafkaError, TimeoutError)):
        async with asyncio.timeout(10), producer:
            await producer.send_and_wait("order.events", b"{}", key=str(uuid4()).encode())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/connectors"),
        ("GET", "/connectors/orders/config"),
        ("GET", "/health"),
        ("DELETE", "/connectors/orders"),
    ],
)
@pytest.mark.parametrize("login", [None, ("operator", "guessed"), ("orders", "")])
async def test_connect_answers_to_its_own_password_alone(
    fleet: Stack, method: str, path: str, login: tuple[str, str] | None
) -> None:
    async with httpx2.AsyncClient(base_url=Rest(fleet.connect_url).url) as client:
        answer = await client.request(method, path, auth=login)
    assert answer.status_code == 401


async def test_no_password_stands_in_a_topic_a_file_that_others_read_or_a_log(fleet: Stack, settings: Settings) -> None:
    layout = fleet.plan.layout
    users = [*RESERVED, *(service.name for service in SERVICES)]
    secrets = {
        settings.secret,
        *(settings.kafka_user_password(user) for user in users),
        *(
            settings.role_password(f"{service.name}_{role}")
            for service in SERVICES
            for role in ("app", "owner", "capture")
        ),
        fleet.supervisor.credentials.connect,
    }
    assert await way.records(fleet.kafka, "connect.configs")
    for record in await way.records(fleet.kafka, *access.CONNECT_TOPICS):
        told = f"{record.key!r} {record.value!r}"
        assert not [secret for secret in secrets if secret in told], record.key
    texts = {
        path: path.read_text(errors="replace")
        for path in (*layout.logs.iterdir(), *layout.run.iterdir())
        if path.is_file()
    }
    assert not [path for path, text in texts.items() if any(secret in text for secret in secrets)]
    for folder in (layout.data / "java", layout.capture_secrets):
        holding = [path for path in folder.iterdir() if any(secret in path.read_text() for secret in secrets)]
        assert holding
        assert {path.stat().st_mode & 0o077 for path in holding} == {0}
    for pid in fleet.pids().values():
        words = " ".join(psutil.Process(pid).cmdline())
        assert not [secret for secret in secrets if secret in words]


async def test_a_stolen_capture_password_opens_one_outbox(fleet: Stack, settings: Settings) -> None:
    """It reads the outbox of its service, of every tenant, and whether the database was restored: that is its work. No other table, no database of
    another service, and no copy of the cluster."""
    url = settings.database("orders", "capture", "postgresql")
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT count(*) >= 0 FROM outbox")
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        readable = set()
        for (table,) in tables:
            try:
                await connection.fetch(f'SELECT 1 FROM public."{table}" LIMIT 1')
                readable.add(table)
            except asyncpg.InsufficientPrivilegeError:
                pass
        assert readable == {"outbox", "database_history"}
        for statement in (
            "DELETE FROM outbox",
            "CREATE TABLE mine ()",
            "CREATE PUBLICATION mine FOR ALL TABLES",
            "CREATE ROLE mine",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
    for database in ("customers", "identity"):
        with pytest.raises(asyncpg.PostgresError):
            await asyncpg.connect(url.rsplit("/", 1)[0] + f"/{database}")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="replication"):
        await asyncpg.connect(url, server_settings={"replication": "true"})
