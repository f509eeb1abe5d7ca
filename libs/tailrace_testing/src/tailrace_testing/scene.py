"""What the fleet looked like when a test failed, for a reader of the log when the run is gone: what is not well, who waits, who says what."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

from tailrace.cli.health.status import ask_services
from tailrace.kafka.topic_reader import TopicReader, committed
from tailrace.stack.embedded import Stack

_WITHIN = 15.0
_LINES = 3
_WAITING = """
    SELECT datname, application_name, state, coalesce(wait_event, '') AS waits,
        extract(epoch FROM now() - xact_start)::int AS seconds, left(query, 90) AS query
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND xact_start < now() - interval '3 seconds'
    ORDER BY xact_start
    LIMIT 8
"""
_SLOTS = """
    SELECT slot_name, active, wal_status,
        pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint AS bytes_behind
    FROM pg_replication_slots WHERE database = ANY($1) ORDER BY slot_name
"""


def scene(stack: Stack) -> str:
    """Some thirty lines. Raises nothing: a part that does not answer is told so."""
    with ThreadPoolExecutor(1) as aside:  # the test run has a loop of its own
        asked = aside.submit(asyncio.run, _asked(stack)).result()
    return "\n".join([*_parts(stack), *_services(stack), *asked, *_said(stack)])


def _parts(stack: Stack) -> Iterator[str]:
    state = stack.supervisor.board.state
    for name, part in state.parts.items():
        if part.phase != "ready" or part.restarts:
            yield f"{name}: {part.phase}, restarted {part.restarts} times {part.detail}"
    for name, each in state.connectors.items():
        words = " ".join(filter(None, [each.state, each.reason, each.trouble, each.doing, each.repaired]))
        yield f"connector {name}: {words}, restarted {each.restarts} times, repaired {each.repairs} times"


def _services(stack: Stack) -> Iterator[str]:
    for name, each in sorted(ask_services(stack.plan.layout).items()):
        known = {key: value for key, value in each.items() if key not in {"pid", "port", "ready"}}
        yield f"service {name}: {known}"


async def _asked(stack: Stack) -> list[str]:
    told: list[str] = []
    for what, ask in {"PostgreSQL": _postgres, "Kafka": _groups}.items():
        told += await _within(what, ask, stack)
    return told


async def _within(what: str, ask: Callable[[Stack], Awaitable[list[str]]], stack: Stack) -> list[str]:
    try:
        async with asyncio.timeout(_WITHIN):
            return await ask(stack)
    except Exception as error:  # the scene of a failure: anything may be broken
        return [f"{what} does not answer: {error!r}"]


async def _postgres(stack: Stack) -> list[str]:
    connection = await asyncpg.connect(stack.postgres_url, timeout=5)
    try:
        waiting = [f"transaction: {dict(row)}" for row in await connection.fetch(_WAITING)]
        slots = [f"slot: {dict(row)}" for row in await connection.fetch(_SLOTS, list(stack.plan.ports.services))]
        return waiting + slots
    finally:
        await connection.close(timeout=2)


async def _groups(stack: Stack) -> list[str]:
    """What each service has yet to commit, of the topics that its group reads."""
    told = []
    async with TopicReader(stack.kafka, "scene") as history:
        for group in stack.plan.ports.services:
            offsets = await committed(stack.kafka, group)
            ends = await history.ends({at.topic for at in offsets})
            behind = {
                f"{at.topic}/{at.partition}": ends[at] - offset for at, offset in offsets.items() if ends[at] > offset
            }
            told += [f"group {group} is behind: {behind}"] if behind else []
    return told


def _said(stack: Stack) -> Iterator[str]:
    for log in sorted(stack.plan.layout.logs.glob("*.log")):
        for line in deque(filter(_matters, _last_of(log)), maxlen=_LINES):
            yield f"{log.stem} said: {line[:300]}"


def _last_of(log: Path) -> Iterable[str]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 200_000))
        return file.read().decode(errors="replace").splitlines()


def _matters(line: str) -> bool:
    """Of a service's log what is worse than information; of a program's, what it calls an error."""
    try:
        said: Any = json.loads(line)
    except ValueError:
        return " ERROR " in line or " FATAL" in line or line.startswith("Traceback")
    return isinstance(said, dict) and said.get("level") in {"warning", "error", "critical"}
