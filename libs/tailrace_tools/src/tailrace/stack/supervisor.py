"""Starts every part in order, keeps it alive, stops it in reverse. One instance, one event loop, one data folder."""

import asyncio
import fcntl
import os
import time
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

from tailrace.core.addresses.kafka import CONNECT
from tailrace.core.operator_error import OperatorError
from tailrace.stack.artifacts import Lock, cache_folder, fetch, missing, unpack_debezium
from tailrace.stack.child import Child, Program
from tailrace.stack.connect import Connect
from tailrace.stack.credentials import Credentials
from tailrace.stack.errand import run_errand
from tailrace.stack.java import Machine
from tailrace.stack.kafka import Kafka
from tailrace.stack.layout import is_free
from tailrace.stack.monitor import Monitor
from tailrace.stack.plan import PARTS, Only, Plan
from tailrace.stack.postgres import Postgres
from tailrace.stack.processes import Process, listener
from tailrace.stack.services import Fleet
from tailrace.stack.state import Board, Part, State, fleet_status

if TYPE_CHECKING:
    from tailrace.capture.watch import Watch

PREPARED = ("databases", "topics", "connectors")
_IN_REVERSE = tuple(reversed(PARTS["fleet"]))
"""How children are stopped. Connect before Kafka: without a broker it does not find its end."""


