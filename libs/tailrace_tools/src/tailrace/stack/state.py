"""What the stack is doing, in one small JSON file that is replaced as a whole: a reader never sees half of it."""

import dataclasses
import json
import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tailrace.core.progress import Phase
from tailrace.stack.layout import Layout
from tailrace.stack.processes import Process

log = logging.getLogger("tailrace.stack")


@dataclass
class Part:
    """One line of `tailrace status`: a process or a preparatory step. `since` is seconds of the Unix epoch."""

    phase: Phase = "waiting"
    detail: str = ""
    since: float = field(default_factory=time.time)
    seconds: float | None = None
    """How long it took to become ready the first time."""
    process: Process | None = None
    port: int | None = None
    restarts: int = 0


@dataclass
class Capture:
    """One connector as Connect reports it, what its canary says of the whole way, and what the monitor did about it.

    Times in seconds of the Unix epoch; `latency` in seconds from commit to Kafka.
    """

    state: str
    reason: str = ""
    restarts: int = 0
    trouble: str = ""
    """What is wrong besides; see `tailrace.capture.watch`."""
    doing: str = ""
    arrived_at: float | None = None
    latency: float | None = None
    repairs: int = 0
    repaired: str = ""
    """What the last repair did."""

    @property
    def well(self) -> bool:
        return self.state == "RUNNING" and not self.trouble


@dataclass
class State:
    """The whole stack. Times as in `Part`."""

    supervisor: Process | None = None
    phase: Phase = "waiting"
    began: float = field(default_factory=time.time)
    only: str = "fleet"
    port_base: int = 0
    gateway_port: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    connectors: dict[str, Capture] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    remedy: str = ""
    """Why the stack did not start, and what to do about it."""

    def save(self, path: Path) -> None:
        building = path.with_name(f"{path.name}.part")
        building.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        os.replace(building, path)

    @classmethod
    def load(cls, path: Path) -> "State | None":
        """The last state written, or None when there was none."""
        try:
            raw = json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        raw["supervisor"] = _process(raw["supervisor"])
        raw["parts"] = {
            name: Part(**{**part, "process": _process(part["process"])}) for name, part in raw["parts"].items()
        }
        raw["connectors"] = {name: Capture(**each) for name, each in raw["connectors"].items()}
        return cls(**raw)

    @property
    def running(self) -> bool:
        """Whether the supervisor that wrote this is alive."""
        return self.supervisor is not None and self.supervisor.alive


def _process(raw: dict[str, Any] | None) -> Process | None:
    return None if raw is None else Process(**raw)


def fleet_status(layout: Layout) -> dict[str, dict[str, Any]]:
    """What the fleet process last wrote: `{service: {"pid", "port", …}}`, empty when there is none."""
    try:
        found: dict[str, dict[str, Any]] = json.loads(layout.fleet.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


class Board:
    """The state as its one writer sees it: every change is on disk when the call returns.

    Where it cannot be written, on a full disk, that is logged, and the next change writes all of it: the supervisor goes on.
    """

    def __init__(self, path: Path, state: State) -> None:
        self.path = path
        self.state = state

    def phase(self, phase: Phase) -> None:
        self.state.phase = phase
        self.save()

    def failed(self, what: str, remedy: str) -> None:
        self.state.failure, self.state.remedy = what, remedy
        self.phase("failed")

    def part(self, name: str, phase: Phase, detail: str = "", **changes: Any) -> None:
        """Move one part to a phase; `changes` are other fields of `Part`."""
        part = self.state.parts.setdefault(name, Part())
        now = time.time()
        if phase != part.phase:
            if phase == "ready" and part.seconds is None:
                part.seconds = now - part.since
            part.since = now
        part.phase, part.detail = phase, detail
        for key, value in changes.items():
            setattr(part, key, value)
        self.save()

    def save(self) -> None:
        try:
            self.state.save(self.path)
        except OSError as error:
            log.error("the state cannot be written: %s", error)
