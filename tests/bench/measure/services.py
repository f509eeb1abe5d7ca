"""`make bench-services N=10`: what ten further services cost, each with everything that the generator offers, in scratch copies of the checkout.

Of describing the fleet, of their tests and of running it, each measured without them and with them. What is the same in both is no cost of theirs.
Ends with 1 when a part failed, or when the tests of a service cost more than `MOST`.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from measure import services_report
from measure.installation import Installation
from measure.machine import machine
from measure.services_report import Document, Figure
from measure.suite import MOST, adopt_orphans, cost_of_command, cost_of_tests
from measure.usage import difference
from measure.workspace import Workspace
from tailrace.codegen.scaffold import OPTIONS

PARTS = ("describe", "tests", "fleet")
CALM = 20.0
"""Seconds after a start until what belongs to the start is over."""
_TESTS = (("own tests", ()), ("own tests and conformance", ("tests/conformance",)))


def describing(workspace: Workspace) -> dict[str, float]:
    """CPU seconds of `tailrace describe`: of everything, after one service changed, and of nothing. Leaves the copy as it was."""
    sandbox = workspace.sandbox
    command = ("-m", "tailrace.cli", "describe")
    manifest = sandbox.root / "services" / workspace.services[-1] / "src" / workspace.services[-1] / "service.py"
    shutil.rmtree(sandbox.root / "dist" / ".describe_cache", ignore_errors=True)
    found = {"everything": cost_of_command(sandbox, *command).cpu}
    found["nothing changed"] = cost_of_command(sandbox, *command).cpu
    text = manifest.read_text()
    manifest.write_text(f"{text}# changed\n")
    found["one service changed"] = cost_of_command(sandbox, *command).cpu
    manifest.write_text(text)
    return found


def testing(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """CPU seconds of the tests of one of the services that were made, and of all."""
    names = [each.service for each in workspace.generated]
    return {
        part: (
            cost_of_tests(workspace.sandbox, names[:1], where).cpu,
            cost_of_tests(workspace.sandbox, names, where).cpu,
        )
        for part, where in _TESTS
    }


def running(workspace: Workspace, data: Path, idle: float) -> dict[str, float]:
    """Seconds of starting the fleet on fresh data and again, and what it takes when nobody uses it."""
    installation = Installation(workspace, data)
    try:
        found = {"cold": installation.up()}
        installation.down()
        found["warm"] = installation.up()
        time.sleep(CALM)
        before, began = installation.processes.cpu(), time.monotonic()
        time.sleep(idle)
        used = difference(before, installation.processes.cpu(), per=time.monotonic() - began)
        found |= {"memory": installation.processes.memory()["together"], "idle": used["together"]}
        found["started again"] = installation.processes.restarts()
    finally:
        installation.down()
    return found


class Trial:
    """`keep` is handed the document after each part, so that a run that is cut off leaves what it had."""

    def __init__(
        self, folder: Path, added: int, idle: float, say: Callable[[str], None], keep: Callable[[Document], None]
    ) -> None:
        self._folder, self._added, self._idle, self._say, self._keep = folder, added, idle, say, keep
        self.document: Document = {"asked": {"services": added, "idle": idle, "with": ",".join(OPTIONS)}}
        self.document |= {"machine": machine(), "figures": [], "failed": {}, "complete": False}

    def run(self, parts: Sequence[str]) -> None:
        began = time.monotonic()
        without = Workspace(self._folder / "without", 0)
        self._say(f"a copy with the project's own {len(without.services)} services")
        having = Workspace(self._folder / "with", self._added, OPTIONS)
        self._say(f"and one with {self._added} more, made and described; {time.monotonic() - began:.0f} s for both")
        self.document["services"] = [len(without.services), len(having.services)]
        for part in parts:
            self._say(f"{part} …")
            try:
                self._add(getattr(self, f"_{part}")(without, having))
            except Exception as error:  # the others are measured nevertheless
                self.document["failed"][part] = f"{type(error).__name__}: {error}"[-2000:]
                self._say(f"{part} failed: {self.document['failed'][part]}")
            self._keep(self.document)
        self.document["complete"] = not self.document["failed"]
        self._keep(self.document)

    def _add(self, figures: Sequence[Figure]) -> None:
        self.document["figures"] += figures

    def _describe(self, without: Workspace, having: Workspace) -> list[Figure]:
        fewer, more = describing(without), describing(having)
        return [
            services_report.figure(f"`tailrace describe`, {what}", "CPU s", fewer[what], more[what], self._added)
            for what in fewer
        ]

    def _tests(self, without: Workspace, having: Workspace) -> list[Figure]:
        """Of one of them beside all of them: what a run costs whatever it holds is in both."""
        return [
            services_report.figure(f"{part}, of one and of all", "CPU s", one, all_of_them, self._added - 1)
            for part, (one, all_of_them) in testing(having).items()
        ]

    def _fleet(self, without: Workspace, having: Workspace) -> list[Figure]:
        fewer, more = [
            running(each, self._folder / f"data-{len(each.services)}", self._idle) for each in (without, having)
        ]
        named = {"start, cold": ("cold", "s"), "start, warm": ("warm", "s"), "memory, idle": ("memory", "MiB")}
        named |= {"CPU, idle": ("idle", "cores"), "processes started again": ("started again", "")}
        return [
            services_report.figure(what, unit, fewer[key], more[key], self._added)
            for what, (key, unit) in named.items()
        ]


def main() -> None:
    options = options_of(sys.argv[1:])
    adopt_orphans()
    console = Console(width=None if sys.stdout.isatty() else 170)
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {text}", highlight=False)

    folder = Path(tempfile.mkdtemp(prefix="tailrace-services-"))
    folder.chmod(0o755)
    saved = options.report or folder
    trial = Trial(folder, options.services, options.idle, say, lambda document: services_report.save(saved, document))
    trial.run(options.only)
    services_report.show(console, trial.document)
    if trial.document["complete"] and not options.keep:
        for each in ("without", "with"):
            shutil.rmtree(folder / each, ignore_errors=True)
    console.print(f"Written: {saved}/services.json and services.md")
    sys.exit(not trial.document["complete"] or services_report.is_too_dear(trial.document, MOST))


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        raise argparse.ArgumentTypeError(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    return parts


def _several(text: str) -> int:
    if (number := int(text)) < 2:
        raise argparse.ArgumentTypeError("one is compared with several: two at least")
    return number


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Raises SystemExit for what cannot be measured."""
    parser = argparse.ArgumentParser(prog="make bench-services", description=__doc__)
    parser.add_argument("--services", type=_several, default=10, help="how many are added")
    parser.add_argument("--only", type=_parts, default=list(PARTS), help=f"parts, with commas: {','.join(PARTS)}")
    parser.add_argument("--idle", type=float, default=30, help="seconds of looking at the idle fleet")
    parser.add_argument("--report", type=Path, help="a folder for services.json and services.md")
    parser.add_argument("--keep", action="store_true", help="keep the copies also when all went well")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
