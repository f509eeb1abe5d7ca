"""Three brokers, two Connect workers, a PostgreSQL with a standby: on loopback, by the programs of the embedded stack, and elsewhere to a stack."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from drills.pair import Pair
from tailrace.core.addresses.kafka import CONNECT, OPERATOR, KafkaAddress
from tailrace.runtime import access
from tailrace.stack.artifacts import Lock, cache_folder, fetch, unpack_debezium
from tailrace.stack.child import Child, Program
from tailrace.stack.connect import Connect
from tailrace.stack.credentials import Credentials
from tailrace.stack.java import Machine
from tailrace.stack.kafka import Kafka
from tailrace.stack.layout import Layout, Ports, host_of
from tailrace.stack.plan import External
from tailrace.stack.state import Board, State
from tailrace_testing.gateway import eventually

BROKERS, WORKERS = (1, 2, 3), (1, 2)
SETTINGS = {"TAILRACE_REPLICATION": "3", "TAILRACE_MIN_INSYNC_REPLICAS": "2"}
"""Of topics that a stack on it makes."""


class Cluster:
    """`async with Cluster(folder) as cluster`: what runs there, and in `external`, where a stack on `cluster.data` finds it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        layout = Layout(self.data)
        layout.create()
        self._folder, self._lock, self._cache = folder, Lock.load(), cache_folder(self.data)
        self._credentials, self._ports = Credentials.load_or_create(layout.credentials), Ports.free()
        self._board = Board(folder / "cluster.json", State())
        self._children: dict[str, Child] = {}
        self.postgres = Pair(folder, self._ports.postgres, self._credentials.postgres, self._board, self._cache)

    async def __aenter__(self) -> Self:
        lock = self._lock
        await asyncio.to_thread(fetch, [*lock.jars, lock.debezium, lock.postgres], self._cache)
        try:
            await asyncio.gather(self.postgres.start(), self._kafka())
            await asyncio.to_thread(access.grant, self._kafka_as(OPERATOR), access.rights_of_connect([]))
            await self._connect()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def external(self) -> External:
        return External(self.postgres.url, f"sasl_plaintext://{self._brokers}", self._rest(1))

    async def kill(self, name: str) -> None:
        """A broker or a worker that lives; it is started again."""
        child = self._children[name]

        async def pid() -> int | None:
            return child.pid

        found = await eventually(pid, bool, within=120, what=f"a live {name}")
        assert found is not None
        os.kill(found, signal.SIGKILL)

    async def _kafka(self) -> None:
        made = [
            Kafka(
                self._machine(f"kafka-{number}"),
                self._folder / f"kafka-{number}",
                self._ports,
                self._kafka_as(OPERATOR, f"{host_of(number)}:{self._ports.kafka}"),
                self._credentials,
                number=number,
                brokers=len(BROKERS),
            )
            for number in BROKERS
        ]
        for kafka in made:
            await kafka.format()
        await self._keep([kafka.program() for kafka in made])

    async def _connect(self) -> None:
        plugins = await asyncio.to_thread(unpack_debezium, self._lock, self._cache)
        secrets = Layout(self.data).capture_secrets
        made = [
            Connect(
                self._machine(f"connect-{number}"),
                self._kafka_as(CONNECT),
                self._rest(number),
                plugins,
                secrets,
                self._ports,
                number,
            )
            for number in WORKERS
        ]
        await self._keep([connect.program() for connect in made])

    async def _keep(self, programs: list[Program]) -> None:
        for program in programs:
            self._children[program.name] = Child(program, self._folder / f"{program.name}.log", self._board)
        await asyncio.gather(*[self._children[program.name].start() for program in programs])

    async def _stop(self) -> None:
        stops: list[Callable[[], Awaitable[None]]] = [child.stop for child in reversed(self._children.values())]
        for stop in (*stops, self.postgres.stop):
            await stop()

    @property
    def _brokers(self) -> str:
        return ",".join(f"{host_of(number)}:{self._ports.kafka}" for number in BROKERS)

    def _kafka_as(self, user: str, brokers: str | None = None) -> str:
        address = KafkaAddress(brokers or self._brokers, "sasl_plaintext")
        return address.as_user(user, self._credentials.kafka(user)).text()

    def _rest(self, number: int) -> str:
        return f"http://{OPERATOR}:{self._credentials.connect}@{host_of(number)}:{self._ports.connect}"

    def _machine(self, name: str) -> Machine:
        return Machine.locate(self._lock, self._cache, self._folder / f"java-{name}")
