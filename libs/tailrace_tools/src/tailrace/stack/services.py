"""The fleet process as a child of the stack: ready when every service answers its readiness check."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from tailrace.http import outgoing
from tailrace.stack.child import Program, tail
from tailrace.stack.layout import HOST, Layout, Ports
from tailrace.stack.state import Board

READY_TIMEOUT = 180.0


@dataclass(frozen=True)
class Fleet:
    layout: Layout
    ports: Ports
    environment: Mapping[str, str]
    board: Board
    _awaited: dict[int, list[str]] = field(default_factory=dict)
    """By process: who had not been ready when last asked."""

    def program(self) -> Program:
        return Program(
            name="fleet",
            argv=[sys.executable, "-m", "tailrace.runtime.fleet"],
            ready=self._ready,
            environment=self.environment,
            stop_timeout=25.0,
            ready_timeout=READY_TIMEOUT,
            death_signal=signal.SIGTERM,
            explain=self._explain,
        )

    async def _ready(self, pid: int) -> bool:
        """Asks those that were not ready, and when none is left, all of them once more: forty answers cost a start more than they tell."""
        ports = self.ports.services
        waiting = await not_ready({name: ports[name] for name in self._awaited.get(pid, ports)})
        if not waiting and pid in self._awaited:
            waiting = await not_ready(ports)
        self._awaited[pid] = waiting
        if waiting and self.board.state.parts["fleet"].phase == "starting":
            self.board.part("fleet", "starting", f"waiting for {', '.join(waiting)}")
        return not waiting

    def _explain(self) -> str:
        """The last words of a service that was still awaited."""
        detail = self.board.state.parts["fleet"].detail
        first = detail.removeprefix("waiting for ").split(",")[0]
        log = self.layout.log(first)
        return f"{detail}; the last words of {first}:\n{tail(log)}\nsee: tailrace logs {first}" if log.exists() else ""


async def not_ready(services: Mapping[str, int]) -> list[str]:
    """The names, in order, of those that do not answer 200 at `/health/ready`."""
    async with outgoing.client(within=3) as client:
        answers = await asyncio.gather(*(_is_ready(client, port) for port in services.values()))
    return [name for name, ready in zip(services, answers, strict=True) if not ready]


async def _is_ready(client: httpx2.AsyncClient, port: int) -> bool:
    try:
        async with asyncio.timeout(3):
            return (await client.get(f"http://{HOST}:{port}/health/ready")).status_code == 200
    except outgoing.UNREACHED:
        return False
