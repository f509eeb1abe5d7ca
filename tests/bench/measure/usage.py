"""What the processes of a stack use, by part: CPU seconds with those of children that have ended, and memory as each one's share (PSS)."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

Figures = dict[str, float]
"""By part; `together` is their sum."""
_TICKS = os.sysconf("SC_CLK_TCK")
PARTS = ("postgres", "kafka", "connect", "gateway", "services", "supervisor")


@dataclass(frozen=True)
class Processes:
    """The processes of one stack, found again at each look. `data` is its folder."""

    data: Path

    def cpu(self) -> Figures:
        """CPU seconds so far. A difference of two looks is what was used between them, whoever ended meanwhile."""
        return _together({part: sum(map(_seconds, pids)) for part, pids in self._pids().items()})

    def threads(self) -> dict[str, float]:
        """CPU seconds so far of each kind of thread of Connect and of Kafka, by the name that Linux keeps of it."""
        found: dict[str, float] = {}
        pids = self._pids()
        for part in ("connect", "kafka"):
            for stat in [path for pid in pids[part] for path in Path(f"/proc/{pid}/task").glob("*/stat")]:
                kind = f"{part}: {_kind(_name(stat))}"
                found[kind] = found.get(kind, 0.0) + _ticks(stat, 2) / _TICKS
        return found

    def memory(self) -> Figures:
        """MiB. A page that several processes share counts once."""
        return _together({part: sum(map(_pss, pids)) / 1024 for part, pids in self._pids().items()})

    def restarts(self) -> int:
        """How often something was started again: figures of such a run are worth little."""
        state, fleet = _read(self.data / "run/stack.json"), _read(self.data / "run/fleet.json")
        return sum(int(each["restarts"]) for each in [*state["parts"].values(), *fleet.values()])

    def _pids(self) -> dict[str, list[int]]:
        state, fleet = _read(self.data / "run/stack.json"), _read(self.data / "run/fleet.json")
        roots = {name: part["process"]["pid"] for name, part in state["parts"].items() if part["process"]}
        gateway = fleet["gateway"]["pid"]
        return {
            **{name: list(_tree(roots[name])) for name in ("postgres", "kafka", "connect")},
            "gateway": [gateway],
            "services": [pid for pid in _tree(roots["fleet"]) if pid != gateway],
            "supervisor": [state["supervisor"]["pid"]],
        }


def tree_cpu(root: int) -> float:
    """CPU seconds so far of a process and of all its children, with those that have ended."""
    return sum(map(_seconds, _tree(root)))


def difference(before: Figures, after: Figures, *, per: float = 1.0, digits: int = 3) -> Figures:
    return {part: round((after[part] - before[part]) / per, digits) for part in after}


def busiest(
    before: Mapping[str, float], after: Mapping[str, float], *, per: float, count: int = 12
) -> dict[str, float]:
    """The kinds of thread that used most between two looks, in cores, the busiest first."""
    used = {kind: round((seconds - before.get(kind, 0.0)) / per, 4) for kind, seconds in after.items()}
    return dict(sorted(used.items(), key=lambda each: -each[1])[:count])


def above_idle(used: Figures, idle: Mapping[str, float], seconds: float, events: int) -> Figures:
    """CPU milliseconds for each event or request, after what the fleet would have used in that time without any; `idle` is in cores."""
    return {part: round((used[part] - idle.get(part, 0) * seconds) * 1000 / max(events, 1), 3) for part in used}


def _together(figures: Figures) -> Figures:
    rounded = {part: round(figures[part], 2) for part in PARTS}
    return {**rounded, "together": round(sum(figures.values()), 2)}


def _tree(root: int) -> Iterator[int]:
    yield root
    try:
        yield from (child.pid for child in psutil.Process(root).children(recursive=True))
    except psutil.NoSuchProcess:
        return


def _seconds(pid: int) -> float:
    return _ticks(Path(f"/proc/{pid}/stat"), 4) / _TICKS


def _ticks(stat: Path, count: int) -> int:
    """After the name in parentheses utime, stime, cutime and cstime are the 12th to 15th (proc(5)): the sum of so many of them."""
    try:
        text = stat.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, text[text.rindex(")") + 2 :].split()[11 : 11 + count]))


def _name(stat: Path) -> str:
    try:
        return (stat.parent / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "ended"


def _kind(name: str) -> str:
    """Linux keeps 15 characters, the last of which tell one connector's thread from another's."""
    return name[:12].rstrip("-#0123456789 ")


def _pss(pid: int) -> float:
    """KiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
