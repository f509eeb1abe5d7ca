"""Orders per second that reach the books, ours and Tryton's in turns on the same machine: `python -m books --seconds 20 --rounds 3 --json FILE`.

Tryton is installed by name into a folder of its own, and has a PostgreSQL of the kind that ours has. Both sell the same orders. A turn of Tryton's
has one seller for each core; our fleet idles beside it, and Tryton's figure is what it would have been with the cores that this took. A turn of
ours has clients of the gateway in this process. See docs/how-to/measure.md for what each side does.
"""

import argparse
import asyncio
import json
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from measure.machine import machine
from rich.console import Console
from rich.table import Table

from books.flow import MOST_AHEAD
from books.ours import Ours
from books.plan import GOODS_EACH, Plan
from books.tally import AGAIN, OURS, PEER, REFUSED, TAKEN, Turn, result
from books.tryton import PACKAGES, Tryton
from tailrace.observability.logs import configure

_WARM = 5.0
"""Seconds of the turn of each side that is not counted."""
_RAMP = 3.0
"""Seconds of a turn of ours until its first orders can be in the books."""
DOES = {
    OURS: "Through the gateway: an order entered and confirmed, its shipment dispatched. By events: credit looked at, goods reserved, a shipment "
    "made, stock issued at its cost, cost and revenue booked, an invoice drafted, issued under a number without gaps, and booked; "
    "and all that the fleet's other services do with these events (the audit log, the trace, reports, timelines).",
    PEER: "In its own process, by its models: a sale entered, quoted, confirmed and processed; its shipment assigned, picked, packed and done; "
    "its invoice posted under a number without gaps. Three requests, without HTTP, sessions and checks of access. "
    "The cost of goods is not booked: that is a module of its own.",
}


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with 2, as argparse does, for what cannot be measured."""
    parser = argparse.ArgumentParser(prog="python -m books", description=__doc__)
    parser.add_argument("--rounds", type=_positive(int), default=3, help="turns of each side")
    parser.add_argument("--seconds", type=_positive(float), default=20.0, help="of a turn")
    parser.add_argument("--sellers", type=_positive(int), default=os.cpu_count(), help="processes of Tryton")
    parser.add_argument("--lines", type=_positive(int), default=2, help="of an order")
    parser.add_argument("--ahead", type=_positive(int), default=64, help="orders of ours on their way to the books")
    parser.add_argument("--seed", type=int, default=1, help="decides what is ordered")
    parser.add_argument("--only", choices=(OURS, PEER), help="one side alone")
    parser.add_argument("--peer", type=Path, help="where Tryton is, or is to be installed for the next time too")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    asked = parser.parse_args(arguments)
    if asked.lines > GOODS_EACH:
        parser.error(f"an order has at most {GOODS_EACH} lines")
    if asked.ahead > MOST_AHEAD:
        parser.error(f"at most {MOST_AHEAD} orders may be on their way")
    if asked.seconds <= _RAMP:
        parser.error(f"a turn lasts more than {_RAMP:g} seconds")
    return asked


def _positive(kind: type[int] | type[float]) -> Any:
    def read(text: str) -> float:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is no number above zero")
        return value

    return read


class Run:
    """`turns` are those that count."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self._asked, self._folder, self._began = asked, folder, time.monotonic()
        self.turns: list[Turn] = []
        self.wrong: list[str] = []
        """What the books of a side do not say as its sellers do."""

    async def run(self) -> None:
        asked = self._asked
        plan = Plan.make(asked.seed, asked.sellers, asked.lines)
        async with AsyncExitStack() as stack:
            ours, tryton = await self._open(plan, stack)
            sold = 0
            for number in range(asked.rounds + 1):
                seconds = asked.seconds if number else max(_WARM, 2 * _RAMP)
                if ours is not None:
                    self._keep(await ours.turn(seconds, _RAMP), number)
                if tryton is not None:
                    turn = await self._beside(ours, tryton, seconds)
                    self._keep(turn, number)
                    sold += turn.cpu_orders
            if tryton is not None and (there := await tryton.sold()) != sold:
                self.wrong.append(f"{PEER}'s sellers made {sold} sales, and its database has {there}")

    async def _open(self, plan: Plan, stack: AsyncExitStack) -> tuple[Ours | None, Tryton | None]:
        """Both at once, since each waits for much else than processors."""
        async with asyncio.TaskGroup() as both:
            ours = both.create_task(self._ours(plan, stack))
            tryton = both.create_task(self._tryton(plan, stack))
        return ours.result(), tryton.result()

    async def _ours(self, plan: Plan, stack: AsyncExitStack) -> Ours | None:
        if self._asked.only == PEER:
            return None
        (self._folder / "tailrace").mkdir(mode=0o755)
        opened = await stack.enter_async_context(Ours.open(self._folder / "tailrace", plan, self._asked.ahead))
        self._say("the fleet is up, and its company has customers, goods and stock")
        return opened

    async def _tryton(self, plan: Plan, stack: AsyncExitStack) -> Tryton | None:
        if self._asked.only == OURS:
            return None
        (self._folder / "peer").mkdir(mode=0o755)
        tryton = stack.enter_context(Tryton(self._asked.peer or self._folder / "tryton", self._folder / "peer", plan))
        await asyncio.to_thread(tryton.install)
        self._say("Tryton is installed")
        await asyncio.to_thread(tryton.prepare)
        self._say("Tryton has a company with customers, goods and stock")
        return tryton

    async def _beside(self, ours: Ours | None, tryton: Tryton, seconds: float) -> Turn:
        """A turn of Tryton's, and how many cores our fleet took meanwhile."""
        before, began = ours.cpu() if ours else {}, time.monotonic()
        turn = await asyncio.to_thread(tryton.turn, seconds)
        after, lasted = ours.cpu() if ours else {}, time.monotonic() - began
        taken = sum(after[part] - before[part] for part in after) / lasted
        return replace(turn, more={**turn.more, TAKEN: round(taken, 3)})

    def _keep(self, turn: Turn, number: int) -> None:
        self._say(
            f"{f'turn {number}' if number else 'warm-up'}: {turn.side} {turn.booked} orders, {turn.rate:.2f}/s, "
            f"{turn.cost['together']:.1f} ms of CPU each, load {os.getloadavg()[0]:.1f}"
        )
        if number:
            self.turns.append(turn)

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:5.0f} s  {text}", flush=True)


