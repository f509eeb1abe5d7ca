"""Kafka Connect with Debezium as a child, and the few calls of its REST interface that the stack makes.

Recovery is quick on purpose: a lost worker's tasks are given out again at once, and offsets are flushed every second. The
REST interface listens on the loopback interface only, since whoever reaches it reads every database.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tailrace import outgoing
from tailrace.stack.child import Program
from tailrace.stack.errors import StackError
from tailrace.stack.java import Machine
from tailrace.stack.kafka import answers
from tailrace.stack.layout import HOST, Ports

CONFIGURATION = """\
bootstrap.servers={kafka}
group.id=tailrace-connect
listeners=HTTP://{host}:{port}
rest.advertised.host.name={host}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.topic=connect.offsets
config.storage.topic=connect.configs
status.storage.topic=connect.status
offset.storage.replication.factor=1
config.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=4
status.storage.partitions=2
offset.flush.interval.ms=1000
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=8000
heartbeat.interval.ms=5000
rebalance.timeout.ms=10000
task.shutdown.graceful.timeout.ms=3000
worker.sync.timeout.ms=2000
plugin.path={plugins}
plugin.discovery=service_load
connector.client.config.override.policy=All
producer.linger.ms=0
producer.delivery.timeout.ms=120000
"""

_TRIES, _PAUSE = 80, 0.25
"""How often, and after how many seconds, something is asked of Connect again."""
_WITHIN = 30.0
"""Seconds for one call."""


@dataclass(frozen=True)
class Connect:
    machine: Machine
    kafka: str
    plugins: Path
    ports: Ports

    def program(self) -> Program:
        file = self.machine.folder / "connect.properties"
        file.write_text(
            CONFIGURATION.format(host=HOST, port=self.ports.connect, kafka=self.kafka, plugins=self.plugins)
        )
        return Program(
            name="connect",
            argv=self.machine.argv(
                "connect", "org.apache.kafka.connect.cli.ConnectDistributed", str(file), heap="512m"
            ),
            ready=self._ready,
            alive=self._alive,
            port=self.ports.connect,
            environment=self.machine.environment,
        )

    async def _ready(self, _pid: int) -> bool:
        async with Rest(f"http://{HOST}:{self.ports.connect}") as rest:
            return await rest.healthy()

    async def _alive(self) -> bool:
        """Its REST interface may hang while everything else of it goes on. Without a broker it cannot be well, and is left alone."""
        if await self._ready(0):
            return True
        with contextlib.suppress(OSError, TimeoutError):
            return not await answers(self.kafka)
        return True


class Rest:
    """Connect's REST interface, for the length of a `with` block. What gets no answer raises one of `outgoing.UNREACHED`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    async def __aenter__(self) -> "Rest":
        self._client = outgoing.client(self.url, within=_WITHIN)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def healthy(self) -> bool:
        """Whether the worker has joined its group and answers. Quiet while nobody listens."""
        try:
            return (await self._ask("GET", "/health", within=3)).status_code == 200
        except outgoing.UNREACHED:
            return False

    async def put(self, name: str, config: Mapping[str, str]) -> None:
        """Create a connector, or change it when its settings differ. Raises `StackError` with Connect's own words."""
        if await self._current(name) == {**config, "name": name}:
            return
        for _ in range(40):
            answer = await self._ask("PUT", f"/connectors/{name}/config", dict(config))
            if answer.is_success:
                return
            if answer.status_code != 409:  # 409: a rebalance is under way
                raise StackError(f"Connect refused the connector {name}: {answer.text[:500]}", "see the log of connect")
            await asyncio.sleep(0.25)
        raise StackError(f"Connect kept rebalancing instead of taking the connector {name}", "see the log of connect")

    async def statuses(self) -> dict[str, Any]:
        """`{name: {"connector": {"state": …}, "tasks": [{"id", "state", "trace"}]}}`."""
        found: dict[str, Any] = (await self._ask("GET", "/connectors?expand=status")).raise_for_status().json()
        return {name: entry["status"] for name, entry in found.items()}

    async def restart(self, name: str) -> None:
        """Restart what failed of a connector, its tasks included."""
        path = f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true"
        (await self._ask("POST", path, {})).raise_for_status()

    async def restart_all(self, name: str) -> None:
        """Restart a connector and its tasks, failed or not."""
        (await self._ask("POST", f"/connectors/{name}/restart?includeTasks=true", {})).raise_for_status()

    async def restart_task(self, name: str) -> None:
        """Restart a connector's one task, failed or not."""
        (await self._ask("POST", f"/connectors/{name}/tasks/0/restart", {})).raise_for_status()

    async def hold(self, name: str, config: Mapping[str, str]) -> None:
        """Stop a connector, or create it stopped; returns when none of its tasks is left. It stays stopped, also when Connect starts anew."""
        if await self._current(name) is None:
            body = {"name": name, "config": dict(config), "initial_state": "STOPPED"}
            await self._insist("POST", "/connectors", body)
        else:
            await self._insist("PUT", f"/connectors/{name}/stop")
        for _ in range(_TRIES):
            status = (await self.statuses()).get(name)
            if status is not None and status["connector"]["state"] == "STOPPED" and not status["tasks"]:
                return
            await asyncio.sleep(_PAUSE)
        raise StackError(f"the connector {name} does not stop", "see the log of connect")

    async def forget_offsets(self, name: str) -> None:
        """Let a stopped connector begin where its slot stands."""
        await self._insist("DELETE", f"/connectors/{name}/offsets")

    async def resume(self, name: str) -> None:
        """Let a paused or stopped connector go on; one that runs is left alone."""
        await self._insist("PUT", f"/connectors/{name}/resume")

    async def position(self, name: str) -> int | None:
        """The stored offset, in bytes of PostgreSQL's log: Kafka acknowledged nothing beyond. None when nothing is stored."""
        answer = await self._ask("GET", f"/connectors/{name}/offsets")
        if answer.status_code == 404:
            return None
        stored = answer.raise_for_status().json()["offsets"]
        offset = (stored[0]["offset"] if stored else None) or {}
        return max((int(offset[key]) for key in ("lsn", "lsn_proc", "lsn_commit") if offset.get(key)), default=None)

    async def _insist(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Ask until Connect, which may be rebalancing (409) or still stopping a task (5xx), agrees. Raises `StackError`."""
        text = ""
        for _ in range(_TRIES):
            answer = await self._ask(method, path, body or {})
            if answer.is_success:
                return
            text = answer.text
            if answer.status_code < 500 and answer.status_code != 409:
                break
            await asyncio.sleep(_PAUSE)
        raise StackError(f"Connect refused {method} {path}: {text[:500]}", "see the log of connect")

    async def delete(self, name: str) -> None:
        """Remove a connector; one that is not there is fine."""
        answer = await self._ask("DELETE", f"/connectors/{name}")
        if answer.status_code != 404:
            answer.raise_for_status()

    async def _current(self, name: str) -> dict[str, str] | None:
        answer = await self._ask("GET", f"/connectors/{name}/config")
        return answer.json() if answer.status_code == 200 else None

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, within: float = _WITHIN
    ) -> httpx2.Response:
        async with asyncio.timeout(within):
            return await self._client.request(method, path, json=body)