class Supervisor:
    """Raises `OperatorError` when another one is at work in the same data folder."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layout = plan.layout
        self.layout.create()
        self._guard = self._take_lock()
        self.layout.keep_places(plan.ports.places)
        self._secrets_are_new = not self.layout.credentials.exists()
        self.credentials = Credentials.load_or_create(self.layout.credentials)
        self._orphans = State.load(self.layout.state)
        self.board = Board(self.layout.state, self._first_state())
        self.board.state.save(self.layout.state)  # raises, as no command could show what a start does
        self.children: dict[str, Child] = {}
        self.lock = Lock.load()
        self.cache = cache_folder(self.layout.data)
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when everything asked for is ready; raises `OperatorError` with everything stopped again."""
        try:
            await asyncio.to_thread(self._end_orphans)
            self._check_ports()
            await self._fetch()
            await self._start_parts()
        except BaseException as error:
            what, remedy = _reason(error)
            await self._stop_children()
            self.board.failed(what, remedy)
            self._guard.close()
            raise OperatorError(what, remedy) from error
        self.board.phase("ready")

    async def stop(self) -> None:
        """In reverse order: fleet, Connect, Kafka, PostgreSQL."""
        if self._guard.closed:
            return
        self.board.phase("stopping")
        await self._stop_children()
        self.board.phase("stopped")
        self._guard.close()

    async def stop_beyond(self, only: Only) -> None:
        """Stop what a stack of that size does not have, for good; the rest goes on."""
        await self._stop_children([name for name in _IN_REVERSE if name not in PARTS[only]])

    def pids(self) -> dict[str, int]:
        """The pids of the children that live now, and of the services that the fleet reports."""
        children = {name: child.pid for name, child in self.children.items() if child.pid is not None}
        services = fleet_status(self.layout) if "fleet" in children else {}
        return children | {name: each["pid"] for name, each in services.items() if each["pid"]}

    async def _start_parts(self) -> None:
        """Everything at once, each part waiting for just what it needs."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._postgres())
            parts.create_task(self._kafka_and_connect())
            if self.plan.only == "fleet":
                tables_and_topics = asyncio.Event()
                parts.create_task(self._prepare(tables_and_topics))
                parts.create_task(self._fleet(tables_and_topics))
        if self.plan.only == "fleet":
            self._watch = asyncio.create_task(self._monitor(), name="monitor")

    async def _monitor(self) -> None:
        watch = await asyncio.to_thread(_capture_watch, self._environment())
        await Monitor(self.plan.connect_url(self.credentials), self.board, watch).watch()

    async def _postgres(self) -> None:
        if "postgres" not in self.plan.own:
            return
        port, services = self.plan.ports.postgres, len(self.plan.ports.services)
        cluster = await asyncio.to_thread(
            Postgres.locate, self.lock, self.cache, self.layout.data, port, services, self.plan.durable
        )
        if self._secrets_are_new and cluster.version_file.exists():
            self.layout.credentials.unlink()
            raise OperatorError(
                f"{self.layout.credentials} is missing, and the database in {cluster.data} cannot be opened without it",
                "put the file back, or give up the data: delete both folders",
            )
        self.board.part("postgres", "starting", "" if cluster.version_file.exists() else "creating the cluster")
        await cluster.initialise(self.credentials.postgres)
        if not cluster.data.is_relative_to(self.layout.data):
            self.board.state.addresses["PostgreSQL's files"] = str(cluster.data)
        await self._keep(cluster.program())

    async def _kafka_and_connect(self) -> None:
        if "kafka" in self.plan.own:
            operator = self.plan.kafka(self.credentials)
            folder, ports = self.layout.data / "kafka", self.plan.ports
            kafka = Kafka(self._machine(), folder, ports, operator, self.credentials, self.plan.broker)
            self.board.part("kafka", "starting")
            await kafka.format()
            await self._keep(kafka.program())
            # Before Connect, which makes its topics as soon as it starts.
            await asyncio.to_thread(_let_connect_in, operator)
        if "connect" in self.plan.own:
            self.board.part("connect", "starting")
            plugins = await asyncio.to_thread(unpack_debezium, self.lock, self.cache)
            connect = Connect(
                self._machine(),
                self.plan.kafka_as(CONNECT, self.credentials),
                self.plan.connect_url(self.credentials),
                plugins,
                self.layout.capture_secrets,
                self.plan.ports,
            )
            await self._keep(connect.program())

    async def _prepare(self, tables_and_topics: asyncio.Event) -> None:
        parts = self.board.state.parts

        def on_line() -> None:
            if parts["databases"].phase == parts["topics"].phase == "ready":
                tables_and_topics.set()

        log = self.layout.log("prepare")
        await run_errand("tailrace.runtime.provision", self._environment(), log, self.board, on_line)

    async def _fleet(self, tables_and_topics: asyncio.Event) -> None:
        """The services need no Connect to start; events that they record wait in their outboxes."""
        await tables_and_topics.wait()
        environment = {**os.environ, **self.plan.fleet_environment(self.credentials)}
        await self._keep(Fleet(self.layout, self.plan.ports, environment, self.board).program())

    async def _keep(self, program: Program) -> None:
        child = self.children[program.name] = Child(program, self.layout.log(program.name), self.board)
        await child.start()

    async def _stop_children(self, names: Sequence[str] = _IN_REVERSE) -> None:
        if self._watch is not None and "connect" in names:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        for name in names:
            if child := self.children.pop(name, None):
                await child.stop()

    async def _fetch(self) -> None:
        java = {"kafka", "connect"} & set(self.plan.own)
        wanted = [*self.lock.jars, self.lock.debezium] if java else []
        wanted += [self.lock.postgres] if "postgres" in self.plan.own else []
        if not missing(wanted, self.cache):
            return
        loop = asyncio.get_running_loop()

        def progress(done: int, total: int) -> None:
            text = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB into {self.cache}"
            loop.call_soon_threadsafe(self.board.part, "download", "starting", text)

        await asyncio.to_thread(fetch, wanted, self.cache, progress)
        await asyncio.sleep(0)
        self.board.part("download", "ready", f"in {self.cache}")

    def _machine(self) -> Machine:
        return Machine.locate(self.lock, self.cache, self.layout.data / "java")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.plan.environment(self.credentials)}

    def _check_ports(self) -> None:
        for name, port in self.plan.listeners().items():
            if not is_free(port):
                raise OperatorError(
                    f"port {port}, wanted for {name}, is taken by {listener(port) or 'a process of another user'}",
                    "end that process, or choose other ports with TAILRACE_PORT_BASE and TAILRACE_GATEWAY_PORT",
                )

    def _end_orphans(self) -> None:
        """A supervisor that was killed takes its children along, but they may need a moment."""
        for part in (self._orphans.parts if self._orphans else {}).values():
            if part.process is not None:
                part.process.end(timeout=5)

    def _take_lock(self) -> IO[str]:
        file = self.layout.lock.open("w")
        deadline = time.monotonic() + 2  # a supervisor that is just ending
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    file.close()
                    raise OperatorError(
                        f"a stack is running in {self.layout.data}", "stop it with: tailrace down"
                    ) from None
                time.sleep(0.05)
            else:
                return file

    def _first_state(self) -> State:
        steps = [*PREPARED, "fleet"] if self.plan.only == "fleet" else []
        own = [name for name in self.plan.own if name != "fleet"]
        return State(
            supervisor=Process.current(),
            phase="starting",
            only=self.plan.only,
            port_base=self.plan.ports.base,
            gateway_port=self.plan.ports.gateway,
            parts={name: Part() for name in [*own, *steps]},
            addresses=self.plan.addresses(),
        )


def _capture_watch(environment: Mapping[str, str]) -> "Watch":
    """Imported here, beside what runs by now, since it needs the kit and every manifest."""
    from tailrace.capture.watch import Watch
    from tailrace.runtime.fleet import load_services
    from tailrace.settings import settings_from

    return Watch(load_services(), settings_from(environment))


def _let_connect_in(kafka: str) -> None:
    """Imported here for the same reason."""
    from tailrace.runtime import access

    access.grant(kafka, access.rights_of_connect([]))


def _reason(error: BaseException) -> tuple[str, str]:
    """The first failure that means something to a person; the others are what followed from it."""
    while isinstance(error, BaseExceptionGroup):
        error = next((each for each in error.exceptions if isinstance(each, OperatorError)), error.exceptions[0])
    if isinstance(error, OperatorError):
        return error.what, error.remedy
    if isinstance(error, asyncio.CancelledError):
        return "the start was interrupted", ""
    return f"{type(error).__name__}: {error}", "this is a defect of the stack itself: see logs/supervisor.log"
