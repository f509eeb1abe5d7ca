"""Starts every part in order, keeps it alive, stops it in reverse. One instance, one event loop, one data folder."""

import asyncio
import fcntl
from typing import IO

from tailrace.stack.artifacts import Lock, cache_folder, fetch
from tailrace.stack.child import Child, Program
from tailrace.stack.credentials import Credentials
from tailrace.stack.errors import StackError
from tailrace.stack.layout import is_free
from tailrace.stack.plan import Plan
from tailrace.stack.postgres import Postgres
from tailrace.stack.processes import Process, listener
from tailrace.stack.state import Board, State


class Supervisor:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layout = plan.layout
        self.layout.create()
        self._guard = self._take_lock()
        self.credentials = self._credentials()
        self.board = Board(self.layout.state, self._fresh_state())
        self.children: dict[str, Child] = {}
        self.lock = Lock.load()
        self.cache = cache_folder(self.layout.data)

    async def start(self) -> None:
        """Returns when everything asked for is ready; raises `StackError` with everything stopped again."""
        self.board.phase("starting")
        try:
            self._check_ports()
            await self._fetch()
            await self._postgres()
        except BaseException:
            await self.stop("failed")
            raise
        self.board.phase("ready")

    async def stop(self, phase: str = "stopped") -> None:
        """In reverse order: fleet, Connect, Kafka, PostgreSQL."""
        for name in ("fleet", "connect", "kafka", "postgres"):
            if child := self.children.pop(name, None):
                await child.stop()
        self.board.phase("failed" if phase == "failed" else "stopped")
        self._guard.close()

    def pids(self) -> dict[str, int]:
        """The pids of the children that live now."""
        return {name: child.pid for name, child in self.children.items() if child.pid is not None}

    async def _postgres(self) -> None:
        cluster = await asyncio.to_thread(
            Postgres.locate, self.lock, self.cache, self.layout.data, self.plan.ports.postgres
        )
        await cluster.initialise(self.credentials.postgres)
        await self._keep(cluster.program())

    async def _keep(self, program: Program) -> None:
        child = self.children[program.name] = Child(program, self.layout.log(program.name), self.board)
        await child.start()

    async def _fetch(self) -> None:
        await asyncio.to_thread(fetch, [self.lock.postgres], self.cache)

    def _check_ports(self) -> None:
        for name, port in self.plan.listeners().items():
            if not is_free(port):
                raise StackError(
                    f"port {port}, wanted for {name}, is taken by {listener(port) or 'a process of another user'}",
                    "end that process, or choose other ports with TAILRACE_PORT_BASE and TAILRACE_GATEWAY_PORT",
                )

    def _take_lock(self) -> IO[str]:
        file = self.layout.lock.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise StackError(
                f"a stack is running already in {self.layout.data}", "stop it with: tailrace down"
            ) from None
        return file

    def _credentials(self) -> Credentials:
        return Credentials.load_or_create(self.layout.credentials)

    def _fresh_state(self) -> State:
        return State(supervisor=Process.current(), only=self.plan.only)
