"""Starting and stopping the supervisor from outside: what the command line does, without its screen."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from tailrace.core.operator_error import OperatorError
from tailrace.stack.layout import Layout
from tailrace.stack.plan import Only
from tailrace.stack.processes import Process
from tailrace.stack.state import State

Look = Callable[[State], None]
"""Called again and again with the newest state while something is awaited."""

STOP_TIMEOUT = 120.0
INTERVAL = 0.1


@dataclass(frozen=True)
class Started:
    state: State
    already: bool
    """Whether it was running before, so that nothing was changed."""


def start(layout: Layout, only: Only, look: Look) -> Started:
    """Start the supervisor unless it runs, and return when everything is ready. Raises `OperatorError`."""
    if layout.restoring.exists():
        raise OperatorError(
            f"{layout.data} holds a backup that was not restored to its end", "delete the folder, and restore it again"
        )
    state = State.load(layout.state)
    if state is not None and state.running:
        if state.phase == "ready":
            return Started(_same(state, only), already=True)
        if state.phase == "starting":
            return Started(_follow(layout, state.supervisor, look), already=True)
        _await_end(layout, look)
    return Started(_follow(layout, _spawn(layout, only), look), already=False)


def stop(layout: Layout, look: Look) -> bool:
    """Stop everything in order; says whether anything ran. What does not stop in time is killed."""
    state = State.load(layout.state)
    if state is None or not state.running:
        _end_rest(state)
        return False
    assert state.supervisor is not None
    state.supervisor.send(signal.SIGTERM)
    if not _await_end(layout, look):
        state.supervisor.end(signal.SIGKILL)
    _end_rest(State.load(layout.state))
    return True


def _same(state: State, only: Only) -> State:
    sizes: dict[str, int] = {"postgres": 1, "kafka": 2, "stack": 3, "fleet": 4}
    if sizes[state.only] < sizes[only]:
        raise OperatorError(
            f"a smaller stack is running ({state.only})", "stop it with: tailrace down, then start again"
        )
    return state


def _spawn(layout: Layout, only: Only) -> Process:
    layout.create()
    with (layout.logs / "supervisor.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "tailrace.stack.daemon", "--only", only],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TAILRACE_DATA": str(layout.data)},
            start_new_session=True,
        )
    found = Process.find(child.pid)
    assert found is not None
    return found


def _follow(layout: Layout, supervisor: Process | None, look: Look) -> State:
    """Watch the state until the supervisor says ready; raise what it failed with."""
    assert supervisor is not None
    while True:
        alive = supervisor.alive  # before the state is read, so that the last word is not missed
        state = State.load(layout.state)
        if state is not None and state.supervisor == supervisor:
            look(state)
            if state.phase == "ready":
                return state
            if state.phase == "failed":
                raise OperatorError(state.failure, state.remedy)
        if not alive:
            raise OperatorError("the supervisor ended", f"its last words:\n{_last_words(layout)}")
        time.sleep(INTERVAL)


def _last_words(layout: Layout) -> str:
    text = layout.log("supervisor").read_text(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in text[-12:])


def _await_end(layout: Layout, look: Look) -> bool:
    deadline = time.monotonic() + STOP_TIMEOUT
    while time.monotonic() < deadline:
        state = State.load(layout.state)
        if state is None or not state.running:
            return True
        look(state)
        time.sleep(INTERVAL)
    return False


def _end_rest(state: State | None) -> None:
    """What a supervisor that was killed left behind; each process is recognised by its start time, not by its pid alone."""
    for part in reversed(list(state.parts.values()) if state else []):
        if part.process is not None:
            part.process.end(timeout=10)
