"""`make faults SEED=… EVENTS=…`: run the mix on a stack of its own, print what came of it, and end with 1 when any figure is wrong.

Without a seed, the short mixes come first, and a short month of the two companies under kills, each on a stack of its own too. `MONTH=30` trades
that many days of theirs under kills, and nothing else.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from mix import months, report
from mix.checks import judge
from mix.client import RequestLog
from mix.run import SHORT, Plan, run
from tailrace.stack.embedded import Stack

_LIMITS = {"TAILRACE_TENANT_RATE": "5000", "TAILRACE_TENANT_BURST": "10000"}
_EVENTS_A_FAULT = 2_500
_SHORT_MONTH = 10
_SEED_OF_MONTH = 5


def main() -> None:
    options = _options()
    console = Console()
    if options.month:
        seed = _SEED_OF_MONTH if options.seed is None else options.seed
        sys.exit(0 if _try_month(seed, options.month, console, options.keep) else 1)
    seed = 1 if options.seed is None else options.seed
    long = Plan(seed, options.events, options.faults or max(9, options.events // _EVENTS_A_FAULT))
    for plan in SHORT if options.seed is None else ():
        if not _try(plan, console, None, options.keep):
            sys.exit(1)
    if options.seed is None and not _try_month(_SEED_OF_MONTH, _SHORT_MONTH, console, options.keep):
        sys.exit(1)
    sys.exit(0 if _try(long, console, options.report, options.keep) else 1)


def _try(plan: Plan, console: Console, documents: Path | None, keep: bool) -> bool:
    """Whether every figure was right."""
    said = f"Seed {plan.seed}, {plan.events:,} events or more, {plan.faults} faults"
    return _on_a_stack(
        said, console, keep, _LIMITS, lambda stack, folder: _run(stack, plan, folder, console, documents)
    )


def _try_month(seed: int, days: int, console: Console, keep: bool) -> bool:
    """Whether the month of the two companies ended as its requests say."""

    def trade(stack: Stack, folder: Path) -> bool:
        try:
            outcome = asyncio.run(months.run(stack, seed, days, folder, _teller(console)))
        except AssertionError as error:
            console.print(f"Seed {seed}: the month does not end as its requests say: {error}", style="red")
            return False
        console.print(str(outcome), style="bold", highlight=False)
        return True

    return _on_a_stack(f"Seed {seed}, a month of {days} days under kills", console, keep, {}, trade)


def _on_a_stack(
    said: str, console: Console, keep: bool, environment: dict[str, str], work: Callable[[Stack, Path], bool]
) -> bool:
    """Whether it came right on a stack of its own. What went wrong is kept."""
    folder = Path(tempfile.mkdtemp(prefix="tailrace-mix-"))
    folder.chmod(0o755)
    console.print(f"{said}, in {folder}")
    stack = Stack(folder / "data", environment=environment)
    right = False
    try:
        stack.start()
        right = work(stack, folder)
    finally:
        if right and not keep:
            stack.discard()
            shutil.rmtree(folder, ignore_errors=True)
        else:
            stack.stop()
            console.print(f"Logs, data and the log of requests are kept in {folder}")
    return right


def _teller(console: Console) -> Callable[[str], None]:
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:7.0f} s  {text}", highlight=False)

    return say


def _run(stack: Stack, plan: Plan, folder: Path, console: Console, documents: Path | None) -> bool:
    log = RequestLog(folder / "requests.jsonl")
    outcome = asyncio.run(run(stack, plan, log, _teller(console)))
    checks = judge(outcome.evidence)
    report.show(console, outcome, checks)
    if documents is not None:
        report.save(documents, outcome, checks)
        console.print(f"Written: {documents}/faults.json and faults.md")
    return all(check.holds for check in checks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="decides everything that is random")
    parser.add_argument("--events", type=int, default=200_000, help="events that must come about, at the least")
    parser.add_argument("--faults", type=int, default=0, help="how many; one for every 2,500 events when left out")
    parser.add_argument("--month", type=int, default=0, help="so many days of two companies' month under kills, alone")
    parser.add_argument("--report", type=Path, help="a folder for faults.json and faults.md")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs also when all is right")
    return parser.parse_args()


if __name__ == "__main__":
    main()
