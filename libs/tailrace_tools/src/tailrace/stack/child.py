"""One supervised process: started, awaited, started again with growing pauses when it dies, stopped when asked to.

A child never outlives the thread that started it (see `launch.py`), and never shares its terminal's signals.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.core.retries.backoff import Backoff
from tailrace.stack import launch
from tailrace.stack.accounts import Account
from tailrace.stack.processes import Process
from tailrace.stack.state import Board

log = logging.getLogger("tailrace.stack")

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 15.0
STEADY = 30.0
"""Seconds of life after which the pauses start from the shortest again."""
FIRST_ATTEMPTS = 3
LOOK_EVERY = 10.0
LOG_LIMIT = 20 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What to run and how to tell that it works. Times are in seconds."""

    name: str
    argv: Sequence[str]
    ready: Callable[[int], Awaitable[bool]]
    """Asked again and again with the pid, until it says yes."""
    port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    before: Callable[[], None] = lambda: None
    """Called before each start, to clear away what a crash left behind."""
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    """Sent by the kernel when the supervisor itself is gone."""
    stop_timeout: float = 20.0
    ready_timeout: float = 120.0
    alive: Callable[[], Awaitable[bool]] | None = None
    """Asked again and again once it is ready; a program that says no for all of `alive_timeout` is killed, and so started again."""
    alive_timeout: float = 90.0
    explain: Callable[[], str] = lambda: ""
    """More to say about a start that failed, when the program's own log says too little."""


def command(argv: Sequence[str], death: signal.Signals, account: Account | None) -> list[str]:
    """`argv` wrapped so that the process dies with this one, under the account."""
    uid, gid = (account.uid, account.gid) if account else (os.geteuid(), os.getegid())
    launcher = [sys.executable, "-I", "-S", str(Path(launch.__file__))]
    return [*launcher, str(os.getpid()), str(int(death)), str(uid), str(gid), *argv]


class Child:
    """Keeps one program running. Use from one event loop."""

    def __init__(self, program: Program, log: Path, board: Board) -> None:
        self.program = program
        self.log = log
        self.board = board
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The pid of the live process, None between a death and the next start."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start and wait until ready. Raises `OperatorError` when the program keeps dying or is not ready in time."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")
        first = asyncio.create_task(self._first.wait())
        done, _ = await asyncio.wait(
            {first, self._keeper}, timeout=self.program.ready_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        first.cancel()
        if self._keeper in done:
            await self._keeper  # raises what went wrong
        if not done:
            raise self._failure(f"{self.program.name} was not ready after {self.program.ready_timeout:.0f} s")

    async def stop(self) -> None:
        """End the process and wait for its death; SIGKILL after the program's `stop_timeout`."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            self.board.part(self.program.name, "stopping")
            self._signal(process, self.program.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), self.program.stop_timeout)
            except TimeoutError:
                self._signal(process, signal.SIGKILL)
                await process.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._sweep()
        self.board.part(self.program.name, "stopped", process=None)

    async def _keep(self) -> None:
        backoff, attempts, restarts = Backoff(FIRST_PAUSE, LONGEST_PAUSE), 0, 0
        while not self._stopping:
            began = time.monotonic()
            try:
                ending = _ending(await self._live_once(restarts))
            except OSError as error:
                # No memory, or no room on the disk: there may be some by the next attempt.
                ending = f"could not be started ({error})"
            self._sweep()
            if self._stopping:
                return
            attempts += 1
            if not self._first.is_set() and attempts >= FIRST_ATTEMPTS:
                raise self._failure(f"{self.program.name} {ending} before it was ready, {attempts} times")
            if time.monotonic() - began > STEADY:
                backoff.reset()
            pause = backoff.next()
            restarts += 1
            log.warning("%s %s, starting it again in %.2g s", self.program.name, ending, pause)
            self.board.part(
                self.program.name,
                "restarting",
                f"{ending}, again in {pause:.2g} s",
                process=None,
                restarts=restarts,
            )
            await asyncio.sleep(pause)

    async def _live_once(self, restarts: int) -> int:
        """One life of the process, from its start to its exit code."""
        self._process = None
        self.program.before()
        self._process = process = await self._spawn()
        detail = f"start {restarts + 1}" if restarts else ""
        self.board.part(
            self.program.name, "starting", detail, process=Process.find(process.pid), port=self.program.port
        )
        probe = asyncio.create_task(self._announce(process, restarts))
        try:
            return await process.wait()
        finally:
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)

    async def _announce(self, process: asyncio.subprocess.Process, restarts: int) -> None:
        pause = 0.02
        while not await _says_yes(self.program.ready(process.pid)):
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        self.board.part(self.program.name, "ready", f"restarted {restarts} times" if restarts else "")
        self._first.set()
        if self.program.alive is not None:
            await self._attend(process, self.program.alive)

    async def _attend(self, process: asyncio.subprocess.Process, alive: Callable[[], Awaitable[bool]]) -> None:
        """Returns when it has killed a process that runs and does nothing any more."""
        name, timeout, since = self.program.name, self.program.alive_timeout, time.monotonic()
        while time.monotonic() - since < timeout:
            await asyncio.sleep(min(LOOK_EVERY, timeout / 3))
            if await _says_yes(alive()):
                since = time.monotonic()
        log.error("%s has not answered for %g s, ending it", name, timeout)
        self._signal(process, signal.SIGKILL)

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *command(self.program.argv, self.program.death_signal, self.program.account),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(self.program.environment),
                cwd="/" if self.program.account else None,
                start_new_session=True,
            )

    def _signal(self, process: asyncio.subprocess.Process, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    def _sweep(self) -> None:
        """End what a dead process left of its own process group (forks of the fleet)."""
        process = self._process
        if process is not None and process.returncode is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def _failure(self, what: str) -> OperatorError:
        words = self.program.explain() or f"its last words:\n{tail(self.log)}"
        return OperatorError(what, f"{words}\nthe whole log is {self.log}")


async def _says_yes(answer: Awaitable[bool]) -> bool:
    with contextlib.suppress(OSError, TimeoutError):
        return await answer
    return False


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, indented."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "  (no log)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
