"""Asks a running fleet for the screens of what `make demo` left there, and for each of their parts alone: `python -m screens`.

Each round asks for the screen and for every part in turn, so that all meet the same machine. Printed are, in ms, the median of the screen, of its
slowest part and of all parts one after another, and the median of each round's screen over its slowest part. Beside them stands what processors do
for the screen, and for its parts one by one, in the gateway, the services and PostgreSQL: no screen is quicker than its work divided by the cores.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from measure.usage import Processes

from gateway.screens import SCREENS
from tailrace.core.screens import Screen
from tailrace_demo.client import RequestLog, Session
from tailrace_demo.companies import FIRMS, PASSWORD

Ask = Callable[[str], Awaitable[Any]]
Used = Callable[[], float]
LISTS: Mapping[str, str] = {
    "customer": "/v1/customers",
    "opportunity": "/v1/opportunities",
    "quote": "/v1/quotes?status=accepted",
    "order": "/v1/orders?status=confirmed",
    "shipment": "/v1/shipments?status=dispatched",
}


_STILL = 5.0
"""Seconds for which nothing is asked, to see what the fleet does by itself."""


@dataclass(frozen=True)
class Figure:
    """Medians in ms; `ratio` is the screen's over its slowest part's, round by round."""

    screen: str
    parts: int
    whole: float
    slowest: float
    one_by_one: float
    ratio: float
    work: float = 0.0
    """Of a processor for the screen, in ms, as is `work_of_parts` for its parts one by one; 0 where nobody looked."""
    work_of_parts: float = 0.0

    def __str__(self) -> str:
        said = f"{self.screen:12} {self.parts} parts  screen {self.whole:6.1f}  slowest part {self.slowest:6.1f}"
        said = f"{said}  one by one {self.one_by_one:6.1f}  ratio {self.ratio:.2f}"
        return f"{said}  processor {self.work:6.1f}, of its parts {self.work_of_parts:6.1f}: at least {self.least:.2f}"

    @property
    def least(self) -> float:
        """The ratio that these cores allow: the screen's work shared out among all of them, over its slowest part."""
        return max(1.0, self.work / (os.cpu_count() or 1) / self.slowest)


async def measure(ask: Ask, rounds: int, used: Used | None = None) -> Sequence[Figure]:
    """Every screen that there is something to show on; `used` says for how many seconds processors worked so far.

    Raises whatever `ask` does for a refusal.
    """
    figures = []
    for screen in SCREENS:
        id = ""
        if screen.of_one:
            items = (await ask(LISTS[screen.name]))["items"]
            if not items:
                continue
            id = items[0]["id"]
        figures.append(await _measure(screen, id, ask, rounds, used))
    return figures


async def _measure(screen: Screen, id: str, ask: Ask, rounds: int, used: Used | None) -> Figure:
    targets = [part.target(id) for part in screen.parts]
    singles = [f"{path}?{query}" if query else path for path, query in targets]
    path = f"/v1/screens/{screen.name}/{id}".rstrip("/")
    whole, parts = [], []
    for round in range(rounds + 3):
        took = [await _time(ask, each) for each in (path, *singles)]
        if round >= 3:
            whole.append(took[0])
            parts.append(took[1:])
    slowest = [max(each) for each in zip(*[_smoothed(column) for column in zip(*parts, strict=True)], strict=True)]
    ratio = statistics.median(w / s for w, s in zip(_smoothed(whole), slowest, strict=True))
    middle = [statistics.median(column) for column in zip(*parts, strict=True)]
    figure = Figure(screen.name, len(singles), statistics.median(whole), max(middle), sum(middle), ratio)
    if used is None:
        return figure
    work = [await _work(ask, used, paths, rounds) for paths in ([path], singles)]
    return replace(figure, work=work[0], work_of_parts=work[1])


async def _work(ask: Ask, used: Used, paths: Sequence[str], rounds: int) -> float:
    """Of processors for these requests, in ms, above what they do without any."""
    began, before = time.perf_counter(), used()
    await asyncio.sleep(_STILL)
    idle = (used() - before) / (time.perf_counter() - began)
    began, before = time.perf_counter(), used()
    for _ in range(rounds):
        for path in paths:
            await ask(path)
    return (used() - before - idle * (time.perf_counter() - began)) * 1000 / rounds


def _used(data: Path) -> Used:
    """By the parts of the fleet in that folder which answer requests."""
    processes = Processes(data)

    def used() -> float:
        by_part = processes.cpu()
        return sum(by_part[part] for part in ("gateway", "services", "postgres"))

    return used


def _smoothed(times: Sequence[float]) -> list[float]:
    """The median of each time and its neighbours: the slowest of seven is else mostly the one that was disturbed."""
    return [statistics.median(times[max(0, at - 2) : at + 3]) for at in range(len(times))]


async def _time(ask: Ask, path: str) -> float:
    began = time.perf_counter()
    await ask(path)
    return (time.perf_counter() - began) * 1000


async def _main(options: argparse.Namespace) -> None:
    firm = FIRMS[0]
    async with Session(options.gateway, RequestLog(Path(os.devnull))) as session:
        admin = await session.log_in(firm.slug, f"admin@{firm.slug}.example", PASSWORD)
        print(f"load {os.getloadavg()[0]:.1f}")
        for figure in await measure(admin.get, options.rounds, _used(options.data)):
            print(figure)
        print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="screens", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    data = Path(os.environ.get("TAILRACE_DATA", "../../.tailrace"))
    parser.add_argument("--data", type=Path, default=data, help="the folder of the fleet")
    port = os.environ.get("TAILRACE_GATEWAY_PORT", "8000")
    parser.add_argument("--gateway", default=f"http://127.0.0.1:{port}")
    asyncio.run(_main(parser.parse_args()))
