"""The readers of the partners' page, each as it stands there, with the official CloudEvents SDK of its language, on a Kafka that is locked."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from pages import files_of

from tailrace.core.addresses.kafka import brokers_of
from tailrace.core.ids import uuid7
from tailrace.core.stand_ins import cause_told, trace_told
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace.stack.artifacts import Lock, cache_folder, fetch
from tailrace.stack.java import find_java

ROOT = Path(__file__).parents[2]
PAGE = "docs/how-to/partner.md"
MODULES = ROOT / ".venv/clients/node_modules"
TOPIC = "order.events"
WITHIN = 60.0
_OF_THE_STACK = re.compile(
    "/(kafka-clients|jackson-(annotations|core|databind)|slf4j-api|lz4-java|snappy-java|zstd-jni)-"
)


def _event(order: UUID, sequence: int, type: str, said: dict[str, str]) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers as a connector writes them."""
    id, correlation = uuid7(), uuid7()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": id,
        "ce_type": type,
        "ce_source": "/tailrace/orders",
        "ce_subject": order,
        "ce_time": "2026-11-21T09:08:08.630672Z",
        "ce_dataschema": f"urn:tailrace:schema:{type}:v1",
        "ce_tenantid": uuid7(),
        "ce_sequence": sequence,
        "ce_epoch": 1,
        "ce_correlationid": correlation,
        "ce_causationid": cause_told(None, correlation),
        "ce_actorid": uuid7(),
        "traceparent": trace_told(None, correlation, id),
        "content-type": "application/json",
        "ce_sequencetype": "Integer",
    }
    told = [(name, str(value).encode()) for name, value in headers.items()]
    return str(order).encode(), json.dumps(said).encode(), told


async def _written(kafka: str) -> list[str]:
    """Ten events of an order, one of them twice; the lines that a reader prints of them."""
    order = uuid7()
    events = [_event(order, 1, "order.created", {"number": "SO-000001"})]
    events += [_event(order, sequence, "order.changed", {}) for sequence in range(2, 11)]
    producer = AIOKafkaProducer(**clients.connection(kafka), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for key, value, headers in (*events[:4], events[3], *events[4:]):
            await producer.send_and_wait(TOPIC, value, key, headers=headers)
    finally:
        await producer.stop()
    return [f"order.created {order} 1 SO-000001", *(f"order.changed {order} {number}" for number in range(2, 11))]


async def _prints(folder: Path, command: Sequence[str], wanted: list[str]) -> list[str]:
    """What the reader prints of the order in `wanted`, as soon as it has printed so many lines of it."""
    aggregate, lines = wanted[0].split()[1], list[str]()
    with (folder / "errors").open("wb") as errors:
        reader = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=errors, env=_environment()
        )
        try:
            assert reader.stdout is not None
            async with asyncio.timeout(WITHIN):
                while len(lines) < len(wanted) and (line := await reader.stdout.readline()):
                    if aggregate.encode() in line:
                        lines.append(line.decode().rstrip())
        finally:
            if reader.returncode is None:
                reader.kill()
            await reader.wait()
    assert lines, (folder / "errors").read_text()
    return lines


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


@pytest.fixture
async def room(kafka: str, tmp_path: Path) -> Path:
    """A partner's folder: the page's files, and a login that may read the topic."""
    await create_topics(kafka, [TOPIC], 6, 1)
    login = {"user": "my-company", "password": uuid4().hex}
    await asyncio.to_thread(access.set_password, kafka, login["user"], login["password"])
    await asyncio.to_thread(access.grant, kafka, access.rights_of_reader(login["user"], [TOPIC]))
    (tmp_path / "reader.json").write_text(json.dumps(login))
    for name, text in files_of(PAGE).items():
        (tmp_path / name).write_text(text.replace("127.0.0.1:8101", brokers_of(kafka)))
    return tmp_path


async def test_in_python(kafka: str, room: Path) -> None:
    wanted = await _written(kafka)
    assert await _prints(room, [sys.executable, "reader.py"], wanted) == wanted


@pytest.mark.skipif(
    not (MODULES / "kafkajs").exists() or shutil.which("node") is None,
    reason="`make clients` has not been run, or npm could not install",
)
async def test_in_javascript(kafka: str, room: Path) -> None:
    (room / "node_modules").symlink_to(MODULES)
    wanted = await _written(kafka)
    assert await _prints(room, ["node", "reader.mjs"], wanted) == wanted


async def test_in_java(kafka: str, room: Path) -> None:
    """The stack's own runtime has no compiler, hence Eclipse's; Kafka's client and Jackson are those of the stack."""
    lock = Lock.parse((Path(__file__).parent / "java.lock").read_text())
    cache = cache_folder(room)
    await asyncio.to_thread(fetch, lock.artifacts, cache)
    *sdk, compiler = lock.artifacts
    jars = [*sdk, *(each for each in Lock.load().jars if _OF_THE_STACK.search(each.path))]
    classes = os.pathsep.join([str(room), *(str(each.here(cache)) for each in jars)])
    java = [str(find_java()), "-XX:TieredStopAtLevel=1"]
    made = [*java, "-jar", str(compiler.here(cache)), "-source", "17", "-target", "17", "-cp", classes, "Reader.java"]
    compiling = await asyncio.create_subprocess_exec(*made, cwd=room, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(WITHIN):
        _, said = await compiling.communicate()
    assert compiling.returncode == 0, said.decode()
    wanted = await _written(kafka)
    assert await _prints(room, [*java, "-cp", classes, "Reader"], wanted) == wanted


async def test_with_another_password_nothing_is_read(kafka: str, room: Path) -> None:
    wanted = await _written(kafka)
    login = json.loads((room / "reader.json").read_text())
    (room / "reader.json").write_text(json.dumps({**login, "password": "guessed"}))
    with pytest.raises(AssertionError, match="AuthenticationFailed"):
        await _prints(room, [sys.executable, "reader.py"], wanted)
