"""Databases, topics and connectors for every service: made where missing, left alone where they are as they should be.

`python -m tailrace.runtime.provision` is run by the supervisor beside the starting parts, and waits for each on its own. It
prints one JSON object per line, `{"part", "phase", "detail", "remedy"}`, and ends with code 1 after a failure.
"""

import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from urllib.parse import urlsplit

from tailrace.capture import canary
from tailrace.capture.connect_api import Rest
from tailrace.capture.startup import Connectors
from tailrace.core.addresses.kafka import OPERATOR, KafkaAddress
from tailrace.core.operator_error import OperatorError
from tailrace.core.progress import Phase
from tailrace.kafka.topics import FOR_EVER, answers, create_topics
from tailrace.runtime import access
from tailrace.runtime.fleet import load_services
from tailrace.runtime.migrate import prepare_database
from tailrace.service import Service
from tailrace.settings import Settings

TIMEOUT = 120.0
"""Seconds to wait for a part to answer."""

Say = Callable[[str, Phase, str], None]
"""Called with a part, its phase and a detail."""


def prepare_everything(say: Say) -> None:
    """All three steps, each as soon as what it needs answers. Raises `OperatorError`."""
    services, settings = load_services(), Settings()
    asyncio.run(_until("PostgreSQL", settings.postgres, lambda: postgres_answers(settings.postgres)))
    # The workers are forked before this process has threads or an event loop of its own.
    with _pool() as pool:
        say("databases", "starting", "")
        databases = _submit(pool, services, settings)
        asyncio.run(prepare_topics(services, settings, say))
        _collect(databases, say)
    asyncio.run(fence_restored(services, settings, say))
    say("databases", "ready", f"{len(databases)} prepared")
    asyncio.run(prepare_connectors(services, settings, say))


def prepare_databases(services: Sequence[Service], settings: Settings, say: Say) -> None:
    """Create and migrate every service's database, a few at a time. Raises `OperatorError` naming the service."""
    asyncio.run(_until("PostgreSQL", settings.postgres, lambda: postgres_answers(settings.postgres)))
    with _pool() as pool:
        databases = _submit(pool, services, settings)
        _collect(databases, say)
    say("databases", "ready", f"{len(databases)} prepared")


async def fence_restored(services: Sequence[Service], settings: Settings, say: Say) -> None:
    """Stop the changes of every service whose database was put back behind what Kafka knows of it, before any is answered. Raises OSError."""
    settings = settings.as_kafka_user(OPERATOR)
    preparing = Connectors(settings, say)
    if witnesses := await preparing.witnesses():
        for service in services:
            if service.topic is not None:
                await preparing.fence(service, witnesses.get(canary.canary_id(service.name)))


async def prepare_topics(services: Sequence[Service], settings: Settings, say: Say) -> None:
    """Each service's topic and its dead-letter topic, and the one of all canaries; on a Kafka that is locked, users and their rights too.

    It is the operator's work: that is who it logs in as, where the address names nobody.
    """
    services_log_in = KafkaAddress.parse(settings.kafka).mechanism
    settings = settings.as_kafka_user(OPERATOR)
    await _until("Kafka", settings.kafka, lambda: answers(settings.kafka))
    say("topics", "starting", "")
    names = topics_of(services)
    safe = {"min.insync.replicas": str(settings.min_insync_replicas)}
    made = await create_topics(
        settings.kafka, names, settings.partitions, settings.replication, settings=FOR_EVER | safe
    )
    kept = canary.TOPIC_SETTINGS | safe
    made += await create_topics(settings.kafka, [canary.TOPIC], 1, settings.replication, settings=kept)
    operator = KafkaAddress.parse(settings.kafka)
    if operator.user is not None or operator.cert is not None:
        await asyncio.to_thread(_lock, services, settings, services_log_in)
    say("topics", "ready", f"{len(names) + 1} topics, {len(made)} new")


