"""Where the stack keeps its files, and on which ports it listens: nothing here starts or writes anything but folders.

Everything lives under one data folder (`$TAILRACE_DATA`, default `.tailrace`). Every port but the edge's counts up
from one base, so that a second stack needs one other number. Which place a service got is kept there, so that no port moves
when another service is added.
"""

import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tailrace.core.operator_error import OperatorError

HOST = "127.0.0.1"
FIRST_SERVICE = 10
"""Offset of the first service's port from the base; the numbers below it belong to the stack's own parts."""


def host_of(number: int) -> str:
    """The loopback address of the first, the second … of several that listen on the same ports: Linux answers to all of 127.0.0.0/8."""
    return f"127.0.0.{number}"


def checkout() -> Path:
    """The checkout that the current folder lies in, or that folder when it lies in none."""
    here = Path.cwd()
    marks = ("locks", "services")
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
    def restoring(self) -> Path:
        """There while a backup is being restored, and ever after when that was cut off."""
        return self.data / "restoring"

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

    @property
    def capture_secrets(self) -> Path:
        """The passwords of the capture roles, a file for each, where Connect looks them up."""
        return self.data / "capture-secrets"

    @property
    def places(self) -> Path:
        """The place of each service that ever ran here, counted from the first service's port."""
        return self.data / "ports.json"

    def known_places(self) -> dict[str, int]:
        try:
            return {str(name): int(place) for name, place in json.loads(self.places.read_text()).items()}
        except FileNotFoundError:
            return {}

    def keep_places(self, places: Mapping[str, int]) -> None:
        """For ever: a service that is gone keeps its place for when it comes back."""
        kept = self.known_places() | dict(places)
        if kept != self.known_places():
            fresh = self.places.with_suffix(".part")
            fresh.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
            fresh.replace(self.places)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Make the folders, closed to others. Root's data folder can be crossed, so that PostgreSQL's user reaches its part."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.run, self.logs, self.capture_secrets):
            folder.mkdir(exist_ok=True, mode=0o700)


@dataclass(frozen=True)
class Ports:
    """One port for each listener, all on the loopback interface."""

    base: int
    gateway: int
    """Of the service that faces the world."""
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

    @property
    def mail(self) -> int:
        """Of the mail server among the stand-ins, which speaks no HTTP."""
        return self.base + 4

    @property
    def places(self) -> dict[str, int]:
        first = self.base + FIRST_SERVICE
        return {name: port - first for name, port in self.services.items() if port != self.gateway}

    @classmethod
    def counted(
        cls, base: int, gateway: int, services: Iterable[str], edge: Iterable[str] = (), known: Mapping[str, int] = {}
    ) -> "Ports":
        """The `edge` at its own port. The others from `base + 10`: at the place that is known, else the first free one, by name."""
        services, edge, places = set(services), set(edge), dict(known)
        free = (place for place in count() if place not in set(known.values()))
        for name in sorted(services - edge - places.keys()):
            places[name] = next(free)
        numbers = {name: base + FIRST_SERVICE + places[name] for name in sorted(services - edge)}
        return cls(base, gateway, numbers | dict.fromkeys(sorted(services & edge), gateway))

    @classmethod
    def free(cls, services: Iterable[str] = (), edge: Iterable[str] = (), known: Mapping[str, int] = {}) -> "Ports":
        """A run of ports that no process holds now, below the range from which the kernel hands out ports of its own."""
        services = list(services)
        run = FIRST_SERVICE + max([len(services), *(place + 1 for place in known.values())])
        for _ in range(200):
            base = random.randrange(15_000, 32_000)
            if all(is_free(port) for port in range(base, base + run)):
                return cls.counted(base, base + FIRST_SERVICE - 1, services, edge, known)
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