def document(asked: argparse.Namespace, counted: Sequence[Turn], wrong: Sequence[str], cores: int) -> dict[str, Any]:
    told = {name: str(value) if isinstance(value, Path) else value for name, value in vars(asked).items()}
    turns = [
        {
            "side": turn.side,
            "booked": turn.booked,
            "seconds": round(turn.seconds, 3),
            "orders per second": round(turn.rate, 3),
            "CPU ms per order": {part: round(each, 3) for part, each in turn.cost.items()},
            "more": turn.more,
        }
        for turn in counted
    ]
    said = result(counted, cores)
    return {
        "asked": told,
        "machine": machine(),
        "peer": PACKAGES,
        "does": DOES,
        **said,
        "rounds": turns,
        "wrong": list(wrong),
    }


def show(console: Console, told: dict[str, Any]) -> None:
    table = Table("", *(side for side in (OURS, PEER) if side in told))
    sides = [told[side] for side in (OURS, PEER) if side in told]
    table.add_row("orders/s that reach the books, median", *(f"{side['orders per second']:.2f}" for side in sides))
    table.add_row("by round", *("  ".join(map(str, side["by round"])) for side in sides))
    if "times" in told:
        table.add_row("without our idle fleet beside it", "", f"{told[PEER]['orders per second, alone']:.2f}")
    for part in dict.fromkeys(part for side in sides for part in side["CPU ms per order"]):
        table.add_row(f"CPU ms per order: {part}", *(f"{side['CPU ms per order'].get(part, 0):.1f}" for side in sides))
    for kind in (AGAIN, REFUSED):
        if any(kind in side for side in sides):
            table.add_row(f"requests {kind}", *(str(side.get(kind, "")) for side in sides))
    for side in sides:
        if behind := side.get("books behind"):
            table.add_row("books behind, p50 / p99", f"{behind['p50 ms']:.0f} / {behind['p99 ms']:.0f} ms")
    console.print(table)
    if times := told.get("times"):
        rounds = "  ".join(map(str, times["orders per second, by round"]))
        console.print(f"{times['orders per second']} times the orders/s (by round {rounds});", highlight=False)
        console.print(f"an order costs Tryton {times['CPU for an order']} times the CPU.", highlight=False)
    for side, does in told["does"].items():
        console.print(f"{side}: {does}", highlight=False)


def main() -> None:
    asked = options()
    configure("books", "ERROR")
    folder = Path(tempfile.mkdtemp(prefix="tailrace-books-"))
    folder.chmod(0o755)
    cores = os.cpu_count() or 1
    run = Run(asked, folder)
    try:
        asyncio.run(run.run())
    except Exception:
        run.wrong.append(f"it did not come to its end:\n{traceback.format_exc()}")
    told = document(asked, run.turns, run.wrong, cores)
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=2) + "\n")
    show(Console(width=None if sys.stdout.isatty() else 150), told)
    for each in run.wrong:
        print(f"wrong: {each}")
    if run.wrong:
        print(f"Logs and data are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if run.wrong else 0)


if __name__ == "__main__":
    main()