def _lock(services: Sequence[Service], settings: Settings, mechanism: str) -> None:
    """A user for each service, where it logs in with a password that Kafka keeps, and what each user may do. Raises `OperatorError`."""
    users = [service.name for service in services]
    if mechanism.startswith("SCRAM"):
        access.make_users(settings.kafka, {user: settings.kafka_user_password(user) for user in users})
    access.apply(settings.kafka, access.rights(services), users)


async def prepare_connectors(services: Sequence[Service], settings: Settings, say: Say) -> None:
    """One connector for each service with a topic, on a slot that lost nothing; returns when all of their tasks run."""
    publishing = [service for service in services if service.topic is not None]
    preparing = Connectors(settings.as_kafka_user(OPERATOR), say)
    async with Rest(settings.connect) as rest:
        await _until("Kafka Connect", settings.connect, rest.healthy)
        witnesses = await preparing.witnesses()
        for number, service in enumerate(publishing, 1):
            say("connectors", "starting", f"{service.name}, {number} of {len(publishing)}")
            await preparing.prepare(rest, service, witnesses.get(canary.canary_id(service.name)))
        await preparing.until_running(rest, publishing)
    stopped = (
        f", {', '.join(sorted(preparing.undecided))} restored: tailrace restored show" if preparing.undecided else ""
    )
    say("connectors", "ready", f"{len(publishing) - len(preparing.undecided)} running{stopped}")


def topics_of(services: Sequence[Service]) -> list[str]:
    """Where they publish, and where they listen: a topic that nobody publishes to as yet is there, and empty."""
    events = {service.topic for service in services if service.topic is not None}
    heard = {topic for service in services for subscriber in service.subscribers for topic in subscriber.topics}
    return sorted({*events, *heard, *(f"{service.name}.dlq" for service in services)})


async def postgres_answers(url: str) -> bool:
    import asyncpg

    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
        return False
    except asyncpg.InvalidPasswordError as error:
        raise OperatorError(
            f"PostgreSQL refuses the superuser's password: {error}",
            "secrets.json does not belong to this data, or TAILRACE_POSTGRES carries another password",
        ) from None
    await connection.close()
    return True


def _pool() -> ProcessPoolExecutor:
    """Processes, not threads, since Alembic keeps its context in a module; forked, since the imports are the slow part."""
    return ProcessPoolExecutor(min(4, os.cpu_count() or 1), multiprocessing.get_context("fork"))


def _submit(pool: ProcessPoolExecutor, services: Sequence[Service], settings: Settings) -> "dict[Future[None], str]":
    return {pool.submit(_prepare_one, service.name, settings): service.name for service in services}


def _prepare_one(name: str, settings: Settings) -> None:
    (service,) = load_services([name])
    asyncio.run(prepare_database(settings.postgres, service, settings))


def _collect(databases: "dict[Future[None], str]", say: Say) -> None:
    for number, future in enumerate(as_completed(databases), 1):
        name = databases[future]
        if (error := future.exception()) is not None:
            for other in databases:
                other.cancel()
            raise OperatorError(
                f"the database of {name} could not be prepared: {type(error).__name__}: {error}",
                f"see the migrations of {name}; what was done before stays and is not done again",
            )
        say("databases", "starting", f"{number} of {len(databases)}")


async def _until(what: str, address: str, ready: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            if await ready():
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            where = urlsplit(address).netloc.rpartition("@")[2] or address
            raise OperatorError(
                f"{what} at {where} did not answer within {TIMEOUT:.0f} s", "is it running, is the address right?"
            )
        await asyncio.sleep(0.1)


def _print(part: str, phase: Phase, detail: str, remedy: str = "") -> None:
    print(json.dumps({"part": part, "phase": phase, "detail": detail, "remedy": remedy}), flush=True)


def main() -> None:
    current = ["services"]

    def say(part: str, phase: Phase, detail: str) -> None:
        current[0] = part
        _print(part, phase, detail)

    try:
        prepare_everything(say)
    except OperatorError as error:
        _print(current[0], "failed", error.what, error.remedy)
        sys.exit(1)


if __name__ == "__main__":
    main()
