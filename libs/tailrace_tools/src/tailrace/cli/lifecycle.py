"""`up`, `down` and `migrate` on the screen: what is awaited, for how long, what failed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast, get_args

from rich.live import Live
from rich.table import Table
from rich.text import Text

from tailrace.cli.console import coloured, mark, out
from tailrace.core.operator_error import OperatorError
from tailrace.core.progress import Phase
from tailrace.stack import control
from tailrace.stack.layout import Layout
from tailrace.stack.plan import Only
from tailrace.stack.state import State

OPERATOR = "tenant platform, operator@platform.local"
"""The log-in that identity makes at its first start."""


def bring_up(only: str) -> None:
    if only not in get_args(Only):
        raise OperatorError(f"--only {only} is unknown", f"one of: {', '.join(get_args(Only))}")
    layout = Layout.from_environment()
    began = time.monotonic()
    with _progress() as look:
        started = control.start(layout, cast(Only, only), look)
    how = "was running already" if started.already else f"is ready after {time.monotonic() - began:.1f} s"
    out.print(Text(f"Tailrace {how}.", "bold green"))
    print_addresses(layout, started.state)


def take_down() -> None:
    layout = Layout.from_environment()
    began = time.monotonic()
    with _progress(stopping=True) as look:
        ran = control.stop(layout, look)
    out.print(
        f"Stopped after {time.monotonic() - began:.1f} s, the data is kept in {layout.data}"
        if ran
        else "Nothing was running."
    )


def migrate_all() -> None:
    from tailrace.cli.running import enter_environment
    from tailrace.runtime.fleet import load_services
    from tailrace.runtime.provision import prepare_databases
    from tailrace.settings import Settings

    enter_environment()
    with out.status("preparing databases") as shown:
        prepare_databases(load_services(), Settings(), lambda part, phase, detail: shown.update(f"{part}: {detail}"))
    out.print("Every database is up to date.")


def print_addresses(layout: Layout, state: State) -> None:
    for name, address in state.addresses.items():
        out.print(f"  {name:<18} {address}")
    out.print(f"  {'Secrets':<18} {layout.credentials}")
    if state.only == "fleet":
        out.print(f"  {'API reference':<18} {state.addresses['Gateway']}/docs")
        out.print(f"  {'Log-in':<18} {OPERATOR}, with the password `operator` of that file")
    out.print("Look: tailrace status, tailrace logs, tailrace events tail. Stop: tailrace down.", style="dim")


@contextmanager
def _progress(*, stopping: bool = False) -> "Iterator[control.Look]":
    """A table that renews itself on a terminal; elsewhere a line for each part that changes its phase."""
    if not out.is_terminal:
        yield _Lines({"stopping", "stopped"} if stopping else set(get_args(Phase)))
        return
    with Live(console=out, refresh_per_second=8, transient=True) as live:
        yield lambda state: live.update(_table(state))


class _Lines:
    def __init__(self, news: set[str]) -> None:
        self._news = news
        self._seen: dict[str, str] = {}

    def __call__(self, state: State) -> None:
        for name, part in state.parts.items():
            if self._seen.get(name, "waiting") == part.phase or part.phase not in self._news:
                continue
            self._seen[name] = part.phase
            took = f" after {part.seconds:.1f} s" if part.phase == "ready" and part.seconds is not None else ""
            detail = f": {part.detail}" if part.detail and part.phase != "starting" else ""
            out.print(f"{name} {part.phase}{took}{detail}")


def _table(state: State) -> Table:
    table = Table.grid(padding=(0, 2))
    now = time.time()
    for name, part in state.parts.items():
        seconds = part.seconds if part.phase == "ready" else None if part.phase == "waiting" else now - part.since
        took = Text("" if seconds is None else f"{seconds:.1f} s", justify="right")
        table.add_row(mark(part.phase), name, coloured(part.phase), took, Text(part.detail, "dim"))
    return table
