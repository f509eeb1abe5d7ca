"""Where the stack keeps its files, and on which ports it listens: nothing here starts or writes anything but folders.

Everything lives under one data folder (`$TAILRACE_DATA`, default `.tailrace`). Every port but the gateway's counts up
from one base, so that a second stack needs one other number.
"""

import os
import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tailrace.core.operator_error import OperatorError

HOST = "127.0.0.1"
FIRST_SERVICE = 10
"""Offset of the first service's port from the base; the numbers below it belong to the stack's own parts."""


def checkout() -> Path:
    """The checkout that the current folder lies in, or that folder when it lies in none."""
    here = Path.cwd()
    marks = ("requirements.lock", "services")
    return next((folder for folder in (here, *here.parents) if all((folder / mark).exists() for mark in marks)), here)


@dataclass(frozen=True)
class Layout:
    """The folders and files under one data folder."""

    data: Path

    @classmethod
    def from_environment(cls) -> "Layout":
        given = os.environ.get("TAILRACE_DATA")
        return cls((Path(given) if given else checkout() / ".tailrace").expanduser().absolute())

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def state(self) -> Path:
        """What the supervisor is doing, as JSON; see `state.py`."""
        return self.run / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this data folder for as long as it lives."""
        return self.run / "supervisor.lock"

    @property
    def fleet(self) -> Path:
        """Written by the fleet process: `{service: {"pid", "port", "ready"}}`."""
        return self.run / "fleet.json"

    @property
    def credentials(self) -> Path:
        return self.data / "secrets.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Make the folders, closed to others. Root's data folder can be crossed, so that PostgreSQL's user reaches its part."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.run, self.logs):
            folder.mkdir(exist_ok=True, mode=0o700)


@dataclass(frozen=True)
class Ports:
    """One port for each listener, all on the loopback interface."""

    base: int
    gateway: int
    services: dict[str, int] = field(default_factory=dict)

    @property
    def postgres(self) -> int:
        return self.base

    @property
    def kafka(self) -> int:
        return self.base + 1

    @property
    def controller(self) -> int:
        return self.base + 2

    @property
    def connect(self) -> int:
        return self.base + 3

    @classmethod
    def counted(cls, base: int, gateway: int, services: Iterable[str]) -> "Ports":
        """The gateway at its own port, the other services from `base + 10` in alphabetical order."""
        others = sorted(set(services) - {"gateway"})
        numbers = {name: base + FIRST_SERVICE + index for index, name in enumerate(others)}
        return cls(base, gateway, {**numbers, "gateway": gateway} if "gateway" in services else numbers)

    @classmethod
    def free(cls, services: Iterable[str] = ()) -> "Ports":
        """A run of ports that no process holds now, below the range from which the kernel hands out ports of its own."""
        services = list(services)
        for _ in range(200):
            base = random.randrange(15_000, 32_000)
            if all(is_free(port) for port in range(base, base + FIRST_SERVICE + len(services))):
                return cls.counted(base, base + FIRST_SERVICE - 1, services)
        raise OperatorError("no run of free ports between 15000 and 32000", "end processes that listen there")


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
