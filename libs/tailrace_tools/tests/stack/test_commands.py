"""What the commands print about a stack that runs."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from tailrace.cli import app
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import External

EVENT = {
    "ce_id": "e-1",
    "ce_type": "tail.tested",
    "ce_time": "2026-11-21T09:00:00Z",
    "ce_sequence": "7",
    "ce_tenantid": "t-1",
}


@pytest.fixture
def inside(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The commands find the run's own stack; what they add to the environment goes again."""
    monkeypatch.setattr("os.environ", {**stack.environment, "PATH": "/usr/bin:/bin"})
    for part in ("postgres", "kafka", "connect"):
        if getattr(stack.plan.external, part) is None:
            monkeypatch.delenv(f"TAILRACE_{part.upper()}")
    return stack


async def publish(bootstrap: str, topic: str) -> None:
    from aiokafka import AIOKafkaProducer

    await create_topics(bootstrap, [topic], 1, 1)
    producer = AIOKafkaProducer(**clients.connection(bootstrap))
    await producer.start()
    try:
        headers = [(name, value.encode()) for name, value in EVENT.items()]
        await producer.send_and_wait(topic, b'{"a":null}', key=b"aggregate-1", headers=headers)
    finally:
        await producer.stop()


def test_events_are_printed_with_what_identifies_them(inside: Stack, kafka: str) -> None:
    asyncio.run(publish(kafka, "tail.events"))
    answer = CliRunner().invoke(app, ["events", "tail", "tail.events", "--from-start", "-n", "1"])
    assert answer.exit_code == 0, answer.output
    line = answer.stdout.splitlines()[-1]
    assert line.split() == ["2026-11-21T09:00:00Z", "tail.tested", "aggregate-1", "#7", "tenant", "t-1", '{"a":null}']


def test_unknown_topic_is_refused_with_those_that_exist(inside: Stack, kafka: str) -> None:
    asyncio.run(create_topics(kafka, ["known.events"], 1, 1))
    answer = CliRunner().invoke(app, ["events", "tail", "nope.events"])
    assert answer.exit_code == 1
    assert "known.events" in answer.stderr


@pytest.mark.embedded("reads what the stack itself keeps of PostgreSQL")
def test_logs_of_one_part_and_of_none(inside: Stack) -> None:
    run = CliRunner().invoke
    assert "ready to accept connections" in run(app, ["logs", "postgres", "-n", "100000"]).stdout
    unknown = run(app, ["logs", "nothing"])
    assert unknown.exit_code == 1
    assert "postgres" in unknown.stderr


@pytest.mark.embedded("reads what the stack itself keeps of PostgreSQL")
def test_status_tells_programs_what_people_see(inside: Stack) -> None:
    told = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert told["running"]
    assert told["parts"]["postgres"]["process"]["pid"] == inside.pids()["postgres"]
    assert inside.supervisor.credentials.postgres not in json.dumps(told)


def test_outside_server_is_used_and_not_started(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("external") / "data"
    with Stack(folder, only="postgres", external=External(postgres=stack.postgres_url)) as other:
        assert other.pids() == {}
        assert other.postgres_url == stack.postgres_url
        assert other.environment["TAILRACE_POSTGRES"] == stack.postgres_url
