"""Topics as files, and back: what each partition got since the copy before, a record a line, compressed.

A line is `[offset, timestamp in ms, key, value, [[header, value], …]]`, with bytes in base64. Copies stack up: each folder goes on where the one
before ended, and one that broke off has no name that counts.
"""

import base64
import gzip
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from tailrace.kafka import clients, shutdown
from tailrace.kafka.topic_reader import TopicReader

_AT_ONCE, _UNDER_WAY = 2000, 500
_ENDS = "ends.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A record of a copy."""

    topic: str
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


async def copy_topics(kafka: str, topics: Collection[str], folder: Path) -> int:
    """Copy what these topics hold beyond the copies in `folder`; returns how many records that was. Raises KafkaError or OSError."""
    reached = _reached(folder)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    building = folder / f"{name}.part"
    building.mkdir(mode=0o700)
    count = 0
    try:
        async with TopicReader(kafka, "backup") as reader:
            ends = await reader.ends(topics)
            beginnings = await reader.beginnings(topics)
            at = {place: max(reached.get(place, 0), beginnings[place]) for place in ends}
            at = {place: offset for place, offset in at.items() if offset < ends[place]}
            while at:
                records, at = await reader.read(at, _AT_ONCE)
                _write(
                    building,
                    [
                        record
                        for record in records
                        if record.offset < ends[TopicPartition(record.topic, record.partition)]
                    ],
                )
                count += len(records)
                at = {place: offset for place, offset in at.items() if offset < ends[place]}
    except BaseException:
        shutil.rmtree(building)
        raise
    said = [[place.topic, place.partition, offset] for place, offset in sorted(ends.items())]
    (building / _ENDS).write_text(json.dumps(said))
    building.rename(folder / name)
    return count


def read_copies(folder: Path, topic: str) -> Iterator[Kept]:
    """Every record of a topic in all copies, in order per partition."""
    for copy in _copies(folder):
        for file in sorted(copy.glob(f"{topic}@*.jsonl.gz")):
            partition = int(file.name.rpartition("@")[2].partition(".")[0])
            with gzip.open(file, "rt") as lines:
                for line in lines:
                    _, timestamp, key, value, headers = json.loads(line)
                    yield Kept(
                        topic, partition, timestamp, _bytes(key), _bytes(value), [(h, _bytes(v)) for h, v in headers]
                    )


async def put_back(
    kafka: str, topics: Collection[str], folder: Path, belongs: Callable[[Kept], bool] = lambda kept: True
) -> int:
    """Write the copies into topics that are there and empty, each record into its partition; returns how many. Raises KafkaError or OSError."""
    producer = clients.producer(kafka)
    count = 0
    try:
        await producer.start()
        waiting: list[Any] = []
        for topic in sorted(topics):
            for kept in read_copies(folder, topic):
                if not belongs(kept):
                    continue
                waiting.append(
                    await producer.send(
                        topic,
                        kept.value,
                        kept.key,
                        partition=kept.partition,
                        timestamp_ms=kept.timestamp,
                        headers=kept.headers,
                    )
                )
                count += 1
                if len(waiting) >= _UNDER_WAY:
                    for sent in waiting:
                        await sent
                    waiting.clear()
        for sent in waiting:
            await sent
    finally:
        await shutdown.stop(producer, within=20.0)
    return count


def _copies(folder: Path) -> list[Path]:
    return sorted(each.parent for each in folder.glob(f"*/{_ENDS}") if not each.parent.name.endswith(".part"))


def _reached(folder: Path) -> Mapping[TopicPartition, int]:
    """Where each partition's copies end."""
    found: dict[TopicPartition, int] = {}
    for copy in _copies(folder):
        for topic, partition, offset in json.loads((copy / _ENDS).read_text()):
            found[TopicPartition(topic, partition)] = offset
    return found


def _write(folder: Path, records: list[ConsumerRecord]) -> None:
    lines: dict[Path, list[str]] = {}
    for record in records:
        headers = [[name, _text(value)] for name, value in record.headers]
        line = [record.offset, record.timestamp, _text(record.key), _text(record.value), headers]
        file = folder / f"{record.topic}@{record.partition}.jsonl.gz"
        lines.setdefault(file, []).append(json.dumps(line, separators=(",", ":")))
    for file, some in lines.items():
        with gzip.open(file, "at", compresslevel=1) as out:
            out.write("".join(f"{line}\n" for line in some))


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
