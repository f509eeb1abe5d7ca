"""Processes by identity: a pid together with the moment its process started, so that a recycled pid is never signalled."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process for all time. `started` is opaque: compare it, nothing else."""

    pid: int
    started: str

    @classmethod
    def current(cls) -> "Process":
        found = cls.find(os.getpid())
        assert found is not None
        return found

    @classmethod
    def find(cls, pid: int) -> "Process | None":
        """The live process that has this pid now; a zombie counts as gone."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    @property
    def alive(self) -> bool:
        return Process.find(self.pid) == self

    def send(self, number: signal.Signals) -> bool:
        """Signal the process if it still is the one that was meant."""
        if not self.alive:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False

    def end(self, first: signal.Signals = signal.SIGTERM, timeout: float = 10.0) -> None:
        """Signal, wait up to `timeout` seconds, then SIGKILL. Returns when it is gone."""
        self.send(first)
        if not self.wait(timeout):
            self.send(signal.SIGKILL)
            self.wait(5)

    def wait(self, timeout: float) -> bool:
        """Whether it was gone within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def _started(pid: int) -> str | None:
    """Ticks since boot beside the boot's own id; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    state, *rest = text[text.rindex(")") + 2 :].split()  # the name in parentheses may hold spaces
    return None if state in "ZX" else f"{boot[:8]}:{rest[18]}"


def listener(port: int) -> str | None:
    """Who listens on a port, as `pid 4711 (python …)`, or None when no process does or the holder is hidden from this user."""
    import psutil

    with contextlib.suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr[1] == port
                and connection.pid
            ):
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    command = " ".join(psutil.Process(connection.pid).cmdline())
                    return f"pid {connection.pid} ({command[:80]})"
    return None
